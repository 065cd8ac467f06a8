import { describe, expect, it } from "vitest";
import { asItIs, held } from "./held";

const self = (row: string) => row;
const shown = (rows: string[]) => asItIs(rows, self).lines;
const keys = (lines: { key: string }[]) => lines.map(({ key }) => key).join("");

describe("a list under a hand", () => {
  it("keeps its rows in place while new ones wait", () => {
    const now = held(shown(["c", "b", "a"]), ["e", "d", "c", "b", "a"], self);
    expect([keys(now.lines), now.waiting, now.gone]).toEqual(["cba", 2, 0]);
  });

  it("keeps the place of a row that is gone", () => {
    const now = held(shown(["c", "b", "a"]), ["d", "c", "a"], self);
    expect([keys(now.lines), now.waiting, now.gone]).toEqual(["cba", 1, 1]);
    expect(now.lines.map(({ gone }) => gone)).toEqual([false, true, false]);
  });

  it("keeps its order when what is listed changes places", () => {
    expect(keys(held(shown(["a", "b"]), ["b", "a"], self).lines)).toBe("ab");
  });

  it("takes the page after it at its end, where nothing moves", () => {
    const now = held(shown(["c", "b"]), ["d", "c", "b", "a"], self);
    expect([keys(now.lines), now.waiting]).toEqual(["cba", 1]);
  });

  it("shows nothing new above when all of its rows are gone", () => {
    const now = held(shown(["b", "a"]), ["d", "c"], self);
    expect([keys(now.lines), now.waiting, now.gone]).toEqual(["ba", 2, 2]);
  });

  it("takes a row that new ones push off the end of its page for no row that is gone", () => {
    const now = held(shown(["d", "c", "b", "a"]), ["f", "e", "d", "c"], self, true);
    expect([keys(now.lines), now.waiting, now.gone, now.beyond]).toEqual(["dcba", 2, 0, false]);
    expect(now.lines.map(({ below }) => below)).toEqual([false, false, true, true]);
    // One of three that are missing was pushed off by one new one.
    const fewer = held(shown(["d", "c", "b", "a"]), ["e", "d", "x"], self, true);
    expect([fewer.waiting, fewer.gone]).toEqual([1, 2]);
  });

  it("knows when there may be more new ones than it has asked for", () => {
    const now = held(shown(["b", "a"]), ["z", "y"], self, true);
    expect([keys(now.lines), now.waiting, now.gone, now.beyond]).toEqual(["ba", 2, 0, true]);
    expect(held(shown(["b", "a"]), ["z", "y"], self).beyond).toBe(false);
  });

  it("shows the first rows of an empty list at once", () => {
    expect(keys(held([], ["b", "a"], self).lines)).toBe("ba");
  });

  it("comes to the same when it is asked again", () => {
    const rows = ["e", "c", "a", "z"];
    const once = held(shown(["c", "b", "a"]), rows, self);
    expect(held(once.lines, rows, self)).toEqual({ ...once });
  });
});
