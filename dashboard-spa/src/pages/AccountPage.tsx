/** One account: its credentials and numbers, and the switch that turns it off. */
import { Button, Skeleton, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconHash, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import * as queries from "../api/queries";
import { usePermissions } from "../api/useSession";
import { getAuthToken, rotateAuthToken, updateAccount } from "../client/sdk.gen";
import type { Account, PhoneNumber } from "../client/types.gen";
import { useProblemForm } from "../lib/forms";
import { grouped } from "../lib/number";
import * as check from "../lib/validate";
import { Card, DangerZone, Empty, Enabled, Facts, SidText, UrlText, When } from "../ui/basics";
import { ConfirmByName } from "../ui/ConfirmByName";
import { type Column, DataGrid } from "../ui/DataGrid";
import css from "../ui/layout.module.css";
import { Meanwhile } from "../ui/Meanwhile";
import { PageHead } from "../ui/PageHead";
import { ProblemNotice } from "../ui/ProblemNotice";
import { Secret, ShownOnce } from "../ui/Secret";
import { nothingChanged, refused, told } from "../ui/toast";
import { AccountLimits } from "./AccountLimits";
import { CreatePhoneNumber } from "./CreatePhoneNumber";

const route = getRouteApi("/app/accounts/$sid");
const parent = { label: "Accounts", link: { to: "/accounts" } } as const;

export function AccountPage() {
  const { sid } = route.useParams();
  const { write } = usePermissions();
  const { data: account, error, refetch } = useQuery(queries.account(sid));
  return (
    <>
      <PageHead title={account?.name ?? "Account"} parent={parent} />
      {error && !account ? (
        <ProblemNotice error={error} retry={() => void refetch()} list={parent} />
      ) : (
        <div className={css.two}>
          <div className={css.stack}>
            {account ? <Credentials account={account} /> : <Skeleton h={240} />}
            {account && <AccountLimits key={account.sid} account={account} />}
          </div>
          <div className={css.stack}>
            <Numbers sid={sid} />
            {account && write && <Rename key={account.sid} account={account} />}
            {account && write && <Danger account={account} />}
          </div>
        </div>
      )}
    </>
  );
}

function Credentials({ account }: { account: Account }) {
  const { write } = usePermissions();
  return (
    <Card title="Account">
      <Facts
        items={[
          ["Status", <Enabled key="status" on={account.status === "enabled"} />],
          ["Account SID", <SidText key="sid" sid={account.sid} always />],
          [
            "Auth token",
            write ? (
              <Secret
                key="token"
                what="auth token"
                load={async () => (await getAuthToken({ path: { sid: account.sid } })).auth_token}
              />
            ) : (
              <span key="token" className="dim">
                owners and admins only
              </span>
            ),
          ],
          ["Created", <When key="created" at={account.created_at} />],
          [
            "Calls",
            <Link key="calls" to="/calls" search={{ account_sid: account.sid }}>
              See its calls
            </Link>,
          ],
        ]}
      />
    </Card>
  );
}

const columns: Column<PhoneNumber>[] = [
  {
    id: "number",
    title: "Number",
    width: 200,
    fixed: true,
    phone: "lead",
    render: ({ sid, number }) => (
      <Link
        to="/numbers/$sid"
        params={{ sid }}
        className="link mono nowrap"
        onClick={(event) => event.stopPropagation()}
      >
        {grouped(number)}
      </Link>
    ),
  },
  {
    id: "enabled",
    title: "Status",
    width: 120,
    phone: "aside",
    render: ({ enabled }) => <Enabled on={enabled} />,
  },
  {
    id: "voice",
    title: "Voice URL",
    phone: "meta",
    render: ({ voice }) => <UrlText url={voice.voice_url} />,
  },
];

function Numbers({ sid }: { sid: string }) {
  const navigate = useNavigate();
  const { write } = usePermissions();
  const [adding, add] = useDisclosure(false);
  const query = useInfiniteQuery(queries.phoneNumbers({ account_sid: sid }));
  const button = write && (
    <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={add.open}>
      Add number
    </Button>
  );
  return (
    <section>
      <div
        style={{
          display: "flex",
          justifyContent: "space-between",
          alignItems: "center",
          minHeight: 32,
          marginBottom: 8,
        }}
      >
        <h2 style={{ fontSize: 15, fontWeight: 600, margin: 0 }}>Phone numbers</h2>
        {button}
      </div>
      <DataGrid
        name="account-numbers"
        noun={["number", "numbers"]}
        plain
        columns={columns}
        query={query}
        rowKey={(number) => number.sid}
        onOpen={(number) => void navigate({ to: "/numbers/$sid", params: { sid: number.sid } })}
        empty={
          <Empty icon={<IconHash size={22} stroke={1.6} />} title="No numbers yet">
            Calls to an account's numbers are answered by its application.
          </Empty>
        }
      />
      {adding && <CreatePhoneNumber account={sid} onClose={add.close} />}
    </section>
  );
}

function Rename({ account }: { account: Account }) {
  const client = useQueryClient();
  const { form, problem, busy, onSubmit, ...meanwhile } = useProblemForm(
    {
      unchanged: nothingChanged,
      initialValues: { name: account.name },
      validate: { name: check.name("a name for the account") },
    },
    async ({ name }, saved) => {
      const updated = await updateAccount({ path: { sid: account.sid }, body: { name: name.trim() } });
      client.setQueryData(queries.account(account.sid).queryKey, updated);
      saved({ name: updated.name });
      void client.invalidateQueries({ queryKey: ["accounts"] });
      told("Name saved.");
    },
  );
  return (
    <Card title="Name">
      <form onSubmit={onSubmit} noValidate className={css.stack}>
        <TextInput aria-label="Name" {...form.getInputProps("name")} />
        <div className={css.buttons}>
          <Meanwhile {...meanwhile} />
          <Button type="submit" variant="default" loading={busy}>
            Save
          </Button>
        </div>
        {problem && <ProblemNotice error={problem} />}
      </form>
    </Card>
  );
}

function Danger({ account }: { account: Account }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState<"rotate" | "disable">();
  const [token, setToken] = useState<string>();
  const close = () => setAsking(undefined);
  const setStatus = async (status: Account["status"]) => {
    const updated = await updateAccount({ path: { sid: account.sid }, body: { status } });
    client.setQueryData(queries.account(account.sid).queryKey, updated);
    void client.invalidateQueries({ queryKey: ["accounts", "list"] });
    close();
  };
  const enable = useMutation({ mutationFn: () => setStatus("enabled"), onError: refused });
  const rotate = async () => {
    const answer = await rotateAuthToken({ path: { sid: account.sid } });
    close();
    setToken(answer.auth_token);
  };
  return (
    <>
      <DangerZone
        title="Replace the auth token"
        action={
          <Button color="red" variant="outline" onClick={() => setAsking("rotate")}>
            Replace token
          </Button>
        }
      >
        Programs that use the old one get 401 from then on, and webhooks are signed with the new one.
      </DangerZone>
      {account.status === "enabled" ? (
        <DangerZone
          title="Disable this account"
          action={
            <Button color="red" variant="outline" onClick={() => setAsking("disable")}>
              Disable account
            </Button>
          }
        >
          Its programs get 401, its calls are refused and live ones are ended.
        </DangerZone>
      ) : (
        <DangerZone
          title="This account is disabled"
          action={
            <Button variant="default" loading={enable.isPending} onClick={() => enable.mutate()}>
              Enable account
            </Button>
          }
        >
          Its programs get 401 and its calls are refused.
        </DangerZone>
      )}
      {asking === "rotate" && (
        <ConfirmByName
          title="Replace the auth token"
          name={account.name}
          verb="Replace token"
          onConfirm={rotate}
          onClose={close}
        >
          Every program of {account.name} needs the new token.
        </ConfirmByName>
      )}
      {asking === "disable" && (
        <ConfirmByName
          title="Disable account"
          name={account.name}
          verb="Disable account"
          onConfirm={() => setStatus("disabled")}
          onClose={close}
        >
          Live calls of {account.name} are ended now.
        </ConfirmByName>
      )}
      {token && (
        <ShownOnce
          title="New auth token"
          what="auth token"
          secret={token}
          once={false}
          note="The old one opens nothing any more."
          onClose={() => setToken(undefined)}
        />
      )}
    </>
  );
}
