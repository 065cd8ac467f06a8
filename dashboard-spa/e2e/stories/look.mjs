// Every page in both themes, at desk and phone width: nothing keeps people out, nothing sticks out, no errors.
import assert from "node:assert/strict";
import { accessible, demo, fitsWidth, open, shoot } from "../support/harness.mjs";

const views = [
  { name: "desk-light", width: 1280, height: 800 },
  { name: "desk-dark", width: 1280, height: 800, dark: true },
  { name: "phone-light", width: 390, height: 844 },
  { name: "phone-dark", width: 390, height: 844, dark: true },
];

/** Pages by name; those of one thing are found through the API. */
async function pages(page) {
  const first = async (path) => {
    const answer = await page.request.get(`/carrier/v1${path}?limit=1`);
    return (await answer.json()).data[0]?.sid;
  };
  const [number, trunk, account, call] = await Promise.all(
    ["/phone-numbers", "/trunks", "/accounts", "/calls"].map(first),
  );
  return {
    overview: "/",
    live: "/live",
    calls: "/calls",
    numbers: "/numbers",
    number: `/numbers/${number}`,
    trunks: "/trunks",
    outbound: "/trunks?tab=outbound",
    trunk: `/trunks/${trunk}`,
    accounts: "/accounts",
    account: `/accounts/${account}`,
    team: "/team",
    audit: "/audit",
    settings: "/settings",
    keys: "/settings?tab=keys",
    "sign-in-settings": "/settings?tab=you",
    ...(call && { call: `/calls/${call}`, ladder: `/calls/${call}?view=ladder` }),
  };
}

const eachView = Object.fromEntries(
  views.map((view) => [
    `every page is sound at ${view.name}`,
    async (shared) => {
      const page = await open(shared.browser, { ...view, state: await shared.owner() });
      for (const [name, path] of Object.entries(await pages(page))) {
        await page.goto(path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.locator("[aria-busy=true], .mantine-Skeleton-root").first().waitFor({ state: "detached" });
        await shoot(page, `${name}-${view.name}`);
        await accessible(page, `${name} at ${view.name}`);
        await fitsWidth(page, `${name} at ${view.name}`);
      }
      page.assertClean();
      await page.context().close();
    },
  ]),
);

export const stories = {
  "scripts and styles come compressed": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    await page.goto("/");
    await page.getByRole("heading", { level: 1 }).waitFor();
    const texts = await page.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .filter(({ name, decodedBodySize }) => /\.(js|css)$/.test(name) && decodedBodySize > 100_000)
        .map(({ name, encodedBodySize, decodedBodySize }) => [name, encodedBodySize / decodedBodySize]),
    );
    assert.ok(texts.length > 0, "there are large scripts");
    for (const [name, ratio] of texts) assert.ok(ratio < 0.5, `${name} is sent at ${ratio} of its size`);
    await page.context().close();
  },

  ...eachView,

  "the doors are sound in both themes": async ({ browser }) => {
    for (const view of views) {
      const page = await open(browser, view);
      for (const path of ["/sign-in", "/sign-up"]) {
        await page.goto(path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await accessible(page, `${path} at ${view.name}`);
        await fitsWidth(page, `${path} at ${view.name}`);
      }
      page.assertClean();
      await page.context().close();
    }
  },

  "the palette finds a number by keyboard alone": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    await page.goto("/");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.keyboard.press("ControlOrMeta+k");
    await page.getByLabel("Search", { exact: true }).fill("85512345678");
    await page.getByRole("dialog").getByText("+855 12 345 678", { exact: true }).first().waitFor();
    await shoot(page, "palette");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "+855 12 345 678" }).waitFor();
    await page.keyboard.press("ControlOrMeta+k");
    await page.getByLabel("Search", { exact: true }).waitFor();
    await accessible(page, "the palette");
    await page.keyboard.press("Escape");
    page.assertClean();
    await page.context().close();
  },

  "the palette opens from inside a field, where a slash is a character": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    await page.goto("/numbers");
    const field = page.getByLabel("Find a number");
    await field.press("/");
    assert.equal(await field.inputValue(), "/");
    await field.press("ControlOrMeta+k");
    const palette = page.getByLabel("Search", { exact: true });
    await palette.waitFor();
    // And again from the palette's own field, while it closes: it stays open, and answers what is typed.
    await page.keyboard.press("Escape");
    await page.keyboard.press("ControlOrMeta+k");
    const asked = page.waitForResponse((response) => /\/accounts\?.*name=calls/.test(response.url()));
    await palette.fill("calls");
    await asked;
    assert.ok(await palette.isVisible(), "it has closed");
    assert.equal(await palette.inputValue(), "calls");
    page.assertClean();
    await page.context().close();
  },

  "the palette takes no dialog away: what was typed there is there after it was asked for": async (
    shared,
  ) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    await page.goto("/accounts");
    await page.getByRole("button", { name: "Create account" }).first().click();
    const name = page.getByRole("dialog").getByLabel("Name");
    await name.fill("Acme");
    const submit = page.getByRole("dialog").getByRole("button", { name: "Create account" });
    // In a field, and on a button, where a slash types nothing.
    for (const [at, keys] of [
      [name, ["ControlOrMeta+k", "/"]],
      [submit, ["/", "ControlOrMeta+k"]],
    ]) {
      for (const key of keys) {
        await at.press(key);
        // What opens is drawn by then.
        await page.evaluate(
          () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))),
        );
        assert.equal(await page.getByRole("dialog").count(), 1, key);
      }
    }
    assert.equal(await name.inputValue(), "Acme/");
    page.assertClean();
    await page.context().close();
  },

  "the first tab stop leads past the rail": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    await page.goto("/calls");
    await page.getByRole("heading", { name: "Calls" }).waitFor();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to content");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement?.id === "content");
    await page.context().close();
  },

  "a theme once chosen stays": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    await page.goto("/");
    await page
      .getByRole("button", { name: /theme and sign-out/ })
      .first()
      .click();
    await page.getByRole("menuitemradio", { name: "Dark" }).click();
    await page.reload();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    assert.equal(await page.locator("html").getAttribute("data-mantine-color-scheme"), "dark");
    await page.context().close();
  },

  "filters live in the address and come off one by one": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    await page.goto("/numbers?enabled=true");
    await page.getByRole("row").filter({ hasText: "1234" }).first().waitFor();
    await page.getByLabel("Find a number").fill("855");
    await page.waitForURL(/number=855/);
    await page.getByRole("link", { name: "1234", exact: true }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Remove filter Status" }).click();
    await page.waitForURL((url) => !url.search.includes("enabled"));
    await page.getByLabel("Clear search").click();
    await page.getByRole("link", { name: "1234", exact: true }).waitFor();
    page.assertClean();
    await page.context().close();
  },

  "what is not there says so and leads on": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner(), expected: [/404/] });
    await page.goto(`/calls/CA${"0".repeat(32)}`);
    await page.getByRole("alert").getByRole("link", { name: "Back to Calls" }).click();
    await page.waitForURL((url) => url.pathname === "/calls");
    await page.goto("/no/such/page");
    await page.getByText("There is no such page").waitFor();
    await page.getByRole("navigation", { name: "Main" }).waitFor();
    await page.getByRole("link", { name: "Go to the overview" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    page.assertClean();
    await page.context().close();
  },

  "every list of the demo has what the demo made": async (shared) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    await page.goto("/numbers");
    for (const number of demo.numbers) {
      const shown = number.length > 6 ? "+855 12 345 678" : number;
      await page.getByRole("link", { name: shown, exact: true }).waitFor();
    }
    await page.context().close();
  },
};
