// Runs every story in a real browser against a running server (DEMO_JSON says which) and counts. TRUNKLINE is the program itself, for
// stories that start a server of their own.
// `node e2e/run.mjs live` runs those whose name matches /live/.

import { accountStories } from "./stories/carrier.mjs";
import { connectionStories } from "./stories/connection.mjs";
import { fieldStories } from "./stories/fields.mjs";
import { firstCallStories } from "./stories/first-call.mjs";
import { habitStories } from "./stories/habits.mjs";
import { handStories } from "./stories/hand.mjs";
import { installationStories } from "./stories/installation.mjs";
import { listStories } from "./stories/lists.mjs";
import { liveStories } from "./stories/live.mjs";
import { lookStories } from "./stories/look.mjs";
import { outcomeStories } from "./stories/outcomes.mjs";
import { lastStories, signUpStories } from "./stories/sign-up.mjs";
import { timelineStories } from "./stories/timeline.mjs";
import { launch, signInOwner } from "./support/harness.mjs";

const stories = {
  ...signUpStories,
  ...accountStories,
  ...liveStories,
  ...handStories,
  ...listStories,
  ...firstCallStories,
  ...outcomeStories,
  ...timelineStories,
  ...fieldStories,
  ...connectionStories,
  ...habitStories,
  ...installationStories,
  ...lookStories,
  ...lastStories,
};
const wanted = process.argv[2] ?? "";
const browser = await launch();
const shared = {
  browser,
  owner: () => {
    shared.ownerState ??= signInOwner(browser);
    return shared.ownerState;
  },
};
let [passed, failed] = [0, 0];
for (const [name, story] of Object.entries(stories).filter(([title]) => new RegExp(wanted).test(title))) {
  const start = Date.now();
  try {
    await story(shared);
    passed += 1;
    console.log(`ok   ${name} (${Date.now() - start} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${error.stack ?? error}`);
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
