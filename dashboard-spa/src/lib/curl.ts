/** A webhook we sent, as the command that sends it again from a terminal. */

export type Exchange = { method: string; url: string; parameters: [string, string][] };

/** Wraps text in single quotes for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** One `curl` command with every parameter, a line each. The signature is left out: it needs the auth token. */
export function asCurl({ method, url, parameters }: Exchange): string {
  const get = method.toUpperCase() === "GET";
  const flags = get && parameters.length > 0 ? ["--get"] : get ? [] : [`--request ${method.toUpperCase()}`];
  const data = parameters.map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`);
  return [`curl ${quoted(url)}`, ...flags, ...data].join(" \\\n  ");
}
