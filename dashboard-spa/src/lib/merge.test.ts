import { describe, expect, it } from "vitest";
import { beside, changed, merge, only, unsettled } from "./merge";

const base = { name: "Desk", voice: { url: "https://a", method: "POST" }, tags: ["a"] };

describe("a form that somebody else saves meanwhile", () => {
  it("takes over what nobody touched here, and keeps what was", () => {
    const mine = { ...base, name: "Door" };
    const theirs = { ...base, voice: { ...base.voice, method: "GET" }, tags: ["a", "b"] };
    const { take, conflicts } = merge(base, mine, theirs);
    expect([...take]).toEqual([
      ["voice.method", "GET"],
      ["tags", ["a", "b"]],
    ]);
    expect(conflicts.size).toBe(0);
  });

  it("has a conflict only where both changed one field, and to something else", () => {
    const mine = { ...base, name: "Door", tags: ["b"] };
    const theirs = { ...base, name: "Gate", tags: ["b"] };
    const { take, conflicts } = merge(base, mine, theirs);
    expect(take.size).toBe(0);
    expect([...conflicts]).toEqual([["name", "Desk"]]);
    expect(beside(theirs, "name")).toBe("Changed elsewhere meanwhile: “Gate”");
    expect(unsettled(conflicts, base).size).toBe(0);
    expect(unsettled(conflicts, theirs).size).toBe(1);
  });

  it("sends what was touched, and nothing beside it", () => {
    const mine = { ...base, voice: { ...base.voice, url: "https://b" } };
    expect(only(mine, changed(base, mine).keys())).toEqual({ voice: { url: "https://b" } });
    expect(only(base, changed(base, base).keys())).toEqual({});
  });
});
