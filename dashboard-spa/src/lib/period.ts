/** Periods a list can be narrowed to, as the moment they begin. */

export const periods = [
  { value: "hour", label: "Last hour" },
  { value: "today", label: "Today" },
  { value: "week", label: "Last 7 days" },
  { value: "month", label: "Last 30 days" },
];

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** When a period begins, to the minute, so that the same question is asked twice and answered from the cache. */
export function since(period: string | undefined, now: number): string | undefined {
  const minute = Math.floor(now / MINUTE) * MINUTE;
  switch (period) {
    case "hour":
      return new Date(minute - 60 * MINUTE).toISOString();
    case "today":
      return new Date(new Date(minute).setHours(0, 0, 0, 0)).toISOString();
    case "week":
      return new Date(minute - 7 * DAY).toISOString();
    case "month":
      return new Date(minute - 30 * DAY).toISOString();
    default:
      return undefined;
  }
}
