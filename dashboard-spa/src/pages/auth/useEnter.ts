/** Takes a new session over and goes where it leads. */
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { begin, gate, type Session } from "../../api/session";

/** A path on this site; anything else in the address is ignored. */
function safe(path: string | undefined): string {
  return path?.startsWith("/") && !path.startsWith("//") && !path.startsWith("/\\") ? path : "/";
}

export function useEnter(to?: string): (session: Session) => void {
  const client = useQueryClient();
  const router = useRouter();
  return (session) => {
    begin(client, session);
    const next = gate(session);
    if (next) void router.navigate({ to: next, search: to ? { to } : {} });
    else void router.navigate({ href: safe(to) });
  };
}
