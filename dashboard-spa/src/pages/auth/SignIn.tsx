/** E-mail and password; the second factor is asked for on the next page. */
import { Anchor, Button, Stack, TextInput } from "@mantine/core";
import { getRouteApi, Link } from "@tanstack/react-router";
import { signIn } from "../../api/session";
import { useProblemForm } from "../../lib/forms";
import * as check from "../../lib/validate";
import { PasswordField } from "../../ui/PasswordField";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { AuthPage } from "./AuthPage";
import { useEnter } from "./useEnter";

const route = getRouteApi("/sign-in");

export function SignIn() {
  const { to } = route.useSearch();
  const enter = useEnter(to);
  const { form, problem, busy, onSubmit } = useProblemForm(
    {
      initialValues: { email: "", password: "" },
      validate: { email: check.email, password: (value) => (value === "" ? "Enter your password" : null) },
    },
    async (values) => enter(await signIn({ email: values.email.trim(), password: values.password })),
  );
  return (
    <AuthPage
      title="Sign in"
      foot={
        <>
          No carrier yet?{" "}
          <Anchor component={Link} to="/sign-up" fz={13} underline="always">
            Sign up
          </Anchor>
        </>
      }
    >
      <form onSubmit={onSubmit} noValidate>
        <Stack gap={16}>
          {problem && <ProblemNotice error={problem} />}
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            autoFocus
            {...form.getInputProps("email")}
          />
          <PasswordField
            label="Password"
            autoComplete="current-password"
            {...form.getInputProps("password")}
          />
          <Button type="submit" loading={busy} fullWidth mt={12}>
            Continue
          </Button>
        </Stack>
      </form>
    </AuthPage>
  );
}
