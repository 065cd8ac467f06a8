import { describe, expect, it } from "vitest";
import { keepRows } from "./rows";

const page = (...data: { sid: string; status: string }[]) => ({ pages: [{ data }], pageParams: [""] });
const row = (sid: string, status = "ringing") => ({ sid, status });
const rowsOf = (list: unknown) => (list as ReturnType<typeof page>).pages.flatMap(({ data }) => data);

describe("a list that was asked for again", () => {
  it("keeps the rows that are as they were when a new one pushes them down", () => {
    const known = page(row("b"), row("a"));
    const now = rowsOf(keepRows(known, page(row("c"), row("b"), row("a", "completed"))));
    expect(now[1]).toBe(rowsOf(known)[0]);
    expect(now[2]).not.toBe(rowsOf(known)[1]);
    expect(now.map(({ sid, status }) => `${sid} ${status}`)).toEqual([
      "c ringing",
      "b ringing",
      "a completed",
    ]);
  });

  it("is the same list where nothing has changed", () => {
    const known = page(row("b"), row("a"));
    expect(keepRows(known, page(row("b"), row("a")))).toBe(known);
    expect(keepRows(known, known)).toBe(known);
  });

  it("is taken as it comes the first time", () => {
    expect(keepRows(undefined, page(row("a")))).toEqual(page(row("a")));
  });

  it("tells rows without a SID apart by their position", () => {
    const entries = (...positions: number[]) => ({
      pages: [{ data: positions.map((position) => ({ position })) }],
    });
    const known = entries(2, 1);
    const now = keepRows(known, entries(3, 2, 1)) as typeof known;
    expect(now.pages[0]?.data.slice(1).map((entry, at) => entry === known.pages[0]?.data[at])).toEqual([
      true,
      true,
    ]);
  });
});
