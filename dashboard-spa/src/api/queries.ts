/** Every question the pages ask the Carrier API, under the keys the live updates invalidate. */
import { infiniteQueryOptions, queryOptions, replaceEqualDeep } from "@tanstack/react-query";
import * as sdk from "../client/sdk.gen";
import type {
  Call,
  ListAccountsData,
  ListAuditData,
  ListCallsData,
  ListPhoneNumbersData,
  ListTrunksData,
  SipMessage,
  TimelineEntry,
} from "../client/types.gen";
import { furthest } from "../lib/call";
import { keepRows } from "../lib/rows";
import { mergeRows } from "../lib/timeline";

/** Rows per page of a list. */
const PAGE = 50;
/** Timeline rows or SIP messages per request, and how many requests one call's page makes for them at most. */
const CALL_PAGE = 100;
const CALL_PAGES = 20;
/** Names the lists know, and rows per page of the live list. */
const MANY = 100;

type Cursor = { cursor?: string; limit?: number };
type PageOf<Row> = { data: Row[]; next_cursor?: string; total?: number; total_exact?: boolean };
type Filters<Data extends { query?: unknown }> = Omit<NonNullable<Data["query"]>, keyof Cursor>;
export type AccountFilters = Filters<ListAccountsData>;
export type AuditFilters = Filters<ListAuditData>;
export type CallFilters = Filters<ListCallsData>;
export type PhoneNumberFilters = Filters<ListPhoneNumbersData>;
export type TrunkFilters = Filters<ListTrunksData>;

/** A list read page by page. */
function list<Row, F extends object>(
  topic: string,
  filters: F,
  read: (query: F & Cursor) => Promise<PageOf<Row>>,
) {
  return infiniteQueryOptions({
    queryKey: [topic, "list", filters],
    queryFn: ({ pageParam }) => read({ ...filters, limit: PAGE, ...(pageParam && { cursor: pageParam }) }),
    initialPageParam: "",
    getNextPageParam: (page: PageOf<Row>) => page.next_cursor,
    structuralSharing: keepRows,
  });
}

export const accounts = (filters: AccountFilters) =>
  list("accounts", filters, (query) => sdk.listAccounts({ query }));
export const trunks = (filters: TrunkFilters) =>
  list("trunks", filters, (query) => sdk.listTrunks({ query }));
export const phoneNumbers = (filters: PhoneNumberFilters) =>
  list("phone_numbers", filters, (query) => sdk.listPhoneNumbers({ query }));
export const calls = (filters: CallFilters) => list("calls", filters, (query) => sdk.listCalls({ query }));
export const users = () => list("users", {}, (query) => sdk.listUsers({ query }));
export const apiKeys = () => list("api_keys", {}, (query) => sdk.listApiKeys({ query }));
export const audit = (filters: AuditFilters) => list("audit", filters, (query) => sdk.listAudit({ query }));

export const overview = queryOptions({ queryKey: ["overview"], queryFn: () => sdk.getOverview() });
export const carrier = queryOptions({ queryKey: ["carriers", "own"], queryFn: () => sdk.getCarrier() });
export const account = (sid: string) =>
  queryOptions({ queryKey: ["accounts", sid], queryFn: () => sdk.getAccount({ path: { sid } }) });
export const trunk = (sid: string) =>
  queryOptions({ queryKey: ["trunks", sid], queryFn: () => sdk.getTrunk({ path: { sid } }) });
/** What reached us from a trunk's addresses and came to nothing; nobody tells of it, so it is asked for again. */
export const turnedAway = (sid: string) =>
  queryOptions({
    queryKey: ["trunks", sid, "turned-away"],
    queryFn: () => sdk.listTurnedAway({ path: { sid } }),
    refetchInterval: 10_000,
  });
export const phoneNumber = (sid: string) =>
  queryOptions({ queryKey: ["phone_numbers", sid], queryFn: () => sdk.getPhoneNumber({ path: { sid } }) });
/** What is known already stays when an answer that was on its way for long is behind it. */
export const call = (sid: string) =>
  queryOptions({
    queryKey: ["calls", sid],
    queryFn: () => sdk.getCall({ path: { sid } }),
    structuralSharing: (known, fresh) =>
      replaceEqualDeep(known, furthest(known as Call | undefined, fresh as Call)),
  });

/** Accounts with this in their name, newest first: what a select offers. */
export const accountsNamed = (name: string) =>
  queryOptions({
    queryKey: ["accounts", "named", name],
    queryFn: async () => (await sdk.listAccounts({ query: { limit: PAGE, ...(name && { name }) } })).data,
  });

/** The trunks a filter offers. */
export const trunkNames = queryOptions({
  queryKey: ["trunks", "names"],
  queryFn: async () => (await sdk.listTrunks({ query: { limit: MANY } })).data,
  staleTime: 60_000,
});

export const liveCalls = infiniteQueryOptions({
  queryKey: ["live"],
  queryFn: async ({ pageParam }) => {
    const query = { live: true, limit: MANY, ...(pageParam && { cursor: pageParam }) };
    // Rows come and go between two answers, so none of them can say how many there are.
    const { total: _, total_exact: __, ...page } = await sdk.listCalls({ query });
    return page;
  },
  initialPageParam: "",
  getNextPageParam: (page) => page.next_cursor,
  structuralSharing: keepRows,
});
export const recentCalls = queryOptions({
  queryKey: ["calls", "recent"],
  queryFn: async () => (await sdk.listCalls({ query: { limit: 8 } })).data,
});

/** Reads page after page, as many as one call's page shows. */
async function whole<Row>(read: (query: Cursor) => Promise<PageOf<Row>>): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < CALL_PAGES; page += 1) {
    const answer = await read({ limit: CALL_PAGE, ...(cursor && { cursor }) });
    rows.push(...answer.data);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  return rows;
}

/** A call's whole timeline, oldest first. Rows that were pushed stay when an answer is older than they are. */
export const timeline = (sid: string) =>
  queryOptions({
    queryKey: ["timeline", sid],
    queryFn: (): Promise<TimelineEntry[]> => whole((query) => sdk.listCallTimeline({ path: { sid }, query })),
    structuralSharing: (known, fresh) =>
      replaceEqualDeep(known, mergeRows(known as TimelineEntry[] | undefined, fresh as TimelineEntry[])),
  });

export const sipMessages = (sid: string) =>
  queryOptions({
    queryKey: ["messages", sid],
    queryFn: (): Promise<SipMessage[]> =>
      // Its pages have one length.
      whole(({ cursor }) => sdk.listCallMessages({ path: { sid }, query: cursor ? { cursor } : {} })),
  });
