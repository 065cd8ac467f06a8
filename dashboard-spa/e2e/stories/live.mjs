// A real call: it appears while it rings, counts, fills its page, and ends by a click.
import assert from "node:assert/strict";
import { demo, open, shoot } from "../support/harness.mjs";
import { call } from "../support/phone.mjs";

const FROM = "+85577000111";

async function owner(shared, options = {}) {
  return open(shared.browser, { state: await shared.owner(), ...options });
}

const rowOf = (page) => page.getByRole("row").filter({ hasText: "+855 77 000 111" });

export const stories = {
  "a live call appears, counts, and is hung up from the dashboard": async (shared) => {
    const page = await owner(shared);
    await page.goto("/live");
    await page.getByText("Nobody is calling right now").waitFor();
    const phone = await call(demo.sip_address, "1234", FROM);
    try {
      const row = rowOf(page);
      await row.getByText("In progress").waitFor();
      // Any time but its first second: none of them stays for long.
      await row.getByText(/^\d+:(0[1-9]|[1-9]\d)$/).waitFor();
      await shoot(page, "live");
      await row.getByRole("button", { name: "Hang up" }).click();
      const question = page.getByRole("dialog", { name: "Hang up this call" });
      await question.getByRole("button", { name: "Hang up +855 77 000 111" }).click();
      await phone.ends();
      await question.waitFor({ state: "detached" });
      // Whoever has left the list sees it without the call.
      await page.mouse.move(2, 2);
      await page.getByRole("heading", { name: "Live calls" }).click();
      await page.getByText("Nobody is calling right now").waitFor();
    } finally {
      phone.close();
    }
    page.assertClean();
    await page.context().close();
  },

  "a live call is hung up by keyboard alone, and the focus is never lost": async (shared) => {
    const page = await owner(shared);
    await page.goto("/live");
    await page.getByText("Nobody is calling right now").waitFor();
    const phones = [
      await call(demo.sip_address, "1234", FROM),
      await call(demo.sip_address, "1234", "+85577000666"),
    ];
    try {
      for (const [at, number] of ["+855 77 000 111", "+855 77 000 666"].entries()) {
        await page.getByRole("button", { name: `Hang up ${number}` }).focus();
        const question = page.getByRole("dialog", { name: `Hang up this call: ${number} to 1234` });
        const hasFocus = (name) =>
          page.waitForFunction((name) => document.activeElement?.textContent === name, name);
        // Whoever presses Enter twice has ended nothing.
        await page.keyboard.press("Enter");
        await hasFocus("Keep it");
        await page.keyboard.press("Enter");
        await question.waitFor({ state: "detached" });
        await hasFocus("Hang up");
        assert.ok(!phones[at].isOver(), "Enter twice has ended a call");
        await page.keyboard.press("Enter");
        await hasFocus("Keep it");
        await page.keyboard.press("Tab");
        await hasFocus(`Hang up ${number} → 1234`);
        await page.keyboard.press("Enter");
        await phones[at].ends();
        await question.waitFor({ state: "detached" });
        // On what is left of the row, on the next one, or on the heading when there is none.
        await page.waitForFunction(() => document.activeElement?.closest("tr, h1"));
      }
      await page.getByRole("heading", { name: "Live calls" }).click();
      await page.getByText("Nobody is calling right now").waitFor();
    } finally {
      for (const phone of phones) phone.close();
    }
    page.assertClean();
    await page.context().close();
  },

  "a call that ends under the focus takes no press with it, and an opened one begins at its heading": async (
    shared,
  ) => {
    const page = await owner(shared);
    const focused = () => page.evaluate(() => document.activeElement?.tagName);
    await page.goto("/live");
    await page.getByText("Nobody is calling right now").waitFor();
    const phone = await call(demo.sip_address, "1234", FROM);
    try {
      const row = rowOf(page);
      await row.getByText("In progress").waitFor();
      // By key, so that it is a focus that holds the list.
      await row.getByRole("link").first().focus();
      await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("Tab");
      await row.getByRole("button", { name: "Hang up" }).focus();
      phone.hangUp();
      await row.getByRole("button", { name: "Ended" }).waitFor();
      await page.getByRole("button", { name: "1 ended" }).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Ended");
      await page.keyboard.press("Enter");
      assert.equal(new URL(page.url()).pathname, "/live");
      assert.equal(await page.getByRole("dialog").count(), 0);
      await row.getByRole("link").first().focus();
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/calls\/CA/);
      await page.waitForFunction(() => document.activeElement?.tagName === "H1");
      await page.getByRole("heading", { name: "What happened" }).waitFor();
      assert.equal(await focused(), "H1");
    } finally {
      phone.close();
    }
    page.assertClean();
    await page.context().close();
  },

  "a click beside a name in a call's row opens the call, and one on the name what it names": async (
    shared,
  ) => {
    const page = await owner(shared);
    await page.goto("/calls");
    const cell = page.getByRole("row").nth(1).getByRole("cell").filter({ hasText: "Demo Account" });
    await cell.waitFor();
    const { width, height } = await cell.boundingBox();
    await cell.click({ position: { x: width - 20, y: height / 2 } });
    await page.waitForURL(/\/calls\/CA/);
    await page.goBack();
    await cell.getByRole("link").click();
    await page.waitForURL(/\/accounts\/AC/);
    page.assertClean();
    await page.context().close();
  },

  "a live call fills its page with rows, and each opens to what was sent": async (shared) => {
    const page = await owner(shared);
    await page.goto("/live");
    await page.getByText("Live ·").waitFor();
    const phone = await call(demo.sip_address, "1234", FROM);
    try {
      await rowOf(page).getByRole("link").first().click();
      const timeline = page.getByRole("list", { name: "Timeline" });
      await timeline.getByRole("button").filter({ hasText: "<Gather>" }).first().waitFor();
      await shoot(page, "call-live");
      const before = await timeline.getByRole("listitem").count();
      await page.getByRole("button", { name: "Hang up" }).click();
      await page
        .getByRole("dialog")
        .getByRole("button", { name: /^Hang up/ })
        .click();
      await phone.ends();
      await timeline.getByRole("button").filter({ hasText: /Ended/ }).first().waitFor();
      assert.ok((await timeline.getByRole("listitem").count()) > before, "rows arrived without reloading");
      await timeline.getByRole("button").filter({ hasText: "POST http" }).first().click();
      await page.getByRole("table", { name: "Request parameters" }).getByText("CallSid").waitFor();
      await page.getByText("<Response>").first().waitFor();
      await page.getByRole("button", { name: "Copy as curl" }).waitFor();
      await shoot(page, "call-webhook");
      await page.getByText("SIP ladder").click();
      const ladder = page.getByRole("region", { name: "SIP ladder" });
      await ladder.getByRole("button").filter({ hasText: "INVITE" }).first().click();
      await ladder.getByText("Call-ID:").first().waitFor();
      await shoot(page, "call-ladder");
    } finally {
      phone.close();
    }
    page.assertClean();
    await page.context().close();
  },

  "SIP messages of a live call that can't be read are not said to be missing": async (shared) => {
    const page = await owner(shared, { expected: [/403/] });
    await page.goto("/calls");
    // Refused until the button is pressed, however often the page asks by itself.
    await page.evaluate(() => {
      const note = ({ target }) => {
        window.tried ||= target.closest("button")?.textContent === "Try again";
      };
      addEventListener("click", note, true);
    });
    await page.route(/\/messages(\?|$)/, async (route) =>
      (await page.evaluate(() => window.tried))
        ? route.continue()
        : route.fulfill({ status: 403, json: { detail: "Not now" } }),
    );
    await page.getByRole("row").filter({ hasText: "+855 77 000 111" }).getByRole("link").first().click();
    await page.getByRole("list", { name: "Timeline" }).waitFor();
    await page.getByText("SIP ladder").click();
    await page.getByRole("alert").getByText("Not now").waitFor();
    assert.ok(!(await page.getByText("No SIP messages are kept").isVisible()));
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("region", { name: "SIP ladder" }).waitFor();
    page.assertClean();
    await page.context().close();
  },

  "a live call is found later by its caller, its called number and its account": async (shared) => {
    const page = await owner(shared);
    await page.goto("/calls");
    await page.getByLabel("Caller's number").fill("+85577000111");
    await page.waitForURL(/from=%2B85577000111/);
    await page.getByLabel("Called number").fill("1234");
    await page.waitForURL(/to=1234/);
    await rowOf(page).first().waitFor();
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await page.getByRole("menuitem", { name: "Account" }).click();
    await page.getByRole("combobox", { name: "Account" }).fill("demo");
    await page.getByRole("option", { name: "Demo Account" }).click();
    await page.waitForURL(/account_sid=AC/);
    await page.getByText("Account: Demo Account").waitFor();
    await shoot(page, "calls-filtered");
    await rowOf(page).first().waitFor();
    await page.getByLabel("Caller's number").fill("+85577000112");
    await page.getByText("Nothing matches these filters.").waitFor();
    page.assertClean();
    await page.context().close();
  },

  "a refused live call says why and what to do": async (shared) => {
    const page = await owner(shared);
    await assert.rejects(call(demo.sip_address, "85599999999", FROM), /refused: SIP\/2\.0 404/);
    await page.goto("/calls?status=failed");
    await page.getByRole("row").filter({ hasText: "999 999" }).first().click();
    await page
      .getByText(/not in the inventory/)
      .first()
      .waitFor();
    page.assertClean();
    await page.context().close();
  },
};
