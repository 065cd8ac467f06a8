/** Secrets: hidden until asked for, with a copy button; and ones that are shown once. */
import { ActionIcon, Button, Checkbox, Group, Stack, Text, Tooltip } from "@mantine/core";
import { IconEye, IconEyeOff } from "@tabler/icons-react";
import { useState } from "react";
import { Copy } from "./basics";
import { Dialog } from "./Dialog";

/** Shows dots until asked. `load` fetches the secret only then, so that it is not in the page before. */
export function Secret({ what, load }: { what: string; load: () => Promise<string> }) {
  const [secret, setSecret] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string>();
  const show = async () => {
    setBusy(true);
    setFailed(undefined);
    try {
      setSecret(await load());
    } catch (error) {
      setFailed(error instanceof Error ? error.message : "It could not be shown.");
    } finally {
      setBusy(false);
    }
  };
  return (
    <Group gap={4} wrap="nowrap" miw={0}>
      <span className="mono truncate" role="status" aria-label={secret ? what : `${what}, hidden`}>
        {secret ?? "••••••••••••••••"}
      </span>
      <Tooltip label={secret ? "Hide" : "Show"}>
        <ActionIcon
          size={22}
          loading={busy}
          aria-label={`${secret ? "Hide" : "Show"} ${what}`}
          onClick={() => (secret ? setSecret(undefined) : void show())}
        >
          {secret ? <IconEyeOff size={14} /> : <IconEye size={14} />}
        </ActionIcon>
      </Tooltip>
      {secret && <Copy value={secret} label={`Copy ${what}`} />}
      {failed && (
        <Text c="red" fz={12}>
          {failed}
        </Text>
      )}
    </Group>
  );
}

type ShownProps = {
  title: string;
  what: string;
  secret: string;
  note: string;
  once?: boolean;
  onClose: () => void;
};

/** A new secret. One that is never shown again can only be closed once the person says it is kept. */
export function ShownOnce({ title, what, secret, note, once = true, onClose }: ShownProps) {
  const [kept, setKept] = useState(!once);
  return (
    <Dialog onClose={() => kept && onClose()} title={title} withCloseButton={false} size={520}>
      <Stack gap={16}>
        <Text fz={13} c="dimmed">
          {note}
          {once && " It is shown once, now."}
        </Text>
        <Group
          gap={8}
          wrap="nowrap"
          p={12}
          style={{ border: "1px solid var(--line)", borderRadius: 6, background: "var(--surface-sunken)" }}
        >
          <span className="mono" style={{ overflowWrap: "anywhere", flex: 1 }} data-testid="secret">
            {secret}
          </span>
          <Copy value={secret} label={`Copy ${what}`} />
        </Group>
        {once && (
          <Checkbox
            label="I have stored it in a safe place"
            checked={kept}
            onChange={(event) => setKept(event.currentTarget.checked)}
          />
        )}
        <Group justify="flex-end">
          <Button disabled={!kept} onClick={onClose}>
            Done
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
