/** SIP trunks, in two tabs: where calls come from, and where they go. A trunk may be in both. */
import { Button, Tabs } from "@mantine/core";
import { IconPlugConnected, IconPlus } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { type TrunkFilters, trunks } from "../api/queries";
import { usePermissions } from "../api/useSession";
import type { Trunk } from "../client/types.gen";
import { countryName } from "../lib/number";
import { orderChoice, ordered } from "../lib/order";
import { Copyable, Empty, SidText, When } from "../ui/basics";
import { type Column, DataGrid } from "../ui/DataGrid";
import { FilterBar, NothingFound } from "../ui/FilterBar";
import { PageHead } from "../ui/PageHead";

const route = getRouteApi("/app/trunks");

/** Source addresses shown in a row before the rest becomes a count. */
const SOURCES = 3;

const name: Column<Trunk> = {
  id: "name",
  title: "Name",
  order: "name",
  width: 240,
  fixed: true,
  phone: "lead",
  render: ({ sid, name: text }) => (
    <Link
      to="/trunks/$sid"
      params={{ sid }}
      className="link"
      style={{ fontWeight: 500 }}
      onClick={(event) => event.stopPropagation()}
    >
      {text}
    </Link>
  ),
};
const sid: Column<Trunk> = {
  id: "sid",
  title: "SID",
  width: 180,
  extra: true,
  render: (trunk) => <SidText sid={trunk.sid} />,
};
const created: Column<Trunk> = {
  id: "created_at",
  title: "Added",
  order: "created_at",
  width: 110,
  right: true,
  phone: "aside",
  render: (trunk) => <When at={trunk.created_at} />,
};

const inbound: Column<Trunk>[] = [
  name,
  {
    id: "sources",
    title: "Source addresses",
    shrink: true,
    phone: "meta",
    render: ({ inbound: side }) => {
      const sources = side?.sources ?? [];
      const rest = sources.length - SOURCES;
      return (
        <span className="mono">
          {sources.slice(0, SOURCES).join(", ")}
          {rest > 0 && <span className="dim"> and {rest} more</span>}
        </span>
      );
    },
  },
  {
    id: "country",
    title: "Numbers read as",
    width: 180,
    render: ({ inbound: side }) =>
      side?.country ? countryName(side.country) : <span className="dim">The carrier's</span>,
  },
  {
    id: "also",
    title: "Outbound too",
    width: 120,
    render: ({ outbound: side }) => (side ? "Yes" : <span className="dim">No</span>),
  },
  sid,
  created,
];

const outbound: Column<Trunk>[] = [
  name,
  {
    id: "host",
    title: "Host",
    shrink: true,
    phone: "meta",
    render: ({ outbound: side }) =>
      side && (
        <Copyable value={side.host} what="host">
          <span className="mono">{side.host}</span>
        </Copyable>
      ),
  },
  {
    id: "transport",
    title: "Transport",
    width: 100,
    phone: "meta",
    render: ({ outbound: side }) => side?.transport.toUpperCase(),
  },
  {
    id: "dial",
    title: "Dials as",
    width: 200,
    render: ({ outbound: side }) => <span className="mono">{side?.example_dial_string}</span>,
  },
  {
    id: "auth",
    title: "Sign-in",
    width: 160,
    render: ({ outbound: side }) =>
      side?.username ? (
        <span className="mono">{side.username}</span>
      ) : (
        <span className="dim">By address</span>
      ),
  },
  sid,
  created,
];

export function Trunks() {
  const search = route.useSearch();
  const { tab, name: wanted } = search;
  const navigate = useNavigate();
  const { write } = usePermissions();
  const direction = tab === "outbound" ? "outbound" : "inbound";
  const columns = direction === "inbound" ? inbound : outbound;
  // Of an order that means nothing the list is newest first.
  const order = orderChoice(columns).options.find(({ value }) => value === search.order)?.value;
  const query = useInfiniteQuery({
    ...trunks({
      direction,
      ...(wanted && { name: wanted }),
      ...(order && { order: order as NonNullable<TrunkFilters["order"]> }),
    }),
    placeholderData: keepPreviousData,
  });
  const set = (search: { tab?: string; name?: string; order?: string }, replace = false) =>
    void navigate({ to: "/trunks", search, replace });
  const add = write && (
    <Button component={Link} to={`/trunks/new?tab=${direction}`} leftSection={<IconPlus size={16} />}>
      Create trunk
    </Button>
  );
  const empty = wanted ? (
    <NothingFound onClear={() => set({ tab: direction })} />
  ) : (
    <Empty
      icon={<IconPlugConnected size={22} stroke={1.6} />}
      title={`No ${direction} trunks yet`}
      action={add}
    >
      {direction === "inbound"
        ? "An inbound trunk says which source addresses your calls come from. Anything else is dropped without an answer."
        : "An outbound trunk says which host to call through, and how numbers are written for it."}
    </Empty>
  );
  return (
    <>
      <PageHead title="SIP trunks">{add}</PageHead>
      <Tabs value={direction} onChange={(value) => set({ tab: value ?? "inbound" })} mb={16} keepMounted>
        <Tabs.List>
          <Tabs.Tab value="inbound">Inbound</Tabs.Tab>
          <Tabs.Tab value="outbound">Outbound</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={direction} pt={16}>
          <DataGrid
            key={direction}
            name={`trunks-${direction}`}
            noun={["trunk", "trunks"]}
            columns={columns}
            query={query}
            scope={[direction, wanted, order]}
            order={order}
            onOrder={(order) => set(ordered({ tab: direction, ...search }, order))}
            rowKey={(trunk) => trunk.sid}
            onOpen={(trunk) => void navigate({ to: "/trunks/$sid", params: { sid: trunk.sid } })}
            empty={empty}
            filters={
              <FilterBar
                values={{ name: wanted }}
                onChange={(values, replace) =>
                  set(
                    { tab: direction, ...(values.name && { name: values.name }), ...(order && { order }) },
                    replace,
                  )
                }
                search={[{ key: "name", label: "Find a trunk" }]}
              />
            }
          />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
