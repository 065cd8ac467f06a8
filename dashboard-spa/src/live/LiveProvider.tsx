/** Keeps the live connection open while somebody is signed in, and lets pages subscribe to calls. */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { sessionQuery } from "../api/session";
import { LiveUpdates } from "./apply";
import { LiveSocket, type LiveState, type Socket } from "./socket";

type Live = { state: LiveState; subscribe: (call: string) => () => void };

const LiveContext = createContext<Live>({ state: "closed", subscribe: () => () => {} });

function connect(): Socket {
  const url = new URL("/dashboard/live", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url) as Socket;
}

export function LiveProvider({
  children,
  onSessionEnded,
}: {
  children: ReactNode;
  onSessionEnded: () => void;
}) {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>("connecting");
  const [socket, updates] = useMemo(() => {
    const began = client.getQueryData(sessionQuery.queryKey)?.position;
    const updates: LiveUpdates = new LiveUpdates(client, began, () => live.resubscribe());
    const live: LiveSocket = new LiveSocket({
      connect,
      onMessage: (message) => updates.receive(message),
      onState: setState,
      onSessionEnded,
    });
    return [live, updates] as const;
  }, [client, onSessionEnded]);

  useEffect(() => {
    const hurry = () => document.visibilityState === "visible" && socket.hurry();
    socket.start();
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    return () => {
      window.removeEventListener("online", hurry);
      document.removeEventListener("visibilitychange", hurry);
      socket.stop();
      updates.stop();
    };
  }, [socket, updates]);

  const live = useMemo(
    () => ({ state, subscribe: (call: string) => socket.subscribe(call) }),
    [state, socket],
  );
  return <LiveContext value={live}>{children}</LiveContext>;
}

export const useLive = () => useContext(LiveContext);

/** Has a call's rows sent while the page is open. */
export function useCallRows(call: string): void {
  const { subscribe } = useLive();
  useEffect(() => subscribe(call), [call, subscribe]);
}
