// An installation nobody has used yet: a server with an empty store of its own.
import assert from "node:assert/strict";
import { open, shoot } from "../support/harness.mjs";
import { folder, serve } from "../support/server.mjs";
import { setUpTwoFactor, signUp } from "./sign-up.mjs";

/** The one server both stories are told of. It ends with them. */
const emptyOne = (shared) => {
  shared.emptyOne ??= serve(folder());
  return shared.emptyOne;
};

/** Every list, what it says when it has nothing, and what it offers to do then. */
const LISTS = [
  ["/", "No calls yet", "link", "Add a SIP trunk"],
  ["/live", "Nobody is calling right now", "link", "See past calls"],
  ["/calls", "No calls yet", "button", "Set up a number"],
  ["/calls?direction=inbound", "Nothing matches these filters.", "button", "Clear filters"],
  ["/numbers", "No phone numbers yet", "button", "Add number"],
  ["/trunks?tab=inbound", "No inbound trunks yet", "link", "Create trunk"],
  ["/trunks?tab=outbound", "No outbound trunks yet", "link", "Create trunk"],
  ["/accounts", "No accounts yet", "button", "Create account"],
  ["/audit?stream_type=trunk", "Nothing matches these filters.", "button", "Clear filters"],
  ["/settings?tab=keys", "No API keys yet", "button", "Create key"],
  ["/test-call", "There is no number to call yet", "link", "Add a number"],
];

export const stories = {
  "an empty installation opens the sign-up, and the sign-in once somebody has signed up": async (shared) => {
    const { url } = await emptyOne(shared);
    const page = await open(shared.browser, { at: url, expected: [/422/, /403/] });
    await page.goto("/");
    await page.getByRole("heading", { name: "Create your carrier" }).waitFor();
    await page.getByText("Nobody has signed up here yet").waitFor();
    await shoot(page, "empty-installation");
    await signUp(page, "First Telecom");
    const [code] = await setUpTwoFactor(page);
    assert.ok(code);
    await page.getByLabel("I have stored them in a safe place").check();
    await page.getByRole("button", { name: "Open the dashboard" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    shared.emptyState = await page.context().storageState();
    page.assertClean();
    await page.context().close();
    const next = await open(shared.browser, { at: url });
    await next.goto("/");
    await next.getByRole("heading", { name: "Sign in" }).waitFor();
    next.assertClean();
    await next.context().close();
  },

  "an empty list says what to do, and nowhere, seen or hidden, that there are no records": async (shared) => {
    const { url, stop } = await emptyOne(shared);
    try {
      assert.ok(shared.emptyState, "needs the story before");
      const page = await open(shared.browser, { at: url, state: shared.emptyState });
      for (const [path, says, role, offers] of LISTS) {
        await page.goto(path);
        await page.getByText(says, { exact: true }).waitFor();
        await page.getByRole(role, { name: offers }).first().waitFor();
        assert.doesNotMatch(await page.content(), /no records/i, path);
      }
      page.assertClean();
      await page.context().close();
    } finally {
      await stop();
    }
  },
};
