import { describe, expect, it } from "vitest";
import { wantedNumbers } from "./number";

describe("what is looked for among numbers", () => {
  it("is a name where it has letters, and digits where it has none", () => {
    expect(wantedNumbers(" Front desk ")).toEqual({ name: "Front desk" });
    expect(wantedNumbers("ផ្ទះ")).toEqual({ name: "ផ្ទះ" });
    expect(wantedNumbers("+855 (12) 345")).toEqual({ number: "85512345" });
  });

  it("finds a number by its national form", () => {
    expect("+85512345678").toContain((wantedNumbers("012 345 678") as { number: string }).number);
    expect(wantedNumbers("01")).toEqual({ number: "01" });
  });
});
