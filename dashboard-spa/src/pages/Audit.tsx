/** Every change: who, from where, when, and what it was. */
import { Drawer, Stack } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { type AuditFilters, audit, users } from "../api/queries";
import type { AuditEntry } from "../client/types.gen";
import { exact, shortSid, words, wordsWithin } from "../lib/format";
import { byAge, isNarrowed, orderChoice, ordered } from "../lib/order";
import { periods, since } from "../lib/period";
import { Code, Empty, Facts, SidText, When } from "../ui/basics";
import { type Column, DataGrid, nothing } from "../ui/DataGrid";
import {
  type Choice,
  FilterBar,
  NothingFound,
  useWrongFilters,
  WrongFilters,
  without,
} from "../ui/FilterBar";
import { PageHead } from "../ui/PageHead";

const route = getRouteApi("/app/audit");
type Search = ReturnType<typeof route.useSearch>;

const things = ["carrier", "account", "trunk", "phone_number", "user"];

/** `phone_number` + `VoiceConfigured` as `Phone number: voice configured`; what stands for several says for how many. */
function whatHappened({ stream_type, event_type, payload }: AuditEntry): string {
  const { tries = 1 } = (payload ?? {}) as { tries?: number };
  return `${words(stream_type)}: ${wordsWithin(event_type)}${tries > 1 ? `, ${tries} times` : ""}`;
}

/** A part of the system that acts, in words. */
const PARTS: Record<string, string> = { sign_in: "Somebody signing in" };

function useActorNames(): Map<string, string> {
  const query = useInfiniteQuery(users());
  const people = query.data?.pages.flatMap((page) => page.data) ?? [];
  return new Map(people.map(({ sid, name }) => [sid, name]));
}

function Actor({ entry, names }: { entry: AuditEntry; names: Map<string, string> }) {
  if (entry.actor_type === "system")
    return <span className="dim">{PARTS[entry.actor] ?? words(entry.actor || "system")}</span>;
  const name = names.get(entry.actor);
  if (name) return <span>{name}</span>;
  return (
    <span>
      {words(entry.actor_type)} <span className="mono">{shortSid(entry.actor)}</span>
    </span>
  );
}

export function Audit() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const [open, setOpen] = useState<AuditEntry>();
  const names = useActorNames();
  const from = since(search.period, Date.now());
  const filters: AuditFilters = {
    ...(search.stream_type && { stream_type: search.stream_type }),
    ...(search.stream_sid && { stream_sid: search.stream_sid }),
    ...(search.actor && { actor: search.actor }),
    ...(from && { since: from }),
    ...(search.order && { order: search.order as NonNullable<AuditFilters["order"]> }),
  };
  const choices: Choice[] = [
    { key: "stream_type", label: "About", options: things.map((value) => ({ value, label: words(value) })) },
    {
      key: "actor",
      label: "Who",
      options: [...names].map(([value, label]) => ({ value, label })),
      pattern: /^\S{1,64}$/,
    },
    { key: "period", label: "When", options: periods },
  ];
  const wrong = useWrongFilters(
    search,
    [...choices, orderChoice([{ title: "When", order: byAge }])],
    "stream_sid",
  );
  const query = useInfiniteQuery({
    ...audit(filters),
    placeholderData: keepPreviousData,
    enabled: wrong.length === 0,
  });
  const set = (values: Search, replace = false) => void navigate({ to: "/audit", search: values, replace });
  const columns: Column<AuditEntry>[] = [
    {
      id: "what",
      title: "What",
      fixed: true,
      phone: "lead",
      render: (entry) => (
        <button
          type="button"
          className="plain link"
          onClick={(event) => {
            event.stopPropagation();
            setOpen(entry);
          }}
        >
          {whatHappened(entry)}
        </button>
      ),
    },
    {
      id: "stream",
      title: "SID",
      width: 190,
      phone: "meta",
      render: ({ stream_sid }) => <SidText sid={stream_sid} />,
    },
    {
      id: "actor",
      title: "Who",
      width: 220,
      phone: "meta",
      render: (entry) => <Actor entry={entry} names={names} />,
    },
    {
      id: "ip",
      title: "From",
      width: 150,
      render: ({ ip }) => (ip ? <span className="mono">{ip}</span> : <span className="dim">–</span>),
    },
    {
      id: "position",
      title: "Position",
      width: 100,
      right: true,
      extra: true,
      render: ({ position }) => position,
    },
    {
      id: "at",
      title: "When",
      order: "created_at",
      width: 120,
      right: true,
      phone: "aside",
      render: ({ at }) => <When at={at} />,
    },
  ];
  return (
    <>
      <PageHead title="Audit" />
      <DataGrid
        name="audit"
        noun={["change", "changes"]}
        columns={columns}
        query={wrong.length > 0 ? nothing : query}
        scope={search}
        order={search.order}
        onOrder={(order) => set(ordered(search, order))}
        rowKey={(entry) => String(entry.position)}
        onOpen={setOpen}
        empty={
          wrong.length > 0 ? (
            <WrongFilters wrong={wrong} onRemove={() => set(without(search, wrong))} />
          ) : isNarrowed(search) ? (
            <NothingFound onClear={() => set({})} />
          ) : (
            <Empty icon={<IconHistory size={22} stroke={1.6} />} title="No changes yet">
              Every change anybody makes is kept here, with who made it and from where.
            </Empty>
          )
        }
        filters={
          <FilterBar
            values={search}
            onChange={(values, replace) => set(values as Search, replace)}
            search={[{ key: "stream_sid", label: "SID of what was changed" }]}
            choices={choices}
          />
        }
      />
      <Drawer
        opened={open !== undefined}
        onClose={() => setOpen(undefined)}
        position="right"
        size={480}
        title={open ? whatHappened(open) : ""}
      >
        {open && (
          <Stack gap={16}>
            <Facts
              items={[
                ["When", exact(open.at)],
                ["Who", <Actor key="actor" entry={open} names={names} />],
                ["From", open.ip ?? undefined],
                [
                  "With",
                  open.user_agent ? (
                    <span key="with" className="small">
                      {open.user_agent}
                    </span>
                  ) : undefined,
                ],
                ["Changed", <SidText key="sid" sid={open.stream_sid} />],
                [
                  "Position",
                  <span key="position" className="num">
                    {open.position}
                  </span>,
                ],
              ]}
            />
            <Code text={JSON.stringify(open.payload, null, 2)} label="what was recorded" />
          </Stack>
        )}
      </Drawer>
    </>
  );
}
