import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, renderHook, waitFor } from "@testing-library/react";
import { createElement, type ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as queries from "../api/queries";
import * as sdk from "../client/sdk.gen";
import type { Call } from "../client/types.gen";
import { patchCall } from "../live/apply";
import { useAsTheyAre } from "./useAsTheyAre";

const call = (status: Call["status"], more: Partial<Call> = {}) =>
  ({ sid: "CA1", status, created_at: "2026-11-30T17:00:00Z", ...more }) as Call;
const up = call("in-progress");
const killed = call("completed", { problem: "platform", reason: "interrupted", duration_s: 10 });

const get = vi.spyOn(sdk, "getCall");
const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 15_000 } } });
const wrapper = ({ children }: { children: ReactNode }) =>
  createElement(QueryClientProvider, { client }, children);
const follow = (calls: Call[]) => renderHook(() => useAsTheyAre(calls), { wrapper });

beforeEach(() => {
  get.mockReset();
  client.clear();
});
afterEach(cleanup);

describe("calls that a list has no more", () => {
  it("are asked for where nobody told their end, however fresh what is known of them looks", async () => {
    get.mockResolvedValue(killed as never);
    // Its question was open a moment ago.
    client.setQueryData(queries.call("CA1").queryKey, up);
    const { result } = follow([up]);
    expect(result.current(up)).toBe(up);
    await waitFor(() => expect(result.current(up)).toEqual(killed));
  });

  it("follow what is told of them later", async () => {
    get.mockResolvedValue(up as never);
    const { result } = follow([up]);
    await waitFor(() => expect(get).toHaveBeenCalledOnce());
    patchCall(client, killed);
    await waitFor(() => expect(result.current(up)).toEqual(killed));
  });

  it("are not asked for when their end is known", () => {
    patchCall(client, killed);
    const { result } = follow([up]);
    expect(result.current(up)).toEqual(killed);
    follow([killed]);
    expect(get).not.toHaveBeenCalled();
  });
});
