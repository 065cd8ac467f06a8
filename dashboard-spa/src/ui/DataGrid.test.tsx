import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Column, DataGrid, onePage, type Pages } from "./DataGrid";

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

const grid = (rows: Thing[], query: Partial<Pages<Thing>> = {}) => (
  <MantineProvider env="test">
    <DataGrid
      name="things"
      noun={["thing", "things"]}
      columns={columns}
      query={{
        ...onePage({ data: rows, error: null, isPending: false, refetch: () => undefined }),
        ...query,
      }}
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

/** The newest rows of a list of so many. */
const newest = (rows: Thing[], total: number): Partial<Pages<Thing>> => ({
  data: { pages: [{ data: rows, total }] },
  hasNextPage: true,
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

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

  it("counts what is on screen while new rows push others off its end, and all that are new", () => {
    const { rerender } = render(grid([], newest([b, a], 351)));
    expect(foot()).toBe("First 2 of 351 thingsShow more");
    fireEvent.pointerEnter(screen.getByText("b up"), { pointerType: "mouse" });
    rerender(grid([], newest([thing("z"), thing("y")], 411)));
    expect(foot()).toBe("First 2 of 411 things60 newShow more");
    expect(document.querySelectorAll("[data-gone]").length).toBe(0);
    fireEvent.click(screen.getByText("60 new"));
    expect(screen.getByText("z up")).toBeTruthy();
    expect(foot()).toBe("First 2 of 411 thingsShow more");
  });

  it("shows what is there when its page is opened, where fingers may come down any time, and holds it from then on", () => {
    vi.spyOn(window, "matchMedia").mockImplementation(
      (query) =>
        ({
          matches: query === "(hover: none)",
          addEventListener: () => undefined,
          removeEventListener: () => undefined,
        }) as unknown as MediaQueryList,
    );
    // What is remembered from the last time is asked for anew.
    const { rerender } = render(grid([a], { isFetching: true }));
    rerender(grid([b, a]));
    expect(screen.getByText("b up")).toBeTruthy();
    rerender(grid([thing("c"), b, a]));
    expect(screen.queryByText("c up")).toBeNull();
    expect(screen.getByText("1 new")).toBeTruthy();
  });

  it("does not say that there is nothing before it is known", () => {
    const { rerender } = render(grid([], { isFetching: true }));
    expect(screen.queryByText("Nothing")).toBeNull();
    rerender(grid([]));
    expect(screen.getByText("Nothing")).toBeTruthy();
    rerender(grid([], { isFetching: true }));
    expect(screen.getByText("Nothing")).toBeTruthy();
  });
});
