/** What a live message changes in the pages' data: lists are asked again (at most so often), calls are patched. */
import type { Query, QueryClient } from "@tanstack/react-query";
import * as queries from "../api/queries";
import type { Position } from "../api/session";
import type { Call, TimelineEntry } from "../client/types.gen";
import { isLive } from "../lib/call";

/** Lists of one topic are asked again at most this often, in milliseconds. */
const DEBOUNCE = 400;

/** Query keys that a topic's changes make stale; their first elements. */
const STALE: Record<string, readonly string[]> = {
  accounts: ["accounts", "overview", "audit"],
  trunks: ["trunks", "overview", "audit"],
  phone_numbers: ["phone_numbers", "overview", "audit"],
  users: ["users", "session", "overview", "audit"],
  carriers: ["carriers", "api_keys", "session", "audit"],
  calls: ["calls", "overview"],
  audit: ["audit"],
};

/** Adds rows to a timeline; a row that is there already stays one. Oldest first. */
export function mergeRows(
  old: readonly TimelineEntry[] | undefined,
  fresh: readonly TimelineEntry[],
): TimelineEntry[] {
  const rows = new Map((old ?? []).map((row) => [row.sequence, row]));
  for (const row of fresh) rows.set(row.sequence, row);
  return [...rows.values()].sort((a, b) => a.sequence - b.sequence);
}

/** Puts a call into the live list, changes it there, or takes it out when it is over. Newest first. */
export function mergeLive(old: readonly Call[] | undefined, call: Call): Call[] | undefined {
  if (old === undefined) return undefined;
  const others = old.filter((other) => other.sid !== call.sid);
  if (!isLive(call)) return others;
  const known = old.length !== others.length;
  return known ? old.map((other) => (other.sid === call.sid ? call : other)) : [call, ...others];
}

/** Applies messages to the cache. One per page load. */
export class LiveUpdates {
  private readonly pending = new Set<string>();
  private readonly removed = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly client: QueryClient,
    /** How far the server was before the page asked for anything. */
    private began: Position | undefined,
    private readonly resubscribe: () => void,
  ) {}

  receive(message: Record<string, unknown>): void {
    switch (message.type) {
      case "hello":
        this.greeted(message.position as Position);
        break;
      case "change":
        if (message.kind === "removed") this.removed.add(String(message.id));
        this.stale(STALE[String(message.topic)] ?? []);
        break;
      case "call":
        this.callChanged(message.call as Call);
        break;
      case "snapshot":
        this.callChanged(message.call as Call);
        this.rows(String(message.id), message.timeline as TimelineEntry[]);
        break;
      case "timeline":
        this.rows(String(message.id), message.rows as TimelineEntry[]);
        break;
      case "resync":
        this.everything();
        this.resubscribe();
        break;
    }
  }

  /** What happened since the page was asked for, or since a connection was lost, was told to nobody. */
  private greeted(position: Position): void {
    const missed = this.began?.core !== position.core || this.began.calls !== position.calls;
    this.began = undefined;
    if (missed) this.everything();
  }

  /** Asks for all that is on screen again. */
  private everything(): void {
    void this.client.invalidateQueries();
  }

  private callChanged(call: Call): void {
    this.client.setQueryData(queries.call(call.sid).queryKey, call);
    this.client.setQueryData(queries.liveCalls.queryKey, (old) => mergeLive(old, call));
    this.client.setQueryData(queries.recentCalls.queryKey, (old) =>
      old?.map((other) => (other.sid === call.sid ? call : other)),
    );
  }

  private rows(call: string, fresh: TimelineEntry[]): void {
    this.client.setQueryData(queries.timeline(call).queryKey, (old) => mergeRows(old, fresh));
    this.stale([`messages/${call}`]);
  }

  private stale(keys: readonly string[]): void {
    for (const key of keys) this.pending.add(key);
    this.timer ??= setTimeout(() => this.flush(), DEBOUNCE);
  }

  private flush(): void {
    this.timer = undefined;
    for (const key of this.pending) {
      const [topic, ...rest] = key.split("/");
      // A call's own entry is patched by its messages; only the lists of calls need asking.
      const queryKey = topic === "calls" ? ["calls", "list"] : [topic, ...rest];
      // What is gone is not asked for again: whoever deleted it is about to leave its page.
      const predicate = (query: Query) => !this.removed.has(String(query.queryKey[1]));
      void this.client.invalidateQueries({ queryKey, predicate });
      if (topic === "calls") {
        void this.client.invalidateQueries({ queryKey: queries.recentCalls.queryKey });
      }
    }
    this.pending.clear();
    this.removed.clear();
  }
}
