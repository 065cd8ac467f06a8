// What a carrier sets up: account, trunk, number. The new carrier of the sign-up stories does it.
import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { open, shoot } from "../support/harness.mjs";

const digits = String(randomInt(10_000_000, 99_999_999));
const number = `+855${digits}`;
const source = `198.51.100.${randomInt(1, 254)}/32`;

async function stranger(shared, options = {}) {
  assert.ok(shared.strangerState, "needs the sign-up story before");
  return open(shared.browser, { state: shared.strangerState, ...options });
}

export const accountStories = {
  "an account is created and its token can be shown again": async (shared) => {
    const page = await stranger(shared);
    await page.goto("/accounts");
    await page.getByText("No accounts yet").waitFor();
    await shoot(page, "empty-accounts");
    await page.getByRole("button", { name: "Create account" }).first().click();
    const form = page.getByRole("dialog");
    await form.getByRole("button", { name: "Create account" }).click();
    await form.getByText("Enter a name for the account").waitFor();
    await form.getByLabel("Name").fill("Rocket Rides");
    await form.getByRole("button", { name: "Create account" }).click();
    const token = await page.getByTestId("secret").textContent();
    assert.match(token, /^[0-9a-f]{32}$/);
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("heading", { name: "Rocket Rides" }).waitFor();
    assert.ok(!(await page.content()).includes(token), "the token is hidden until asked for");
    await page.getByRole("button", { name: "Show auth token" }).click();
    await page.getByText(token).waitFor();
    page.assertClean();
    await page.context().close();
  },

  "the trunk form shows the dial string while it is filled": async (shared) => {
    const page = await stranger(shared, { expected: [/409/] });
    await page.goto("/trunks/new?tab=outbound");
    await page.getByLabel("Name", { exact: true }).fill("Gateway");
    await page.getByRole("switch", { name: /^Inbound/ }).check();
    await page.getByRole("combobox", { name: "Source addresses" }).fill(source);
    await page.keyboard.press("Enter");
    await page.getByLabel("Host").fill("sip.example.com:5080");
    const dialled = page.getByTestId("dial-string");
    const shows = (pattern) => dialled.filter({ hasText: pattern }).waitFor();
    await shows(/^\+855\d+$/);
    await page.getByLabel("Dial string prefix").fill("99");
    await shows(/^99\+855\d+$/);
    await page.getByText("National", { exact: true }).click();
    await shows(/^990\d+$/);
    await page.getByText("Digits only").click();
    await shows(/^99855\d+$/);
    await page.getByText(/sip:99855\d+@sip\.example\.com:5080/).waitFor();
    await shoot(page, "trunk-form");
    await page.getByRole("button", { name: "Create trunk" }).click();
    await page.getByRole("heading", { name: "SIP trunks" }).waitFor();
    await page.getByRole("link", { name: "Gateway" }).waitFor();
    // The same source again is refused at its field.
    await page.goto("/trunks/new?tab=inbound");
    await page.getByLabel("Name", { exact: true }).fill("Copy");
    await page.getByRole("combobox", { name: "Source addresses" }).fill(source);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Create trunk" }).click();
    await page.locator("p[class*=error]").first().waitFor();
    page.assertClean();
    await page.context().close();
  },

  "a number is added, configured, and refused the second time": async (shared) => {
    const page = await stranger(shared, { expected: [/409/] });
    await page.goto("/numbers");
    await page.getByRole("button", { name: "Add number" }).first().click();
    await page.getByLabel("Number", { exact: true }).fill(number);
    await page
      .getByRole("textbox", { name: "Account" })
      .or(page.getByRole("combobox", { name: "Account" }))
      .first()
      .click();
    await page.getByRole("option", { name: "Rocket Rides" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Add number" }).click();
    await page.getByRole("heading", { name: /^\+855 / }).waitFor();
    await page.getByLabel("Voice URL", { exact: true }).fill("voice");
    await page.getByLabel("Fallback URL", { exact: true }).focus();
    await page.getByText("Enter an absolute address").waitFor();
    await page.getByLabel("Voice URL", { exact: true }).fill("https://example.com/voice");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Configuration saved.").waitFor();
    await page.goto("/numbers");
    await page.getByText("https://example.com/voice").waitFor();
    await page.getByRole("button", { name: "Add number" }).first().click();
    await page.getByLabel("Number", { exact: true }).fill(digits.replace(/^/, "855"));
    await page.getByRole("dialog").getByRole("button", { name: "Add number" }).click();
    await page.getByRole("dialog").locator("[aria-invalid=true]").waitFor();
    page.assertClean();
    await page.context().close();
  },

  "the checklist ticks itself, on another screen as well": async (shared) => {
    const [page, other] = [await stranger(shared), await stranger(shared)];
    await page.goto("/");
    await page.getByText("3 of 4").waitFor();
    await page.goto("/accounts");
    await page.getByRole("link", { name: "Rocket Rides" }).waitFor();
    await other.goto("/accounts");
    const name = `Live ${randomBytes(3).toString("hex")}`;
    await other.getByRole("button", { name: "Create account" }).first().click();
    await other.getByLabel("Name", { exact: true }).fill(name);
    await other.getByRole("dialog").getByRole("button", { name: "Create account" }).click();
    await page.getByRole("link", { name }).waitFor();
    page.assertClean();
    await other.context().close();
    await page.context().close();
  },

  "deleting a trunk asks for its name": async (shared) => {
    const page = await stranger(shared);
    await page.goto("/trunks?tab=outbound");
    await page.getByRole("link", { name: "Gateway" }).click();
    await page.getByRole("button", { name: "Delete trunk" }).click();
    const dialog = page.getByRole("dialog");
    const confirm = dialog.getByRole("button", { name: "Delete trunk" });
    await dialog.getByLabel("Type Gateway to confirm").fill("gateway");
    assert.ok(await confirm.isDisabled());
    await dialog.getByLabel("Type Gateway to confirm").fill("Gateway");
    await confirm.click();
    await page.getByText("No inbound trunks yet").waitFor();
    page.assertClean();
    await page.context().close();
  },

  "an API key is shown once": async (shared) => {
    const page = await stranger(shared);
    await page.goto("/settings?tab=keys");
    await page.getByRole("button", { name: "Create key" }).first().click();
    await page.getByLabel("Name", { exact: true }).fill("Provisioning");
    await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
    const secret = await page.getByTestId("secret").textContent();
    assert.match(secret, /^tlk_AK[0-9a-f]{32}_/);
    await page.keyboard.press("Escape");
    assert.ok(await page.getByTestId("secret").isVisible(), "it can't be lost by a stray key");
    await page.getByLabel("I have stored it in a safe place").check();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("cell", { name: "Provisioning" }).waitFor();
    assert.ok(!(await page.content()).includes(secret));
    await page.goto("/audit");
    await page.getByText("Carrier: API key created").first().waitFor();
    page.assertClean();
    await page.context().close();
  },
};
