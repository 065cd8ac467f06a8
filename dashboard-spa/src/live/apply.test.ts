import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as queries from "../api/queries";
import type { Call, TimelineEntry } from "../client/types.gen";
import { LiveUpdates, mergeLive, mergeRows } from "./apply";

const call = (sid: string, status: Call["status"] = "ringing"): Call => ({
  sid,
  status,
  direction: "inbound",
  from: "+85512345678",
  to: "1234",
  created_at: "2026-11-23T20:00:00Z",
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

describe("the live list", () => {
  it("gains a new call on top, keeps its place when it changes, and loses it when it is over", () => {
    const two = mergeLive([call("CA1")], call("CA2")) ?? [];
    expect(two.map(({ sid }) => sid)).toEqual(["CA2", "CA1"]);
    const changed = mergeLive(two, call("CA1", "in-progress")) ?? [];
    expect(changed.map(({ sid, status }) => [sid, status])).toEqual([
      ["CA2", "ringing"],
      ["CA1", "in-progress"],
    ]);
    expect(mergeLive(changed, call("CA1", "completed"))?.map(({ sid }) => sid)).toEqual(["CA2"]);
  });

  it("is left unknown until it was asked for", () => {
    expect(mergeLive(undefined, call("CA1"))).toBeUndefined();
  });
});

describe("timeline rows", () => {
  it("are in order and each once, however they arrive", () => {
    const rows = mergeRows([row(1), row(3)], [row(4), row(2), row(3)]);
    expect(rows.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  });
});

describe("live messages", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("ask lists again once for many changes", () => {
    const client = new QueryClient();
    const asked = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    const updates = new LiveUpdates(client, undefined, () => {});
    for (let index = 0; index < 50; index += 1)
      updates.receive({ type: "change", topic: "accounts", id: "AC1" });
    expect(asked).not.toHaveBeenCalled();
    vi.advanceTimersByTime(500);
    const keys = asked.mock.calls.map(([filters]) => filters?.queryKey?.[0]);
    expect(keys).toEqual(["accounts", "overview", "audit"]);
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
    client.setQueryData(queries.liveCalls.queryKey, [call("CA1")]);
    const updates = new LiveUpdates(client, undefined, () => {});
    updates.receive({ type: "snapshot", id: "CA1", call: call("CA1", "in-progress"), timeline: [row(1)] });
    updates.receive({ type: "timeline", id: "CA1", rows: [row(2)] });
    expect(client.getQueryData(queries.call("CA1").queryKey)?.status).toBe("in-progress");
    expect(client.getQueryData(queries.liveCalls.queryKey)?.[0]?.status).toBe("in-progress");
    expect(client.getQueryData(queries.timeline("CA1").queryKey)?.map(({ sequence }) => sequence)).toEqual([
      1, 2,
    ]);
  });

  it("that say we lagged make everything stale and subscribe again", () => {
    const client = new QueryClient();
    const asked = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    const resubscribe = vi.fn();
    new LiveUpdates(client, undefined, resubscribe).receive({ type: "resync" });
    expect(asked).toHaveBeenCalledWith();
    expect(resubscribe).toHaveBeenCalledOnce();
  });

  it("that greet make everything stale when something has happened meanwhile, and after each re-open", () => {
    const client = new QueryClient();
    const asked = vi.spyOn(client, "invalidateQueries").mockResolvedValue();
    const [began, later] = [
      { core: 7, calls: 3 },
      { core: 7, calls: 4 },
    ];
    new LiveUpdates(client, began, () => {}).receive({ type: "hello", position: later });
    expect(asked).toHaveBeenCalledTimes(1);
    const updates = new LiveUpdates(client, began, () => {});
    updates.receive({ type: "hello", position: began });
    expect(asked).toHaveBeenCalledTimes(1);
    updates.receive({ type: "hello", position: began });
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
