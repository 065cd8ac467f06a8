/** One's own password, recovery codes and sessions. */
import { Button } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type BrowserSession, changePassword, endSession, sessionsQuery } from "../../api/session";
import { browserOf } from "../../lib/browser";
import { useProblemForm } from "../../lib/forms";
import * as check from "../../lib/validate";
import { Card, Dot, Empty, When } from "../../ui/basics";
import { type Column, DataGrid, onePage } from "../../ui/DataGrid";
import css from "../../ui/layout.module.css";
import { PasswordField } from "../../ui/PasswordField";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { refused, told } from "../../ui/toast";
import { NewRecoveryCodes } from "./NewRecoveryCodes";
import { ReplaceAuthenticator } from "./ReplaceAuthenticator";

export function OwnSignIn() {
  return (
    <div className={css.form} style={{ maxWidth: 880 }}>
      <Password />
      <ReplaceAuthenticator />
      <NewRecoveryCodes />
      <Sessions />
    </div>
  );
}

function Password() {
  const client = useQueryClient();
  const { form, problem, busy, onSubmit } = useProblemForm(
    {
      initialValues: { current_password: "", new_password: "" },
      validate: {
        current_password: (value) => (value ? null : "Enter your current password"),
        new_password: check.newPassword,
      },
    },
    async (values) => {
      await changePassword(values);
      form.reset();
      void client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
      told("Password changed. All other sessions have ended.");
    },
    (field) => (field === "password" ? "new_password" : field),
  );
  return (
    <Card title="Password">
      <form onSubmit={onSubmit} noValidate className={css.stack} style={{ maxWidth: 420 }}>
        <PasswordField
          label="Current password"
          autoComplete="current-password"
          {...form.getInputProps("current_password")}
        />
        <PasswordField
          label="New password"
          description="At least 8 characters; a few words work well"
          autoComplete="new-password"
          {...form.getInputProps("new_password")}
        />
        <div className={css.buttons}>
          <Button type="submit" loading={busy}>
            Change password
          </Button>
        </div>
        {problem && <ProblemNotice error={problem} />}
      </form>
    </Card>
  );
}

const sessionColumns: Column<BrowserSession>[] = [
  {
    id: "browser",
    title: "Browser",
    fixed: true,
    phone: "lead",
    render: ({ user_agent, current }) =>
      current ? <Dot tone="green">{browserOf(user_agent)}, this one</Dot> : browserOf(user_agent),
  },
  {
    id: "ip",
    title: "From",
    width: 150,
    phone: "meta",
    render: ({ ip }) => <span className="mono">{ip ?? "–"}</span>,
  },
  {
    id: "seen",
    title: "Last seen",
    width: 120,
    right: true,
    phone: "meta",
    render: ({ last_seen_at }) => <When at={last_seen_at} />,
  },
  {
    id: "created",
    title: "Signed in",
    width: 120,
    right: true,
    render: ({ created_at }) => <When at={created_at} />,
  },
];

function Sessions() {
  const query = useQuery(sessionsQuery);
  const end = useMutation({ mutationFn: endSession, onSettled: () => query.refetch(), onError: refused });
  return (
    <section>
      <h2 style={{ fontSize: 15, fontWeight: 600, margin: "0 0 8px" }}>Where you are signed in</h2>
      <DataGrid
        name="sessions"
        noun={["session", "sessions"]}
        plain
        columns={sessionColumns}
        query={onePage(query)}
        rowKey={(session) => session.id}
        actions={(session) =>
          !session.current && (
            <Button size="compact-sm" variant="default" onClick={() => end.mutate(session.id)}>
              End
            </Button>
          )
        }
        empty={<Empty icon={<IconKey size={22} stroke={1.6} />} title="No sessions" />}
      />
    </section>
  );
}
