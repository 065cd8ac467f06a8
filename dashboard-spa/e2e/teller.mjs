// Tells the stories of one share (see shares.mjs) whose names match, and says of each how it went to the process that started it.
import { join } from "node:path";
import { SHARES } from "./shares.mjs";
import { folder, serve } from "./support/server.mjs";

/** How long a story may take, in milliseconds. What it waits for may never come. */
const LIMIT = 300_000;

/** What failed while nobody waited for it: a failure of the story, unless that has failed already and waits for nothing more. */
let strays = [];
process.on("unhandledRejection", (error) => strays.push(error));
// What was started hangs on "exit", which neither a signal nor a parent that is gone tells by itself.
for (const end of ["SIGINT", "SIGTERM", "disconnect"]) process.once(end, () => process.exit(1));

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

/** Resolves when it is on its way. */
const say = (what) => new Promise((resolve) => process.send(what, resolve));

const [, , share, wanted] = process.argv;
const data = folder();
await serve(data, "--demo");
// The stories read it when they are loaded.
process.env.DEMO_JSON = join(data, "demo.json");
const { launch, signInOwner } = await import("./support/harness.mjs");
const files = await Promise.all(SHARES[share].map((file) => import(`./stories/${file}.mjs`)));
const stories = files.flatMap((file) => Object.entries(file.stories));
const browser = await launch();
const shared = {
  browser,
  owner: () => {
    shared.ownerState ??= signInOwner(browser);
    return shared.ownerState;
  },
};
for (const [story, telling] of stories.filter(([title]) => new RegExp(wanted).test(title))) {
  const start = Date.now();
  try {
    await tell(telling, shared);
    await say({ story, took: Date.now() - start });
  } catch (error) {
    await say({ story, trouble: String(error.stack ?? error) });
    // Its pages would go on beside the next story.
    await Promise.allSettled(browser.contexts().map((context) => context.close()));
  }
}
await browser.close();
// What a story left open, a server or a socket, keeps nobody waiting.
process.exit(0);
