import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { type Column, DataGrid, onePage } from "./DataGrid";

type Thing = { sid: string; status: string };

const thing = (sid: string, status = "up"): Thing => ({ sid, status });
const a = thing("a");
const b = thing("b");

/** Which rows were drawn since it was asked last. */
const drawn: string[] = [];
const drawnSince = () => drawn.splice(0).sort();
const columns: Column<Thing>[] = [
  {
    id: "sid",
    title: "SID",
    render: ({ sid, status }) => {
      drawn.push(sid);
      return `${sid} ${status}`;
    },
  },
];
const actions = ({ sid, status }: Thing) => (
  <button type="button">{`${sid}: ${status === "up" ? "End" : "Ended"}`}</button>
);

const useOver =
  () =>
  ({ sid }: Thing) =>
    thing(sid, "over");

const grid = (rows: Thing[]) => (
  <MantineProvider env="test">
    <DataGrid
      name="things"
      noun={["thing", "things"]}
      columns={columns}
      query={onePage({ data: rows, error: null, isPending: false, refetch: () => undefined })}
      rowKey={({ sid }) => sid}
      useAfterwards={useOver}
      gone="ended"
      onOpen={() => undefined}
      actions={actions}
      empty="Nothing"
    />
  </MantineProvider>
);
const foot = () => document.querySelector("[data-foot]")?.textContent;

afterEach(cleanup);

describe("a list", () => {
  it("draws the row that changed, and none that did not, when something happens in it", () => {
    const { rerender } = render(grid([b, a]));
    drawnSince();
    rerender(grid([b, thing("a", "slow")]));
    expect(drawnSince()).toEqual(["a"]);
    rerender(grid([thing("c"), b, a]));
    expect(drawnSince()).toEqual(["a", "c"]);
    rerender(grid([b]));
    expect(drawnSince()).toEqual([]);
  });

  it("keeps the button of a row that is over where it was, and counts what is on screen", () => {
    const { rerender } = render(grid([b, a]));
    expect(foot()).toBe("2 things");
    fireEvent.pointerEnter(screen.getByText("b up"), { pointerType: "mouse" });
    const button = screen.getByText("b: End");
    rerender(grid([a]));
    expect(screen.getByText("b: Ended")).toBe(button);
    expect(foot()).toBe("2 things1 ended");
    rerender(grid([]));
    expect(foot()).toBe("2 things2 ended");
  });
});
