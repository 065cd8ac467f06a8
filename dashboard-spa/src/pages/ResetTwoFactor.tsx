/** Takes a colleague's second factor away: their name says whose, one's own code of now says that it is really oneself. */
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { resetTwoFactor } from "../client/sdk.gen";
import type { User } from "../client/types.gen";
import { useProblemForm } from "../lib/forms";
import * as check from "../lib/validate";
import { CodeField } from "../ui/CodeField";
import { Dialog } from "../ui/Dialog";
import { ProblemNotice } from "../ui/ProblemNotice";

type Props = { user: User; onReset: () => void; onClose: () => void };

export function ResetTwoFactor({ user: { sid, name }, onReset, onClose }: Props) {
  const { form, problem, busy, onSubmit } = useProblemForm(
    {
      initialValues: { name: "", code: "" },
      validate: {
        name: (typed) => (typed.trim() === name ? null : `Type ${name}`),
        code: check.freshCode,
      },
    },
    async ({ code }) => {
      await resetTwoFactor({ path: { sid }, body: { code: code.trim() } });
      onReset();
    },
  );
  return (
    <Dialog onClose={onClose} title="Reset two-factor" size={460}>
      <form onSubmit={onSubmit} noValidate>
        <Stack gap={16}>
          <Text fz={13}>
            {name} is signed out and has to set up an authenticator app again with their password. Be sure it
            is really them who asked.
          </Text>
          <TextInput
            label={`Type ${name} to confirm`}
            autoComplete="off"
            data-autofocus
            {...form.getInputProps("name")}
          />
          <CodeField recovery readOnly={busy} {...form.getInputProps("code")} />
          {problem && <ProblemNotice error={problem} />}
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red" loading={busy}>
              Reset two-factor
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
