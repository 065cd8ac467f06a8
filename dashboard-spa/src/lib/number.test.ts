import { describe, expect, it } from "vitest";
import { isNumber, looksLikeNumber, means, wantedNumbers } from "./number";
import { shortCode } from "./validate";

/** As they come from a page with text of two directions, from a list of contacts, and from a link. */
const COPIED = [
  "\u202a+855 12 345 678\u202c",
  "\ufeff+85512345678\u200b",
  "tel:+855-12-345-678",
  "\u200eTEL:+85512345678",
];

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

describe("a number that was copied", () => {
  it("is one wherever a number is asked for", () => {
    for (const text of COPIED) {
      expect(isNumber(text), text).toBe(true);
      expect(looksLikeNumber(text), text).toBe(true);
      expect(wantedNumbers(text), text).toHaveProperty("number");
      expect(means(text, { number: "+85512345678" }), text).toBe(true);
    }
    expect(shortCode("\u202a1234\u202c")).toBeNull();
    expect(isNumber("tel:")).toBe(false);
  });
});

describe("a number that is typed to confirm", () => {
  const own = { number: "+85512345680", national: "012345680" };

  it("is meant in any writing of all of it, and no other", () => {
    for (const text of [
      "+855 12 345 680",
      "+85512345680",
      " 855-12-345-680 ",
      "00 855 12 345 680",
      "+855 (12) 345.680",
      "012 345 680",
    ])
      expect(means(text, own), text).toBe(true);
    for (const text of ["", "345 680", "+855 12 345 681", "+855 12 345 68", "delete", "012 345 681"])
      expect(means(text, own), text).toBe(false);
    expect(means(" 1234 ", { number: "1234" })).toBe(true);
    expect(means("+1234", { number: "1234" })).toBe(false);
  });
});
