import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { AccountsFound } from "./AccountsFound";

const asked: string[] = [];
const picked: string[] = [];

function answer(input: RequestInfo | URL): Promise<Response> {
  asked.push((input as Request).url);
  return Promise.resolve(Response.json({ data: [{ sid: "AC1", name: "Acme Telecom" }] }));
}

function show(text: string): void {
  vi.stubGlobal("fetch", answer);
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <AccountsFound text={text} onPick={(sid) => picked.push(sid)} />
      </QueryClientProvider>
    </MantineProvider>,
  );
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
    await userEvent.click(await screen.findByText("Numbers of Acme Telecom"));
    expect(picked).toEqual(["AC1"]);
    expect(asked[0]).toContain("name=acme");
  });

  it("is asked nothing about digits", () => {
    show("+44 20");
    expect(asked).toEqual([]);
  });
});
