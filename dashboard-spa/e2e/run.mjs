// Runs every story in a real browser against a running server (DEMO_JSON says which) and counts.
// `node e2e/run.mjs live` runs those whose name matches /live/.

import { accountStories } from "./stories/carrier.mjs";
import { connectionStories } from "./stories/connection.mjs";
import { liveStories } from "./stories/live.mjs";
import { lookStories } from "./stories/look.mjs";
import { signUpStories } from "./stories/sign-up.mjs";
import { launch, signInOwner } from "./support/harness.mjs";

const stories = { ...signUpStories, ...accountStories, ...liveStories, ...connectionStories, ...lookStories };
const wanted = process.argv[2] ?? "";
const browser = await launch();
const shared = {
  browser,
  owner: () => {
    shared.ownerState ??= signInOwner(browser);
    return shared.ownerState;
  },
};
// Tells a story, a second time when the first failed; says whether it held, and whether it needed the second.
async function tell(name, story) {
  for (const again of [false, true]) {
    const start = Date.now();
    try {
      await story(shared);
      console.log(`ok   ${name} (${Date.now() - start} ms)`);
      return [true, again];
    } catch (error) {
      console.log(`FAIL ${name}\n${error.stack ?? error}`);
    }
  }
  return [false, true];
}

let [passed, failed] = [0, 0];
for (const [name, story] of Object.entries(stories).filter(([title]) => new RegExp(wanted).test(title))) {
  const [ok, failedOnce] = await tell(name, story);
  passed += ok ? 1 : 0;
  failed += ok ? 0 : 1;
  if (ok && failedOnce) console.log(`flaky ${name}`);
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
