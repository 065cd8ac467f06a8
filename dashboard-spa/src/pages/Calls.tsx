/** Every call, newest first. Filters are in the address. */

import { Button } from "@mantine/core";
import { IconPhoneDone } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type CallFilters, calls } from "../api/queries";
import type { Call } from "../client/types.gen";
import { directions, statuses, statusOf } from "../lib/call";
import { isNarrowed, orderChoice, ordered } from "../lib/order";
import { periods, since } from "../lib/period";
import { accountChoice } from "../ui/AccountSelect";
import { Empty } from "../ui/basics";
import { DataGrid, nothing } from "../ui/DataGrid";
import {
  type Choice,
  FilterBar,
  NothingFound,
  useWrongFilters,
  WrongFilters,
  without,
} from "../ui/FilterBar";
import { useTrunkOptions } from "../ui/Names";
import { PageHead } from "../ui/PageHead";
import { useAsTheyAre } from "../ui/useAsTheyAre";
import { callColumns } from "./callColumns";

const route = getRouteApi("/app/calls");
type Search = ReturnType<typeof route.useSearch>;

const problemOptions = [
  { value: "true", label: "With problems" },
  { value: "false", label: "Without" },
];

/** The address as a question to the API. */
function filtersOf({ period, status, direction, problems, order, ...rest }: Search): CallFilters {
  const after = since(period, Date.now());
  return {
    ...rest,
    ...(order && { order: order as NonNullable<CallFilters["order"]> }),
    ...(status && { status: status as Call["status"] }),
    ...(problems && { problems: problems === "true" }),
    ...(direction && { direction: direction as Call["direction"] }),
    ...(after && { created_after: after }),
  };
}

export function Calls() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const set = (values: Search, replace = false) => void navigate({ to: "/calls", search: values, replace });
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
    { key: "problems", label: "Problems", options: problemOptions },
    { key: "period", label: "Started", options: periods },
    accountChoice,
    { key: "trunk_sid", label: "Trunk", options: useTrunkOptions(), pattern: /^TK[0-9a-f]{32}$/ },
    { key: "phone_number_sid", label: "Phone number", pattern: /^PN[0-9a-f]{32}$/ },
  ];
  const wrong = useWrongFilters(search, [...choices, orderChoice(callColumns)], "from", "to");
  const query = useInfiniteQuery({
    ...calls(filtersOf(search)),
    placeholderData: keepPreviousData,
    enabled: wrong.length === 0,
  });
  const empty =
    wrong.length > 0 ? (
      <WrongFilters wrong={wrong} onRemove={() => set(without(search, wrong))} />
    ) : isNarrowed(search) ? (
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
        query={wrong.length > 0 ? nothing : query}
        scope={search}
        order={search.order}
        onOrder={(order) => set(ordered(search, order))}
        rowKey={(call) => call.sid}
        useAfterwards={useAsTheyAre}
        onOpen={(call) => void navigate({ to: "/calls/$sid", params: { sid: call.sid } })}
        empty={empty}
        filters={
          <FilterBar
            values={search}
            onChange={(values, replace) => set(values as Search, replace)}
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
