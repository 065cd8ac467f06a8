// What a form says before anything is saved, and what it changes.
import assert from "node:assert/strict";
import { answeringWith, api, demo, open, shoot } from "../support/harness.mjs";
import { call } from "../support/phone.mjs";

const NUMBER = "+85512345678";
/** A private network's, which the demo's server may not ask. */
const LOCAL = "http://192.168.44.20/voice";
const WARNING = "A local address: refused unless outbound.allow_networks names its network";

const owner = async (shared) => open(shared.browser, { state: await shared.owner() });

/** The field warns of `local` while it is typed, moves nothing by that, asks nobody, and says no more of `other`. */
async function warns(page, field, button, local, other) {
  const asked = [];
  const note = (request) => request.method() !== "GET" && asked.push(request.url());
  page.on("request", note);
  const at = await button.boundingBox();
  const warning = page.getByRole("status").filter({ hasText: WARNING });
  await field.fill(local);
  await warning.waitFor();
  assert.deepEqual(await button.boundingBox(), at, "the warning moved the button");
  const described = await field.getAttribute("aria-describedby");
  assert.ok(
    described &&
      (await warning.evaluate(
        (node, ids) => ids.split(" ").some((id) => node.closest(`[id="${id}"]`)),
        described,
      )),
    "the warning describes the field",
  );
  await field.fill(other);
  await warning.waitFor({ state: "detached" });
  page.off("request", note);
  assert.deepEqual(
    asked.filter((url) => !url.includes("dial-string")),
    [],
    "it was saved meanwhile",
  );
}

export const stories = {
  "a form warns of a local address before it is saved, and names the setting": async (shared) =>
    answeringWith(NUMBER, {}, async ({ sid }) => {
      const page = await owner(shared);
      await page.goto(`/numbers/${sid}`);
      // The demo's own application is on this machine, which its server allows.
      const save = page.getByRole("button", { name: "Save" });
      for (const label of ["Voice URL", "Fallback URL", "Status callback URL"])
        await warns(page, page.getByLabel(label, { exact: true }), save, LOCAL, "https://example.com/voice");
      for (const label of ["Fallback URL", "Status callback URL"])
        await page.getByLabel(label, { exact: true }).fill("");
      await page.getByLabel("Voice URL", { exact: true }).fill(LOCAL);
      await page.getByText(WARNING).waitFor();
      await shoot(page, "number-local");
      // Whoever saves it all the same finds the setting in the call.
      await save.click();
      await page.getByText("Configuration saved.").waitFor();
      const phone = await call(demo.sip_address, NUMBER.slice(1), "+85577000123").catch(() => undefined);
      await phone?.ends();
      phone?.close();
      await page.getByRole("link", { name: "See its calls" }).click();
      await page.getByRole("row").filter({ hasText: "+855 77 000 123" }).getByRole("link").first().click();
      const rows = page.getByRole("list", { name: "Timeline" }).getByRole("listitem");
      await rows.filter({ hasText: "192.168.44.20" }).first().getByRole("button").click();
      await page
        .getByText(/outbound\.allow_networks/)
        .first()
        .waitFor();
      await shoot(page, "call-local");
      await page.goto("/trunks/new?tab=outbound");
      const create = page.getByRole("button", { name: "Create trunk" });
      for (const host of ["192.168.44.20", "127.0.0.1:5070", "[::1]:5060"])
        await warns(page, page.getByLabel("Host"), create, host, "sip.example.com:5080");
      page.assertClean();
      await page.context().close();
    }),

  "an account's limits are shown and changed on its page": async (shared) => {
    const { sid } = await api("POST", "/accounts", { name: "Limited" });
    const { limits } = await api("GET", `/accounts/${sid}`);
    const page = await owner(shared);
    await page.goto(`/accounts/${sid}`);
    const fields = {
      calls_per_second: page.getByLabel("Calls per second"),
      calls_at_once: page.getByLabel("Calls at once", { exact: true }),
      same_pair_at_once: page.getByLabel("Dialled calls of one pair at once"),
    };
    for (const [name, field] of Object.entries(fields))
      assert.equal(Number((await field.inputValue()).replaceAll(",", "")), limits[name], name);
    const risky = page.getByRole("switch", { name: "May call high-risk numbers" });
    assert.equal(await risky.isChecked(), false);
    const save = page
      .locator("form")
      .filter({ hasText: "Calls per second" })
      .getByRole("button", { name: "Save" });
    await fields.calls_per_second.fill("");
    await save.click();
    await page.getByText("Enter a whole number from 1 to 1,000").waitFor();
    await fields.calls_per_second.fill("3");
    await fields.calls_at_once.fill("7");
    await fields.same_pair_at_once.fill("2");
    await page.getByRole("combobox", { name: "Countries it may call" }).fill("Vietnam");
    await page.getByRole("option", { name: /^Vietnam/ }).click();
    await risky.check();
    await save.click();
    await page.getByText("Limits saved.").waitFor();
    await page.reload();
    await page.getByText("Vietnam").first().waitFor();
    assert.equal(await fields.calls_at_once.inputValue(), "7");
    assert.equal(await risky.isChecked(), true);
    await shoot(page, "account-limits");
    const changed = await api("GET", `/accounts/${sid}`);
    assert.deepEqual(changed.limits, {
      ...limits,
      calls_per_second: 3,
      calls_at_once: 7,
      same_pair_at_once: 2,
      countries: [...limits.countries, "VN"],
      high_risk: true,
    });
    page.assertClean();
    await page.context().close();
  },
};
