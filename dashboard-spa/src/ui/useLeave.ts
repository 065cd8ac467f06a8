/** The ways out: signing out, and finding that the session is over. */
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import * as session from "../api/session";
import { refused } from "./toast";

export function useLeave(): { leave: () => void; signOut: () => Promise<void> } {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMemo(() => {
    const leave = () => {
      session.begin(client, null);
      void navigate({ to: "/sign-in" });
    };
    // Where nothing was signed out nobody is sent away: the session would still open everything in this browser.
    return { leave, signOut: () => session.signOut().then(leave, refused) };
  }, [client, navigate]);
}
