/** Ctrl-K: pages, and numbers, calls and accounts found by the API. */
import { Modal, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
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
import { type ReactNode, useEffect, useId, useState, useSyncExternalStore } from "react";
import { listAccounts, listCalls, listPhoneNumbers, listTrunks } from "../client/sdk.gen";
import { outcomeOf } from "../lib/call";
import { grouped, looksLikeNumber } from "../lib/number";
import { fitting } from "../lib/plain";
import { palette, usePaletteKeys } from "./openPalette";
import css from "./Palette.module.css";
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
      fitting(data, text, ({ name }) => name).map((row) => ({
        id: row.sid,
        label: row.name,
        description: row.sid,
        group: "Accounts",
        go: { to: "/accounts/$sid", params: { sid: row.sid } },
      })),
    ),
    listTrunks({ query: { name: text, limit: HITS } }).then(({ data }) =>
      fitting(data, text, ({ name }) => name).map((row) => ({
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

/** Calls from or to a number. */
async function findCalls(number: string): Promise<Hit[]> {
  const asked = [
    listCalls({ query: { from: number, limit: HITS } }),
    listCalls({ query: { to: number, limit: HITS } }),
  ];
  const pages = await Promise.allSettled(asked);
  const rows = pages.flatMap((page) => (page.status === "fulfilled" ? page.value.data : []));
  const each = new Map(rows.map((row) => [row.sid, row]));
  const newest = [...each.values()].sort((one, other) => other.created_at.localeCompare(one.created_at));
  return newest.slice(0, HITS).map((row) => ({
    id: row.sid,
    label: `${grouped(row.from)} → ${grouped(row.to)}`,
    description: outcomeOf(row).word,
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

type Entry = { id: string; label: string; description?: string; icon: ReactNode; run: () => void };
type Group = { name: string; entries: Entry[] };

const icon = (Icon: typeof IconHash) => <Icon size={18} stroke={1.6} aria-hidden />;

/** What is found, and whether that is all there will be. */
function useFound(text: string, onSignOut: () => void): { groups: Group[]; settled: boolean } {
  const navigate = useNavigate();
  const typed = text.trim();
  const [wanted] = useDebouncedValue(typed, 200);
  const asked = wanted.length >= 2;
  const hits = useQuery({
    queryKey: ["palette", wanted],
    queryFn: () => find(wanted),
    enabled: asked,
    staleTime: 10_000,
  });
  const go = (options: NavigateOptions) => () => void navigate(options);
  const matches = (words: string) => words.toLowerCase().includes(typed.toLowerCase());
  const named = pages
    .filter(({ label, keywords }) => matches(`${label} ${keywords}`))
    .map(({ to, label, icon: Icon }) => ({ id: to, label, icon: icon(Icon), run: go({ to }) }));
  const signOut = { id: "sign-out", label: "Sign out", icon: icon(IconLogout), run: onSignOut };
  const found = asked ? (hits.data ?? []) : [];
  const kinds = [...new Set(found.map(({ group }) => group))];
  const groups = [
    { name: "Pages", entries: named },
    { name: "Actions", entries: matches("sign out log out") ? [signOut] : [] },
    // What is found comes late, and so at the end: it moves nothing that could be picked already.
    ...kinds.map((name) => ({
      name,
      entries: found
        .filter(({ group }) => group === name)
        .map(({ go: to, ...hit }) => ({ ...hit, icon: icon(icons[name] ?? IconHash), run: go(to) })),
    })),
  ];
  return {
    groups: groups.filter(({ entries }) => entries.length > 0),
    settled: wanted === typed && !(asked && hits.isFetching),
  };
}

export function Palette({ onSignOut }: { onSignOut: () => void }) {
  const opened = useSyncExternalStore(palette.subscribe, palette.isOpen);
  usePaletteKeys();
  useEffect(() => palette.close, []);
  // From its upper edge down: what is found moves the field nowhere.
  return (
    <Modal.Root
      opened={opened}
      onClose={palette.close}
      size={600}
      yOffset={80}
      padding={0}
      zIndex={300}
      transitionProps={{ duration: 100 }}
      data-palette
    >
      <Modal.Overlay backgroundOpacity={0.35} />
      <Modal.Content aria-label="Search the dashboard">
        <Modal.Body>
          <Finder onSignOut={onSignOut} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

/** A field and what it finds. The first is chosen until another one is; Enter opens it, as soon as it is there. */
function Finder({ onSignOut }: { onSignOut: () => void }) {
  const id = useId();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<string>();
  const [waited, setWaited] = useState(false);
  const { groups, settled } = useFound(text, onSignOut);
  const all = groups.flatMap(({ entries }) => entries);
  const at = Math.max(
    0,
    all.findIndex((entry) => entry.id === chosen),
  );
  const current = all[at];
  const run = (entry: Entry) => {
    palette.close();
    entry.run();
  };
  useEffect(() => {
    if (!waited || !settled) return;
    setWaited(false);
    if (current) run(current);
  });
  const idOf = (entry: Entry) => `${id}-${entry.id}`;
  const move = (by: number) => {
    const next = all[(at + by + all.length) % all.length];
    if (!next) return;
    setChosen(next.id);
    document.getElementById(idOf(next))?.scrollIntoView({ block: "nearest" });
  };
  const press = (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter" && current) run(current);
    else if (event.key === "Enter") setWaited(true);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <TextInput
        variant="unstyled"
        size="lg"
        data-autofocus
        role="combobox"
        aria-label="Search"
        aria-autocomplete="list"
        aria-expanded={all.length > 0}
        aria-controls={`${id}-list`}
        {...(current && { "aria-activedescendant": idOf(current) })}
        placeholder="Search pages, numbers, calls, accounts"
        leftSection={<IconSearch size={18} aria-hidden />}
        value={text}
        onKeyDown={press}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setChosen(undefined);
          setWaited(false);
        }}
      />
      <div id={`${id}-list`} role="listbox" aria-label="Found" className={css.list}>
        {groups.map(({ name, entries }) => (
          // biome-ignore lint/a11y/useSemanticElements: a group of options
          <div key={name} role="group" aria-label={name}>
            <div className={css.group} aria-hidden>
              {name}
            </div>
            {entries.map((entry) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys
              <div
                key={entry.id}
                id={idOf(entry)}
                role="option"
                tabIndex={-1}
                aria-selected={entry === current}
                className={css.option}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => run(entry)}
              >
                {entry.icon}
                <span className="truncate">
                  <span>{entry.label}</span>{" "}
                  {entry.description && <span className="dim small">{entry.description}</span>}
                </span>
              </div>
            ))}
          </div>
        ))}
      </div>
      <p role="status" className={css.none}>
        {all.length > 0 ? "" : settled ? "Nothing found. Try a number, a name or a call SID." : "Searching…"}
      </p>
    </>
  );
}
