/** Calls that a list has no more, as they are now. */
import { useQueries } from "@tanstack/react-query";
import * as queries from "../api/queries";
import type { Call } from "../client/types.gen";
import { furthest, isLive } from "../lib/call";

/**
 * How such a call is by now. One whose end nobody has told us, because the connection was lost meanwhile or the server was,
 * is asked for, and followed until it is over: what became of it is never made up.
 */
export function useAsTheyAre(calls: readonly Call[]): (call: Call) => Call {
  const asked = useQueries({
    queries: calls.filter(isLive).map(({ sid }) => ({
      ...queries.call(sid),
      staleTime: ({ state: { data } }: { state: { data: Call | undefined } }) =>
        data && !isLive(data) ? Number.POSITIVE_INFINITY : 0,
    })),
  });
  const known = new Map(asked.flatMap(({ data }) => (data ? [[data.sid, data]] : [])));
  return (call) => {
    const now = known.get(call.sid);
    return now ? furthest(call, now) : call;
  };
}
