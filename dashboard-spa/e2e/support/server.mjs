// A server of a story's own, for what can't be told beside the others: an empty store, a server that stops.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How long a start may take, in milliseconds. */
const LIMIT = 60_000;

/** A folder that is gone when the stories are over. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "trunkline-story-"));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
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
  const ended = once(child, "exit");
  const kill = () => child.kill("SIGKILL");
  process.on("exit", kill);
  const late = setTimeout(kill, LIMIT);
  let url;
  for await (const line of createInterface({ input: child.stdout })) {
    url ??= /^Dashboard and APIs\s+(\S+)/.exec(line)?.[1];
    if (/ready/.test(line)) break;
  }
  clearTimeout(late);
  if (child.exitCode !== null || child.signalCode !== null) throw new Error("the server did not start");
  // Nobody reads what it says from here on.
  child.stdout.resume();
  return {
    url,
    /** Ends it, and with it every call it has. Resolves when it is over. */
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
      process.off("exit", kill);
    },
  };
}
