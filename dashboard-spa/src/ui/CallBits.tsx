/** Pieces of calls that several pages show: who, how long, and the button that ends one. */
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowDownLeft, IconArrowUpRight, IconPhoneOff } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toProblem } from "../api/problem";
import * as queries from "../api/queries";
import { usePermissions } from "../api/useSession";
import { hangUpCall } from "../client/sdk.gen";
import type { Call } from "../client/types.gen";
import { directions, isLive, lasted } from "../lib/call";
import { duration } from "../lib/format";
import { patchCall } from "../live/apply";
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
  return <span className="num">{ms === undefined ? "–" : duration(ms / 1000)}</span>;
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

export function HangUp({ call, size = "compact-sm" }: { call: Call; size?: string }) {
  const { write } = usePermissions();
  const client = useQueryClient();
  const hangUp = useMutation({
    mutationFn: () => hangUpCall({ path: { sid: call.sid } }),
    onSuccess: (updated) => patchCall(client, updated),
    onError: (error) => {
      const problem = toProblem(error);
      notifications.show({ color: "red", title: problem.title, message: problem.detail ?? "" });
      for (const { queryKey } of [queries.call(call.sid), queries.liveCalls])
        void client.invalidateQueries({ queryKey });
    },
  });
  if (!write || !isLive(call)) return null;
  return (
    <Button
      size={size}
      variant="default"
      c="var(--status-red)"
      leftSection={<IconPhoneOff size={15} />}
      loading={hangUp.isPending || hangUp.isSuccess}
      onClick={(event) => {
        event.stopPropagation();
        hangUp.mutate();
      }}
    >
      Hang up
    </Button>
  );
}
