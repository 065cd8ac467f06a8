/** The second factor: a code from the authenticator app, or one of the recovery codes. */
import { Anchor, Button, Group, Stack } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { verifyTwoFactor } from "../../api/session";
import { useProblemForm } from "../../lib/forms";
import * as check from "../../lib/validate";
import { CodeField, RecoveryCodeField } from "../../ui/CodeField";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { AuthPage } from "./AuthPage";
import { SomebodyElse } from "./SomebodyElse";
import { useEnter } from "./useEnter";

const route = getRouteApi("/two-factor");

export function TwoFactor() {
  const [recovery, setRecovery] = useState(false);
  return (
    <AuthPage
      title={recovery ? "Enter a recovery code" : "Enter your code"}
      lead={recovery ? "Each of the ten codes works once." : "Six digits from your authenticator app."}
    >
      {recovery ? <RecoveryForm /> : <CodeForm />}
      <Group justify="space-between" mt={16}>
        <Anchor component="button" type="button" fz={13} onClick={() => setRecovery(!recovery)}>
          {recovery ? "Use the authenticator app" : "Use a recovery code"}
        </Anchor>
        <SomebodyElse />
      </Group>
    </AuthPage>
  );
}

function CodeForm() {
  const enter = useEnter(route.useSearch().to);
  const { form, problem, busy, onSubmit } = useProblemForm(
    { initialValues: { code: "" }, validate: { code: check.code }, checkOnLeave: false },
    async ({ code }) => enter(await verifyTwoFactor({ code })),
  );
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap={16}>
        <CodeField autoFocus readOnly={busy} {...form.getInputProps("code")} />
        <Button type="submit" loading={busy} fullWidth>
          Sign in
        </Button>
        {problem && <ProblemNotice error={problem} />}
      </Stack>
    </form>
  );
}

function RecoveryForm() {
  const enter = useEnter(route.useSearch().to);
  const { form, problem, busy, onSubmit } = useProblemForm(
    {
      initialValues: { recovery_code: "" },
      validate: { recovery_code: (value) => (value.trim() ? null : "Enter a recovery code") },
    },
    async ({ recovery_code }) => enter(await verifyTwoFactor({ recovery_code: recovery_code.trim() })),
    (field) => (field === "code" ? "recovery_code" : field),
  );
  return (
    <form onSubmit={onSubmit} noValidate>
      <Stack gap={16}>
        <RecoveryCodeField autoFocus readOnly={busy} {...form.getInputProps("recovery_code")} />
        <Button type="submit" loading={busy} fullWidth>
          Sign in
        </Button>
        {problem && <ProblemNotice error={problem} />}
      </Stack>
    </form>
  );
}
