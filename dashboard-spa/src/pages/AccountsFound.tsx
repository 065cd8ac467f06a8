/** Accounts whose name has what is looked for among numbers: whoever looks for a customer's numbers types the customer. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { accountsNamed } from "../api/queries";
import { wantedNumbers } from "../lib/number";

/** Accounts offered beside the numbers found. */
const OFFERED = 3;

type Props = { text: string | undefined; onPick: (account: string) => void };

export function AccountsFound({ text = "", onPick }: Props) {
  const wanted = wantedNumbers(text);
  const name = "name" in wanted ? wanted.name : "";
  const found = useQuery({ ...accountsNamed(name), enabled: name !== "" });
  if (name === "") return null;
  return (found.data ?? []).slice(0, OFFERED).map((account) => (
    <Button key={account.sid} size="compact-sm" variant="light" onClick={() => onPick(account.sid)}>
      Numbers of {account.name}
    </Button>
  ));
}
