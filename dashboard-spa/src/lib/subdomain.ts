/** A subdomain made from a company's name. */

/** Longest one, in characters. */
const LONGEST = 32;

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

/** `Søren & Søn` as `soren-son`. What has no Latin letter is left out. */
export function subdomainOf(company: string): string {
  const latin = company
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^\0-\x7f]/g, (letter) => LETTERS[letter] ?? letter);
  return latin
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, LONGEST)
    .replace(/-+$/, "");
}
