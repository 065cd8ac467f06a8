/** E-mail and password; the second factor is asked for on the next page. */
import { Anchor, Button, Stack, TextInput } from "@mantine/core";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Problem } from "../../api/problem";
import { signIn } from "../../api/session";
import { useProblemForm } from "../../lib/forms";
import * as check from "../../lib/validate";
import { PasswordField } from "../../ui/PasswordField";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { AuthPage } from "./AuthPage";
import { useEnter } from "./useEnter";

const route = getRouteApi("/sign-in");

/** What is wrong of the two nobody says; it is said where it is typed anew, and moves nothing. */
function atField(error: unknown): unknown {
  if (!(error instanceof Problem) || error.code !== "invalid_credentials") return error;
  const message = error.detail ?? "E-mail or password is wrong.";
  return new Problem(error.status, { code: error.code, errors: [{ field: "password", message }] });
}

export function SignIn() {
  const { to } = route.useSearch();
  const enter = useEnter(to);
  const { form, problem, busy, onSubmit } = useProblemForm(
    {
      initialValues: { email: "", password: "" },
      validate: { email: check.email, password: (value) => (value === "" ? "Enter your password" : null) },
    },
    async ({ email, password }) =>
      enter(await signIn({ email: email.trim(), password }).catch((error) => Promise.reject(atField(error)))),
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
          {problem && <ProblemNotice error={problem} />}
        </Stack>
      </form>
    </AuthPage>
  );
}
