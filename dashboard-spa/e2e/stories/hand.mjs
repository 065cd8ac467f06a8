// Nothing moves under a hand: lists while calls come in, forms while something is pressed.
import assert from "node:assert/strict";
import { answeringWith, demo, open, shoot } from "../support/harness.mjs";
import { call } from "../support/phone.mjs";

const NUMBER = "+85512345678";
const CALLER = "+85577000111";
/** New calls a second, and for how long, in seconds. */
const RATE = 8;
const SECONDS = 4;

const quiet = { voice_url: null, twiml: '<Response><Say>Hi</Say><Pause length="120"/></Response>' };
const owner = async (shared, options = {}) =>
  open(shared.browser, { state: await shared.owner(), ...options });

/** Calls come in at a rate until stopped; resolves with the phones. */
function storm() {
  const phones = [];
  let count = 0;
  const timer = setInterval(() => {
    count += 1;
    const from = `+8558800${String(count).padStart(4, "0")}`;
    const phone = call(demo.sip_address, NUMBER.slice(1), from, { mute: true });
    // Looked at when the storm is over; one that is not answered is no end of all stories.
    phone.catch(() => undefined);
    phones.push(phone);
  }, 1000 / RATE);
  return {
    end: async () => {
      clearInterval(timer);
      const answered = await Promise.allSettled(phones);
      return answered.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
    },
  };
}

async function hangUpAll(phones) {
  for (const phone of phones) phone.hangUp();
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const phone of phones) phone.close();
}

/** However far a long list is scrolled, what says that something is new lies over no head and within no row. */
async function nothingIsCovered(page) {
  await page.setViewportSize({ width: 1280, height: 420 });
  for (const top of [0, 30, 60, 90, 140, 240, 10_000]) {
    const wrong = await page.evaluate((top) => {
      window.scrollTo(0, top);
      const news = document.querySelector("[role=status] button").getBoundingClientRect();
      const meets = ({ top, bottom }) => top < news.bottom && bottom > news.top;
      const covered = [...document.querySelectorAll("th, header")].filter((head) =>
        meets(head.getBoundingClientRect()),
      );
      const { left, right, top: above, bottom } = news;
      const edges = [left - 4, right + 4].flatMap((x) => [above + 2, bottom - 2].map((y) => [x, y]));
      const within = edges.map(([x, y]) => document.elementFromPoint(x, y)).filter((at) => at?.closest("td"));
      return [...covered, ...within].map(({ textContent }) => textContent);
    }, top);
    assert.deepEqual(wrong, [], `scrolled to ${top}`);
  }
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.setViewportSize({ width: 1280, height: 800 });
}

const box = async (locator) => JSON.stringify(await locator.boundingBox());

/** How far something has moved since. A button that is pressed sinks by one pixel. */
async function moved(locator, before) {
  const [was, is] = [JSON.parse(before), await locator.boundingBox()];
  return Math.max(Math.abs(was.x - is.x), Math.abs(was.y - is.y));
}

export const stories = {
  "the wrong call is never ended: with 8 new calls a second the row under the pointer stays": async (
    shared,
  ) =>
    answeringWith(NUMBER, quiet, async () => {
      const page = await owner(shared);
      await page.goto("/live");
      await page.getByText("Live ·").waitFor();
      const phone = await call(demo.sip_address, NUMBER.slice(1), CALLER);
      const row = page.getByRole("row").filter({ hasText: "+855 77 000 111" });
      await row.getByText("In progress").waitFor();
      const button = row.getByRole("button", { name: "Hang up" });
      await button.hover();
      const before = await box(row);
      const calls = storm();
      try {
        await page.waitForFunction(
          (wanted) =>
            Number(
              /^(\d+) new$/.exec(document.querySelector("[role=status] button")?.textContent ?? "")?.[1],
            ) >= wanted,
          RATE * SECONDS,
          { timeout: 60_000 },
        );
        assert.equal(await box(row), before, "the row moved under the pointer");
        // Pressed where the pointer has been all the while, without looking again.
        await page.mouse.down();
        await page.mouse.up();
        const question = page.getByRole("dialog", { name: "Hang up this call" });
        await question.getByText("+855 77 000 111").first().waitFor();
        const others = await calls.end();
        await question.getByRole("button", { name: "Hang up +855 77 000 111" }).click();
        await phone.ends();
        // The hand has left the list for the question: it has caught up.
        await page.getByRole("row").filter({ hasText: "+855 88 000" }).first().waitFor();
        assert.ok(!others.some((other) => other.isOver()), "another customer's call was ended");
        await hangUpAll(others);
      } finally {
        phone.close();
        await hangUpAll(await calls.end()).catch(() => undefined);
      }
      page.assertClean();
      await page.context().close();
    }),

  "a list catches up by itself when the hand has left it": async (shared) =>
    answeringWith(NUMBER, quiet, async () => {
      const page = await owner(shared);
      await page.goto("/calls");
      const rows = page.getByRole("row");
      // Before there are calls, rows that say nothing stand in their place.
      await rows.nth(1).getByRole("link").first().waitFor();
      await rows.nth(1).hover();
      const first = await rows.nth(1).textContent();
      // In a window that the list does not fit into, so that its foot is not at its end.
      await page.setViewportSize({ width: 1280, height: 420 });
      const foot = await box(page.locator("[data-foot]"));
      const phone = await call(demo.sip_address, NUMBER.slice(1), "+85577000222");
      try {
        await page.getByRole("button", { name: "1 new" }).waitFor();
        assert.equal(await box(page.locator("[data-foot]")), foot, "what says so came up over the list");
        assert.equal((await rows.nth(1).textContent())?.slice(0, 20), first?.slice(0, 20));
        await nothingIsCovered(page);
        await page.mouse.move(2, 2);
        await rows.filter({ hasText: "+855 77 000 222" }).first().waitFor();
        await page.getByRole("button", { name: "1 new" }).waitFor({ state: "detached" });
        // By keyboard it is the same: the focus is a hand.
        await rows.nth(1).getByRole("link").first().focus();
        await page.keyboard.press("Tab");
        await page.keyboard.press("Shift+Tab");
        const again = await call(demo.sip_address, NUMBER.slice(1), "+85577000333");
        await page.getByRole("button", { name: "1 new" }).waitFor();
        assert.ok(await rows.nth(1).getByText("+855 77 000 222").isVisible());
        await hangUpAll([again]);
      } finally {
        await hangUpAll([phone]);
      }
      page.assertClean();
      await page.context().close();
    }),

  "a call that ended while the connection was lost is over in its row, although that is held": async (
    shared,
  ) =>
    answeringWith(NUMBER, quiet, async () => {
      const page = await owner(shared);
      let [refuse, connection] = [false, undefined];
      await page.routeWebSocket(/\/dashboard\/live$/, (socket) => {
        if (refuse) return socket.close({ code: 1001 });
        connection = socket;
        socket.connectToServer();
      });
      await page.goto("/live");
      const phone = await call(demo.sip_address, NUMBER.slice(1), CALLER);
      const row = page.getByRole("row").filter({ hasText: "+855 77 000 111" });
      await row.getByText("In progress").waitFor();
      // The question was asked, and answered with no: what it knew of the call is no news any more.
      await row.getByRole("button", { name: "Hang up" }).click();
      await page.getByRole("button", { name: "Keep it" }).click();
      await row.getByText("In progress").hover();
      refuse = true;
      await connection.close({ code: 1001 });
      await page.getByText("Live updates are interrupted.").waitFor();
      await hangUpAll([phone]);
      refuse = false;
      await row.getByText("Completed").waitFor();
      await row.getByRole("button", { name: "Ended" }).waitFor();
      page.assertClean();
      await page.context().close();
    }),

  "a newcomer's first click is not lost, and nothing complains before it was touched": async ({
    browser,
  }) => {
    const page = await open(browser);
    await page.goto("/sign-in");
    await page.getByLabel("E-mail").waitFor();
    await page.waitForFunction(() => document.activeElement?.getAttribute("type") === "email");
    const link = page.getByRole("link", { name: "Sign up" });
    const at = await box(link);
    await link.hover();
    await page.mouse.down();
    assert.ok((await moved(link, at)) <= 1, "it moved while it was pressed");
    await page.mouse.up();
    await page.getByRole("heading", { name: "Create your carrier" }).waitFor();
    for (const label of ["Company", "Subdomain", "Your name", "E-mail"]) await page.getByLabel(label).focus();
    assert.equal(await page.locator("[aria-invalid=true]").count(), 0);
    page.assertClean();
    await page.context().close();
  },

  "a message about a field moves nothing that is being pressed": async ({ browser }) => {
    for (const width of [1280, 390]) {
      const page = await open(browser, { width });
      await page.goto("/sign-up");
      await page.getByLabel("E-mail").fill("nobody");
      const button = page.getByRole("button", { name: "Create carrier" });
      await button.hover();
      const at = await box(button);
      await page.mouse.down();
      assert.ok((await moved(button, at)) <= 1, `it moved while it was pressed at ${width} px`);
      await page.mouse.up();
      await page.waitForFunction(() => document.querySelectorAll("[aria-invalid=true]").length === 6);
      await shoot(page, `sign-up-mistakes-${width}`);
      page.assertClean();
      await page.context().close();
    }
  },
};
