/** Filters of a list: search fields, a menu of further ones, and a removable chip for each that is set. */
import { ActionIcon, Button, CloseButton, Menu, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconChevronRight, IconFilter, IconSearch, IconX } from "@tabler/icons-react";
import { useLocation } from "@tanstack/react-router";
import { type ComponentType, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import css from "./DataGrid.module.css";
import { Notice } from "./Notice";

export type Choice = {
  key: string;
  label: string;
  options?: { value: string; label: string }[];
  /** Asks for it where there are too many to list; `onClose` when it is left without. */
  Field?: ComponentType<{ onPick: (value: string) => void; onClose: () => void }>;
  /** Its value for people, where the options don't say. */
  Name?: ComponentType<{ value: string }>;
  /** What values look like, where there are no options. */
  pattern?: RegExp;
};

type Values = Record<string, string | undefined>;

type Props = {
  values: Values;
  /** `replace` while one and the same field is typed in: everything else is a step that Back undoes. */
  onChange: (values: Values, replace?: boolean) => void;
  /** Keys and placeholders of the free text fields. */
  search?: { key: string; label: string }[];
  choices?: Choice[];
};

/** Wait for the next keystroke this long, in milliseconds. */
const TYPING = 250;
/** A pointer that only passes a filter on its way to the options of another shows nothing, in milliseconds. */
const PASSING = 120;
/** Of the menu of filters and of what they can be, in pixels: it fits beside a phone's margins. */
const WIDTH = 340;

export function FilterBar({ values, onChange, search = [], choices = [] }: Props) {
  const [asking, setAsking] = useState<string>();
  const set = (key: string, value: string | undefined, replace = false) =>
    onChange({ ...values, [key]: value || undefined }, replace);
  const active = choices.filter(({ key }) => values[key] !== undefined);
  const asked = choices.find(({ key }) => key === asking);
  const close = () => setAsking(undefined);
  return (
    <>
      {search.map(({ key, label }) => (
        <Search
          key={key}
          value={values[key] ?? ""}
          label={label}
          onChange={(value, replace) => set(key, value, replace)}
        />
      ))}
      {choices.length > 0 && (
        <AddFilter choices={choices} asking={asked !== undefined} onPick={set} onAsk={setAsking} />
      )}
      {active.map((choice) => (
        <Chip
          key={choice.key}
          choice={choice}
          value={values[choice.key] ?? ""}
          onRemove={() => set(choice.key, undefined)}
        />
      ))}
      {asked?.Field && (
        <asked.Field
          onPick={(value) => {
            close();
            set(asked.key, value);
          }}
          onClose={close}
        />
      )}
      {active.length > 1 && (
        <Button size="compact-sm" variant="subtle" color="gray" onClick={() => onChange({})}>
          Clear all
        </Button>
      )}
    </>
  );
}

function Chip({ choice, value, onRemove }: { choice: Choice; value: string; onRemove: () => void }) {
  const { label, options = [], Name } = choice;
  const named = Name ? <Name value={value} /> : options.find((option) => option.value === value)?.label;
  return (
    <span className={css.chip}>
      <span className="truncate">
        <span className="dim">{label}:</span> {named ?? value}
      </span>
      <CloseButton size={20} iconSize={12} aria-label={`Remove filter ${label}`} onClick={onRemove} />
    </span>
  );
}

function Search({
  value,
  label,
  onChange,
}: {
  value: string;
  label: string;
  onChange: (value: string, replace: boolean) => void;
}) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const typing = useRef(false);
  const send = (wanted: string) => {
    if (wanted === sent.current) return;
    sent.current = wanted;
    onChange(wanted, typing.current);
    typing.current = true;
  };
  const later = useDebouncedCallback(send, TYPING);
  // What comes back is not what is being typed: it has no space at its end yet. Only what others set is taken over.
  useEffect(() => {
    if (value !== sent.current) setText(value);
    sent.current = value;
  }, [value]);
  return (
    <TextInput
      size="xs"
      className={css.search}
      styles={{ input: { height: 32, fontSize: 13 } }}
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={14} />}
      value={text}
      onBlur={() => {
        typing.current = false;
      }}
      onChange={(event) => {
        setText(event.currentTarget.value);
        later(event.currentTarget.value.trim());
      }}
      rightSection={
        text !== "" && (
          <ActionIcon
            size={20}
            aria-label="Clear search"
            onClick={() => {
              later.cancel();
              setText("");
              typing.current = false;
              send("");
            }}
          >
            <IconX size={12} />
          </ActionIcon>
        )
      }
    />
  );
}

type Adding = {
  choices: Choice[];
  /** Whether a field asks for one; it has the focus then. */
  asking: boolean;
  onPick: (key: string, value: string) => void;
  onAsk: (key: string) => void;
};

/** What to filter by, and beside it what that can be: both in one menu, where nothing covers or cuts the other. */
function AddFilter({ choices, asking, onPick, onAsk }: Adding) {
  const [shown, setShown] = useState<string>();
  const options = useRef<HTMLFieldSetElement>(null);
  const later = useRef<ReturnType<typeof setTimeout>>(undefined);
  const offered = choices.filter(({ options = [], Field }) => options.length > 0 || Field);
  const open = offered.find(({ key }) => key === shown) ?? offered[0];
  const show = (key: string) => {
    clearTimeout(later.current);
    setShown(key);
  };
  /** By keyboard or finger: shown, and gone into. */
  const enter = (key: string) => {
    flushSync(() => show(key));
    options.current?.querySelector("button")?.focus();
  };
  const back = () => document.getElementById(`filter-${open?.key}`)?.focus();
  useEffect(() => () => clearTimeout(later.current), []);
  return (
    <Menu
      position="bottom-start"
      width={WIDTH}
      returnFocus={!asking}
      onClose={() => clearTimeout(later.current)}
      onOpen={() => setShown(offered[0]?.key)}
    >
      <Menu.Target>
        <Button size="xs" h={32} variant="default" leftSection={<IconFilter size={14} />}>
          Filter
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={css.adding}>
        <fieldset aria-label="Filter by" data-menu-dropdown>
          {offered.map(({ key, label, Field }) => (
            <Menu.Item
              key={key}
              id={`filter-${key}`}
              closeMenuOnClick={Field !== undefined}
              data-shown={(!Field && key === open?.key) || undefined}
              {...(!Field && {
                "aria-expanded": key === open?.key,
                rightSection: <IconChevronRight size={14} aria-hidden />,
              })}
              onMouseEnter={() => {
                clearTimeout(later.current);
                later.current = setTimeout(() => show(key), PASSING);
              }}
              onMouseLeave={() => clearTimeout(later.current)}
              onKeyDown={(event) => {
                if (event.key === "ArrowRight" && !Field) enter(key);
              }}
              onClick={() => (Field ? onAsk(key) : enter(key))}
            >
              {label}
            </Menu.Item>
          ))}
        </fieldset>
        {open && !open.Field && (
          <fieldset
            ref={options}
            aria-label={open.label}
            data-menu-dropdown
            onKeyDown={(event) => {
              if (event.key === "ArrowLeft") back();
            }}
          >
            {(open.options ?? []).map(({ value, label }) => (
              <Menu.Item key={value} onClick={() => onPick(open.key, value)}>
                {label}
              </Menu.Item>
            ))}
          </fieldset>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** What an address asks for that no filter can mean: `key` names it as it stands there. */
type Wrong = { key: string; label: string; value: string };

/** Filters of an address that mean nothing, in its order. */
function wrongFilters(address: string, choices: readonly Choice[], others: readonly string[]): Wrong[] {
  const wrong = ([key, value]: [string, string]): Wrong[] => {
    const choice = choices.find((one) => one.key === key);
    if (!choice) return others.includes(key) ? [] : [{ key, label: key, value }];
    const { options, pattern, label } = choice;
    const fits = pattern ? pattern.test(value) : !options || options.some((option) => option.value === value);
    return fits ? [] : [{ key, label, value }];
  };
  return [...new URLSearchParams(address)].filter(([, value]) => value !== "").flatMap(wrong);
}

/** The filters without those that mean nothing. */
export function without<Search extends Values>(search: Search, wrong: readonly Wrong[]): Search {
  const kept = Object.entries(search).filter(([key]) => !wrong.some((one) => one.key === key));
  return Object.fromEntries(kept) as Search;
}

/** The same for the address that is open, and for what the page takes it for, which may be a moment behind. */
export function useWrongFilters(search: Values, choices: readonly Choice[], ...others: string[]): Wrong[] {
  const address = useLocation({ select: ({ searchStr }) => searchStr });
  const wrong = wrongFilters(address, choices, others);
  const taken = new URLSearchParams(
    Object.entries(search).flatMap(([key, value]) => (value ? [[key, value]] : [])),
  );
  const behind = wrongFilters(taken.toString(), choices, others);
  return [...wrong, ...behind.filter(({ key }) => !wrong.some((one) => one.key === key))];
}

/** Says which filters of the address mean nothing, instead of showing a list that was not asked for. */
export function WrongFilters({ wrong, onRemove }: { wrong: readonly Wrong[]; onRemove: () => void }) {
  return (
    <Notice tone="amber" title="The address asks for a filter there is not" role="alert">
      {wrong.map(({ key, label, value }) => (
        <p key={key} style={{ margin: 0 }}>
          {label === key ? (
            <>
              There is no filter <span className="mono">{key}</span> here.
            </>
          ) : (
            <>
              {label} can't be <span className="mono">{value}</span>.
            </>
          )}
        </p>
      ))}
      <Button mt={8} size="xs" variant="default" onClick={onRemove}>
        Show the list without it
      </Button>
    </Notice>
  );
}

/** A hint that lists can be narrowed to nothing: offers to clear the filters. */
/** `said` is what is not there, where that can be said better. */
export function NothingFound({ onClear, said }: { onClear: () => void; said?: string | undefined }) {
  return (
    <div style={{ padding: "48px 24px", textAlign: "center" }}>
      <p className="dim" style={{ margin: "0 0 12px" }}>
        {said ?? "Nothing matches these filters."}
      </p>
      <Tooltip label="Shows the whole list">
        <Button size="xs" variant="default" onClick={onClear}>
          Clear filters
        </Button>
      </Tooltip>
    </div>
  );
}
