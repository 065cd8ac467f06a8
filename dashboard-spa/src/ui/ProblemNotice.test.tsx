import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Problem, toProblem } from "../api/problem";
import { ProblemNotice } from "./ProblemNotice";

vi.mock("@tanstack/react-router", () => ({
  Link: ({ to, children }: { to: string; children: ReactNode }) => <a href={to}>{children}</a>,
}));

const list = { label: "Accounts", link: { to: "/accounts" } } as const;

function said(error: unknown): string {
  render(
    <MantineProvider env="test">
      <ProblemNotice error={error} retry={() => undefined} list={list} />
    </MantineProvider>,
  );
  return screen.getByRole("alert").textContent ?? "";
}

afterEach(cleanup);

describe("what went wrong", () => {
  it("is said in people's words, with a reference that is no code to sign in with", () => {
    const body = {
      title: "Unauthorized",
      code: "invalid_credentials",
      detail: "E-mail or password is wrong.",
    };
    const text = said(new Problem(401, { ...body, request_id: "01a2" }));
    expect(text).toContain("You are not signed in");
    expect(text).toContain("E-mail or password is wrong.");
    expect(text).toContain("Reference: 01a2");
    expect(text).not.toMatch(/Unauthorized|Code/);
  });

  it("is said once where something is not there, and leads to the list", () => {
    const body = { title: "Not Found", code: "not_found", detail: "There is no such account." };
    const text = said(new Problem(404, { ...body, request_id: "01a2" }));
    expect(text).toBe("There is no such accountIt may have been deleted. Back to Accounts");
    expect(screen.getByRole("link", { name: "Back to Accounts" }).getAttribute("href")).toBe("/accounts");
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("asks once to check the connection or to wait", () => {
    expect(said(toProblem(new TypeError("Failed to fetch"))).match(/connection/g)).toHaveLength(1);
    cleanup();
    const detail = "Too many requests; try again in 7 s.";
    expect(said(new Problem(429, { code: "rate_limited", detail }, 7)).match(/7/g)).toHaveLength(1);
  });
});
