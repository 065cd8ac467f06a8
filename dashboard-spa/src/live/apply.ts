/** What a live message changes in the pages' data: lists are asked again (at most so often), calls are patched. */
import {
  hashKey,
  type InfiniteData,
  notifyManager,
  partialMatchKey,
  type Query,
  type QueryClient,
  type QueryKey,
} from "@tanstack/react-query";
import * as queries from "../api/queries";
import type { Position } from "../api/session";
import type { Call, CallPage, TimelineEntry } from "../client/types.gen";
import { furthest, isLive } from "../lib/call";
import { mergeRows } from "../lib/timeline";

/** What is stale is asked for after this long, and again no sooner than so long after that, in milliseconds. */
const DEBOUNCE = 400;
const APART = 1_200;
/** One call is shown at once; what comes within this time after it is shown together, in milliseconds. */
const TOGETHER = 150;

/** Beginnings of the query keys that a topic's changes make stale. */
const STALE: Record<string, readonly QueryKey[]> = {
  accounts: [["accounts"], ["overview"], ["audit"]],
  trunks: [["trunks"], ["overview"], ["audit"]],
  phone_numbers: [["phone_numbers"], ["overview"], ["audit"]],
  users: [["users"], ["session"], ["overview"], ["audit"]],
  carriers: [["carriers"], ["session"], ["audit"]],
  api_keys: [["api_keys"], ["audit"]],
  // A call's own entry is patched by its messages; only the lists of calls need asking.
  calls: [["calls", "list"], queries.recentCalls.queryKey, ["overview"]],
  audit: [["audit"]],
};

/** Every query key begins with this. */
const EVERYTHING: QueryKey = [];

type LivePages = InfiniteData<CallPage>;

/** Puts a call into the live list, changes it there, or takes it out when it is over. Newest first. */
export function mergeLive(old: LivePages | undefined, call: Call): LivePages | undefined {
  if (old === undefined) return undefined;
  const known = old.pages.some(({ data }) => data.some(({ sid }) => sid === call.sid));
  const onTop = !known && isLive(call) && !isBelow(old, call);
  const changed = (rows: Call[]) =>
    isLive(call)
      ? rows.map((other) => (other.sid === call.sid ? call : other))
      : rows.filter((other) => other.sid !== call.sid);
  const pages = old.pages.map((page, index) => {
    const rows = changed(page.data);
    return { ...page, data: onTop && index === 0 ? [call, ...rows] : rows };
  });
  return { ...old, pages };
}

/** Whether a call belongs to the part of the live list that was not asked for yet. */
function isBelow({ pages }: LivePages, call: Call): boolean {
  const last = pages.flatMap(({ data }) => data).at(-1);
  const more = pages.at(-1)?.next_cursor !== undefined;
  return more && last !== undefined && Date.parse(call.created_at) < Date.parse(last.created_at);
}

/** Shows a call as it is now wherever it is shown; what is known to be further on stays. */
export function patchCall(client: QueryClient, fresh: Call): void {
  const { queryKey } = queries.call(fresh.sid);
  const call = furthest(client.getQueryData(queryKey), fresh);
  client.setQueryData(queryKey, call);
  client.setQueryData(queries.liveCalls.queryKey, (old) => mergeLive(old, call));
  client.setQueryData(queries.recentCalls.queryKey, (old) =>
    old?.map((other) => (other.sid === call.sid ? call : other)),
  );
}

/** Applies messages to the cache. One per page load. */
export class LiveUpdates {
  private readonly pending = new Map<string, QueryKey>();
  private readonly removed = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = Number.NEGATIVE_INFINITY;
  private calls: Call[] = [];
  private showing: ReturnType<typeof setTimeout> | undefined;

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
        this.stale([EVERYTHING]);
        this.resubscribe();
        break;
    }
  }

  /** Shows nothing more: the session is over, and what comes next is another's. */
  stop(): void {
    clearTimeout(this.timer);
    clearTimeout(this.showing);
    this.timer = this.showing = undefined;
    this.calls = [];
    this.pending.clear();
  }

  /** What happened since the page was asked for, or since a connection was lost, was told to nobody. */
  private greeted(position: Position): void {
    const missed = this.began !== position;
    this.began = undefined;
    if (missed) this.stale([EVERYTHING]);
  }

  private callChanged(call: Call): void {
    this.calls.push(call);
    if (this.showing === undefined) this.show();
  }

  /** Shows what has come, and what comes meanwhile a little later: with many calls the page is not drawn once for each. */
  private show(): void {
    this.showing = undefined;
    if (this.calls.length === 0) return;
    this.showing = setTimeout(() => this.show(), TOGETHER);
    const calls = this.calls.splice(0);
    notifyManager.batch(() => {
      for (const call of calls) this.patch(call);
    });
  }

  private patch(call: Call): void {
    patchCall(this.client, call);
    const { queryKey } = queries.liveCalls;
    const { data, fetchStatus } = this.client.getQueryState<LivePages>(queryKey) ?? {};
    const ranOut = data?.pages.at(-1)?.next_cursor && data.pages.every((page) => page.data.length === 0);
    // An answer that is on its way may not know of this yet; a list that ran out of rows goes on below.
    if (fetchStatus === "fetching" || ranOut) this.stale([queryKey]);
  }

  private rows(call: string, fresh: TimelineEntry[]): void {
    this.client.setQueryData(queries.timeline(call).queryKey, (old) => mergeRows(old, fresh));
    this.stale([queries.sipMessages(call).queryKey]);
  }

  private stale(keys: readonly QueryKey[]): void {
    for (const key of keys) this.pending.set(hashKey(key), key);
    if (this.pending.size === 0) return;
    const wait = Math.max(DEBOUNCE, this.asked + APART - performance.now());
    this.timer ??= setTimeout(() => this.flush(), wait);
  }

  /**
   * Asks for what is stale. What is being asked for already is let finish, and asked for once more after that: its answer
   * may be older than the change, and a list that is begun anew with each change never arrives.
   */
  private flush(): void {
    this.timer = undefined;
    const keys = [...this.pending.values()];
    this.pending.clear();
    const matches = ({ queryKey }: Query) => keys.some((key) => partialMatchKey(queryKey, key));
    // What is gone is not asked for again: whoever deleted it is about to leave its page.
    const wanted = (query: Query) => matches(query) && !this.removed.has(String(query.queryKey[1]));
    const running = this.client.getQueryCache().findAll({ predicate: wanted, fetchStatus: "fetching" });
    const asking = this.client.getQueryCache().findAll({ predicate: wanted }).length > running.length;
    if (asking || running.length === 0) this.asked = performance.now();
    void this.client.invalidateQueries({ predicate: (query) => wanted(query) && !running.includes(query) });
    this.stale(running.map(({ queryKey }) => queryKey));
    if (this.pending.size === 0) this.removed.clear();
  }
}
