/** Accounts and trunks by their names. Lists come with them; where only a SID is known its name is asked for. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import * as queries from "../api/queries";
import { shortSid } from "../lib/format";

/** Clicks on a link inside a row must not also open the row. */
const stop = (event: React.MouseEvent) => event.stopPropagation();

export function useAccountName(sid: string | undefined): string | undefined {
  const asked = useQuery({ ...queries.account(sid ?? ""), enabled: sid !== undefined });
  return asked.data?.name;
}

type Named = { sid: string | undefined; name: string | undefined };

export function AccountName({ sid, name }: Named) {
  if (!sid) return <span className="dim">None</span>;
  return (
    <span className="truncate" title={name}>
      <Link to="/accounts/$sid" params={{ sid }} className="name" onClick={stop}>
        {name ?? <span className="mono">{shortSid(sid)}</span>}
      </Link>
    </span>
  );
}

export function TrunkName({ sid, name }: Named) {
  if (!sid) return <span className="dim">None</span>;
  return (
    <span className="truncate" title={name}>
      <Link to="/trunks/$sid" params={{ sid }} className="name" onClick={stop}>
        {name ?? <span className="mono">{shortSid(sid)}</span>}
      </Link>
    </span>
  );
}

/** Options of a filter. */
export function useTrunkOptions(): { value: string; label: string }[] {
  const names = useQuery(queries.trunkNames);
  return (names.data ?? []).map(({ sid, name }) => ({ value: sid, label: name }));
}
