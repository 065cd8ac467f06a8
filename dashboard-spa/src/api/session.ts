/** Signing up, signing in and the second factor: the routes under /dashboard. */
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import type { Country } from "../lib/number";
import { json } from "./http";
import { Problem } from "./problem";

type Role = "owner" | "admin" | "member";

/** A mark of how far the server's tables were: it says whether they are there still, and nothing else. */
export type Position = string;

export type Session = {
  user: { sid: string; name: string; email: string; role: Role; two_factor: boolean };
  carrier: { sid: string; name: string; country: string; subdomain: string };
  level: "password" | "full";
  next: "set_up_two_factor" | "enter_code" | "ready";
  expires_at: string;
  position: Position;
};

export type SignUp = {
  company: string;
  country: string;
  subdomain: string;
  name: string;
  email: string;
  password: string;
};

export type BrowserSession = {
  id: string;
  created_at: string;
  last_seen_at: string;
  expires_at: string;
  ip?: string;
  user_agent?: string;
  current: boolean;
};

/** Who is signed in; `null` when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async (): Promise<Session | null> => {
    try {
      return await json<Session>("GET", "/dashboard/session");
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

/** Starts with this session, or with none. What the one before has seen is forgotten; countries are everybody's. */
export function begin(client: QueryClient, session: Session | null): void {
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== countriesQuery.queryKey[0] });
  client.setQueryData(sessionQuery.queryKey, session);
}

/** Countries with their calling codes; they never change while the page is open. */
export const countriesQuery = queryOptions({
  queryKey: ["countries"],
  queryFn: async () => (await json<{ data: Country[] }>("GET", "/dashboard/countries")).data,
  staleTime: Number.POSITIVE_INFINITY,
});

/** Whether anybody has signed up here yet. */
export const welcomeQuery = queryOptions({
  queryKey: ["welcome"],
  queryFn: () => json<{ empty: boolean }>("GET", "/dashboard/welcome"),
  staleTime: 60_000,
});

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: async () => (await json<{ data: BrowserSession[] }>("GET", "/dashboard/sessions")).data,
});

export const signUp = (body: SignUp) => json<Session>("POST", "/dashboard/sign-up", body);
export const signIn = (body: { email: string; password: string }) =>
  json<Session>("POST", "/dashboard/sign-in", body);
export const signOut = () => json<void>("POST", "/dashboard/sign-out", {});
export const setUpTwoFactor = () =>
  json<{ qr: string; key: string; uri: string }>("POST", "/dashboard/two-factor/setup", {});
export const enableTwoFactor = (code: string) =>
  json<{ recovery_codes: string[]; session: Session }>("POST", "/dashboard/two-factor/enable", { code });
export const verifyTwoFactor = (body: { code: string } | { recovery_code: string }) =>
  json<Session>("POST", "/dashboard/two-factor/verify", body);
export const renewRecoveryCodes = (code: string) =>
  json<{ recovery_codes: string[] }>("POST", "/dashboard/two-factor/recovery-codes", { code });
/** Takes one's own second factor away, so that another is set up; `code` of the app, or a recovery code. */
export const replaceTwoFactor = (code: string) =>
  json<void>("POST", "/dashboard/two-factor/replace", { code });
export const endSession = (id: string) =>
  json<void>("DELETE", `/dashboard/sessions/${encodeURIComponent(id)}`);
export const changePassword = (body: { current_password: string; new_password: string }) =>
  json<void>("POST", "/dashboard/password", body);

/** Where a session belongs when it is not let in yet. */
export function gate(session: Session | null): "/sign-in" | "/two-factor/set-up" | "/two-factor" | undefined {
  if (session === null) return "/sign-in";
  if (session.next === "set_up_two_factor") return "/two-factor/set-up";
  if (session.next === "enter_code") return "/two-factor";
  return undefined;
}
