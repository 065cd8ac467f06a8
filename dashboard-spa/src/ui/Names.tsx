/** Accounts and trunks by their names, where a list only knows the SID. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import * as queries from "../api/queries";
import { shortSid } from "../lib/format";

/** Clicks on a link inside a row must not also open the row. */
const stop = (event: React.MouseEvent) => event.stopPropagation();

/** An account's name: one that is not among the newest is asked for by itself. */
export function useAccountName(sid: string | undefined): string | undefined {
  const names = useQuery(queries.accountNames);
  const known = names.data?.find((account) => account.sid === sid)?.name;
  const asked = useQuery({
    ...queries.account(sid ?? ""),
    enabled: sid !== undefined && names.isFetched && known === undefined,
  });
  return known ?? asked.data?.name;
}

export function AccountName({ sid }: { sid: string | undefined }) {
  const name = useAccountName(sid);
  if (!sid) return <span className="dim">none</span>;
  return (
    <Link to="/accounts/$sid" params={{ sid }} className="link truncate" onClick={stop}>
      {name ?? <span className="mono">{shortSid(sid)}</span>}
    </Link>
  );
}

export function TrunkName({ sid }: { sid: string | undefined }) {
  const names = useQuery(queries.trunkNames);
  if (!sid) return <span className="dim">none</span>;
  const name = names.data?.find((trunk) => trunk.sid === sid)?.name;
  return (
    <Link to="/trunks/$sid" params={{ sid }} className="link truncate" onClick={stop}>
      {name ?? <span className="mono">{shortSid(sid)}</span>}
    </Link>
  );
}

/** Options of a filter. */
export function useTrunkOptions(): { value: string; label: string }[] {
  const names = useQuery(queries.trunkNames);
  return (names.data ?? []).map(({ sid, name }) => ({ value: sid, label: name }));
}
