// A server of a story's own, for what can't be told beside the others: an empty store, a server that stops.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How long a start or a stop may take, in milliseconds. */
const LIMIT = 60_000;

const [running, folders] = [new Set(), []];

// However the run ends: the servers first, then what they write to.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  for (const path of folders) {
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    } catch (error) {
      console.error(`${path} is left: ${error.message}`);
    }
  }
});

/** A folder that is gone when the stories are over. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "trunkline-story-"));
  folders.push(path);
  return path;
}

/** Starts the program on free ports and the store in `data`. Resolves when it takes requests. */
export async function serve(data, ...options) {
  const program = process.env.TRUNKLINE;
  if (!program)
    throw new Error("TRUNKLINE is the path of the program, for stories with a server of their own");
  const ports = ["--http.listen", "127.0.0.1:0", "--sip.listen", "127.0.0.1:0"];
  // Told to stop, it waits for no call.
  const settings = ["--data_dir", data, ...ports, "--log.filter", "warn", "--shutdown.drain_seconds", "0"];
  const child = spawn(program, [...settings, "serve", ...options], { stdio: ["ignore", "pipe", "ignore"] });
  running.add(child);
  const ended = once(child, "exit");
  child.once("exit", () => running.delete(child));
  const kill = () => child.kill("SIGKILL");
  const late = setTimeout(kill, LIMIT);
  let [url, ready] = [undefined, false];
  for await (const line of createInterface({ input: child.stdout })) {
    url ??= /^Dashboard and APIs\s+(\S+)/.exec(line)?.[1];
    ready = /ready/.test(line);
    if (ready) break;
  }
  clearTimeout(late);
  if (!ready) {
    kill();
    throw new Error("the server did not start");
  }
  // Nobody reads what it says from here on.
  child.stdout.resume();
  return {
    url,
    /** Ends it, and with it every call it has. Resolves when it is over; asked once more it is over already. */
    stop: async () => {
      child.kill("SIGTERM");
      const tooLate = setTimeout(kill, LIMIT);
      const [, signal] = await ended;
      clearTimeout(tooLate);
      if (signal === "SIGKILL") throw new Error("the server did not stop in time");
    },
  };
}
