// From a number to a call that is heard, and what went wrong with one.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { answeringWith, api, demo, open, shoot } from "../support/harness.mjs";
import { call, waiting } from "../support/phone.mjs";

const NUMBER = "+85512345678";
const owner = async (shared, options = {}) =>
  open(shared.browser, { state: await shared.owner(), ...options });

/** Calls the number and lets it end by itself. */
async function callUntilEnd(from) {
  const phone = await call(demo.sip_address, NUMBER.slice(1), from);
  await phone.ends();
  phone.close();
}

export const stories = {
  "a test call is heard without any server: a greeting is kept, and the number rings a phone": async (
    shared,
  ) =>
    answeringWith(NUMBER, { voice_url: null, twiml: null }, async ({ sid }) => {
      const page = await owner(shared);
      const phone = await waiting();
      try {
        await page.goto(`/test-call?number=${sid}`);
        await page.getByText("Nothing answers this number yet").waitFor();
        await page.getByRole("button", { name: "Answer with a greeting" }).click();
        await page.getByText("<Say>").first().waitFor();
        await page.getByText(`sip:${NUMBER.slice(1)}@${demo.sip_address}`, { exact: true }).waitFor();
        await page.getByLabel("Ring").fill(phone.address);
        await page.getByRole("button", { name: "Call me" }).click();
        await phone.hears();
        await page.getByText(phone.address).first().waitFor();
        await shoot(page, "test-call");
        const { checklist } = await api("GET", "/overview");
        assert.equal(checklist.test_call, true);
      } finally {
        phone.close();
      }
      page.assertClean();
      await page.context().close();
    }),

  "a stranger's phone is not rung, and the call says why": async (shared) => {
    const page = await owner(shared);
    await page.goto("/test-call");
    await page.getByLabel("Ring").fill("sip:me@198.51.100.7");
    await page.getByRole("button", { name: "Call me" }).click();
    await page.getByText("no inbound trunk has this phone's address").first().waitFor();
    page.assertClean();
    await page.context().close();
  },

  "a number answers with a text that is written on its page": async (shared) =>
    answeringWith(NUMBER, {}, async ({ sid }) => {
      const page = await owner(shared);
      await page.goto(`/numbers/${sid}`);
      await page.getByText("A TwiML text kept here answers").click();
      const text = page.getByLabel("TwiML", { exact: true });
      await text.fill("<Response><Say>Hi");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("This is not XML").waitFor();
      await text.fill("<Response><Say>Hi</Say><Hangup/></Response>");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByText("Configuration saved.").waitFor();
      await shoot(page, "number-twiml");
      await callUntilEnd("+85577000444");
      page.assertClean();
      await page.context().close();
    }),

  "a failure does not look green: an answered call whose application fails says so in every list": async (
    shared,
  ) => {
    const twiml = "<Response><Pause length='1'/><Redirect>http://127.0.0.1:9/none</Redirect></Response>";
    await answeringWith(NUMBER, { voice_url: null, twiml }, () => callUntilEnd("+85577000555"));
    const page = await owner(shared);
    await page.goto("/");
    const problems = page.getByRole("link", { name: /With problems today/ });
    await problems.getByText(/^[1-9]/).waitFor();
    await page
      .getByRole("row")
      .filter({ hasText: "+855 77 000 555" })
      .getByText("Application failed")
      .first()
      .waitFor();
    await shoot(page, "overview-problems");
    await problems.click();
    await page.waitForURL(/problems=true/);
    const row = page.getByRole("row").filter({ hasText: "+855 77 000 555" }).first();
    await row.getByText("Application failed").waitFor();
    assert.equal(await page.getByText("Completed", { exact: true }).count(), 0);
    await shoot(page, "calls-problems");
    await page.goBack();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    page.assertClean();
    await page.context().close();
  },

  "a call is taken away as text and as a capture, and a link leads to one of its rows": async (shared) => {
    const page = await owner(shared);
    const { data } = await api("GET", "/calls?limit=1&status=completed");
    await page.goto(`/calls/${data[0].sid}`);
    const timeline = page.getByRole("list", { name: "Timeline" });
    await timeline.getByRole("listitem").first().waitFor();
    const saved = async (item) => {
      const download = page.waitForEvent("download");
      await page.getByRole("button", { name: "Export" }).click();
      await page.getByRole("menuitem", { name: item }).click();
      return readFileSync(await (await download).path());
    };
    const text = (await saved("Everything as text")).toString();
    assert.match(text, /INVITE sip:/);
    assert.ok(!text.includes("\r"), "the text has one kind of line end");
    const capture = await saved("SIP messages as pcap");
    assert.equal(capture.readUInt32BE(0), 0xa1b2c3d4);
    assert.ok(capture.includes("INVITE sip:"));
    const row = timeline.getByRole("listitem").nth(2);
    const [id] = [await row.getAttribute("id")];
    await page.goto(`/calls/${data[0].sid}?row=${id.replace("row-", "")}`);
    await page.getByRole("button", { name: "Copy link to this row" }).waitFor();
    await shoot(page, "call-row");
    page.assertClean();
    await page.context().close();
  },
};
