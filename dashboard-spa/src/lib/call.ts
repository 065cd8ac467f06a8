/** Calls in words: status, direction, reason. */
import type { Call } from "../client/types.gen";
import { duration, offset } from "./format";
import { micros } from "./timeline";

export type Tone = "green" | "amber" | "red" | "grey";

type Status = Call["status"];

const STATUS: Record<Status, { word: string; tone: Tone }> = {
  queued: { word: "Queued", tone: "amber" },
  ringing: { word: "Ringing", tone: "amber" },
  "in-progress": { word: "In progress", tone: "green" },
  completed: { word: "Completed", tone: "green" },
  busy: { word: "Busy", tone: "grey" },
  failed: { word: "Failed", tone: "red" },
  "no-answer": { word: "No answer", tone: "grey" },
  canceled: { word: "Canceled", tone: "grey" },
};

export const statuses = Object.keys(STATUS) as Status[];

/** A status as dot colour and word; one we don't know yet stays readable. */
export function statusOf(status: Status): { word: string; tone: Tone } {
  return STATUS[status] ?? { word: status, tone: "grey" };
}

/** What went wrong, as the lists say it. */
const PROBLEMS: Record<NonNullable<Call["problem"]>, string> = {
  application: "Application failed",
  configuration: "Not set up",
  trunk: "Trunk failed",
  media: "Media failed",
  platform: "We stopped",
};

/** Ends that have a better word than their kind of problem. */
const ENDS: Record<string, string> = {
  connection_lost: "Connection lost",
  interrupted: "Interrupted",
  shut_down: "Shut down",
  overloaded: "Overloaded",
  expired: "Expired",
  internal_error: "Internal error",
  number_not_found: "No such number",
  destination_not_found: "No such number",
  no_route: "No trunk",
  emergency_not_taken: "No emergency trunk",
  destination_forbidden: "Not allowed",
  limit_reached: "Limit reached",
  loop_detected: "Loop",
};

/** What a list says of a call: a problem before the status, which is `completed` for every call that was answered. */
export function outcomeOf(call: Pick<Call, "status" | "problem" | "reason">): { word: string; tone: Tone } {
  const { problem, status, reason } = call;
  if (!problem) return statusOf(status);
  if (isLive(call)) return { word: `${statusOf(status).word}, with problems`, tone: "amber" };
  return { word: ENDS[reason ?? ""] ?? PROBLEMS[problem] ?? statusOf(status).word, tone: "red" };
}

export function isLive(call: Pick<Call, "status">): boolean {
  return WAY.includes(call.status);
}

/** The way of a call; all other statuses are its end. */
const WAY: readonly Status[] = ["queued", "ringing", "in-progress"];

function stage({ status }: Pick<Call, "status">): number {
  return WAY.includes(status) ? WAY.indexOf(status) : WAY.length;
}

/** What is known of a call or a fresh answer, which may be the older of the two: a call never goes back. */
export function furthest(known: Call | undefined, fresh: Call): Call {
  return known && stage(known) > stage(fresh) ? known : fresh;
}

export const directions: Record<Call["direction"], string> = {
  inbound: "Inbound",
  "outbound-api": "Outbound by API",
  "outbound-dial": "Outbound by Dial",
};

/** Why a call ended, and what can be done about it where something can. */
const REASONS: Record<string, string> = {
  hung_up: "The far end hung up.",
  application_hung_up: "The application ended it.",
  peer_hung_up: "The other party hung up.",
  completed_by_api: "Ended by the API or this dashboard.",
  canceled_by_api: "Canceled by the API or this dashboard before it was answered.",
  canceled_by_caller: "The caller gave up before it was answered.",
  answered_elsewhere: "Another leg of the same Dial was answered first.",
  rejected: "The application rejected it.",
  rejected_busy: "The application rejected it as busy.",
  busy: "The far end was busy.",
  declined: "The far end declined.",
  no_answer: "Nobody answered in time.",
  number_not_found: "The dialled number is not in the inventory or not assigned. Add it under Phone numbers.",
  number_disabled: "The dialled number is disabled. Enable it under Phone numbers.",
  account_disabled: "The number's account is disabled. Enable it under Accounts.",
  not_configured: "The number has no Voice URL. Configure it under Phone numbers.",
  destination_not_found: "The far end has no such number.",
  no_route: "No trunk to call through. Add an outbound trunk.",
  emergency_not_taken:
    "An emergency number, and no trunk takes emergency calls. Mark one that does under Trunks.",
  destination_forbidden:
    "The account may not call this country, or this kind of number. See its limits under Accounts.",
  limit_reached: "The account has placed as many calls as it may. See its limits under Accounts.",
  loop_detected:
    "Too many calls of one caller to one callee were dialled at once, as in a loop. See the account's limits.",
  trunk_refused: "The trunk refused our credentials or address. Check them with the trunk's operator.",
  trunk_failed: "The trunk answered with a failure.",
  trunk_unreachable: "The trunk could not be reached. Check its host and port.",
  media_failed: "No codec in common, or no media could be opened.",
  application_failed: "The application could not be asked, nor its fallback. See the webhook rows below.",
  time_limit: "It lasted as long as it may.",
  connection_lost: "The far end was lost.",
  expired: "It waited in the queue for too long.",
  overloaded: "More calls than this server takes.",
  interrupted: "The server that had it stopped without finishing it.",
  shut_down: "The server was shut down.",
  internal_error: "A defect of ours. Quote the call's SID to whoever runs this server.",
};

/** The sentence for a reason, if the call is over. */
export function reasonOf(call: Pick<Call, "reason">): string | undefined {
  if (!call.reason) return undefined;
  return REASONS[call.reason] ?? call.reason.replaceAll("_", " ");
}

/** When a call's clock starts and stops, in milliseconds: from answer (or start) to end (or now). */
export function lasted(call: Call, now: number): number | undefined {
  if (call.duration_s !== undefined && !isLive(call)) return call.duration_s * 1000;
  if (!call.answered_at) return undefined;
  const end = call.ended_at ? Date.parse(call.ended_at) : now;
  return Math.max(0, end - Date.parse(call.answered_at));
}

/** Which of a call's two numbers is one of the carrier's. */
export function ownNumber({ direction, from, to }: Pick<Call, "direction" | "from" | "to">): string {
  return direction === "inbound" ? to : from;
}

/** How long an answered call was, and what is billed for it: whole seconds, rounded up. `10.05 s, billed as 0:11`. */
export function billing(call: Call): string | undefined {
  const { answered_at, ended_at, duration_s } = call;
  if (!answered_at || !ended_at || duration_s === undefined) return undefined;
  const ms = Math.round((micros(ended_at) - micros(answered_at)) / 1000);
  // What would be written as 60.00 s is a minute.
  const exact = ms < 59_995 ? `${(ms / 1000).toFixed(2)} s` : offset(Math.max(ms, 60_000)).slice(1);
  return `${exact}, billed as ${duration(duration_s)}`;
}

/** A mean opinion score in a word. */
export function mosWord(mos: number): { word: string; tone: Tone } {
  if (mos >= 4) return { word: "Good", tone: "green" };
  if (mos >= 3.4) return { word: "Fair", tone: "amber" };
  return { word: "Poor", tone: "red" };
}
