import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { visible, visibleJson, visibleResponse } from "./visible";

describe("what reorders or hides", () => {
  it("is written out", () => {
    expect(visible("pay\u202efdp.exe")).toBe("pay\\u202efdp.exe");
    expect(visible("Ban\u200bk\ufeff\u{e0041}")).toBe("Ban\\u200bk\\ufeff\\udb40\\udc41");
  });

  it("is what the server takes for it", () => {
    const told: [number, number][] = JSON.parse(readFileSync("../schema/unseen.json", "utf8"));
    const isTold = (code: number) => told.some(([first, last]) => first <= code && code <= last);
    // Each range's ends and what is beside them, and a walk with long steps through everything else.
    const ends = told.flatMap(([first, last]) => [first - 1, first, last, last + 1]);
    const walk = Array.from({ length: 0x110000 / 61 }, (_, step) => step * 61);
    for (const code of [...ends, ...walk]) {
      const text = String.fromCodePoint(code);
      if ((visible(text) !== text) !== isTold(code)) expect.fail(`U+${code.toString(16)}`);
    }
  });

  it("is written out inside JSON so that it is read as text", () => {
    expect(JSON.parse(visibleJson(JSON.stringify({ from: "a\u202eb" })))).toEqual({ from: "a\\u202eb" });
  });

  it("is written out wherever it is only shown, and kept where a form is filled with it", async () => {
    const name = async (path: string, status = 200) => {
      const response = new Response(JSON.stringify({ name: "Ac\u202eme" }), { status });
      Object.defineProperty(response, "url", { value: `https://voice.example.com/carrier/v1${path}` });
      return (await (await visibleResponse(response)).json()).name;
    };
    for (const path of [
      "/accounts",
      "/trunks?limit=5",
      "/trunks/TK1/turned-away",
      "/users/US1",
      "/audit",
      "/overview",
    ])
      expect(await name(path)).toBe("Ac\\u202eme");
    for (const path of ["/accounts/AC1", "/trunks/TK1", "/phone-numbers/PN1", "/carrier"])
      expect(await name(path)).toBe("Ac\u202eme");
    expect(await name("/trunks/TK1", 422)).toBe("Ac\\u202eme");
  });

  it("is none of any language's letters, nor of emoji", () => {
    for (const text of ["שלום", "مرحبا", "می\u200cخواهم", "👩\u200d🚀", "ភាសាខ្មែរ"])
      expect(visible(text)).toBe(text);
  });
});
