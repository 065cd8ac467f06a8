/** Mandatory before anything else opens: scan, prove with one code, keep the recovery codes. */
import { Alert, Button, Checkbox, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { enableTwoFactor, type Session, setUpTwoFactor } from "../../api/session";
import { useProblemForm } from "../../lib/forms";
import * as check from "../../lib/validate";
import { Copyable } from "../../ui/basics";
import { CodeField } from "../../ui/CodeField";
import { ProblemNotice } from "../../ui/ProblemNotice";
import css from "./Auth.module.css";
import { AuthPage } from "./AuthPage";
import { CodeList } from "./CodeList";
import { SomebodyElse } from "./SomebodyElse";
import { useEnter } from "./useEnter";

const route = getRouteApi("/two-factor/set-up");

type Enabled = { recovery_codes: string[]; session: Session };

export function SetUpTwoFactor() {
  const [enabled, setEnabled] = useState<Enabled>();
  return enabled ? <RecoveryCodes enabled={enabled} /> : <Scan onEnabled={setEnabled} />;
}

function Scan({ onEnabled }: { onEnabled: (enabled: Enabled) => void }) {
  const setup = useQuery({
    queryKey: ["two-factor-setup"],
    queryFn: setUpTwoFactor,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const { form, problem, busy, onSubmit } = useProblemForm(
    { initialValues: { code: "" }, validate: { code: check.code }, checkOnLeave: false },
    async ({ code }) => onEnabled(await enableTwoFactor(code)),
  );
  return (
    <AuthPage
      wide
      title="Set up two-factor sign-in"
      lead="Every sign-in needs a code from your phone. Nothing else opens before this is done."
      foot={<SomebodyElse />}
    >
      {setup.error && !setup.data ? (
        <ProblemNotice error={setup.error} retry={() => void setup.refetch()} />
      ) : (
        <div className={css.steps}>
          <img
            className={css.qr}
            src={setup.data?.qr ?? "/blank.svg"}
            alt="QR code for your authenticator app"
          />
          <form onSubmit={onSubmit} noValidate style={{ minWidth: 0, width: "100%" }}>
            <Stack gap={12}>
              <Text fz={13}>Scan it with any authenticator app, or type this key:</Text>
              {setup.data && (
                <Copyable value={setup.data.key} what="key" always>
                  <span className="mono" data-testid="totp-key" style={{ overflowWrap: "anywhere" }}>
                    {setup.data.key.replace(/(.{4})(?=.)/g, "$1 ")}
                  </span>
                </Copyable>
              )}
              <CodeField
                autoFocus
                readOnly={busy}
                label="Code from the app"
                {...form.getInputProps("code")}
              />
              <Button type="submit" loading={busy} disabled={!setup.data}>
                Turn on
              </Button>
              {problem && <ProblemNotice error={problem} />}
            </Stack>
          </form>
        </div>
      )}
    </AuthPage>
  );
}

function RecoveryCodes({ enabled }: { enabled: Enabled }) {
  const [kept, setKept] = useState(false);
  const enter = useEnter(route.useSearch().to);
  return (
    <AuthPage
      wide
      title="Keep your recovery codes"
      lead="Each signs you in once when your phone is not at hand. They are shown now and never again."
    >
      <Stack gap={16}>
        <CodeList codes={enabled.recovery_codes} />
        <Alert color="gray" p={12}>
          <Checkbox
            label="I have stored them in a safe place"
            checked={kept}
            onChange={(event) => setKept(event.currentTarget.checked)}
          />
        </Alert>
        <Button disabled={!kept} onClick={() => enter(enabled.session)}>
          Open the dashboard
        </Button>
      </Stack>
    </AuthPage>
  );
}
