/** The cache behind every page. A refusal is not retried; a request that got no answer is, twice. */
import { QueryCache, QueryClient } from "@tanstack/react-query";
import { Problem } from "./problem";
import { sessionQuery } from "./session";

const RETRIES = 2;

export function makeQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        const ended =
          error instanceof Problem && (error.status === 401 || error.code === "two_factor_required");
        if (ended) void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        retry: (failures, error) =>
          failures < RETRIES && (!(error instanceof Problem) || error.status === 0 || error.status >= 502),
      },
      mutations: { retry: false },
    },
  });
  return client;
}
