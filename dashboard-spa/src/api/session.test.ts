import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import { begin, countriesQuery, type Session, sessionQuery } from "./session";

describe("another session", () => {
  it("sees nothing of what the one before has seen", () => {
    const client = new QueryClient();
    client.setQueryData(["accounts", "list", {}], "the other carrier's");
    client.setQueryData(sessionQuery.queryKey, null);
    client.setQueryData(countriesQuery.queryKey, []);
    const session = { level: "full" } as Session;
    begin(client, session);
    expect(client.getQueryCache().getAll()).toHaveLength(2);
    expect(client.getQueryData(sessionQuery.queryKey)).toBe(session);
    expect(client.getQueryData(countriesQuery.queryKey)).toEqual([]);
  });
});
