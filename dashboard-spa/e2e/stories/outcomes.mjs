// What became of a call is said wherever it is listed: while it is up, when it failed, and when it was we who stopped.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { answeringWith, api, demo, open, shoot, signInOwner } from "../support/harness.mjs";
import { call } from "../support/phone.mjs";
import { folder, serve } from "../support/server.mjs";

const NUMBER = "+85512345678";
/** Where nobody answers. */
const NOWHERE = "http://127.0.0.1:9/none";

const rowOf = (page, caller) => page.getByRole("row").filter({ hasText: caller });

/** The lists of past calls, each found as people find it: the last ones, all, an account's and a number's. */
async function saidInEveryList(page, { account_sid: account, phone_number_sid: number }, caller, words) {
  const said = () => rowOf(page, caller).first().getByText(words, { exact: true }).waitFor();
  await page.goto("/");
  await page.getByRole("heading", { name: "Recent calls" }).waitFor();
  await said();
  await page.getByRole("link", { name: "All calls" }).click();
  await page.waitForURL(/\/calls$/);
  await said();
  for (const whose of [`/accounts/${account}`, `/numbers/${number}`]) {
    await page.goto(whose);
    await page.getByRole("link", { name: "See its calls" }).click();
    await page.waitForURL(/\/calls\?(account_sid|phone_number_sid)=/);
    await said();
    assert.equal(await rowOf(page, caller).first().getByText("Completed", { exact: true }).count(), 0);
  }
}

/** Tells a live call to go on elsewhere, as its application would. */
async function redirect(sid, url) {
  const answer = await fetch(`${demo.http_url}/2010-04-01/Accounts/${demo.account_sid}/Calls/${sid}.json`, {
    method: "POST",
    headers: { Authorization: `Basic ${btoa(`${demo.account_sid}:${demo.auth_token}`)}` },
    body: new URLSearchParams({ Url: url }),
  });
  assert.ok(answer.ok, await answer.text());
}

/** A call whose server is stopped while it is up. */
async function callThatIsShutDown({ server, its }) {
  try {
    const phone = await call(its.sip_address, NUMBER.slice(1), "+85577000888");
    try {
      const { data } = await api("GET", "/calls?limit=1", undefined, its);
      await server.stop();
      return data[0];
    } finally {
      phone.close();
    }
  } finally {
    await server.stop();
  }
}

export const stories = {
  "a failed call shows as failed in every list: live, under a hand, at its account and at its number": async (
    shared,
  ) => {
    const page = await open(shared.browser, { state: await shared.owner() });
    const caller = "+855 77 000 777";
    // The application can't be asked, and what stands in for it answers.
    const voice = { voice_url: NOWHERE, voice_fallback_url: `${demo.application_url}/voice`, twiml: null };
    await answeringWith(NUMBER, voice, async ({ sid }) => {
      await page.goto("/live");
      await page.getByText("Live ·").waitFor();
      const phone = await call(demo.sip_address, NUMBER.slice(1), "+85577000777");
      try {
        await rowOf(page, caller).getByText("In progress, with problems").waitFor();
        await shoot(page, "live-problem");
        const { data } = await api("GET", `/calls?limit=1&phone_number_sid=${sid}`);
        await rowOf(page, caller).hover();
        await redirect(data[0].sid, NOWHERE);
        await phone.ends();
        // The row under the hand stays, and says it at once.
        await rowOf(page, caller).getByText("Application failed").waitFor();
        await saidInEveryList(page, data[0], caller, "Application failed");
      } finally {
        phone.close();
      }
    });
    page.assertClean();
    await page.context().close();
  },

  "a call that ended because we stopped says so in every list": async ({ browser }) => {
    const data = folder();
    const start = async () => {
      const server = await serve(data, "--demo");
      return { server, its: JSON.parse(readFileSync(join(data, "demo.json"), "utf8")) };
    };
    const stopped = await callThatIsShutDown(await start());
    const { server, its } = await start();
    try {
      const page = await open(browser, {
        at: server.url,
        state: await signInOwner(browser, its, server.url),
      });
      await saidInEveryList(page, stopped, "+855 77 000 888", "Shut down");
      // A failure counts as one, ours as well.
      await page.goto("/");
      await page.getByRole("link", { name: /With problems today/ }).click();
      await rowOf(page, "+855 77 000 888").getByText("Shut down").waitFor();
      await shoot(page, "calls-shut-down");
      page.assertClean();
      await page.context().close();
    } finally {
      await server.stop();
    }
  },
};
