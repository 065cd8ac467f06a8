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
/** How long a story may take, in milliseconds. What it waits for may never come. */
const LIMIT = 180_000;

/** What failed while nobody waited for it: a failure of the story, unless that has failed already and waits for nothing more. */
let strays = [];
process.on("unhandledRejection", (error) => strays.push(error));

/** Tells a story, and gives it up when it takes too long. */
async function tell(story, shared) {
  strays = [];
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the story was not over after ${LIMIT / 1000} s`)), LIMIT);
  });
  try {
    await Promise.race([story(shared), late]);
  } finally {
    clearTimeout(timer);
  }
  if (strays.length > 0) throw strays[0];
}

// A run that is stopped ends what it has started: that hangs on "exit", which no signal tells by itself.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

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
    await tell(story, shared);
    passed += 1;
    console.log(`ok   ${name} (${Date.now() - start} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${error.stack ?? error}`);
    // Its pages would go on beside the next story.
    await Promise.allSettled(browser.contexts().map((context) => context.close()));
  }
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
// What a story left open, a server or a socket, keeps nobody waiting.
process.exit(failed === 0 ? 0 : 1);
