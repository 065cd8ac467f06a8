/** A select of accounts, found at the server as one types. The chosen one is among them however old it is. */
import { Select, type SelectProps } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import * as queries from "../api/queries";
import { shortSid } from "../lib/format";
import { fitting } from "../lib/plain";
import type { Choice } from "./FilterBar";
import { useAccountName } from "./Names";

/** Wait for the next keystroke this long before asking, in milliseconds. */
const TYPING = 200;

type Props = Omit<SelectProps<string>, "data" | "value"> & { value?: string | null };

export function AccountSelect({ value = null, ...props }: Props) {
  const [text, setText] = useState("");
  const name = useAccountName(value ?? undefined);
  const chosen = value === null ? [] : [{ value, label: name ?? shortSid(value) }];
  const isSearch = text.trim() !== "" && text !== chosen[0]?.label;
  const [wanted] = useDebouncedValue(isSearch ? text.trim() : "", TYPING);
  const found = useQuery({ ...queries.accountsNamed(wanted), placeholderData: keepPreviousData });
  const options = (found.data ?? []).map(({ sid, name }) => ({ value: sid, label: name }));
  const all = options.some((option) => option.value === value) ? options : [...chosen, ...options];
  return (
    <Select
      searchable
      value={value}
      data={all}
      filter={() => {
        if (!isSearch) return all;
        // What was found for less than is typed by now is on screen until the rest comes.
        const first = fitting(options, text, ({ label }) => label);
        return [...first, ...options.filter((option) => !first.includes(option))];
      }}
      onSearchChange={setText}
      nothingFoundMessage={nothing(found, wanted)}
      {...props}
    />
  );
}

/** The filter by account of the lists that have one. */
export const accountChoice: Choice = {
  key: "account_sid",
  label: "Account",
  Field: ({ onPick, onClose }) => (
    <AccountSelect
      size="xs"
      w={220}
      autoFocus
      aria-label="Account"
      placeholder="Find an account"
      onChange={(sid) => sid && onPick(sid)}
      onBlur={onClose}
    />
  ),
  pattern: /^AC[0-9a-f]{32}$/,
  Name: ({ value }) => useAccountName(value) ?? shortSid(value),
};

/** Why there is nothing to choose, and what to do about it. */
function nothing({ isPending, error }: { isPending: boolean; error: unknown }, wanted: string) {
  if (isPending) return "Looking…";
  if (error) return "The accounts can't be shown right now.";
  if (wanted !== "") return "No account has this in its name.";
  return (
    <Link to="/accounts" className="link">
      No accounts yet. Create one first.
    </Link>
  );
}
