/** The carrier's name and country, API keys, and one's own password and sessions. */
import { Button, Group, Modal, Select, Skeleton, Stack, Tabs, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  useSuspenseQuery,
} from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useIdempotency } from "../api/mutate";
import * as queries from "../api/queries";
import {
  type BrowserSession,
  changePassword,
  countriesQuery,
  endSession,
  sessionQuery,
  sessionsQuery,
} from "../api/session";
import { usePermissions } from "../api/useSession";
import { createApiKey, revokeApiKey, updateCarrier } from "../client/sdk.gen";
import type { ApiKey, Carrier } from "../client/types.gen";
import { browserOf } from "../lib/browser";
import { useProblemForm } from "../lib/forms";
import { countryOptions } from "../lib/number";
import * as check from "../lib/validate";
import { Card, Dot, Empty, Facts, SidText, When } from "../ui/basics";
import { ConfirmByName } from "../ui/ConfirmByName";
import { type Column, DataGrid, onePage } from "../ui/DataGrid";
import css from "../ui/layout.module.css";
import { Meanwhile } from "../ui/Meanwhile";
import { PageHead } from "../ui/PageHead";
import { PasswordField } from "../ui/PasswordField";
import { ProblemNotice } from "../ui/ProblemNotice";
import { ShownOnce } from "../ui/Secret";
import { refused, told } from "../ui/toast";
import { NewRecoveryCodes } from "./NewRecoveryCodes";

const route = getRouteApi("/app/settings");

export function Settings() {
  const { tab = "carrier" } = route.useSearch();
  const { own } = usePermissions();
  const navigate = useNavigate();
  const go = (value: string | null) =>
    void navigate({
      to: "/settings",
      search: value && value !== "carrier" ? { tab: value } : {},
      replace: true,
    });
  return (
    <>
      <PageHead title="Settings" />
      <Tabs value={tab} onChange={go}>
        <Tabs.List>
          <Tabs.Tab value="carrier">Carrier</Tabs.Tab>
          {own && <Tabs.Tab value="keys">API keys</Tabs.Tab>}
          <Tabs.Tab value="you">Your sign-in</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="carrier" pt={16}>
          <CarrierSettings />
        </Tabs.Panel>
        {own && (
          <Tabs.Panel value="keys" pt={16}>
            <ApiKeys />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="you" pt={16}>
          <You />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function CarrierSettings() {
  const { data: carrier, error, refetch } = useQuery(queries.carrier);
  if (error && !carrier) return <ProblemNotice error={error} retry={() => void refetch()} />;
  if (!carrier) return <Skeleton h={320} maw={640} />;
  return (
    <div className={css.form}>
      <CarrierForm key={carrier.sid} carrier={carrier} />
      <Card title="Facts">
        <Facts
          items={[
            ["SID", <SidText key="sid" sid={carrier.sid} />],
            [
              "Subdomain",
              <span key="subdomain" className="mono">
                {carrier.subdomain}
              </span>,
            ],
            [
              "SIP address",
              carrier.sip_address ? (
                <span key="sip" className="mono">
                  {carrier.sip_address}
                </span>
              ) : undefined,
            ],
            ["Signed up", <When key="created" at={carrier.created_at} />],
          ]}
        />
      </Card>
    </div>
  );
}

function CarrierForm({ carrier }: { carrier: Carrier }) {
  const { write } = usePermissions();
  const client = useQueryClient();
  const { data: countries } = useSuspenseQuery(countriesQuery);
  const { form, problem, busy, onSubmit, ...meanwhile } = useProblemForm(
    {
      initialValues: { name: carrier.name, country: carrier.country },
      validate: {
        name: check.name("the company's name"),
        country: (value) => (value ? null : "Choose a country"),
      },
    },
    async ({ name, country }, saved) => {
      const updated = await updateCarrier({ body: { name: name.trim(), country } });
      client.setQueryData(queries.carrier.queryKey, updated);
      saved({ name: updated.name, country: updated.country });
      void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
      told("Settings saved.");
    },
  );
  return (
    <Card title="Carrier">
      <form onSubmit={onSubmit} noValidate className={css.stack}>
        {problem && <ProblemNotice error={problem} />}
        <TextInput label="Company" disabled={!write} {...form.getInputProps("name")} />
        <Select
          label="Country"
          description="National numbers are read by its rules"
          disabled={!write}
          searchable
          allowDeselect={false}
          data={countryOptions(countries)}
          {...form.getInputProps("country")}
        />
        <Meanwhile {...meanwhile} />
        {write && (
          <div className={css.buttons}>
            <Button type="submit" loading={busy} disabled={!form.isDirty()}>
              Save
            </Button>
          </div>
        )}
      </form>
    </Card>
  );
}

const keyColumns: Column<ApiKey>[] = [
  {
    id: "name",
    title: "Name",
    fixed: true,
    phone: "lead",
    render: ({ name }) => <span style={{ fontWeight: 500 }}>{name}</span>,
  },
  {
    id: "key",
    title: "Key",
    width: 200,
    phone: "meta",
    render: ({ last_four }) => <span className="mono">tlk_…{last_four}</span>,
  },
  { id: "sid", title: "SID", width: 180, render: ({ sid }) => <SidText sid={sid} /> },
  {
    id: "created_at",
    title: "Created",
    width: 120,
    right: true,
    phone: "meta",
    render: ({ created_at }) => <When at={created_at} />,
  },
];

function ApiKeys() {
  const client = useQueryClient();
  const [creating, create] = useDisclosure(false);
  const [revoking, setRevoking] = useState<ApiKey>();
  const [secret, setSecret] = useState<string>();
  const query = useInfiniteQuery(queries.apiKeys());
  const changed = () => void client.invalidateQueries({ queryKey: ["api_keys"] });
  const revoke = async () => {
    if (revoking) await revokeApiKey({ path: { sid: revoking.sid } });
    changed();
    setRevoking(undefined);
  };
  const add = (
    <Button leftSection={<IconPlus size={16} />} onClick={create.open}>
      Create key
    </Button>
  );
  return (
    <>
      <DataGrid
        name="api-keys"
        noun={["key", "keys"]}
        columns={keyColumns}
        query={query}
        rowKey={(key) => key.sid}
        actions={(key) => (
          <Button size="compact-sm" variant="default" c="var(--status-red)" onClick={() => setRevoking(key)}>
            Revoke
          </Button>
        )}
        actionsWidth={100}
        empty={
          <Empty icon={<IconKey size={22} stroke={1.6} />} title="No API keys yet" action={add}>
            A key lets a program use the Carrier API with an admin's rights: accounts, trunks, numbers, calls.
          </Empty>
        }
        filters={add}
      />
      {creating && (
        <CreateKey
          onClose={create.close}
          onCreated={(key) => {
            create.close();
            setSecret(key);
            changed();
          }}
        />
      )}
      {secret && (
        <ShownOnce
          title="Your new API key"
          what="API key"
          secret={secret}
          note="Send it as a Bearer token."
          onClose={() => setSecret(undefined)}
        />
      )}
      {revoking && (
        <ConfirmByName
          title="Revoke key"
          name={revoking.name}
          verb="Revoke key"
          onConfirm={revoke}
          onClose={() => setRevoking(undefined)}
        >
          Programs that use it get 401 at once. It can't be brought back.
        </ConfirmByName>
      )}
    </>
  );
}

function CreateKey({ onClose, onCreated }: { onClose: () => void; onCreated: (secret: string) => void }) {
  const idempotent = useIdempotency();
  const { form, problem, busy, onSubmit } = useProblemForm(
    { initialValues: { name: "" }, validate: { name: check.name("what the key is for") } },
    async ({ name }) => {
      const body = { name: name.trim() };
      onCreated((await createApiKey({ body, headers: idempotent(body) })).secret);
    },
  );
  return (
    <Modal opened onClose={onClose} title="Create API key">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap={16}>
          {problem && <ProblemNotice error={problem} />}
          <TextInput
            label="Name"
            description="What will use it"
            placeholder="Provisioning script"
            data-autofocus
            {...form.getInputProps("name")}
          />
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Create key
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function You() {
  return (
    <div className={css.form} style={{ maxWidth: 880 }}>
      <Password />
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
        {problem && <ProblemNotice error={problem} />}
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
