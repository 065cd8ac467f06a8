// A real call: it appears while it rings, counts, fills its page, and ends by a click.
import assert from "node:assert/strict";
import { demo, open, shoot } from "../support/harness.mjs";
import { call } from "../support/phone.mjs";

const FROM = "+85577000111";

async function owner(shared, options = {}) {
  return open(shared.browser, { state: await shared.owner(), ...options });
}

const rowOf = (page) => page.getByRole("row").filter({ hasText: "+855 77 000 111" });

export const liveStories = {
  "a live call appears, counts, and is hung up from the dashboard": async (shared) => {
    const page = await owner(shared);
    await page.goto("/live");
    await page.getByText("Nobody is calling right now").waitFor();
    const phone = await call(demo.sip_address, "1234", FROM);
    try {
      const row = rowOf(page);
      await row.getByText("In progress").waitFor();
      await row.getByText("0:01").waitFor();
      await shoot(page, "live");
      await row.getByRole("button", { name: "Hang up" }).click();
      await phone.ended;
      await page.getByText("Nobody is calling right now").waitFor();
    } finally {
      phone.close();
    }
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
      await phone.ended;
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
