import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import "../api/http";
import { NumberPreview } from "./NumberPreview";

const AREA = "Digits in brackets at the start are an area code.";
const asked: string[] = [];

/** Answers like the server of a carrier in the United Kingdom. */
async function answer(input: RequestInfo | URL): Promise<Response> {
  const { number, type } = await (input as Request).json();
  asked.push(number);
  if (number.startsWith("(")) {
    const errors = [{ field: "number", message: AREA }];
    return Response.json({ code: "validation_failed", errors }, { status: 422 });
  }
  if (type === "short_code") return Response.json({ number, type });
  return Response.json({ number: "+442079460958", country: "GB", type: "fixed_line" });
}

function show(number: string, shortCode = false) {
  vi.stubGlobal("fetch", answer);
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <NumberPreview number={number} shortCode={shortCode} />
      </QueryClientProvider>
    </MantineProvider>,
  );
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  asked.length = 0;
});

describe("a number that is about to be added", () => {
  it("is shown as it will be, with its country", async () => {
    show("020 7946 0958");
    expect(await screen.findByText(/^Will be added as \+44 ?20.*, United Kingdom\.$/)).toBeTruthy();
  });

  it("is shown as a short code where it is said to be one", async () => {
    show("1234567", true);
    expect(await screen.findByText("Will be added as the short code 1234567.")).toBeTruthy();
  });

  it("is refused before it is sent", async () => {
    show("(415) 555-2671");
    expect(await screen.findByText(AREA)).toBeTruthy();
  });

  it("is not asked about while it is none", async () => {
    show("+4");
    show("020 7946 0958");
    await screen.findByText(/^Will be added as/);
    expect(asked).toEqual(["020 7946 0958"]);
  });
});
