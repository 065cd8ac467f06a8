/** The session on pages that only open with one. */
import { useSuspenseQuery } from "@tanstack/react-query";
import { type Session, sessionQuery } from "./session";

const NOBODY: Session["user"] = { sid: "", name: "", email: "", role: "member", two_factor: true };

/** What this person may do. Members look; admins do all but people and keys; owners do all. */
export function usePermissions(): {
  write: boolean;
  own: boolean;
  user: Session["user"];
  carrier: Session["carrier"] | undefined;
} {
  const { data } = useSuspenseQuery(sessionQuery);
  const user = data?.user ?? NOBODY;
  return { write: user.role !== "member", own: user.role === "owner", user, carrier: data?.carrier };
}
