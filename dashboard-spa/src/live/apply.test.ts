import { type InfiniteData, QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as queries from "../api/queries";
import type { Call, CallPage, TimelineEntry } from "../client/types.gen";
import { LiveUpdates, mergeLive, patchCall } from "./apply";

const call = (sid: string, status: Call["status"] = "ringing", minute = "00"): Call => ({
  sid,
  status,
  direction: "inbound",
  from: "+85512345678",
  to: "1234",
  created_at: `2026-11-23T20:${minute}:00Z`,
  queue_time_ms: 0,
  warnings: 0,
});
const row = (sequence: number): TimelineEntry => ({
  position: String(sequence),
  sequence,
  at: "2026-11-23T20:00:00Z",
  lane: "call",
  title: `row ${sequence}`,
  event_type: "Received",
  detail: {},
});

type Pages = InfiniteData<CallPage>;

/** The live list with one page of these; with `more` it goes on. */
const listed = (calls: Call[], more = false): Pages => ({
  pages: [{ data: calls, ...(more && { next_cursor: "more" }) }],
  pageParams: [""],
});
const rows = (list: Pages | undefined) => list?.pages.flatMap((page) => page.data) ?? [];
const sids = (list: Pages | undefined) => rows(list).map(({ sid }) => sid);

/** A question whose answers are given by hand, in the order it was asked. */
function question<Answer>() {
  const asked: ((answer: Answer) => void)[] = [];
  const ask = () => new Promise<Answer>((resolve) => asked.push(resolve));
  return { asked, ask };
}

describe("the live list", () => {
  it("gains a new call on top, keeps its place when it changes, and loses it when it is over", () => {
    const two = mergeLive(listed([call("CA1")]), call("CA2"));
    expect(sids(two)).toEqual(["CA2", "CA1"]);
    const changed = mergeLive(two, call("CA1", "in-progress"));
    expect(rows(changed).map(({ sid, status }) => [sid, status])).toEqual([
      ["CA2", "ringing"],
      ["CA1", "in-progress"],
    ]);
    expect(sids(mergeLive(changed, call("CA1", "completed")))).toEqual(["CA2"]);
  });

  it("is left unknown until it was asked for", () => {
    expect(mergeLive(undefined, call("CA1"))).toBeUndefined();
  });

  it("leaves a call further below for when it is asked for", () => {
    const newest = listed([call("CA9", "ringing", "09")], true);
    expect(sids(mergeLive(newest, call("CA1", "in-progress", "01")))).toEqual(["CA9"]);
  });
});

describe("a call", () => {
  it("that is over stays so when an older answer comes in", () => {
    const client = new QueryClient();
    client.setQueryData(queries.liveCalls.queryKey, listed([]));
    patchCall(client, call("CA1", "completed"));
    patchCall(client, call("CA1", "in-progress"));
    expect(client.getQueryData(queries.call("CA1").queryKey)?.status).toBe("completed");
    expect(sids(client.getQueryData(queries.liveCalls.queryKey))).toEqual([]);
  });

  it("that is over stays so when its page's question is answered late", async () => {
    const client = new QueryClient();
    const { asked, ask } = question<Call>();
    const answered = client.fetchQuery({ ...queries.call("CA1"), queryFn: ask });
    patchCall(client, call("CA1", "completed"));
    asked[0]?.(call("CA1", "in-progress"));
    await answered;
    expect(client.getQueryData(queries.call("CA1").queryKey)?.status).toBe("completed");
  });
});

describe("a timeline", () => {
  it("keeps pushed rows when its question is answered late", async () => {
    const client = new QueryClient();
    const { asked, ask } = question<TimelineEntry[]>();
    const answered = client.fetchQuery({ ...queries.timeline("CA1"), queryFn: ask });
    new LiveUpdates(client, undefined, () => {}).receive({ type: "timeline", id: "CA1", rows: [row(2)] });
    asked[0]?.([row(1)]);
    await answered;
    const known = client.getQueryData(queries.timeline("CA1").queryKey);
    expect(known?.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });
});

describe("live messages", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const change = { type: "change", topic: "accounts", id: "AC1" };

  /** Which of these the message makes stale. */
  function staled(message: Record<string, unknown>, keys: string[][]): string[][] {
    const client = new QueryClient();
    for (const queryKey of keys) client.setQueryData(queryKey, {});
    new LiveUpdates(client, undefined, () => {}).receive(message);
    vi.advanceTimersByTime(500);
    return keys.filter((queryKey) => client.getQueryState(queryKey)?.isInvalidated);
  }

  it("ask lists again once for many changes", () => {
    const client = new QueryClient();
    const asked = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    const updates = new LiveUpdates(client, undefined, () => {});
    for (let index = 0; index < 50; index += 1) updates.receive(change);
    expect(asked).not.toHaveBeenCalled();
    vi.advanceTimersByTime(500);
    expect(asked).toHaveBeenCalledOnce();
  });

  it("ask no list more than once in 1.2 seconds, though another one is slow to answer", async () => {
    const client = new QueryClient();
    const { ask } = question<string>();
    client.setQueryData(["overview"], "old");
    client.setQueryData(["accounts", "list"], "old");
    const leave = new QueryObserver(client, { queryKey: ["overview"], queryFn: ask, retry: false }).subscribe(
      () => {},
    );
    const asked = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    const updates = new LiveUpdates(client, undefined, () => {});
    for (let tick = 0; tick < 100; tick += 1) {
      updates.receive(change);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(asked.mock.calls.length).toBeLessThanOrEqual(9);
    leave();
  });

  it("change nothing once the session is over", async () => {
    const client = new QueryClient();
    const updates = new LiveUpdates(client, undefined, () => {});
    for (const sid of ["CA1", "CA2"]) updates.receive({ type: "call", call: call(sid, "in-progress") });
    updates.stop();
    client.clear();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(client.getQueryCache().getAll()).toEqual([]);
  });

  it("ask for what they are about, and for what counts it", () => {
    const keys = [
      ["accounts", "list"],
      ["accounts", "AC1"],
      ["trunks", "list"],
      ["overview"],
      ["audit", "list"],
    ];
    expect(staled(change, keys)).toEqual(keys.filter(([topic]) => topic !== "trunks"));
  });

  it("make the list of every kind of thing stale, keys for the API as well", () => {
    const lists = ["accounts", "trunks", "phone_numbers", "users", "carriers", "api_keys", "calls", "audit"];
    for (const topic of lists) {
      const keys = [[topic, "list"]];
      expect(staled({ type: "change", topic, id: "XX1" }, keys)).toEqual(keys);
    }
  });

  it("let a running question finish, and ask once more after it", async () => {
    const client = new QueryClient();
    const { asked, ask } = question<string>();
    client.setQueryData(["accounts", "list"], "old");
    const list = new QueryObserver(client, { queryKey: ["accounts", "list"], queryFn: ask, retry: false });
    const leave = list.subscribe(() => {});
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(1);
    const updates = new LiveUpdates(client, undefined, () => {});
    updates.receive(change);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toHaveLength(1);
    asked[0]?.("before the change");
    await vi.advanceTimersByTimeAsync(0);
    expect(list.getCurrentResult().data).toBe("before the change");
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toHaveLength(2);
    asked[1]?.("after it");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(list.getCurrentResult().data).toBe("after it");
    expect(asked).toHaveLength(2);
    leave();
  });

  it("repeat a first question that was on its way when something changed", async () => {
    const client = new QueryClient();
    const { asked, ask } = question<string>();
    const list = new QueryObserver(client, { queryKey: ["accounts", "list"], queryFn: ask, retry: false });
    const leave = list.subscribe(() => {});
    const updates = new LiveUpdates(client, undefined, () => {});
    updates.receive({ type: "resync" });
    await vi.advanceTimersByTimeAsync(1_000);
    asked[0]?.("before the change");
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toHaveLength(2);
    leave();
  });

  it("ask for the live list again when its answer was on its way, which may be older", async () => {
    const client = new QueryClient();
    const { asked, ask } = question<CallPage>();
    const answered = client.fetchInfiniteQuery({ ...queries.liveCalls, queryFn: ask });
    await vi.advanceTimersByTimeAsync(0);
    const updates = new LiveUpdates(client, undefined, () => {});
    updates.receive({ type: "call", call: call("CA1", "completed") });
    asked[0]?.({ data: [call("CA1")] });
    await answered;
    await vi.advanceTimersByTimeAsync(500);
    expect(client.getQueryState(queries.liveCalls.queryKey)?.isInvalidated).toBe(true);
  });

  it("ask for the live list again when it ran out of rows and goes on", () => {
    const client = new QueryClient();
    const { queryKey } = queries.liveCalls;
    client.setQueryData(queryKey, listed([call("CA1")], true));
    const updates = new LiveUpdates(client, undefined, () => {});
    updates.receive({ type: "call", call: call("CA1", "in-progress") });
    vi.advanceTimersByTime(500);
    expect(client.getQueryState(queryKey)?.isInvalidated).toBe(false);
    updates.receive({ type: "call", call: call("CA1", "completed") });
    vi.advanceTimersByTime(500);
    expect(client.getQueryState(queryKey)?.isInvalidated).toBe(true);
  });

  it("do not ask again for what is gone", () => {
    const client = new QueryClient();
    const [trunk, list] = [
      ["trunks", "TK1"],
      ["trunks", "list", {}],
    ];
    for (const queryKey of [trunk, list]) client.setQueryData(queryKey, {});
    new LiveUpdates(client, undefined, () => {}).receive({
      type: "change",
      topic: "trunks",
      id: "TK1",
      kind: "removed",
    });
    vi.advanceTimersByTime(500);
    expect([trunk, list].map((queryKey) => client.getQueryState(queryKey)?.isInvalidated)).toEqual([
      false,
      true,
    ]);
  });

  it("patch the call's page and the live list", () => {
    const client = new QueryClient();
    client.setQueryData(queries.liveCalls.queryKey, listed([call("CA1")]));
    const updates = new LiveUpdates(client, undefined, () => {});
    updates.receive({ type: "snapshot", id: "CA1", call: call("CA1", "in-progress"), timeline: [row(1)] });
    updates.receive({ type: "timeline", id: "CA1", rows: [row(2)] });
    expect(client.getQueryData(queries.call("CA1").queryKey)?.status).toBe("in-progress");
    expect(rows(client.getQueryData(queries.liveCalls.queryKey))[0]?.status).toBe("in-progress");
    expect(client.getQueryData(queries.timeline("CA1").queryKey)?.map(({ sequence }) => sequence)).toEqual([
      1, 2,
    ]);
  });

  it("of many calls at once are shown together, the first of them at once", () => {
    const client = new QueryClient();
    const { queryKey } = queries.liveCalls;
    client.setQueryData(queryKey, listed([]));
    const shown = () => sids(client.getQueryData(queryKey));
    const updates = new LiveUpdates(client, undefined, () => {});
    for (const sid of ["CA1", "CA2", "CA3"]) updates.receive({ type: "call", call: call(sid) });
    updates.receive({ type: "call", call: call("CA2", "in-progress") });
    expect(shown()).toEqual(["CA1"]);
    vi.advanceTimersByTime(200);
    expect(shown()).toEqual(["CA3", "CA2", "CA1"]);
    expect(rows(client.getQueryData(queryKey)).map(({ status }) => status)).toEqual([
      "ringing",
      "in-progress",
      "ringing",
    ]);
  });

  it("have lists asked for again soon after the first, and then no more than once in a while", () => {
    const client = new QueryClient();
    const asked = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    const updates = new LiveUpdates(client, undefined, () => {});
    for (let tenth = 0; tenth < 50; tenth += 1) {
      updates.receive({ type: "change", topic: "calls", id: "CA1" });
      vi.advanceTimersByTime(100);
    }
    expect(asked.mock.calls.length).toBeLessThanOrEqual(5);
    expect(asked.mock.calls.length).toBeGreaterThanOrEqual(4);
  });

  it("that say we lagged make everything stale and subscribe again", () => {
    const keys = [["live"], ["calls", "CA1"], ["timeline", "CA1"], ["messages", "CA1"], ["accounts", "list"]];
    expect(staled({ type: "resync" }, keys)).toEqual(keys);
    const resubscribe = vi.fn();
    new LiveUpdates(new QueryClient(), undefined, resubscribe).receive({ type: "resync" });
    expect(resubscribe).toHaveBeenCalledOnce();
  });

  it("that greet make everything stale when something has happened meanwhile, and after each re-open", () => {
    const client = new QueryClient();
    const asked = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    const [began, later] = ["5f1c", "09ab"];
    const greet = (updates: LiveUpdates, position: string) => {
      updates.receive({ type: "hello", position });
      vi.advanceTimersByTime(500);
    };
    greet(new LiveUpdates(client, began, () => {}), later);
    expect(asked).toHaveBeenCalledTimes(1);
    const updates = new LiveUpdates(client, began, () => {});
    greet(updates, began);
    expect(asked).toHaveBeenCalledTimes(1);
    greet(updates, began);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("of unknown kinds change nothing", () => {
    const client = new QueryClient();
    const asked = vi.spyOn(client, "invalidateQueries");
    new LiveUpdates(client, undefined, () => {}).receive({ type: "change", topic: "weather" });
    vi.advanceTimersByTime(500);
    expect(asked).not.toHaveBeenCalled();
  });
});
