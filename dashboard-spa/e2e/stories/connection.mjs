// What happens when the live connection is lost, or the session is ended from elsewhere.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { demo, open } from "../support/harness.mjs";

/** Makes an account as a program would: with the demo's API key, past the browser. */
async function createAccount(name) {
  const answer = await fetch(`${demo.http_url}/carrier/v1/accounts`, {
    method: "POST",
    headers: { Authorization: `Bearer ${demo.carrier_api_key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ name }),
  });
  assert.equal(answer.status, 201);
}

export const stories = {
  "a lost live connection comes back and catches up": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    const connections = [];
    let refuse = false;
    await page.routeWebSocket(/\/dashboard\/live$/, (socket) => {
      if (refuse) return socket.close({ code: 1001 });
      connections.push(socket);
      socket.connectToServer();
    });
    await page.goto("/accounts");
    await page.getByRole("link", { name: "Demo Account" }).waitFor();
    await page.waitForFunction(() => document.querySelector("[data-grid=accounts]") !== null);
    assert.equal(connections.length, 1);
    refuse = true;
    await connections[0].close({ code: 1001 });
    await page.getByText("Live updates are interrupted.").waitFor();
    const name = `Missed ${randomBytes(3).toString("hex")}`;
    await createAccount(name);
    refuse = false;
    await page.getByRole("link", { name }).waitFor();
    assert.equal(connections.length, 2);
    const later = `Seen ${randomBytes(3).toString("hex")}`;
    await createAccount(later);
    await page.getByRole("link", { name: later }).waitFor();
    page.assertClean();
    await page.context().close();
  },

  "what happened before the first live connection is caught up": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    let refused = 0;
    let refuse = true;
    await page.routeWebSocket(/\/dashboard\/live$/, (socket) => {
      if (!refuse) return void socket.connectToServer();
      refused += 1;
      return socket.close({ code: 1001 });
    });
    await page.goto("/accounts");
    await page.getByRole("link", { name: "Demo Account" }).waitFor();
    const name = `Early ${randomBytes(3).toString("hex")}`;
    await createAccount(name);
    refuse = false;
    await page.getByRole("link", { name }).waitFor();
    assert.ok(refused > 0);
    page.assertClean();
    await page.context().close();
  },

  "a sign-out that does not arrive stays and says why": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner(), expected: [/ERR_FAILED/] });
    await page.route("**/dashboard/sign-out", (route) => route.abort());
    await page.goto("/accounts");
    await page
      .getByRole("button", { name: /theme and sign-out/ })
      .first()
      .click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByText("No answer from the server").waitFor();
    await page.getByRole("heading", { name: "Accounts" }).waitFor();
    page.assertClean();
    await page.context().close();
  },

  "a session ended elsewhere leaves for the sign-in by itself": async (shared) => {
    assert.ok(shared.secondState, "needs the recovery code story before");
    const ended = await open(shared.browser, { state: shared.secondState, expected: [/401/] });
    await ended.goto("/live");
    await ended.getByText("Live ·").waitFor();
    const page = await open(shared.browser, { state: shared.strangerState });
    await page.goto("/settings?tab=you");
    const end = page.getByRole("button", { name: "End", exact: true });
    await end.first().waitFor();
    for (let left = await end.count(); left > 0; left -= 1) {
      await end.first().click();
      await end.nth(left - 1).waitFor({ state: "detached" });
    }
    await ended.getByRole("heading", { name: "Sign in" }).waitFor();
    page.assertClean();
    ended.assertClean();
    await ended.context().close();
    await page.context().close();
  },
};
