/** Makes ten new recovery codes; the old ones stop working. A code from the app proves who asks. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { renewRecoveryCodes } from "../../api/session";
import { useProblemForm } from "../../lib/forms";
import * as check from "../../lib/validate";
import { Card } from "../../ui/basics";
import { CodeField } from "../../ui/CodeField";
import { Dialog } from "../../ui/Dialog";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { CodeList } from "../auth/CodeList";

export function NewRecoveryCodes() {
  const [opened, dialog] = useDisclosure(false);
  return (
    <Card title="Recovery codes">
      <Group justify="space-between">
        <Text c="dimmed" fz={13}>
          Ten codes that sign you in without your phone, once each. New ones replace the old.
        </Text>
        <Button variant="default" onClick={dialog.open}>
          Make new codes
        </Button>
      </Group>
      {opened && <Renew onClose={dialog.close} />}
    </Card>
  );
}

function Renew({ onClose }: { onClose: () => void }) {
  const [codes, setCodes] = useState<string[]>();
  const { form, problem, busy, onSubmit } = useProblemForm(
    { initialValues: { code: "" }, validate: { code: check.code }, checkOnLeave: false },
    async ({ code }) => setCodes((await renewRecoveryCodes(code)).recovery_codes),
  );
  if (codes) {
    return (
      // A stray key or click does not take them away.
      <Dialog
        onClose={onClose}
        title="Your new recovery codes"
        closeOnClickOutside={false}
        closeOnEscape={false}
        withCloseButton={false}
      >
        <Stack gap={16}>
          <Text fz={13} c="dimmed">
            They are shown once, now. The old ones open nothing any more.
          </Text>
          <CodeList codes={codes} />
          <Button onClick={onClose}>I have stored them</Button>
        </Stack>
      </Dialog>
    );
  }
  return (
    <Dialog onClose={onClose} title="Make new recovery codes">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap={16}>
          {problem && <ProblemNotice error={problem} />}
          <CodeField
            label="Code from the app"
            readOnly={busy}
            data-autofocus
            {...form.getInputProps("code")}
          />
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Make new codes
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
