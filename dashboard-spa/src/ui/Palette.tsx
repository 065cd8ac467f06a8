/** Ctrl-K: pages, and numbers, calls and accounts found by the API. */
import { useDebouncedValue } from "@mantine/hooks";
import { Spotlight, type SpotlightActionData, type SpotlightActionGroupData } from "@mantine/spotlight";
import {
  IconBuilding,
  IconHash,
  IconLogout,
  IconPhone,
  IconPlugConnected,
  IconSearch,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type NavigateOptions, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { listAccounts, listCalls, listPhoneNumbers, listTrunks } from "../client/sdk.gen";
import { statusOf } from "../lib/call";
import { grouped, looksLikeNumber } from "../lib/number";
import { usePaletteKeys } from "./openPalette";
import { pages } from "./pages";

/** Hits shown per kind. */
const HITS = 5;

type Hit = { id: string; label: string; description: string; group: string; go: NavigateOptions };

/** What the API knows under this text; a kind that can't be asked is left out. */
async function find(text: string): Promise<Hit[]> {
  const isDigits = looksLikeNumber(text);
  const isCall = /^CA[0-9a-f]{32}$/i.test(text);
  const searches: Promise<Hit[]>[] = [
    listAccounts({ query: { name: text, limit: HITS } }).then(({ data }) =>
      data.map((row) => ({
        id: row.sid,
        label: row.name,
        description: row.sid,
        group: "Accounts",
        go: { to: "/accounts/$sid", params: { sid: row.sid } },
      })),
    ),
    listTrunks({ query: { name: text, limit: HITS } }).then(({ data }) =>
      data.map((row) => ({
        id: row.sid,
        label: row.name,
        description: row.outbound?.host ?? row.inbound?.sources.join(", ") ?? "",
        group: "SIP trunks",
        go: { to: "/trunks/$sid", params: { sid: row.sid } },
      })),
    ),
  ];
  if (isDigits) {
    searches.push(
      listPhoneNumbers({ query: { number: text, limit: HITS } }).then(({ data }) =>
        data.map((row) => ({
          id: row.sid,
          label: grouped(row.number),
          description: row.friendly_name ?? row.account_name ?? "Phone number",
          group: "Phone numbers",
          go: { to: "/numbers/$sid", params: { sid: row.sid } },
        })),
      ),
      findCalls(text),
    );
  }
  if (isCall) {
    searches.push(
      Promise.resolve([
        {
          id: text,
          label: text,
          description: "Open this call",
          group: "Calls",
          go: { to: "/calls/$sid", params: { sid: text } },
        },
      ]),
    );
  }
  const settled = await Promise.allSettled(searches);
  return settled.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
}

async function findCalls(number: string): Promise<Hit[]> {
  const [from, to] = await Promise.all([
    listCalls({ query: { from: number, limit: HITS } }),
    listCalls({ query: { to: number, limit: HITS } }),
  ]);
  const rows = [...from.data, ...to.data].slice(0, HITS);
  return rows.map((row) => ({
    id: row.sid,
    label: `${grouped(row.from)} → ${grouped(row.to)}`,
    description: statusOf(row.status).word,
    group: "Calls",
    go: { to: "/calls/$sid", params: { sid: row.sid } },
  }));
}

const icons: Record<string, typeof IconHash> = {
  Accounts: IconBuilding,
  "Phone numbers": IconHash,
  Calls: IconPhone,
  "SIP trunks": IconPlugConnected,
};

export function Palette({ onSignOut }: { onSignOut: () => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [wanted] = useDebouncedValue(text.trim(), 200);
  const hits = useQuery({
    queryKey: ["palette", wanted],
    queryFn: () => find(wanted),
    enabled: wanted.length >= 2,
    staleTime: 10_000,
  });
  const matches = (words: string) => words.toLowerCase().includes(text.trim().toLowerCase());
  const go = (options: NavigateOptions) => () => void navigate(options);
  usePaletteKeys();

  const groups: SpotlightActionGroupData[] = [
    {
      group: "Pages",
      actions: pages
        .filter(({ label, keywords }) => matches(`${label} ${keywords}`))
        .map(({ to, label, icon: Icon }) => ({
          id: to,
          label,
          leftSection: <Icon size={18} stroke={1.6} />,
          onClick: go({ to }),
        })),
    },
    {
      group: "Actions",
      actions: matches("sign out log out")
        ? [
            {
              id: "sign-out",
              label: "Sign out",
              leftSection: <IconLogout size={18} stroke={1.6} />,
              onClick: onSignOut,
            },
          ]
        : [],
    },
    // What is found comes late, and so at the end: it moves nothing that could be picked already.
    ...grouping(hits.data ?? [], go),
  ].filter(({ actions }) => actions.length > 0);

  return (
    <Spotlight
      actions={groups}
      query={text}
      onQueryChange={setText}
      filter={(_, actions) => actions}
      data-palette
      shortcut={null}
      nothingFound={hits.isFetching ? "Searching…" : "Nothing found. Try a number, a name or a call SID."}
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: "Search pages, numbers, calls, accounts",
        "aria-label": "Search",
      }}
      scrollable
      maxHeight={420}
      transitionProps={{ duration: 100 }}
      overlayProps={{ backgroundOpacity: 0.35 }}
    />
  );
}

function grouping(hits: Hit[], go: (options: NavigateOptions) => () => void): SpotlightActionGroupData[] {
  const names = [...new Set(hits.map(({ group }) => group))];
  return names.map((group) => {
    const Icon = icons[group] ?? IconHash;
    const actions: SpotlightActionData[] = hits
      .filter((hit) => hit.group === group)
      .map((hit) => ({
        id: hit.id,
        label: hit.label,
        description: hit.description,
        leftSection: <Icon size={18} stroke={1.6} />,
        onClick: go(hit.go),
      }));
    return { group, actions };
  });
}
