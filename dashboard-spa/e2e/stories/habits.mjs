// What people take for granted: Back, Escape, a page that opens without the server, no motion when none is wanted.
import assert from "node:assert/strict";
import { accessible, answeringWith, api, demo, fitsWidth, open, shoot } from "../support/harness.mjs";
import { call } from "../support/phone.mjs";

const NUMBER = "+85512345678";

const owner = async (shared, options = {}) =>
  open(shared.browser, { state: await shared.owner(), ...options });

/** Names of the scripts that are loaded. */
const scripts = (page) =>
  page.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name }) => name.split("/").at(-1) ?? ""),
  );

export const stories = {
  "all page code is there soon after the start, and opens with the server away": async (shared) => {
    const page = await owner(shared, { expected: [/ERR_INTERNET_DISCONNECTED/, /WebSocket/] });
    await page.goto("/");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.waitForFunction(() =>
      ["Audit-", "Settings-", "TestCall-"].every((page) =>
        performance.getEntriesByType("resource").some(({ name }) => name.includes(`/assets/${page}`)),
      ),
    );
    await page.context().setOffline(true);
    await page.getByRole("link", { name: "Audit" }).first().click();
    await page.getByRole("heading", { name: "Audit" }).waitFor();
    await page.getByRole("link", { name: "Settings" }).first().click();
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    await page.context().setOffline(false);
    await page.context().close();
  },

  "a page whose code does not come says so in our words and comes back": async (shared) => {
    const page = await owner(shared, { expected: [/ERR_FAILED/, /could not be loaded/] });
    await page.route(/assets\/Audit-/, (route) => route.abort());
    await page.goto("/");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("link", { name: "Audit" }).first().click();
    await page.getByText("This page could not be loaded").waitFor();
    await shoot(page, "page-not-loaded");
    await page.unroute(/assets\/Audit-/);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Audit" }).waitFor();
    assert.ok((await scripts(page)).some((name) => name.startsWith("Audit-")));
    await page.context().close();
  },

  "Back undoes a filter, and a wrong one in the address is said in our words": async (shared) => {
    const page = await owner(shared);
    await page.goto("/calls");
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await page.getByRole("menuitem", { name: "Direction" }).hover();
    await page.getByRole("menuitem", { name: "Inbound" }).click();
    await page.waitForURL(/direction=inbound/);
    await page.getByLabel("Caller's number").pressSequentially("+85577", { delay: 350 });
    await page.waitForURL(/from=%2B85577/);
    await page.goBack();
    await page.waitForURL((url) => url.search === "?direction=inbound");
    await page.goBack();
    await page.waitForURL((url) => url.search === "");
    await page.goto("/calls?status=fialed&colour=red");
    await page.getByText("Status can't be fialed.").waitFor();
    await page.getByText("There is no filter colour here.").waitFor();
    await shoot(page, "wrong-filter");
    await page.getByRole("button", { name: "Show the list without it" }).click();
    await page.getByRole("row").nth(1).waitFor();
    page.assertClean();
    await page.context().close();
  },

  "every filter is whole in its menu, by pointer and by keyboard, on a phone as well": async (shared) => {
    for (const width of [1280, 390]) {
      const page = await owner(shared, { width, height: 844 });
      await page.goto("/calls");
      await page.getByRole("button", { name: "Filter", exact: true }).click();
      for (const [filter, last] of [
        ["Status", "Canceled"],
        ["Started", /./],
      ]) {
        await page.getByRole("menuitem", { name: filter, exact: true }).click();
        const group = page.getByRole("group", { name: filter, exact: true });
        const option = group.getByRole("menuitem", { name: last }).last();
        await option.waitFor();
        const hidden = await group.getByRole("menuitem").evaluateAll((items) =>
          items
            .filter((item) => {
              const { left, right, top, bottom } = item.getBoundingClientRect();
              const corners = [left + 4, right - 4].flatMap((x) => [top + 4, bottom - 4].map((y) => [x, y]));
              return !corners.every(([x, y]) => item.contains(document.elementFromPoint(x, y)));
            })
            .map(({ textContent }) => textContent),
        );
        assert.deepEqual(hidden, [], `${filter} at ${width} px`);
        await accessible(page, `the menu of filters at ${width} px`, ["best-practice"]);
      }
      await shoot(page, `filters-${width}`);
      if (width > 640) {
        for (const name of ["Choose columns", /theme and sign-out/]) {
          await page.keyboard.press("Escape");
          await page.getByRole("button", { name }).first().click();
          await page.getByRole("menu").waitFor();
          await accessible(page, `the menu of ${name}`, ["best-practice"]);
        }
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: "Filter", exact: true }).click();
      }
      await page.keyboard.press("Escape");
      await page.keyboard.press("Enter");
      await page.getByRole("menuitem", { name: "Status", exact: true }).focus();
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await page.waitForURL(/status=in-progress/);
      page.assertClean();
      await page.context().close();
    }
  },

  "Escape gives the focus back to what opened a dialog": async (shared) => {
    const page = await owner(shared);
    const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim());
    await page.goto("/accounts");
    await page.getByRole("button", { name: "Create account" }).first().click();
    await page.getByRole("dialog").getByLabel("Name").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.textContent?.trim() === "Create account");
    await page.getByRole("button", { name: /^Search/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByLabel("Search", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.waitForFunction(() => /^Search/.test(document.activeElement?.textContent ?? ""));
    assert.match(await focused(), /^Search/);
    page.assertClean();
    await page.context().close();
  },

  "who wants no motion sees none that goes on": async (shared) => {
    const page = await owner(shared);
    await page.emulateMedia({ reducedMotion: "reduce" });
    for (const path of ["/live", "/calls", "/"]) {
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.locator("[aria-busy=true], .mantine-Skeleton-root").first().waitFor({ state: "detached" });
      await page.waitForFunction(() =>
        document.getAnimations().every(({ playState }) => playState !== "running"),
      );
    }
    page.assertClean();
    await page.context().close();
  },

  "heads and feet of lists stay in sight, and nothing is cut off at 1280 and 1000": async (shared) =>
    withCalls(12, () =>
      withNumbers(12, undefined, async () => {
        for (const width of [1280, 1000]) {
          const page = await owner(shared, { width, height: 420 });
          for (const path of ["/calls", "/numbers", "/trunks", "/accounts", "/audit"]) {
            const scrolled = await listStaysFramed(page, path, width);
            // Of these there are more than the window has room for.
            if (["/calls", "/numbers"].includes(path)) assert.ok(scrolled > 0, `${path} did not scroll`);
          }
          page.assertClean();
          await page.context().close();
        }
      }),
    ),

  "a list says how much it has and is sorted by its heads, and Back undoes it": async (shared) => {
    const page = await owner(shared);
    await withNumbers(60, undefined, () => sortedByHeads(page));
    page.assertClean();
    await page.context().close();
  },

  "names are found in any case, numbers in their national form": async (shared) => {
    const page = await owner(shared);
    await withNumbers(1, "Straße der Einheit", async () => {
      for (const typed of ["STRASSE DER", "077 000 001"]) {
        await page.goto("/numbers");
        await page.getByLabel("Find a number").fill(typed);
        await page.getByText("1 number", { exact: true }).waitFor();
        await page.getByText("+855 77 000 001").waitFor();
      }
    });
    page.assertClean();
    await page.context().close();
  },
};

/** Its rows are whole, and its head and foot in the window while it is scrolled. Returns how far that was, in pixels. */
async function listStaysFramed(page, path, width) {
  await page.goto(path);
  await page.getByRole("row").nth(1).waitFor();
  // Before there is a list, rows that say nothing stand in its place.
  await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
  await fitsWidth(page, `${path} at ${width}`);
  const cut = await page.evaluate(() =>
    [...document.querySelectorAll("th, td:not([data-shrink=true])")]
      .filter((cell) => cell.scrollWidth > cell.clientWidth + 1)
      .map((cell) => cell.textContent),
  );
  assert.deepEqual(cut, [], `${path} at ${width} px`);
  const framed = () =>
    page.waitForFunction(() =>
      ["th", "[data-foot]"].every((part) => {
        const { top, bottom } = document.querySelector(part).getBoundingClientRect();
        return top >= 0 && bottom <= window.innerHeight;
      }),
    );
  await framed();
  // Over the list: the rail scrolls by itself where it is higher than the window.
  await page.mouse.move(width / 2, 200);
  await page.mouse.wheel(0, 600);
  await page.waitForFunction(
    () => window.scrollY > 0 || document.documentElement.scrollHeight <= window.innerHeight,
  );
  await framed();
  return page.evaluate(() => window.scrollY);
}

/** Tells a story when so many calls have been made, and refused. */
async function withCalls(many, story) {
  const refusing = { voice_url: null, twiml: "<Response><Reject/></Response>" };
  const calling = () => call(demo.sip_address, NUMBER.slice(1));
  await answeringWith(NUMBER, refusing, () => Promise.allSettled(Array.from({ length: many }, calling)));
  await story();
}

/** Tells a story with so many numbers in a row, the first one with this name; they are gone afterwards. */
async function withNumbers(many, name, story) {
  const sids = [];
  try {
    for (let serial = 1; serial <= many; serial += 1) {
      const number = `+8557700${String(serial).padStart(4, "0")}`;
      sids.push((await api("POST", "/phone-numbers", { number })).sid);
    }
    if (name) await api("PATCH", `/phone-numbers/${sids[0]}`, { friendly_name: name });
    await story();
  } finally {
    for (const sid of sids) await api("DELETE", `/phone-numbers/${sid}`);
  }
}

async function sortedByHeads(page) {
  await page.goto("/numbers?number=85577");
  const first = page.locator("tbody tr").first();
  await page.getByText("First 50 of 60 numbers").waitFor();
  await first.getByText("+855 77 000 060").waitFor();
  const head = (name) => page.getByRole("columnheader", { name });
  const sorted = async (name, direction, number) => {
    await first.getByText(number).waitFor();
    assert.equal(await head(name).getAttribute("aria-sort"), direction);
  };
  await sorted("Added", "descending", "+855 77 000 060");
  await head("Number").getByRole("button").click();
  await page.waitForURL(/order=number/);
  await sorted("Number", "ascending", "+855 77 000 001");
  await head("Number").getByRole("button").click();
  await page.waitForURL(/order=-number/);
  await sorted("Number", "descending", "+855 77 000 060");
  await page.getByRole("button", { name: "Show more" }).click();
  await page.getByText("+855 77 000 001").waitFor();
  await page.getByText("60 numbers", { exact: true }).waitFor();
  await shoot(page, "sorted-desk");
  await page.goBack();
  await sorted("Number", "ascending", "+855 77 000 001");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByLabel("Order").selectOption({ label: "Number, descending" });
  await page.getByRole("listitem").first().getByText("+855 77 000 060").waitFor();
  await fitsWidth(page, "a sorted list on a phone");
  await accessible(page, "a sorted list on a phone");
  await shoot(page, "sorted-phone");
  await page.goto("/numbers?order=colour");
  await page.getByText("Order can't be").waitFor();
}
