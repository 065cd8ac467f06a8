import { describe, expect, it } from "vitest";
import { wantedNumbers } from "./number";

describe("what is looked for among numbers", () => {
  it("is a name where it has letters, and digits where it has none", () => {
    expect(wantedNumbers(" Front desk ")).toEqual({ name: "Front desk" });
    expect(wantedNumbers("ផ្ទះ")).toEqual({ name: "ផ្ទះ" });
    expect(wantedNumbers("+855 (12) 345")).toEqual({ number: "85512345" });
  });

  it("leaves national forms as they are, and takes 00 for the plus", () => {
    expect(wantedNumbers("012 345 678")).toEqual({ number: "012345678" });
    expect(wantedNumbers("0085512")).toEqual({ number: "85512" });
    expect(wantedNumbers("00")).toEqual({ number: "00" });
  });
});
