// Fails when src/client is not what schema/openapi/carrier.json generates. `npm run client` makes it so.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const fresh = mkdtempSync(join(tmpdir(), "trunkline-client-"));
const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

try {
  const env = { ...process.env, CLIENT_OUT: fresh };
  const run = spawnSync("npx", ["--no-install", "openapi-ts"], { env, encoding: "utf8" });
  if (run.status !== 0) throw new Error(`the client could not be generated:\n${run.stdout}${run.stderr}`);
  const names = new Set([...files(fresh), ...files("src/client")]);
  const read = (folder, name) => {
    try {
      return readFileSync(join(folder, name), "utf8");
    } catch {
      return undefined;
    }
  };
  const stale = [...names].filter((name) => read(fresh, name) !== read("src/client", name));
  if (stale.length > 0) {
    console.error(`src/client is stale (${stale.join(", ")}). Run: npm run client`);
    process.exitCode = 1;
  } else {
    console.log("src/client is what schema/openapi/carrier.json says.");
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
