/** Whose a number is. It loses its configuration with its account, so that leaving one is confirmed. */
import { Anchor, Button, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { usePermissions } from "../api/useSession";
import type { PhoneNumber } from "../client/types.gen";
import { grouped, means } from "../lib/number";
import { AccountSelect } from "../ui/AccountSelect";
import { DangerZone } from "../ui/basics";
import { ConfirmByName } from "../ui/ConfirmByName";
import { useAccountName } from "../ui/Names";
import { Notice } from "../ui/Notice";
import { refused, told } from "../ui/toast";
import { useUpdateNumber } from "./useUpdateNumber";

type Props = { number: PhoneNumber };

/** Where the notice sends people who want to choose one. */
const FIELD = "number-account";

/** Chooses the first account right away, and another one once it is confirmed. */
export function NumberAccount({ number }: Props) {
  const { write } = usePermissions();
  const update = useUpdateNumber(number.sid);
  const [next, setNext] = useState<string>();
  const assign = useMutation({
    mutationFn: (account_sid: string) => update({ account_sid }),
    onError: refused,
  });
  const choose = (account: string | null) => {
    if (account === null) return;
    if (number.account_sid) setNext(account);
    else assign.mutate(account);
  };
  return (
    <>
      <AccountSelect
        id={FIELD}
        size="xs"
        aria-label="Account"
        placeholder="Nobody"
        allowDeselect={false}
        value={number.account_sid ?? null}
        disabled={!write || assign.isPending}
        onChange={choose}
      />
      {next && <Move number={number} to={next} onClose={() => setNext(undefined)} />}
    </>
  );
}

function Move({ number, to, onClose }: Props & { to: string; onClose: () => void }) {
  const update = useUpdateNumber(number.sid);
  const name = useAccountName(to) ?? "the other account";
  const move = async () => {
    await update({ account_sid: to });
    onClose();
    told(`${grouped(number.number)} was moved to ${name}.`);
  };
  return (
    <ConfirmByName
      title="Move number"
      name={grouped(number.number)}
      isName={(typed) => means(typed, number)}
      verb="Move number"
      onConfirm={move}
      onClose={onClose}
    >
      From then on {name} answers its calls. {forgotten(number)}
    </ConfirmByName>
  );
}

/** The red zone's way to leave a number with nobody. */
export function Unassign({ number }: Props) {
  const update = useUpdateNumber(number.sid);
  const [asking, setAsking] = useState(false);
  const unassign = async () => {
    await update({ account_sid: null });
    setAsking(false);
    told(`${grouped(number.number)} belongs to no account any more.`);
  };
  return (
    <>
      <DangerZone
        title="Take this number from its account"
        action={
          <Button color="red" variant="outline" onClick={() => setAsking(true)}>
            Take from account
          </Button>
        }
      >
        Its configuration is forgotten, and its calls are refused until another account has it.
      </DangerZone>
      {asking && (
        <ConfirmByName
          title="Take number from its account"
          name={grouped(number.number)}
          isName={(typed) => means(typed, number)}
          verb="Take from account"
          onConfirm={unassign}
          onClose={() => setAsking(false)}
        >
          Calls to {grouped(number.number)} are refused until another account has it. {forgotten(number)}
        </ConfirmByName>
      )}
    </>
  );
}

const list = new Intl.ListFormat("en-GB", { type: "conjunction" });

/** What goes with the account, in a sentence. */
function forgotten({ voice, friendly_name }: PhoneNumber): string {
  const set: [string, string | undefined][] = [
    ["Voice URL", voice.voice_url],
    ["Fallback URL", voice.voice_fallback_url],
    ["Status callback URL", voice.status_callback_url],
    ["name", friendly_name],
  ];
  const names = set.filter(([, value]) => value).map(([name]) => name);
  if (names.length === 0) return "It has no configuration that would be lost.";
  return `Its configuration is forgotten: ${list.format(names)}.`;
}

/** Says that a number does nothing yet, and leads to what it lacks. */
export function NobodysNumber() {
  const { write } = usePermissions();
  const choose = () => document.getElementById(FIELD)?.focus();
  return (
    <div style={{ marginBottom: 24 }}>
      <Notice tone="amber" title="No account has this number">
        <Text fz={13}>
          Calls to it are refused until an account has it.
          {write && (
            <>
              {" "}
              <Anchor component="button" type="button" fz="inherit" underline="always" onClick={choose}>
                Choose one
              </Anchor>{" "}
              or <Link to="/accounts">create one</Link>.
            </>
          )}
        </Text>
      </Notice>
    </div>
  );
}
