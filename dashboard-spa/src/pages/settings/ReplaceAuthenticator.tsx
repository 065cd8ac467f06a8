/** Takes one's own authenticator app away and sets another up. A code of now proves who asks. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { replaceTwoFactor, sessionQuery } from "../../api/session";
import { useProblemForm } from "../../lib/forms";
import * as check from "../../lib/validate";
import { Card } from "../../ui/basics";
import { CodeField } from "../../ui/CodeField";
import { Dialog } from "../../ui/Dialog";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { useEnter } from "../auth/useEnter";

export function ReplaceAuthenticator() {
  const [opened, dialog] = useDisclosure(false);
  return (
    <Card title="Authenticator app">
      <Group justify="space-between">
        <Text c="dimmed" fz={13}>
          A new phone, or another app: the old one signs you in no more.
        </Text>
        <Button variant="default" onClick={dialog.open}>
          Replace
        </Button>
      </Group>
      {opened && <Replace onClose={dialog.close} />}
    </Card>
  );
}

function Replace({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const enter = useEnter();
  const { form, problem, busy, onSubmit } = useProblemForm(
    { initialValues: { code: "" }, validate: { code: check.freshCode }, checkOnLeave: false },
    async ({ code }) => {
      await replaceTwoFactor(code.trim());
      const session = await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
      if (session) enter(session);
    },
  );
  return (
    <Dialog onClose={onClose} title="Replace authenticator app">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap={16}>
          {problem && <ProblemNotice error={problem} />}
          <Text fz={13}>
            You are signed out everywhere else, your recovery codes stop working, and the next page sets the
            new app up.
          </Text>
          <CodeField recovery readOnly={busy} data-autofocus {...form.getInputProps("code")} />
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red" loading={busy}>
              Replace
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
