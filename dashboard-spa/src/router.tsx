/** Addresses of the pages. What a list is filtered by is in the address; a page's code is loaded when it is opened, or before. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { countriesQuery, gate, sessionQuery, welcomeQuery } from "./api/session";
import { learnCallingCodes } from "./lib/number";
import { NotFound, RouteError } from "./pages/errors";
import { page } from "./pages/page";
import { SignedIn } from "./pages/SignedIn";

type Context = { queryClient: QueryClient };
type Search = Record<string, string | undefined>;

/** Keeps these keys of the address, as text. */
function only<const Keys extends string>(...keys: Keys[]) {
  return (search: Record<string, unknown>): { [K in Keys]?: string } => {
    const kept = keys.filter((key) => typeof search[key] === "string" && search[key] !== "");
    return Object.fromEntries(kept.map((key) => [key, search[key]])) as { [K in Keys]?: string };
  };
}

/** Whether nobody has signed up here yet: then there is nobody to sign in as. */
async function isEmpty(client: QueryClient): Promise<boolean> {
  const welcome = await client.ensureQueryData(welcomeQuery).catch(() => undefined);
  return welcome?.empty ?? false;
}

/** Where to go once signed in. */
const onward = (search: Record<string, unknown>): { to?: string } => only("to")(search);

const root = createRootRouteWithContext<Context>()({
  component: Outlet,
  errorComponent: RouteError,
  beforeLoad: async ({ context }) => {
    // Without countries numbers are shown ungrouped, which is no reason to show nothing.
    const countries = await context.queryClient.ensureQueryData(countriesQuery).catch(() => []);
    learnCallingCodes(countries);
  },
});

const signUp = createRoute({
  getParentRoute: () => root,
  path: "/sign-up",
  component: page(() => import("./pages/auth/SignUp"), "SignUp"),
});
const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: onward,
  beforeLoad: async ({ context }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session !== null) throw redirect({ to: gate(session) ?? "/" });
    if (await isEmpty(context.queryClient)) throw redirect({ to: "/sign-up" });
  },
  component: page(() => import("./pages/auth/SignIn"), "SignIn"),
});
const setUpTwoFactor = createRoute({
  getParentRoute: () => root,
  path: "/two-factor/set-up",
  validateSearch: onward,
  beforeLoad: async ({ context }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session?.next !== "set_up_two_factor") throw redirect({ to: gate(session) ?? "/" });
  },
  component: page(() => import("./pages/auth/SetUpTwoFactor"), "SetUpTwoFactor"),
});
const twoFactor = createRoute({
  getParentRoute: () => root,
  path: "/two-factor",
  validateSearch: onward,
  beforeLoad: async ({ context }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session?.next !== "enter_code") throw redirect({ to: gate(session) ?? "/" });
  },
  component: page(() => import("./pages/auth/TwoFactor"), "TwoFactor"),
});

const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    const to = gate(session);
    if (to) throw redirect({ to, search: location.href === "/" ? {} : { to: location.href } });
  },
  component: SignedIn,
});

const overview = createRoute({
  getParentRoute: () => app,
  path: "/",
  component: page(() => import("./pages/Overview"), "Overview"),
});
const live = createRoute({
  getParentRoute: () => app,
  path: "/live",
  component: page(() => import("./pages/LiveCalls"), "LiveCalls"),
});
const testCall = createRoute({
  getParentRoute: () => app,
  path: "/test-call",
  validateSearch: only("number"),
  component: page(() => import("./pages/TestCall"), "TestCall"),
});
const calls = createRoute({
  getParentRoute: () => app,
  path: "/calls",
  validateSearch: only(
    "status",
    "direction",
    "problems",
    "from",
    "to",
    "account_sid",
    "trunk_sid",
    "phone_number_sid",
    "period",
    "order",
  ),
  component: page(() => import("./pages/Calls"), "Calls"),
});
const call = createRoute({
  getParentRoute: () => app,
  path: "/calls/$sid",
  validateSearch: only("view", "hide", "row"),
  component: page(() => import("./pages/call/CallPage"), "CallPage"),
});
const numbers = createRoute({
  getParentRoute: () => app,
  path: "/numbers",
  validateSearch: only("number", "account_sid", "assigned", "enabled", "order"),
  component: page(() => import("./pages/PhoneNumbers"), "PhoneNumbers"),
});
const number = createRoute({
  getParentRoute: () => app,
  path: "/numbers/$sid",
  component: page(() => import("./pages/PhoneNumberPage"), "PhoneNumberPage"),
});
const trunks = createRoute({
  getParentRoute: () => app,
  path: "/trunks",
  validateSearch: only("tab", "name", "order"),
  component: page(() => import("./pages/Trunks"), "Trunks"),
});
const newTrunk = createRoute({
  getParentRoute: () => app,
  path: "/trunks/new",
  validateSearch: only("tab"),
  component: page(() => import("./pages/TrunkPage"), "NewTrunk"),
});
const trunk = createRoute({
  getParentRoute: () => app,
  path: "/trunks/$sid",
  component: page(() => import("./pages/TrunkPage"), "TrunkPage"),
});
const accounts = createRoute({
  getParentRoute: () => app,
  path: "/accounts",
  validateSearch: only("name", "status", "order"),
  component: page(() => import("./pages/Accounts"), "Accounts"),
});
const account = createRoute({
  getParentRoute: () => app,
  path: "/accounts/$sid",
  component: page(() => import("./pages/AccountPage"), "AccountPage"),
});
const team = createRoute({
  getParentRoute: () => app,
  path: "/team",
  component: page(() => import("./pages/Team"), "Team"),
});
const audit = createRoute({
  getParentRoute: () => app,
  path: "/audit",
  validateSearch: only("stream_type", "stream_sid", "actor", "period", "order"),
  component: page(() => import("./pages/Audit"), "Audit"),
});
const settings = createRoute({
  getParentRoute: () => app,
  path: "/settings",
  validateSearch: only("tab"),
  component: page(() => import("./pages/settings/Settings"), "Settings"),
});

/** Every other address. */
const nothing = createRoute({
  getParentRoute: () => app,
  path: "$",
  component: NotFound,
});

const routeTree = root.addChildren([
  signUp,
  signIn,
  setUpTwoFactor,
  twoFactor,
  app.addChildren([
    overview,
    live,
    testCall,
    calls,
    call,
    numbers,
    number,
    trunks,
    newTrunk,
    trunk,
    accounts,
    account,
    team,
    audit,
    settings,
    nothing,
  ]),
]);

/** Everything in the address is text: `?number=0123` stays `0123`. */
function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

function stringifySearch(search: Search): string {
  const set = Object.entries(search).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  const text = new URLSearchParams(set).toString();
  return text === "" ? "" : `?${text}`;
}

export function makeRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    parseSearch,
    stringifySearch,
    defaultPreload: "intent",
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
