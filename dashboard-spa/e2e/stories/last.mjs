// To be told last: it ends the sessions that other stories have.
import assert from "node:assert/strict";
import { open } from "../support/harness.mjs";
import { person } from "./sign-up.mjs";

const isSession = (response) => new URL(response.url()).pathname === "/dashboard/session";

/** When the live connection has been closed, and the page knows what that means for its session. */
async function endIsTold(page, connections) {
  const open = connections.find((connection) => !connection.isClosed());
  assert.ok(open, "there is a live connection");
  // It asks at once then: whoever waits must do so before anything else is heard.
  await new Promise((resolve, reject) => {
    open.once("close", () => page.waitForResponse(isSession).then(resolve, reject));
  });
}

export const stories = {
  "who replaces the authenticator app is led to set up another, and stays signed in for that": async (
    shared,
  ) => {
    assert.ok(shared.recoveryCodes, "needs the story of the sign-up before");
    const [, second, third] = shared.recoveryCodes;
    const page = await open(shared.browser, { expected: [/401/, /403/, /422/] });
    await page.goto("/sign-in");
    await page.getByLabel("E-mail").fill(person.email);
    await page.getByLabel("Password", { exact: true }).fill(person.password);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await page.getByLabel("Recovery code").fill(second);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    const connections = [];
    page.on("websocket", (connection) => connections.push(connection));
    await page.goto("/settings?tab=you");
    await page.getByRole("button", { name: "Replace", exact: true }).click();
    const dialog = page.getByRole("dialog");
    // Six digits send themselves here as well; a wrong code is said at its field.
    await dialog.getByLabel("Your code").pressSequentially("000000");
    await dialog.locator("[aria-invalid=true]").waitFor();
    // The live connection hears of the end as well, and must not lead elsewhere: here it is first.
    const told = endIsTold(page, connections);
    await page.route("**/dashboard/two-factor/replace", async (route) => {
      const response = await route.fetch();
      await told.catch(() => undefined);
      await route.fulfill({ response });
    });
    await dialog.getByLabel("Your code").fill(third);
    await dialog.getByRole("button", { name: "Replace" }).click();
    await told;
    await page.getByRole("heading", { name: "Set up two-factor sign-in" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/two-factor/set-up");
    page.assertClean();
    await page.context().close();
  },
};
