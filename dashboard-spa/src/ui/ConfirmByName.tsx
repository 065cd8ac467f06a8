/** A dangerous action, confirmed by typing the name of what it is done to. */
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { visible } from "../lib/visible";
import { Dialog } from "./Dialog";
import { ProblemNotice } from "./ProblemNotice";

type Props = {
  title: string;
  name: string;
  /** Whether what was typed is the name; where left out it is when it is the same. */
  isName?: (typed: string) => boolean;
  verb: string;
  children: React.ReactNode;
  onConfirm: () => Promise<void>;
  onClose: () => void;
};

export function ConfirmByName(props: Props) {
  const { title, name: given, isName, verb, children, onConfirm, onClose } = props;
  const name = visible(given);
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const sure = isName ? isName(typed) : typed.trim() === name;
  const confirm = async (event: React.FormEvent) => {
    event.preventDefault();
    if (!sure || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  };
  return (
    <Dialog onClose={onClose} title={title} size={460}>
      <form onSubmit={confirm}>
        <Stack gap={16}>
          <Text fz={13}>{children}</Text>
          <TextInput
            label={`Type ${name} to confirm`}
            description={`“${verb}” can be pressed once it is here`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
          {error !== undefined && <ProblemNotice error={error} />}
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red" disabled={!sure} loading={busy}>
              {verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
