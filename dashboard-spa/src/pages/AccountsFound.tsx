/** Accounts whose name has what is looked for among numbers: whoever looks for a customer's numbers types the customer. */
import { Button } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { accountsNamed } from "../api/queries";
import { wantedNumbers } from "../lib/number";
import css from "../ui/DataGrid.module.css";

/** Accounts offered beside the numbers found. */
const OFFERED = 3;

type Props = { text: string | undefined; onPick: (account: string) => void };

/** They come late: their room is there before, and so they move nothing. */
export function AccountsFound({ text = "", onPick }: Props) {
  const wanted = wantedNumbers(text);
  const name = "name" in wanted ? wanted.name : "";
  const found = useQuery({
    ...accountsNamed(name),
    enabled: name !== "",
    placeholderData: keepPreviousData,
  });
  const named = name === "" ? [] : (found.data ?? []);
  const offered = named.slice(0, OFFERED);
  return (
    <div className={css.offers} data-asked={name !== "" || undefined}>
      {offered.length > 0 && <span className="dim small nowrap">Numbers of</span>}
      {offered.map((account) => (
        <Button
          key={account.sid}
          size="compact-sm"
          variant="light"
          title={account.name}
          aria-label={`Numbers of ${account.name}`}
          onClick={() => onPick(account.sid)}
        >
          <span className="truncate">{account.name}</span>
        </Button>
      ))}
      {named.length > OFFERED && (
        <Link
          to="/accounts"
          search={{ name }}
          className="small nowrap"
          aria-label="All accounts with this name"
        >
          All <span className={css.rest}>accounts with this name</span>
        </Link>
      )}
    </div>
  );
}
