import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AccountsFound } from "./AccountsFound";

vi.mock("@tanstack/react-router", () => ({
  Link: ({ to, search, children }: { to: string; search: Record<string, string>; children: ReactNode }) => (
    <a href={`${to}?${new URLSearchParams(search)}`}>{children}</a>
  ),
}));

const asked: string[] = [];
const picked: string[] = [];

function answer(input: RequestInfo | URL): Promise<Response> {
  asked.push((input as Request).url);
  return Promise.resolve(Response.json({ data: [{ sid: "AC1", name: "Acme Telecom" }] }));
}

const offering = (client: QueryClient, text: string) => (
  <MantineProvider env="test">
    <QueryClientProvider client={client}>
      <AccountsFound text={text} onPick={(sid) => picked.push(sid)} />
    </QueryClientProvider>
  </MantineProvider>
);

/** Returns how another text is typed. */
function show(text: string, fetch = answer): (text: string) => void {
  vi.stubGlobal("fetch", fetch);
  const client = new QueryClient();
  const { rerender } = render(offering(client, text));
  return (another) => rerender(offering(client, another));
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  asked.length = 0;
  picked.length = 0;
});

describe("who looks for a customer among numbers", () => {
  it("is offered the numbers of the accounts that have the name", async () => {
    show("acme");
    await userEvent.click(await screen.findByLabelText("Numbers of Acme Telecom"));
    expect(picked).toEqual(["AC1"]);
    expect(asked[0]).toContain("name=acme");
  });

  it("keeps what was offered until more letters are answered", async () => {
    const type = show("acme", (input) =>
      (input as Request).url.includes("name=acmet") ? new Promise(() => undefined) : answer(input),
    );
    await screen.findByLabelText("Numbers of Acme Telecom");
    type("acmet");
    expect(screen.queryByLabelText("Numbers of Acme Telecom")).not.toBeNull();
    type("");
    expect(screen.queryByLabelText("Numbers of Acme Telecom")).toBeNull();
  });

  it("is led to all accounts with the name where there are more than are offered", async () => {
    const many = (length: number) => () =>
      Promise.resolve(
        Response.json({
          data: Array.from({ length }, (_, at) => ({ sid: `AC${at}`, name: `Zürich Re ${at}` })),
        }),
      );
    show("zürich re", many(4));
    const all = await screen.findByRole("link", { name: "All accounts with this name" });
    expect(all.getAttribute("href")).toBe("/accounts?name=z%C3%BCrich+re");
    expect(screen.getAllByRole("button")).toHaveLength(3);
    cleanup();
    show("zürich re", many(3));
    expect(await screen.findAllByRole("button")).toHaveLength(3);
    expect(screen.queryByRole("link")).toBeNull();
  });

  it("is asked nothing about digits", async () => {
    show("+44 20");
    show("acme");
    await screen.findByLabelText("Numbers of Acme Telecom");
    expect(asked.map((url) => new URL(url).searchParams.get("name"))).toEqual(["acme"]);
  });
});
