// Runs every story in real browsers against the program itself (TRUNKLINE says where it is) and counts.
// `node e2e/run.mjs live` runs those whose name matches /live/.
import { fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { SHARES } from "./shares.mjs";

// A run that is stopped ends what it has started: a share's process ends when it hears no more from this one.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const [passed, failed] = [new Set(), new Set()];

/** Has a share told by a process of its own. What it says comes whole, so that lines of two never mix. */
async function share(name) {
  const teller = fork(new URL("./teller.mjs", import.meta.url), [name, process.argv[2] ?? ""]);
  teller.on("message", ({ story, trouble, took }) => {
    (trouble ? failed : passed).add(story);
    console.log(trouble ? `FAIL ${story}\n${trouble}` : `ok   ${story} (${took} ms)`);
  });
  const [code, signal] = await once(teller, "exit");
  if (code === 0) return;
  failed.add(`the stories of ${name}`);
  console.log(`FAIL the stories of ${name} were not told to their end: ${signal ?? `exit ${code}`}`);
}

// A browser and its server keep two processors busy: where there are no more, pages come late beside another one.
const names = Object.keys(SHARES);
if (availableParallelism() < 4) for (const name of names) await share(name);
else await Promise.all(names.map(share));
console.log(`${passed.size} passed, ${failed.size} failed`);
process.exitCode = failed.size === 0 ? 0 : 1;
