/**
 * Ends a call, once it was said which one. One dialog for the whole app, outside of every list: a row that goes does not
 * take the question with it.
 */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconPhoneOff } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useState } from "react";
import * as queries from "../api/queries";
import { usePermissions } from "../api/useSession";
import { hangUpCall } from "../client/sdk.gen";
import type { Call } from "../client/types.gen";
import { furthest, isLive } from "../lib/call";
import { grouped } from "../lib/number";
import { patchCall } from "../live/apply";
import { CallStatus, Facts } from "./basics";
import { Duration } from "./CallBits";
import { AccountName } from "./Names";
import { refused } from "./toast";

const AskContext = createContext<(call: Call) => void>(() => undefined);

export function EndCallProvider({ children }: { children: ReactNode }) {
  const [asked, setAsked] = useState<Call>();
  const [opened, setOpened] = useState(false);
  const ask = (call: Call) => {
    setAsked(call);
    setOpened(true);
  };
  return (
    <AskContext value={ask}>
      {children}
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={
          <>
            Hang up this call<span className="sr-only">: {asked && sides(asked)}</span>
          </>
        }
        size={480}
      >
        {asked && <Question key={asked.sid} asked={asked} onClose={() => setOpened(false)} />}
      </Modal>
    </AskContext>
  );
}

function Question({ asked, onClose }: { asked: Call; onClose: () => void }) {
  const client = useQueryClient();
  // The list it was asked in may be behind: what is ended is what the server has now.
  const { data = asked } = useQuery({ ...queries.call(asked.sid), staleTime: 0 });
  const call = furthest(asked, data);
  const hangUp = useMutation({
    mutationFn: () => hangUpCall({ path: { sid: call.sid } }),
    onSuccess: (updated) => {
      patchCall(client, updated);
      onClose();
    },
    onError: (error) => {
      refused(error);
      for (const { queryKey } of [queries.call(call.sid), queries.liveCalls])
        void client.invalidateQueries({ queryKey });
    },
  });
  const live = isLive(call);
  return (
    <Stack gap={16}>
      <Facts
        items={[
          ["Caller", <Party key="from" number={call.from} />],
          ["Called", <Party key="to" number={call.to} />],
          ["Account", <AccountName key="account" sid={call.account_sid} name={call.account_name} />],
          ["Status", <CallStatus key="status" call={call} />],
          ["Duration", <Duration key="duration" call={call} />],
        ]}
      />
      <Text fz={13} c="dimmed">
        {live ? "Both sides are hung up at once. This can't be taken back." : "It is over already."}
      </Text>
      <Group justify="flex-end" gap={8} wrap="wrap-reverse">
        {/* Enter twice ends no call. */}
        <Button variant="default" onClick={onClose} data-autofocus>
          {live ? "Keep it" : "Close"}
        </Button>
        <Button
          color="red"
          leftSection={<IconPhoneOff size={15} />}
          // Not disabled when the call ends by itself: that would take the focus away.
          {...over(!live)}
          loading={hangUp.isPending}
          styles={{ root: { height: "auto", minHeight: 36 }, label: { whiteSpace: "normal" } }}
          onClick={() => live && hangUp.mutate()}
        >
          Hang up {sides(call, "→")}
        </Button>
      </Group>
    </Stack>
  );
}

/** Both sides: one caller may have several calls. */
const sides = ({ from, to }: Call, and = "to") => `${grouped(from)} ${and} ${grouped(to)}`;

function Party({ number }: { number: string }) {
  return <span className="mono">{grouped(number)}</span>;
}

/** Looks disabled and does nothing, and keeps the focus. */
const over = (is: boolean) => (is ? { "aria-disabled": true, "data-disabled": true } : {});

/** Asks whether to end the call; names its sides to those who only hear it. */
export function HangUp({ call, size = "compact-sm", inRow }: { call: Call; size?: string; inRow?: boolean }) {
  const { write } = usePermissions();
  const ask = useContext(AskContext);
  const live = isLive(call);
  // In a row it stays when the call is over, and is the same button: a press that was meant for it must not go elsewhere.
  if (!write || (!live && !inRow)) return null;
  return (
    <Button
      size={size}
      variant="default"
      {...(live && { c: "var(--status-red)", leftSection: <IconPhoneOff size={15} /> })}
      {...over(!live)}
      aria-label={`${live ? "Hang up" : "Ended:"} ${sides(call)}`}
      onClick={(event) => {
        event.stopPropagation();
        if (live) ask(call);
      }}
    >
      {live ? "Hang up" : "Ended"}
    </Button>
  );
}

/** What is done with a call in a list. One function, so that a call's row is drawn again only when the call changes. */
export const hangUpInRow = (call: Call) => <HangUp call={call} inRow />;
