/** The carrier's API keys: create, see once, revoke. */
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useIdempotency } from "../../api/mutate";
import * as queries from "../../api/queries";
import { createApiKey, revokeApiKey } from "../../client/sdk.gen";
import type { ApiKey } from "../../client/types.gen";
import { useProblemForm } from "../../lib/forms";
import * as check from "../../lib/validate";
import { Empty, SidText, When } from "../../ui/basics";
import { ConfirmByName } from "../../ui/ConfirmByName";
import { type Column, DataGrid } from "../../ui/DataGrid";
import { Dialog } from "../../ui/Dialog";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { ShownOnce } from "../../ui/Secret";

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

export function ApiKeys() {
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
    <Dialog onClose={onClose} title="Create API key">
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
    </Dialog>
  );
}
