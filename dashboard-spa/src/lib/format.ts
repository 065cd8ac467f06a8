/** How times, durations, sizes and identifiers are written for people. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const dayAndMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayMonthYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const exactTime = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});
const clockTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** `just now`, `42 s ago`, `5 min ago`, `3 h ago`, `2 d ago`, then the date. Clocks that differ never say "in -3 s". */
export function relative(at: string, now: number): string {
  const date = new Date(at);
  const seconds = Math.max(0, Math.round((now - date.getTime()) / 1000));
  if (seconds < 5) return "just now";
  if (seconds < MINUTE) return `${seconds} s ago`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  if (seconds < 7 * DAY) return `${Math.floor(seconds / DAY)} d ago`;
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  return (sameYear ? dayAndMonth : dayMonthYear).format(date);
}

/** The moment to the second, with the viewer's time zone. */
export function exact(at: string): string {
  return exactTime.format(new Date(at));
}

/** The time of day to the millisecond, as in a log. */
export function clock(at: string): string {
  const date = new Date(at);
  return `${clockTime.format(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** `0:07`, `12:05`, `1:00:09`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / HOUR), Math.floor((whole % HOUR) / MINUTE)];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % MINUTE)}` : `${minutes}:${pad(whole % MINUTE)}`;
}

/** `480 ms`, `2.1 s`, `1:05`. Rounded before it is said in a unit, so that none has more of one than the next is. */
export function span(milliseconds: number): string {
  const ms = Math.round(Math.max(0, milliseconds));
  if (ms < 1000) return `${ms} ms`;
  const tenths = Math.round(ms / 100);
  return tenths < 600 ? `${(tenths / 10).toFixed(1)} s` : duration(Math.round(ms / 1000));
}

/** How long after the start: `+0.312 s`, `+1:05.2`. */
export function offset(milliseconds: number): string {
  const ms = Math.round(Math.max(0, milliseconds));
  if (ms < 60_000) return `+${(ms / 1000).toFixed(3)}`;
  const tenths = Math.round(ms / 100);
  return `+${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

/** A count with the noun it counts. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString("en-GB")} ${value === 1 ? one : many}`;
}

/** `CA0191…7f3c`: enough of a SID to tell two apart. */
export function shortSid(sid: string): string {
  return sid.length > 14 ? `${sid.slice(0, 6)}…${sid.slice(-6)}` : sid;
}

const ACRONYMS = /\b(api|sip|url|sid|id|ip|mos|rtt|uri|http)\b/gi;

/** `snake_case`, `kebab-case` or `CamelCase` as words, first letter large. */
export function words(text: string): string {
  const spaced = text
    .replace(/[_-]+/g, " ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
  const first = spaced.charAt(0).toUpperCase() + spaced.slice(1);
  return first.replace(ACRONYMS, (word) => word.toUpperCase());
}

/** Words that go on in a sentence: the first letter small, acronyms kept. */
export function wordsWithin(text: string): string {
  const all = words(text);
  return /^[A-Z]{2}/.test(all) ? all : all.charAt(0).toLowerCase() + all.slice(1);
}
