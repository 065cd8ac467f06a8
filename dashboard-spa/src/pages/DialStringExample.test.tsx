import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { OutboundConfig } from "../client/types.gen";
import { DialStringExample } from "./TrunkPage";

const asked: unknown[] = [];

/** Answers like the server: plus, prefix, number. */
function answer(input: RequestInfo | URL): Promise<Response> {
  const request = input as Request;
  return request.json().then((body: { outbound: OutboundConfig }) => {
    asked.push(body);
    const { dial_string_prefix = "", plus_prefix, host } = body.outbound;
    const dialled = `${plus_prefix ? "+" : ""}${dial_string_prefix}85512345678`;
    return Response.json({
      number: "+85512345678",
      dial_string: dialled,
      request_uri: `sip:${dialled}@${host}`,
    });
  });
}

function Page({ outbound }: { outbound: OutboundConfig }) {
  return (
    <MantineProvider env="test">
      <QueryClientProvider client={client}>
        <DialStringExample outbound={outbound} />
      </QueryClientProvider>
    </MantineProvider>
  );
}

let client = new QueryClient();

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  asked.length = 0;
  client = new QueryClient();
});

describe("the dial string example", () => {
  it("follows the form, and never sends the password", async () => {
    vi.stubGlobal("fetch", answer);
    const { rerender } = render(
      <Page outbound={{ host: "127.0.0.1:5070", plus_prefix: true, password: "secret" }} />,
    );
    await waitFor(() => expect(screen.getByTestId("dial-string").textContent).toBe("+85512345678"));
    rerender(<Page outbound={{ host: "127.0.0.1:5070", plus_prefix: false, dial_string_prefix: "99" }} />);
    await waitFor(() => expect(screen.getByTestId("dial-string").textContent).toBe("9985512345678"));
    rerender(<Page outbound={{ host: "127.0.0.1:5070", plus_prefix: true, dial_string_prefix: "99" }} />);
    await waitFor(() => expect(screen.getByTestId("dial-string").textContent).toBe("+9985512345678"));
    expect(JSON.stringify(asked)).not.toContain("secret");
  });

  it("shows an example while the host is still being written", async () => {
    vi.stubGlobal("fetch", answer);
    render(<Page outbound={{ host: "", plus_prefix: true }} />);
    expect(await screen.findByText("sip:+85512345678@sip.example.com")).toBeTruthy();
  });
});
