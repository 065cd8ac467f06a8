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
