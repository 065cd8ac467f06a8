/**
 * First and last of characters that reorder a text or are not seen, which are written out (`\u202e`): strangers choose what
 * calls say. The server's `domain::visible` has the same; tests of both read `schema/unseen.json`. What joins letters stays:
 * Persian, Hindi, Japanese names and emoji are written with it.
 */
const UNSEEN = [
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180e, 0x180e],
  [0x200b, 0x200b],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x2800, 0x2800],
  [0x3164, 0x3164],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe00ff],
  [0xe01f0, 0xe0fff],
] as const;

const point = (code: number) => `\\u{${code.toString(16)}}`;
const DECEPTIVE = new RegExp(
  `[${UNSEEN.map(([first, last]) => `${point(first)}-${point(last)}`).join("")}]`,
  "gu",
);

/** What fills a form, and would be saved as it is shown: one account, trunk or number, and the carrier. Its names are
 * written out where they are headings. Everything else is there to be seen. */
const FILLS = /\/carrier\/v1\/(carrier|(accounts|trunks|phone-numbers)\/[^/?]+)\/?(\?|$)/;

function escaped(character: string, slash: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `${slash}u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** The text as it is shown. */
export function visible(text: string): string {
  return text.replace(DECEPTIVE, (character) => escaped(character, "\\"));
}

/** The text without such characters, and without what joins letters: of a number they are no part. */
export function seen(text: string): string {
  return text.replace(DECEPTIVE, "").replace(/[\u200c\u200d]/gu, "");
}

/** A JSON document whose texts are as they are shown. */
export function visibleJson(json: string): string {
  return json.replace(DECEPTIVE, (character) => escaped(character, "\\\\"));
}

/** The response, its texts as they are shown when all they are for is to be seen. */
export async function visibleResponse(response: Response): Promise<Response> {
  if ((response.ok && FILLS.test(response.url)) || response.status === 204) return response;
  const text = await response.clone().text();
  const shown = visibleJson(text);
  if (shown === text) return response;
  return new Response(shown, { status: response.status, headers: response.headers });
}
