/** The ways out: signing out, and finding that the session is over. */
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import * as session from "../api/session";
import { refused } from "./toast";

export function useLeave(): { ended: () => Promise<void>; signOut: () => Promise<void> } {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMemo(() => {
    const leave = () => {
      session.begin(client, null);
      void navigate({ to: "/sign-in" });
    };
    // What is over may be a part of it: who takes the second factor away goes on to set another up.
    const ended = async () => {
      const left = await client.fetchQuery({ ...session.sessionQuery, staleTime: 0 }).catch(() => null);
      const to = session.gate(left);
      if (left === null || to === undefined) return leave();
      session.begin(client, left);
      void navigate({ to });
    };
    // Where nothing was signed out nobody is sent away: the session would still open everything in this browser.
    return { ended, signOut: () => session.signOut().then(leave, refused) };
  }, [client, navigate]);
}
