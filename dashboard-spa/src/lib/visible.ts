/**
 * Characters that reorder a text or are not seen, written out (`\u202e`): strangers choose what calls say. The server's
 * `domain::visible` has the same list. Joiners (U+200C, U+200D) stay: Persian, Hindi and emoji are written with them.
 */
const DECEPTIVE =
  /\u034f|[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;

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
