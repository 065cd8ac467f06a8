// What the stories stand on: the browser, the demo's credentials, and a page that notices errors by itself.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";
import { totp } from "./totp.mjs";

/** How long a page may take to show what is waited for on a machine that is busy with other tests, in milliseconds. */
const LIMIT = 30_000;
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** What the share's server was started with. */
export const demo = JSON.parse(readFileSync(process.env.DEMO_JSON, "utf8"));
const baseUrl = demo.http_url;
const shots = process.env.SHOTS ?? "test-results";

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--no-first-run",
    ],
  });
}

/** A page whose console must stay clean; `expected` are errors that belong to the story, `at` is a server of its own. */
export async function open(browser, options = {}) {
  const { width = 1280, height = 800, dark = false, state, expected = [], at = baseUrl } = options;
  const context = await browser.newContext({
    baseURL: at,
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    ...(state && { storageState: state }),
  });
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT);
  const errors = [];
  // A session that is asked for and not there is how a browser learns that it has to sign in.
  const fine = [/401 \(Unauthorized\)/, ...expected];
  page.on("console", (message) => {
    if (message.type() === "error" && !fine.some((pattern) => pattern.test(message.text())))
      errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  page.assertClean = () => assert.deepEqual(errors, [], "the console has errors");
  return page;
}

/** Signs a demo's owner in and returns the cookies. A code works once, so this is done once a run. */
export async function signInOwner(browser, whose = demo, at = baseUrl) {
  const page = await open(browser, { at });
  await page.goto("/");
  await page.getByLabel("E-mail").fill(whose.owner_email);
  await page.getByLabel("Password", { exact: true }).fill(whose.owner_password);
  await page.getByRole("button", { name: "Continue" }).click();
  // Six digits send themselves.
  await page.getByLabel("Code").fill(totp(whose.totp_secret));
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  page.assertClean();
  const state = await page.context().storageState();
  await page.context().close();
  return state;
}

/** Nothing that keeps people out: contrast, names, roles, focus (WCAG 2.2 A and AA). */
export async function accessible(page, where, more = []) {
  // Whoever speaks to a page says what is seen: labels contain it (WCAG 2.5.3).
  const options = { rules: { "label-content-name-mismatch": { enabled: true } } };
  const { violations } = await new AxeBuilder({ page })
    .options(options)
    .withTags([...RULES, ...more])
    .analyze();
  const said = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`,
  );
  assert.deepEqual(said, [], `${where} has accessibility violations`);
}

export async function fitsWidth(page, where) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${where} is ${over} px wider than the window`);
}

export async function shoot(page, name) {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** Asks the Carrier API as a program would, with a demo's key. */
export async function api(method, path, body, whose = demo) {
  const answer = await fetch(`${whose.http_url}/carrier/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${whose.carrier_api_key}`, "Content-Type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

/** Lets a number of the demo answer with this document until `story` is over. */
export async function answeringWith(number, voice, story) {
  const { data } = await api("GET", "/phone-numbers");
  const found = data.find((one) => one.number === number);
  await api("PATCH", `/phone-numbers/${found.sid}`, { voice });
  try {
    return await story(found);
  } finally {
    const { voice_url = null, voice_fallback_url = null, twiml = null } = found.voice;
    await api("PATCH", `/phone-numbers/${found.sid}`, { voice: { voice_url, voice_fallback_url, twiml } });
  }
}

/** Picks an option of a select by its label. */
export async function choose(page, label, option) {
  await page
    .getByRole("combobox", { name: label })
    .or(page.getByLabel(label, { exact: true }))
    .first()
    .click();
  await page.getByRole("option", { name: option }).click();
}
