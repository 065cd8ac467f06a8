import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { NoNumberToCall } from "./NoNumberToCall";

vi.mock("@tanstack/react-router", () => ({
  Link: ({ to, children }: { to: string; children: ReactNode }) => <a href={to}>{children}</a>,
}));

/** Numbers that no account has. */
function show(free: object[]) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (input: RequestInfo | URL) => {
    asked.push((input as Request).url);
    return Promise.resolve(Response.json({ data: free }));
  });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <NoNumberToCall />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return asked;
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("a test call that no account's number can take", () => {
  it("leads to the numbers that nobody has, where there are such", async () => {
    const asked = show([{ sid: "PN1", number: "+85512345678" }]);
    const way = await screen.findByRole("link", { name: "Give a number to an account" });
    expect(way.getAttribute("href")).toBe("/numbers?assigned=false");
    expect(screen.queryByText("There is no number to call yet")).toBeNull();
    expect(asked[0]).toContain("assigned=false");
  });

  it("leads to adding a number where there is none", async () => {
    show([]);
    expect(await screen.findByText("There is no number to call yet")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Add a number" }).getAttribute("href")).toBe("/numbers");
  });
});
