/** Pieces of calls that several pages show: who and how long. */
import { IconArrowDownLeft, IconArrowUpRight } from "@tabler/icons-react";
import type { Call } from "../client/types.gen";
import { billing, directions, isLive, lasted } from "../lib/call";
import { duration } from "../lib/format";
import { useNow } from "./useNow";

/** Counts while the call is up. */
export function Duration({ call }: { call: Call }) {
  return isLive(call) ? <Counting call={call} /> : <Fixed call={call} now={0} />;
}

function Counting({ call }: { call: Call }) {
  return <Fixed call={call} now={useNow(1000)} />;
}

function Fixed({ call, now }: { call: Call; now: number }) {
  const ms = lasted(call, now);
  return (
    <span className="num" title={billing(call)}>
      {ms === undefined ? "–" : duration(ms / 1000)}
    </span>
  );
}

export function DirectionIcon({ direction }: { direction: Call["direction"] }) {
  const Icon = direction === "inbound" ? IconArrowDownLeft : IconArrowUpRight;
  return (
    <Icon
      size={15}
      stroke={1.8}
      color="var(--mantine-color-dimmed)"
      role="img"
      aria-label={directions[direction]}
      style={{ flex: "none" }}
    />
  );
}
