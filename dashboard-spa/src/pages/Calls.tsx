/** Every call, newest first. Filters are in the address. */

import { Button } from "@mantine/core";
import { IconPhoneDone } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type CallFilters, calls } from "../api/queries";
import type { Call } from "../client/types.gen";
import { directions, statuses, statusOf } from "../lib/call";
import { periods, since } from "../lib/period";
import { accountChoice } from "../ui/AccountSelect";
import { Empty } from "../ui/basics";
import { DataGrid } from "../ui/DataGrid";
import { type Choice, FilterBar, NothingFound } from "../ui/FilterBar";
import { useTrunkOptions } from "../ui/Names";
import { PageHead } from "../ui/PageHead";
import { callColumns } from "./callColumns";

const route = getRouteApi("/app/calls");
type Search = ReturnType<typeof route.useSearch>;

/** The address as a question to the API. */
function filtersOf({ period, status, direction, ...rest }: Search): CallFilters {
  const after = since(period, Date.now());
  return {
    ...rest,
    ...(status && { status: status as Call["status"] }),
    ...(direction && { direction: direction as Call["direction"] }),
    ...(after && { created_after: after }),
  };
}

export function Calls() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const query = useInfiniteQuery({ ...calls(filtersOf(search)), placeholderData: keepPreviousData });
  const set = (values: Search) => void navigate({ to: "/calls", search: values, replace: true });
  const choices: Choice[] = [
    {
      key: "status",
      label: "Status",
      options: statuses.map((value) => ({ value, label: statusOf(value).word })),
    },
    {
      key: "direction",
      label: "Direction",
      options: Object.entries(directions).map(([value, label]) => ({ value, label })),
    },
    { key: "period", label: "Started", options: periods },
    accountChoice,
    { key: "trunk_sid", label: "Trunk", options: useTrunkOptions() },
    { key: "phone_number_sid", label: "Phone number" },
  ];
  const empty =
    Object.keys(search).length > 0 ? (
      <NothingFound onClear={() => set({})} />
    ) : (
      <Empty
        icon={<IconPhoneDone size={22} stroke={1.6} />}
        title="No calls yet"
        action={<Button onClick={() => void navigate({ to: "/numbers" })}>Set up a number</Button>}
      >
        Calls appear here as they come in or are placed. Point a number at an application, then call it.
      </Empty>
    );
  return (
    <>
      <PageHead title="Calls" />
      <DataGrid
        name="calls"
        noun={["call", "calls"]}
        columns={callColumns}
        query={query}
        rowKey={(call) => call.sid}
        onOpen={(call) => void navigate({ to: "/calls/$sid", params: { sid: call.sid } })}
        empty={empty}
        filters={
          <FilterBar
            values={search}
            onChange={(values) => set(values as Search)}
            search={[
              { key: "from", label: "Caller's number" },
              { key: "to", label: "Called number" },
            ]}
            choices={choices}
          />
        }
      />
    </>
  );
}
