// A stranger becomes the owner of a carrier: sign-up, two-factor, recovery code, sign-out.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { choose, open, shoot } from "../support/harness.mjs";
import { totp } from "../support/totp.mjs";

const run = randomBytes(3).toString("hex");
export const person = { email: `maly-${run}@example.com`, password: "copper walrus sings at noon" };

export async function signUp(page, company) {
  await page.goto("/sign-up");
  await page.getByLabel("Company").fill(company);
  await choose(page, "Country", /^Cambodia/);
  assert.match(await page.getByLabel("Subdomain").inputValue(), /^[a-z0-9-]+$/);
  await page.getByLabel("Your name").fill("Chan Maly");
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Create carrier" }).click();
  await page.getByRole("heading", { name: "Set up two-factor sign-in" }).waitFor();
}

export async function setUpTwoFactor(page) {
  const key = await page.getByTestId("totp-key").textContent();
  const code = page.getByLabel("Code from the app");
  const right = totp(key);
  await code.fill(String((Number(right) + 1) % 1_000_000).padStart(6, "0"));
  await page.locator("[aria-invalid=true]").waitFor();
  // What was refused gives way to what is typed next, wherever the cursor is.
  await page.keyboard.type(totp(key));
  await page.getByRole("heading", { name: "Keep your recovery codes" }).waitFor();
  const codes = await page
    .getByRole("list", { name: "Recovery codes" })
    .getByRole("listitem")
    .allInnerTexts();
  assert.equal(codes.length, 10);
  return codes;
}

export const stories = {
  "the sign-up form shows every mistake at once": async ({ browser }) => {
    const page = await open(browser);
    await page.goto("/sign-up");
    await page.getByRole("button", { name: "Create carrier" }).click();
    await page.waitForFunction(() => document.querySelectorAll("[aria-invalid=true]").length === 6);
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-invalid") === "true");
    page.assertClean();
    await page.context().close();
  },

  "a stranger signs up, must set up two-factor, and sees the checklist": async (shared) => {
    const page = await open(shared.browser, { expected: [/422/, /403/] });
    await signUp(page, `Maly Telecom ${run}`);
    // It can be left, and comes back with the next sign-in.
    await page.getByRole("button", { name: "Sign in as somebody else" }).click();
    await page.getByLabel("E-mail").fill(person.email);
    await page.getByLabel("Password", { exact: true }).fill(person.password);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "Set up two-factor sign-in" }).waitFor();
    // Nothing else opens before.
    await page.goto("/accounts");
    await page.getByRole("heading", { name: "Set up two-factor sign-in" }).waitFor();
    await shoot(page, "two-factor");
    shared.recoveryCodes = await setUpTwoFactor(page);
    await shoot(page, "recovery-codes");
    assert.ok(await page.getByRole("button", { name: "Open the dashboard" }).isDisabled());
    await page.getByLabel("I have stored them in a safe place").check();
    await page.getByRole("button", { name: "Open the dashboard" }).click();
    await page.getByRole("heading", { name: "Accounts" }).waitFor();
    await page.getByRole("link", { name: "Overview" }).first().click();
    await page.getByText("1 of 5").waitFor();
    await shoot(page, "empty-overview");
    // Without an account a number would help nobody: the way to one is open from where a number is added.
    await page.getByRole("link", { name: "Add a phone number" }).click();
    await page.getByRole("button", { name: "Add number" }).first().click();
    await page.getByRole("dialog").getByRole("combobox", { name: "Account" }).click();
    await page.getByRole("link", { name: "No accounts yet. Create one first." }).click();
    await page.getByText("No accounts yet", { exact: true }).waitFor();
    page.assertClean();
    shared.strangerState = await page.context().storageState();
    await page.context().close();
  },

  "a recovery code signs in once": async (shared) => {
    assert.ok(shared.recoveryCodes, "needs the story before");
    const [code] = shared.recoveryCodes;
    for (const works of [true, false]) {
      const page = await open(shared.browser, { expected: [/422/, /403/] });
      await page.goto("/sign-in");
      await page.getByLabel("E-mail").fill(person.email);
      await page.getByLabel("Password", { exact: true }).fill(person.password);
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByRole("button", { name: "Use a recovery code" }).click();
      await page.getByLabel("Recovery code").fill(code);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      if (works) {
        await page.getByRole("heading", { name: "Overview" }).waitFor();
        shared.secondState = await page.context().storageState();
      } else {
        await page.locator("[aria-invalid=true]").waitFor();
      }
      page.assertClean();
      await page.context().close();
    }
  },

  "a wrong password says what to do and nothing about the account": async ({ browser }) => {
    const page = await open(browser);
    await page.goto("/sign-in");
    const said = [];
    for (const email of [person.email, `nobody-${run}@example.com`]) {
      await page.getByLabel("E-mail").fill(email);
      const password = page.getByLabel("Password", { exact: true });
      await password.fill("not the password");
      const at = await password.boundingBox();
      const answered = page.waitForResponse((response) => response.url().endsWith("/dashboard/sign-in"));
      await page.getByRole("button", { name: "Continue" }).click();
      assert.equal((await answered).status(), 401);
      said.push(await page.getByText(/password is wrong/).textContent());
      assert.deepEqual(await password.boundingBox(), at, "the refusal has moved the form");
    }
    assert.equal(said[0], said[1]);
    await page.context().close();
  },
};
