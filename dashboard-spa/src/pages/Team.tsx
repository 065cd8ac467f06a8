/** The people of this carrier. */
import { Button } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import * as queries from "../api/queries";
import { usePermissions } from "../api/useSession";
import type { User } from "../client/types.gen";
import { words } from "../lib/format";
import { Copyable, Dot, Empty, SidText, When } from "../ui/basics";
import { type Column, DataGrid } from "../ui/DataGrid";
import { PageHead } from "../ui/PageHead";
import { told } from "../ui/toast";
import { ResetTwoFactor } from "./ResetTwoFactor";

const columns: Column<User>[] = [
  {
    id: "name",
    title: "Name",
    fixed: true,
    phone: "lead",
    render: ({ name }) => <span style={{ fontWeight: 500 }}>{name}</span>,
  },
  {
    id: "email",
    title: "E-mail",
    phone: "meta",
    render: ({ email }) => (
      <Copyable value={email} what="e-mail">
        <span className="truncate">{email}</span>
      </Copyable>
    ),
  },
  { id: "role", title: "Role", width: 120, phone: "aside", render: ({ role }) => words(role) },
  {
    id: "two_factor",
    title: "Two-factor",
    width: 130,
    phone: "meta",
    render: ({ two_factor }) => (
      <Dot tone={two_factor ? "green" : "amber"}>{two_factor ? "On" : "Not set up"}</Dot>
    ),
  },
  { id: "sid", title: "SID", width: 180, extra: true, render: ({ sid }) => <SidText sid={sid} /> },
  {
    id: "last",
    title: "Last sign-in",
    width: 130,
    right: true,
    phone: "meta",
    render: ({ last_signed_in_at }) => <When at={last_signed_in_at} />,
  },
];

export function Team() {
  const { own, user: me } = usePermissions();
  const [resetting, setResetting] = useState<User>();
  const query = useInfiniteQuery(queries.users());
  const reset = () => {
    if (!resetting) return;
    setResetting(undefined);
    void query.refetch();
    told(`${resetting.name} sets up two-factor at the next sign-in.`);
  };
  return (
    <>
      <PageHead title="Team" />
      <DataGrid
        name="team"
        noun={["person", "people"]}
        columns={columns}
        query={query}
        rowKey={(user) => user.sid}
        empty={<Empty icon={<IconUsers size={22} stroke={1.6} />} title="Nobody here" />}
        {...(own && {
          actionsWidth: 170,
          actions: (user: User) =>
            user.sid !== me.sid &&
            user.two_factor && (
              <Button size="compact-sm" variant="default" onClick={() => setResetting(user)}>
                Reset two-factor
              </Button>
            ),
        })}
      />
      {resetting && (
        <ResetTwoFactor user={resetting} onReset={reset} onClose={() => setResetting(undefined)} />
      )}
    </>
  );
}
