import { describe, expect, it } from "vitest";
import { subdomainOf } from "./subdomain";

describe("a company's name as a subdomain", () => {
  it("is written in plain letters", () => {
    expect(
      ["Søren & Søn", "Straße Œuvre", "Łódź Đakovo", "Café Zürich", "ＡＢＣ ①"].map(subdomainOf),
    ).toEqual(["soren-son", "strasse-oeuvre", "lodz-dakovo", "cafe-zurich", "abc-1"]);
  });

  it("begins and ends with one of them, however long or strange the name is", () => {
    expect([" - Demo. ", "电信", `${"a".repeat(31)} & b`].map(subdomainOf)).toEqual([
      "demo",
      "",
      "a".repeat(31),
    ]);
  });
});
