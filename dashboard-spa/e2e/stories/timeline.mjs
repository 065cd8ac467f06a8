// A call's rows tell what was said and pressed, and are drawn where in the call they were.
import assert from "node:assert/strict";
import { answeringWith, api, demo, open, shoot } from "../support/harness.mjs";
import { call } from "../support/phone.mjs";

const NUMBER = "+85512345678";
const DOCUMENT =
  '<Response><Gather numDigits="3" timeout="60"/><Play digits="1w2"/><Pause length="1"/><Say>Goodbye</Say></Response>';

/** Of every row its words and its bar: from where to where in the row, in per cent, and how high. */
const drawn = (rows) =>
  rows.evaluateAll((all) =>
    all.map((row) => {
      const [bar, track] = ((found) => [found, found.parentElement])(
        row.querySelector("button > :last-child > *"),
      );
      const [inner, outer] = [bar, track].map((part) => part.getBoundingClientRect());
      const share = (x) => ((x - outer.left) / outer.width) * 100;
      return {
        words: row.textContent,
        from: share(inner.left),
        until: share(inner.right),
        height: inner.height,
        colour: getComputedStyle(bar).backgroundColor,
      };
    }),
  );

export const stories = {
  "a call's rows say the digits that were pressed and sent, and bars lie where in the call they were": async (
    shared,
  ) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    const rows = page.getByRole("list", { name: "Timeline" }).getByRole("listitem");
    const row = (verb) => rows.filter({ hasText: verb }).first();
    await answeringWith(NUMBER, { voice_url: null, twiml: DOCUMENT }, async ({ sid }) => {
      const phone = await call(demo.sip_address, NUMBER.slice(1), "+85577000999");
      try {
        const { data } = await api("GET", `/calls?limit=1&phone_number_sid=${sid}`);
        await page.goto(`/calls/${data[0].sid}`);
        await row("<Gather>").getByText("running").waitFor();
        for (const key of "427") phone.press(key);
        await row("<Gather>").getByText("Digits=427").waitFor();
        await row("<Play>").getByText("1w2").waitFor();
        await row("<Say>").getByText("Goodbye").waitFor();
        await phone.ends();
        await rows.filter({ hasText: /Ended/ }).first().waitFor();
        await page.mouse.move(2, 2);
      } finally {
        phone.close();
      }
    });
    const all = await drawn(rows);
    await shoot(page, "call-bars");
    for (const { words, from, until, height, colour } of all) {
      // One that took no time is still seen, three points wide, and may so reach a little beyond the end.
      assert.ok(
        from > -0.1 && until < 102 && until > from && height > 0,
        `the bar of ${words} is not in its row`,
      );
      assert.notEqual(colour, "rgba(0, 0, 0, 0)", `the bar of ${words} is not seen`);
    }
    const bar = (verb) => all.find(({ words }) => words.includes(verb));
    const [gather, play, pause, say] = ["<Gather>", "<Play>", "<Pause>", "<Say>"].map(bar);
    for (const [before, after] of [
      [gather, play],
      [play, pause],
      [pause, say],
    ])
      assert.ok(before.until <= after.from + 1, `${before.words} reaches into ${after.words}`);
    // A second of silence is as wide as a second is in this call.
    const whole = Number(/\+([\d.]+)/.exec(all.at(-1).words)[1]);
    assert.ok(
      Math.abs(pause.until - pause.from - 100 / whole) < 10,
      `${pause.until - pause.from}% of ${whole} s`,
    );
    page.assertClean();
    await page.context().close();
  },
};
