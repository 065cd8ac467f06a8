import { describe, expect, it } from "vitest";
import { looksLikeNumber, wantedNumbers } from "./number";

describe("what is looked for among numbers", () => {
  it("is a name where it has letters, and digits where it has none", () => {
    expect(wantedNumbers(" Front desk ")).toEqual({ name: "Front desk" });
    expect(wantedNumbers("ផ្ទះ")).toEqual({ name: "ផ្ទះ" });
    expect(wantedNumbers(" +855 (12) 345 ")).toEqual({ number: "+855 (12) 345" });
  });

  it("is left to the server to read", () => {
    for (const text of ["012 345 678", "00 855 12", "+44 (0)20 7946", "４４ ２０"]) {
      expect(wantedNumbers(text)).toEqual({ number: text });
    }
  });

  it("is a number in the palette where it is nothing but digits and what stands between them", () => {
    for (const text of ["12", "+44 (0)20 7946", "0044.20-7946", "４４２０"]) {
      expect(looksLikeNumber(text), text).toBe(true);
    }
    for (const text of ["1", "", "Acme 12", "CA12"]) expect(looksLikeNumber(text), text).toBe(false);
  });
});
