/** Accounts: one for each customer or application that calls. */
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBuilding, IconPlus } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useIdempotency } from "../api/mutate";
import { type AccountFilters, accounts } from "../api/queries";
import { usePermissions } from "../api/useSession";
import { createAccount } from "../client/sdk.gen";
import type { Account, AccountCreated } from "../client/types.gen";
import { useProblemForm } from "../lib/forms";
import { isNarrowed, orderChoice, ordered } from "../lib/order";
import * as check from "../lib/validate";
import { Empty, Enabled, SidText, When } from "../ui/basics";
import { type Column, DataGrid, nothing } from "../ui/DataGrid";
import { Dialog } from "../ui/Dialog";
import {
  type Choice,
  FilterBar,
  NothingFound,
  useWrongFilters,
  WrongFilters,
  without,
} from "../ui/FilterBar";
import { PageHead } from "../ui/PageHead";
import { ProblemNotice } from "../ui/ProblemNotice";
import { ShownOnce } from "../ui/Secret";

const route = getRouteApi("/app/accounts");
type Search = ReturnType<typeof route.useSearch>;

const choices: Choice[] = [
  {
    key: "status",
    label: "Status",
    options: [
      { value: "enabled", label: "Enabled" },
      { value: "disabled", label: "Disabled" },
    ],
  },
];

const columns: Column<Account>[] = [
  {
    id: "name",
    title: "Name",
    order: "name",
    fixed: true,
    phone: "lead",
    render: ({ sid, name }) => (
      <Link
        to="/accounts/$sid"
        params={{ sid }}
        className="link"
        style={{ fontWeight: 500 }}
        onClick={(event) => event.stopPropagation()}
      >
        {name}
      </Link>
    ),
  },
  {
    id: "status",
    title: "Status",
    width: 130,
    phone: "aside",
    render: ({ status }) => <Enabled on={status === "enabled"} />,
  },
  { id: "sid", title: "Account SID", width: 220, phone: "meta", render: ({ sid }) => <SidText sid={sid} /> },
  {
    id: "created_at",
    title: "Created",
    order: "created_at",
    width: 120,
    right: true,
    phone: "meta",
    render: ({ created_at }) => <When at={created_at} />,
  },
];

export function Accounts() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const { write } = usePermissions();
  const [creating, create] = useDisclosure(false);
  const filters: AccountFilters = {
    ...(search.order && { order: search.order as NonNullable<AccountFilters["order"]> }),
    ...(search.name && { name: search.name }),
    ...(search.status && { status: search.status as Account["status"] }),
  };
  const wrong = useWrongFilters(search, [...choices, orderChoice(columns)], "name");
  const query = useInfiniteQuery({
    ...accounts(filters),
    placeholderData: keepPreviousData,
    enabled: wrong.length === 0,
  });
  const set = (values: Search, replace = false) =>
    void navigate({ to: "/accounts", search: values, replace });
  const add = write && (
    <Button leftSection={<IconPlus size={16} />} onClick={create.open}>
      Create account
    </Button>
  );
  const empty =
    wrong.length > 0 ? (
      <WrongFilters wrong={wrong} onRemove={() => set(without(search, wrong))} />
    ) : isNarrowed(search) ? (
      <NothingFound onClear={() => set({})} />
    ) : (
      <Empty icon={<IconBuilding size={22} stroke={1.6} />} title="No accounts yet" action={add}>
        An account has its own SID and auth token for Twilio's API, its numbers and its calls.
      </Empty>
    );
  return (
    <>
      <PageHead title="Accounts">{add}</PageHead>
      <DataGrid
        name="accounts"
        noun={["account", "accounts"]}
        columns={columns}
        query={wrong.length > 0 ? nothing : query}
        scope={search}
        order={search.order}
        onOrder={(order) => set(ordered(search, order))}
        rowKey={(account) => account.sid}
        onOpen={({ sid }) => void navigate({ to: "/accounts/$sid", params: { sid } })}
        empty={empty}
        filters={
          <FilterBar
            values={search}
            onChange={(values, replace) => set(values as Search, replace)}
            search={[{ key: "name", label: "Find an account" }]}
            choices={choices}
          />
        }
      />
      {creating && <CreateAccount onClose={create.close} />}
    </>
  );
}

function CreateAccount({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const idempotent = useIdempotency();
  const [created, setCreated] = useState<AccountCreated>();
  const { form, problem, busy, onSubmit } = useProblemForm(
    { initialValues: { name: "" }, validate: { name: check.name("a name for the account") } },
    async ({ name }) => {
      const body = { name: name.trim() };
      setCreated(await createAccount({ body, headers: idempotent(body) }));
      void client.invalidateQueries({ queryKey: ["accounts"] });
    },
  );
  if (created) {
    return (
      <ShownOnce
        title="Auth token"
        what="auth token"
        secret={created.auth_token}
        note={`Programs sign in with the account's SID and this token. Owners and admins can show it again on the page of ${created.name}; keep it secret.`}
        once={false}
        onClose={() => void navigate({ to: "/accounts/$sid", params: { sid: created.sid } })}
      />
    );
  }
  return (
    <Dialog onClose={onClose} title="Create account">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap={16}>
          {problem && <ProblemNotice error={problem} />}
          <TextInput label="Name" placeholder="Rocket Rides" data-autofocus {...form.getInputProps("name")} />
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Create account
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
