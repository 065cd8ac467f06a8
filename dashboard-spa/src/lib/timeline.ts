/** The call page's rows: facts from the log and SIP messages from the evidence, on one line of time. */
import type { SipMessage, TimelineEntry } from "../client/types.gen";
import type { Tone } from "./call";

export type Lane = TimelineEntry["lane"];

export const lanes: Record<Lane, string> = {
  call: "Call",
  sip: "SIP",
  twiml: "TwiML",
  webhook: "Webhooks",
  media: "Media",
  warning: "Warnings",
};

export type Exchange = {
  purpose: string;
  method: string;
  url: string;
  parameters: [string, string][];
  status?: number;
  duration_ms: number;
  response_headers?: [string, string][];
  body?: string;
  truncated?: boolean;
  error?: { code: number; message: string };
};

/** One line of the timeline. */
export type Entry = {
  key: string;
  at: string;
  lane: Lane;
  title: string;
  /** What it says, plays, dials or sends. */
  said?: string;
  /** How long it took, when it has a beginning and an end. */
  tookMs?: number;
  /** A short result: an HTTP status, how a verb ended. */
  result?: string;
  tone?: Tone;
  row?: TimelineEntry;
  /** The row that ended what `row` began. */
  end?: TimelineEntry;
  message?: SipMessage;
  /** Whether the verb is still being executed. */
  running?: boolean;
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

/** A webhook row's exchange. */
export function exchangeOf(row: TimelineEntry): Exchange | undefined {
  const detail = row.detail as Partial<Exchange>;
  return row.lane === "webhook" && typeof detail.url === "string" ? (detail as Exchange) : undefined;
}

/** Rows and messages in order of time; a verb's end is folded into its beginning. */
export function entries(rows: readonly TimelineEntry[], messages: readonly SipMessage[]): Entry[] {
  const ends = new Map<unknown, TimelineEntry>();
  for (const row of rows) if (row.event_type === "VerbEnded") ends.set(indexOf(row), row);
  const starts = new Set(rows.filter((row) => row.event_type === "VerbStarted").map(indexOf));
  const ended = rows.some((row) => row.event_type === "Ended");
  const facts = rows
    .filter((row) => !(row.event_type === "VerbEnded" && starts.has(indexOf(row))))
    .map((row) => entryOf(row, ends, ended));
  return inCausalOrder(facts, evidence(messages));
}

/** Microseconds since 1970: a date of the browser's has only milliseconds, and a call does much within one. */
export function micros(at: string): number {
  const rest = /\.\d{3}(\d{1,3})/.exec(at)?.[1] ?? "";
  return Date.parse(at) * 1000 + Number(rest.padEnd(3, "0"));
}

/**
 * Facts stay in the order of the log, messages in that of the wire. At one moment a message that came in is before what it
 * led to, and one that went out after what it says.
 */
function inCausalOrder(facts: Entry[], messages: Entry[]): Entry[] {
  const merged: Entry[] = [];
  const waiting = [...messages].sort((a, b) => micros(a.at) - micros(b.at));
  // A fact may be noted a little after a later one: what is before it in the log is before it here.
  let latest = Number.NEGATIVE_INFINITY;
  for (const fact of facts) {
    latest = Math.max(latest, micros(fact.at));
    while (waiting[0] && isBefore(waiting[0], latest)) merged.push(waiting.shift() as Entry);
    merged.push(fact);
  }
  return [...merged, ...waiting];
}

function isBefore({ at, message }: Entry, moment: number): boolean {
  return message?.direction === "in" ? micros(at) <= moment : micros(at) < moment;
}

/** SIP messages as entries. One that was sent again is the same entry, with how often it was seen. */
function evidence(messages: readonly SipMessage[]): Entry[] {
  const seen = new Map<string, { entry: Entry; times: number }>();
  for (const [index, message] of messages.entries()) {
    const identity = `${message.direction} ${message.peer} ${message.raw}`;
    const known = seen.get(identity);
    if (known) {
      known.times += 1;
      known.entry.result = `${known.times} times`;
    } else {
      const { at, summary: title } = message;
      const entry: Entry = { key: `m${index}`, at, lane: "sip", title, message, ...failureTone(title) };
      seen.set(identity, { entry, times: 1 });
    }
  }
  return [...seen.values()].map(({ entry }) => entry);
}

function indexOf(row: TimelineEntry): unknown {
  return (row.detail as { index?: unknown }).index;
}

function entryOf(row: TimelineEntry, ends: ReadonlyMap<unknown, TimelineEntry>, callEnded: boolean): Entry {
  const base: Entry = { key: `e${row.sequence}`, at: row.at, lane: row.lane, title: titleOf(row), row };
  const exchange = exchangeOf(row);
  if (exchange) return { ...base, title: exchangeTitle(exchange), ...exchangeResult(exchange) };
  if (row.lane === "warning") return { ...base, tone: "amber" };
  if (row.event_type !== "VerbStarted") return base;
  const end = ends.get(indexOf(row));
  if (end === undefined) return { ...base, ...saidOf(row), ...(!callEnded && { running: true }) };
  const { outcome } = end.detail as { outcome?: string };
  const tookMs = (micros(end.at) - micros(row.at)) / 1000;
  return { ...base, ...saidOf(row), end, tookMs, ...(outcome && { result: outcome }) };
}

/** What became of a message is said in other words than the message, which is a row of its own. */
function titleOf({ title }: TimelineEntry): string {
  return title.replace(/^INVITE from /, "Call from ").replace(/^INVITE to /, "Call goes to ");
}

/** What a verb speaks, plays, dials or sends, to be read without opening its row. */
function saidOf(row: TimelineEntry): { said?: string } {
  const { attributes } = row.detail as { attributes?: unknown };
  if (!Array.isArray(attributes)) return {};
  const value = (name: string) => attributes.find((pair) => Array.isArray(pair) && pair[0] === name)?.[1];
  const said = value("text") ?? value("digits") ?? value("action");
  return typeof said === "string" && said.trim() !== "" ? { said: said.trim() } : {};
}

const PURPOSES: Record<string, string> = {
  action: "Action: ",
  fallback: "Fallback: ",
  status_callback: "Status callback: ",
};

/** What was asked; how it went stands beside it. */
function exchangeTitle({ purpose, method, url }: Exchange): string {
  return `${PURPOSES[purpose] ?? ""}${method} ${url}`;
}

function exchangeResult(exchange: Exchange): Partial<Entry> {
  const failed = exchange.error !== undefined || (exchange.status ?? 0) >= 400;
  const result =
    exchange.status !== undefined ? String(exchange.status) : `error ${exchange.error?.code ?? ""}`.trim();
  return { tookMs: exchange.duration_ms, result, tone: failed ? "red" : "green" };
}

/** Final failures of SIP are red; challenges for credentials and redirects are part of the game. */
function failureTone(summary: string): { tone?: Tone } {
  const code = Number(/\b([3-6]\d\d)\b/.exec(summary)?.[1]);
  if (!code || code < 400 || code === 401 || code === 407 || code === 487) return {};
  return { tone: "red" };
}

/** Where a row lies in the whole call, in per cent: from when it began, as long as it took. */
export function barOf(entry: Entry, from: number, until: number): { left: number; width: number } {
  const whole = Math.max(1, until - from);
  const end = micros(entry.at) + (entry.end ? (entry.tookMs ?? 0) * 1000 : 0);
  // An exchange is noted when it is over, a verb when it begins.
  const begin = entry.end ? micros(entry.at) : end - (entry.tookMs ?? 0) * 1000;
  const share = (moment: number) => Math.min(100, Math.max(0, ((moment - from) / whole) * 100));
  return { left: share(begin), width: share(end) - share(begin) };
}

/** When the first row was, in microseconds. */
export function startOf(all: readonly Entry[]): number {
  return all[0] ? micros(all[0].at) : 0;
}

/** When the last row was over, in microseconds. */
export function endOf(all: readonly Entry[]): number {
  return Math.max(0, ...all.map((entry) => micros(entry.end?.at ?? entry.at)));
}

/** How many entries each lane has, lanes without any left out, in the order of the table above. */
export function laneCounts(all: readonly Entry[]): [Lane, number][] {
  const lane = (name: Lane): [Lane, number] => [name, all.filter((entry) => entry.lane === name).length];
  return (Object.keys(lanes) as Lane[]).map(lane).filter(([, total]) => total > 0);
}
