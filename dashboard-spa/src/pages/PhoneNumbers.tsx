/** The carrier's numbers: who answers each, and whether it takes calls. */
import { ActionIcon, Button, Menu, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots, IconHash, IconPlus, IconSettings } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { type PhoneNumberFilters, phoneNumbers } from "../api/queries";
import { usePermissions } from "../api/useSession";
import { updatePhoneNumber } from "../client/sdk.gen";
import type { PhoneNumber } from "../client/types.gen";
import { grouped, wantedNumbers } from "../lib/number";
import { isNarrowed, orderChoice, ordered } from "../lib/order";
import { accountChoice } from "../ui/AccountSelect";
import { Copyable, Empty, Enabled, SidText, UrlText, When } from "../ui/basics";
import { type Column, DataGrid, nothing } from "../ui/DataGrid";
import {
  type Choice,
  FilterBar,
  NothingFound,
  useWrongFilters,
  WrongFilters,
  without,
} from "../ui/FilterBar";
import { AccountName } from "../ui/Names";
import { PageHead } from "../ui/PageHead";
import { refused } from "../ui/toast";
import { AccountsFound } from "./AccountsFound";
import { CreatePhoneNumber } from "./CreatePhoneNumber";

const route = getRouteApi("/app/numbers");
type Search = ReturnType<typeof route.useSearch>;

const yesNo = (yes: string, no: string) => [
  { value: "true", label: yes },
  { value: "false", label: no },
];

function filtersOf({ number, account_sid, assigned, enabled, order }: Search): PhoneNumberFilters {
  return {
    ...(order && { order: order as NonNullable<PhoneNumberFilters["order"]> }),
    ...(number && wantedNumbers(number)),
    ...(account_sid && { account_sid }),
    ...(assigned && { assigned: assigned === "true" }),
    ...(enabled && { enabled: enabled === "true" }),
  };
}

/** Accounts with the name are offered beside: it is the numbers themselves that have none like it. */
function withoutName({ number = "" }: Search): string | undefined {
  const wanted = wantedNumbers(number);
  return "name" in wanted ? `No number itself is named “${wanted.name}” here.` : undefined;
}

const columns: Column<PhoneNumber>[] = [
  {
    id: "number",
    title: "Number",
    order: "number",
    width: 190,
    fixed: true,
    phone: "lead",
    render: ({ sid, number }) => (
      <Copyable value={number} what="number">
        <Link
          to="/numbers/$sid"
          params={{ sid }}
          className="link mono nowrap"
          onClick={(event) => event.stopPropagation()}
        >
          {grouped(number)}
        </Link>
      </Copyable>
    ),
  },
  {
    id: "friendly_name",
    title: "Name",
    order: "name",
    width: 120,
    shrink: true,
    phone: "meta",
    render: ({ friendly_name }) => friendly_name && <span title={friendly_name}>{friendly_name}</span>,
  },
  {
    id: "enabled",
    title: "Status",
    width: 120,
    phone: "aside",
    render: ({ enabled }) => <Enabled on={enabled} />,
  },
  {
    id: "account",
    title: "Account",
    width: 200,
    shrink: true,
    phone: "meta",
    render: ({ account_sid, account_name }) => <AccountName sid={account_sid} name={account_name} />,
  },
  {
    id: "voice",
    title: "Answers with",
    shrink: true,
    phone: "meta",
    render: ({ voice }) => (voice.twiml ? <span>TwiML kept here</span> : <UrlText url={voice.voice_url} />),
  },
  { id: "sid", title: "SID", width: 180, extra: true, render: ({ sid }) => <SidText sid={sid} /> },
  {
    id: "created_at",
    title: "Added",
    order: "created_at",
    width: 110,
    right: true,
    render: ({ created_at }) => <When at={created_at} />,
  },
];

export function PhoneNumbers() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const { write } = usePermissions();
  const [creating, create] = useDisclosure(false);
  const set = (values: Search, replace = false) => void navigate({ to: "/numbers", search: values, replace });
  const choices: Choice[] = [
    { key: "enabled", label: "Status", options: yesNo("Enabled", "Disabled") },
    { key: "assigned", label: "Assigned", options: yesNo("To an account", "To nobody") },
    accountChoice,
  ];
  const wrong = useWrongFilters(search, [...choices, orderChoice(columns)], "number");
  const query = useInfiniteQuery({
    ...phoneNumbers(filtersOf(search)),
    placeholderData: keepPreviousData,
    enabled: wrong.length === 0,
  });
  const add = write && (
    <Button leftSection={<IconPlus size={16} />} onClick={create.open}>
      Add number
    </Button>
  );
  const empty =
    wrong.length > 0 ? (
      <WrongFilters wrong={wrong} onRemove={() => set(without(search, wrong))} />
    ) : isNarrowed(search) ? (
      <NothingFound onClear={() => set({})} said={withoutName(search)} />
    ) : (
      <Empty icon={<IconHash size={22} stroke={1.6} />} title="No phone numbers yet" action={add}>
        A number in international form or a short code that your trunks send calls for. Give it to an account
        and point it at an application.
      </Empty>
    );
  return (
    <>
      <PageHead title="Phone numbers">{add}</PageHead>
      <DataGrid
        name="phone-numbers"
        noun={["number", "numbers"]}
        columns={columns}
        query={wrong.length > 0 ? nothing : query}
        scope={search}
        order={search.order}
        onOrder={(order) => set(ordered(search, order))}
        rowKey={(number) => number.sid}
        onOpen={({ sid }) => void navigate({ to: "/numbers/$sid", params: { sid } })}
        actions={rowActions}
        empty={empty}
        filters={
          <>
            <FilterBar
              values={search}
              onChange={(values, replace) => set(values as Search, replace)}
              search={[{ key: "number", label: "Find a number" }]}
              choices={choices}
            />
            <AccountsFound
              text={search.number}
              onPick={(account_sid) => set({ ...search, number: undefined, account_sid } as Search)}
            />
          </>
        }
      />
      {creating && <CreatePhoneNumber onClose={create.close} />}
    </>
  );
}

const rowActions = (number: PhoneNumber) => <RowActions number={number} />;

function RowActions({ number }: { number: PhoneNumber }) {
  const { write } = usePermissions();
  const client = useQueryClient();
  const toggle = useMutation({
    mutationFn: () => updatePhoneNumber({ path: { sid: number.sid }, body: { enabled: !number.enabled } }),
    onSettled: () => client.invalidateQueries({ queryKey: ["phone_numbers"] }),
    onError: refused,
  });
  const shown = grouped(number.number);
  return (
    <>
      <Tooltip label="Configure">
        <ActionIcon
          component={Link}
          to={`/numbers/${number.sid}`}
          aria-label={`Configure ${shown}`}
          onClick={(event: React.MouseEvent) => event.stopPropagation()}
        >
          <IconSettings size={17} stroke={1.7} />
        </ActionIcon>
      </Tooltip>
      {write && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon
              aria-label={`More for ${shown}`}
              loading={toggle.isPending}
              onClick={(event) => event.stopPropagation()}
            >
              <IconDots size={17} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown onClick={(event) => event.stopPropagation()}>
            <Menu.Item onClick={() => toggle.mutate()}>{number.enabled ? "Disable" : "Enable"}</Menu.Item>
            <Menu.Item component={Link} to={`/calls?phone_number_sid=${number.sid}`}>
              See its calls
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}
