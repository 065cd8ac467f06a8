import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as sdk from "../client/sdk.gen";
import { palette } from "./openPalette";
import { Palette } from "./Palette";

const navigate = vi.hoisted(() => vi.fn());
vi.mock("@tanstack/react-router", async (original) => ({
  ...(await original<object>()),
  useNavigate: () => navigate,
}));

const page = (data: object[]) => Promise.resolve({ data }) as never;
const accounts = vi.spyOn(sdk, "listAccounts");
const calls = vi.spyOn(sdk, "listCalls");

function show() {
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <Palette onSignOut={() => undefined} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  act(palette.open);
}

beforeEach(() => {
  navigate.mockReset();
  accounts.mockImplementation(() => page([]));
  calls.mockImplementation(() => page([]));
  vi.spyOn(sdk, "listTrunks").mockImplementation(() => page([]));
  vi.spyOn(sdk, "listPhoneNumbers").mockImplementation(() => page([]));
});
afterEach(cleanup);

describe("the palette", () => {
  it("opens the only hit with Enter, even when that was pressed before it came", async () => {
    accounts.mockImplementation(() => page([{ sid: "AC1", name: "Zoe Hotel" }]));
    show();
    await userEvent.type(screen.getByRole("combobox", { name: "Search" }), "zoe hotel{Enter}");
    await waitFor(() =>
      expect(navigate).toHaveBeenCalledWith({ to: "/accounts/$sid", params: { sid: "AC1" } }),
    );
  });

  it("has a name, and options of which the first is chosen", async () => {
    show();
    expect(screen.getByRole("dialog", { name: "Search the dashboard" })).toBeTruthy();
    const field = screen.getByRole("combobox", { name: "Search" });
    await userEvent.type(field, "call");
    const [first, second] = screen.getAllByRole("option");
    expect(first?.getAttribute("aria-selected")).toBe("true");
    expect(field.getAttribute("aria-activedescendant")).toBe(first?.id);
    await userEvent.keyboard("{ArrowDown}");
    expect(second?.getAttribute("aria-selected")).toBe("true");
  });

  it("finds calls by the number that was called, though it is nobody's caller", async () => {
    const call = {
      sid: "CA1",
      from: "+85512345678",
      to: "+85598136758",
      status: "completed",
      created_at: "1",
    };
    calls.mockImplementation(((asked: { query: { to?: string } }) =>
      asked.query.to ? page([call]) : Promise.reject(new Error("no such caller"))) as never);
    show();
    await userEvent.type(screen.getByRole("combobox", { name: "Search" }), "098136758");
    expect(await screen.findByRole("option", { name: /\+85598136758/ })).toBeTruthy();
  });
});
