/** Filters of a list: a search field, a menu of further ones, and a removable chip for each that is set. */
import { ActionIcon, Button, CloseButton, Menu, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconFilter, IconSearch, IconX } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import css from "./DataGrid.module.css";

export type Choice = {
  key: string;
  label: string;
  options: { value: string; label: string }[];
};

type Values = Record<string, string | undefined>;

type Props = {
  values: Values;
  onChange: (values: Values) => void;
  /** The key and placeholder of the free text field. */
  search?: { key: string; label: string };
  choices?: Choice[];
};

/** Wait for the next keystroke this long, in milliseconds. */
const TYPING = 250;

export function FilterBar({ values, onChange, search, choices = [] }: Props) {
  const set = (key: string, value: string | undefined) => onChange({ ...values, [key]: value || undefined });
  const active = choices.filter(({ key }) => values[key] !== undefined);
  const any = active.length > 0 || (search && values[search.key]);
  return (
    <>
      {search && (
        <Search
          key={search.key}
          value={values[search.key] ?? ""}
          label={search.label}
          onChange={(value) => set(search.key, value)}
        />
      )}
      {choices.length > 0 && <AddFilter choices={choices} values={values} onPick={set} />}
      {active.map((choice) => {
        const value = values[choice.key] ?? "";
        const label = choice.options.find((option) => option.value === value)?.label ?? value;
        return (
          <span key={choice.key} className={css.chip}>
            <span className="truncate">
              <span className="dim">{choice.label}:</span> {label}
            </span>
            <CloseButton
              size={20}
              iconSize={12}
              aria-label={`Remove filter ${choice.label}`}
              onClick={() => set(choice.key, undefined)}
            />
          </span>
        );
      })}
      {any && active.length > 1 && (
        <Button size="compact-sm" variant="subtle" color="gray" onClick={() => onChange({})}>
          Clear all
        </Button>
      )}
    </>
  );
}

function Search({
  value,
  label,
  onChange,
}: {
  value: string;
  label: string;
  onChange: (value: string) => void;
}) {
  const [text, setText] = useState(value);
  const later = useDebouncedCallback(onChange, TYPING);
  useEffect(() => setText(value), [value]);
  return (
    <TextInput
      size="xs"
      w={240}
      styles={{ input: { height: 32, fontSize: 13 } }}
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={14} />}
      value={text}
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
              setText("");
              onChange("");
            }}
          >
            <IconX size={12} />
          </ActionIcon>
        )
      }
    />
  );
}

function AddFilter(props: {
  choices: Choice[];
  values: Values;
  onPick: (key: string, value: string) => void;
}) {
  return (
    <Menu position="bottom-start" width={220}>
      <Menu.Target>
        <Button size="xs" h={32} variant="default" leftSection={<IconFilter size={14} />}>
          Filter
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: "auto" }}>
        {props.choices
          .filter(({ options }) => options.length > 0)
          .map(({ key, label, options }) => (
            <Menu.Sub key={key}>
              <Menu.Sub.Target>
                <Menu.Sub.Item>{label}</Menu.Sub.Item>
              </Menu.Sub.Target>
              <Menu.Sub.Dropdown mah={360} style={{ overflowY: "auto" }}>
                {options.map((option) => (
                  <Menu.Item key={option.value} onClick={() => props.onPick(key, option.value)}>
                    {option.label}
                  </Menu.Item>
                ))}
              </Menu.Sub.Dropdown>
            </Menu.Sub>
          ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** A hint that lists can be narrowed to nothing: offers to clear the filters. */
export function NothingFound({ onClear }: { onClear: () => void }) {
  return (
    <div style={{ padding: "48px 24px", textAlign: "center" }}>
      <p className="dim" style={{ margin: "0 0 12px" }}>
        Nothing matches these filters.
      </p>
      <Tooltip label="Shows the whole list">
        <Button size="xs" variant="default" onClick={onClear}>
          Clear filters
        </Button>
      </Tooltip>
    </div>
  );
}
