import { describe, expect, it } from "vitest";
import { visible, visibleJson } from "./visible";

describe("what reorders or hides", () => {
  it("is written out", () => {
    expect(visible("pay\u202efdp.exe")).toBe("pay\\u202efdp.exe");
    expect(visible("Ban\u200bk\ufeff\u{e0041}")).toBe("Ban\\u200bk\\ufeff\\udb40\\udc41");
  });

  it("is written out inside JSON so that it is read as text", () => {
    expect(JSON.parse(visibleJson(JSON.stringify({ from: "a\u202eb" })))).toEqual({ from: "a\\u202eb" });
  });

  it("is none of any language's letters, nor of emoji", () => {
    for (const text of ["שלום", "مرحبا", "می\u200cخواهم", "👩\u200d🚀", "ភាសាខ្មែរ"])
      expect(visible(text)).toBe(text);
  });
});
