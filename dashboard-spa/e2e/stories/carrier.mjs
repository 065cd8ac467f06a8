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

async function openNumber(page, wanted) {
  await page.goto(`/numbers?number=${wanted.slice(1)}`);
  await page.getByRole("link", { name: /^\+855 / }).click();
  await page.getByLabel("Voice URL", { exact: true }).waitFor();
}

export const stories = {
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
    await shows(/^\+99855\d+$/);
    await page.getByRole("switch", { name: "National numbers at home" }).check();
    await shows(/^\+990\d+$/);
    await page.getByRole("switch", { name: "Plus first" }).uncheck();
    await shows(/^990\d+$/);
    await page.getByRole("switch", { name: "National numbers at home" }).uncheck();
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

  "an address that was typed but not entered is saved with its trunk": async (shared) => {
    const page = await stranger(shared);
    await page.goto("/trunks");
    await page.getByRole("link", { name: "Gateway" }).click();
    // A single address is written without the length of its network.
    const known = source.replace("/32", "");
    const typed = known.replace("198.51.100", "203.0.113");
    await page.getByRole("combobox", { name: "Source addresses" }).fill(typed);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Trunk saved.").waitFor();
    await page.reload();
    for (const address of [known, typed]) await page.getByText(address, { exact: true }).waitFor();
    page.assertClean();
    await page.context().close();
  },

  "a number is added, configured, and refused the second time": async (shared) => {
    const page = await stranger(shared, { expected: [/409/, /422/] });
    await page.goto("/numbers");
    await page.getByRole("button", { name: "Add number" }).first().click();
    // Which number it will be is said before: an area code in brackets is no calling code.
    await page.getByLabel("Number", { exact: true }).fill("(415) 555-2671");
    await page.getByText("Digits in brackets at the start are an area code").waitFor();
    await page.getByLabel("Number", { exact: true }).fill(number);
    await page.getByText(/^Will be added as \+855 .*, Cambodia\./).waitFor();
    await shoot(page, "number-preview");
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

  "what is typed stays when something else of the number changes": async (shared) => {
    const page = await stranger(shared);
    await openNumber(page, number);
    const fallback = page.getByLabel("Fallback URL", { exact: true });
    await fallback.fill("https://example.com/fallback");
    for (const state of ["Disabled", "Enabled"]) {
      await page.getByRole("switch", { name: "Takes calls" }).click();
      await page.getByText(state, { exact: true }).waitFor();
      assert.equal(await fallback.inputValue(), "https://example.com/fallback");
    }
    await page.getByRole("button", { name: "Discard" }).click();
    assert.equal(await fallback.inputValue(), "");
    page.assertClean();
    await page.context().close();
  },

  "a form that somebody fills in keeps the text when it is saved elsewhere": async (shared) => {
    const [page, other] = [await stranger(shared), await stranger(shared)];
    await openNumber(page, number);
    await openNumber(other, number);
    const name = page.getByLabel("Name", { exact: true });
    await name.fill("Front desk");
    await other.getByLabel("Name", { exact: true }).fill("Back door");
    await other.getByRole("button", { name: "Save" }).click();
    await page.getByText("Changed elsewhere meanwhile.").waitFor();
    assert.equal(await name.inputValue(), "Front desk");
    await shoot(page, "changed-elsewhere");
    await page.getByRole("button", { name: "Show the change instead" }).click();
    assert.equal(await name.inputValue(), "Back door");
    page.assertClean();
    await other.context().close();
    await page.context().close();
  },

  "a name that was emptied is gone": async (shared) => {
    const page = await stranger(shared);
    await openNumber(page, number);
    const name = page.getByLabel("Name", { exact: true });
    assert.equal(await name.inputValue(), "Back door");
    await name.fill("");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Configuration saved.").waitFor();
    await page.reload();
    await page.getByText("Added").waitFor();
    assert.equal(await name.inputValue(), "");
    page.assertClean();
    await page.context().close();
  },

  "a number leaves its account only by a word that says what is forgotten": async (shared) => {
    const page = await stranger(shared);
    await page.goto("/accounts");
    await page.getByRole("button", { name: "Create account" }).first().click();
    await page.getByLabel("Name", { exact: true }).fill("Paper Planes");
    await page.getByRole("dialog").getByRole("button", { name: "Create account" }).click();
    await page.getByTestId("secret").waitFor();
    await openNumber(page, number);
    const account = page.getByRole("combobox", { name: "Account" });
    const voice = page.getByLabel("Voice URL", { exact: true });
    const shows = (select, name) =>
      page.waitForFunction(([field, text]) => field.value === text, [select, name]);
    await shows(await account.elementHandle(), "Rocket Rides");
    // The one it has already, by mouse and by keyboard.
    await account.click();
    await page.getByRole("option", { name: "Rocket Rides" }).click();
    await account.press("ArrowDown");
    await account.press("Enter");
    await account.fill("paper");
    await page.getByRole("option", { name: "Rocket Rides" }).waitFor({ state: "detached" });
    await page.getByRole("option", { name: "Paper Planes" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("From then on Paper Planes answers its calls.").waitFor();
    await dialog.getByText("Its configuration is forgotten: Voice URL.").waitFor();
    await shoot(page, "move-number");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.reload();
    await shows(await account.elementHandle(), "Rocket Rides");
    assert.equal(await voice.inputValue(), "https://example.com/voice");
    await page.getByRole("button", { name: "Take from account" }).click();
    await dialog.getByText("Its configuration is forgotten: Voice URL.").waitFor();
    // As it is shown, with blanks between its groups.
    const label = await dialog.getByText(/^Type .* to confirm$/).textContent();
    const shown = label.slice("Type ".length, -" to confirm".length);
    assert.equal(shown.replaceAll(" ", ""), number);
    await dialog.getByLabel(label).fill(shown);
    await dialog.getByRole("button", { name: "Take from account" }).click();
    await page.getByText("Calls to it are refused until an account has it.").waitFor();
    assert.equal(await voice.inputValue(), "");
    page.assertClean();
    await page.context().close();
  },

  "a number nobody has says so until an account is chosen": async (shared) => {
    const page = await stranger(shared);
    await openNumber(page, number);
    await page.getByText("No account has this number").waitFor();
    await shoot(page, "nobodys-number");
    await page.getByRole("button", { name: "Choose one" }).click();
    await page.getByRole("option", { name: "Rocket Rides" }).click();
    await page.getByText("No account has this number").waitFor({ state: "detached" });
    page.assertClean();
    await page.context().close();
  },

  "the checklist ticks itself, on another screen as well": async (shared) => {
    const [page, other] = [await stranger(shared), await stranger(shared)];
    await page.goto("/");
    await page.getByText("4 of 5").waitFor();
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
