/** Everything behind the sign-in. Leaves for the right page as soon as the session says so. */
import { useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { gate, sessionQuery } from "../api/session";
import { Frame } from "../ui/Frame";

export function SignedIn() {
  const { data: session } = useQuery(sessionQuery);
  if (session === undefined) return null;
  const to = gate(session);
  if (session === null || to) return <Navigate to={to ?? "/sign-in"} />;
  return <Frame session={session} />;
}
