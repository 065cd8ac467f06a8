/** Text as it is looked for: whoever types `reunion` means Réunion. */

/** Letters that are no other letter with an accent, and how they are written without them. */
const LETTERS: Record<string, string> = {
  æ: "ae",
  œ: "oe",
  ø: "o",
  ß: "ss",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ı: "i",
  ŋ: "n",
  ŧ: "t",
};

/** In lower case, without accents, with plain apostrophes. */
export function plain(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[‘’ʼ]/g, "'")
    .replace(/[^\0-\x7f]/g, (letter) => LETTERS[letter] ?? letter);
}

/** How well a label fits what is typed: 0 where it begins so, 1 where one of its words does, 2 where it is within. */
function closeness(label: string, typed: string): number | undefined {
  const first = label.indexOf(typed);
  if (first <= 0) return first === 0 ? 0 : undefined;
  for (let at = first; at > 0; at = label.indexOf(typed, at + 1))
    if (!/[\p{L}\p{N}']/u.test(label.charAt(at - 1))) return 1;
  return 2;
}

/** The labelled things that have this in their label, what begins with it first; among equals they keep their order. */
export function fitting<T>(things: readonly T[], typed: string, labelOf: (thing: T) => string): T[] {
  const wanted = plain(typed.trim());
  const ranked = things.map((thing) => ({ thing, rank: closeness(plain(labelOf(thing)), wanted) }));
  return ranked
    .filter((one) => one.rank !== undefined)
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0))
    .map(({ thing }) => thing);
}
