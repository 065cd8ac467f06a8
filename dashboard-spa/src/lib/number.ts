/** Phone numbers: grouped for reading, E.164 for copying. Calling codes come from the server's own table. */
import { seen } from "./visible";

/** What numbers begin with, all of one in groups (regular expressions), and how the groups stand. */
type Grouping = [begins: string, groups: string, shown: string];

/** ISO 3166-1 code, calling code without plus, digits before national numbers; groupings where it administers the code. */
export type Country = { code: string; calling_code: string; trunk_digit: string; groupings: Grouping[] };

let codes: ReadonlyMap<string, Grouping[]> = new Map();

/** Tells this module how numbers are grouped; until then they are shown as they are. */
export function learnCallingCodes(countries: readonly Country[]): void {
  const known = new Map<string, Grouping[]>();
  for (const { calling_code, groupings } of countries) {
    known.set(calling_code, [...(known.get(calling_code) ?? []), ...groupings]);
  }
  codes = known;
}

function parted(national: string, groupings: Grouping[]): string {
  for (const [begins, groups, shown] of groupings) {
    const whole = new RegExp(`^(?:${groups})$`);
    if (new RegExp(`^(?:${begins})`).test(national) && whole.test(national)) {
      return national.replace(whole, shown).replace(/\D+/g, " ").trim();
    }
  }
  return national;
}

/** `+442079460018` as `+44 20 7946 0018`; short codes, SIP users and unknown countries stay as they are. */
export function grouped(number: string): string {
  if (!/^\+[1-9]\d{6,14}$/.test(number)) return number;
  const digits = number.slice(1);
  const code = [3, 2, 1].map((length) => digits.slice(0, length)).find((code) => codes.has(code));
  if (code === undefined) return number;
  return `+${code} ${parted(digits.slice(code.length), codes.get(code) ?? [])}`;
}

const regionNames = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });

/** `KH` as `Cambodia`. */
export function countryName(code: string): string {
  try {
    return regionNames.of(code) ?? code;
  } catch {
    return code;
  }
}

/** Countries for a select, by name. */
export function countryOptions(countries: readonly Country[]): { value: string; label: string }[] {
  const options = countries.map(({ code, calling_code }) => ({
    value: code,
    label: `${countryName(code)} (+${calling_code})`,
  }));
  return options.sort((a, b) => a.label.localeCompare(b.label));
}

/** Without what comes along when a number is copied: marks that nobody sees, and the `tel:` of a link. */
export function copied(text: string): string {
  return seen(text)
    .trim()
    .replace(/^tel:\s*/i, "");
}

/** Whether somebody who typed this means this number: as it is shown, with or without plus, or as it is dialled at home. */
export function means(typed: string, { number, national }: { number: string; national?: string }): boolean {
  const digits = copied(typed).replace(/[\s\-.()]/g, "");
  const written = number.startsWith("+")
    ? [number, number.slice(1), `00${number.slice(1)}`, national]
    : [number];
  return written.includes(digits);
}

/** What somebody looks for among numbers: letters are part of a name; anything else the server reads as a number. */
export function wantedNumbers(text: string): { name: string } | { number: string } {
  const bare = copied(text);
  return /\p{L}/u.test(bare) ? { name: text.trim() } : { number: bare };
}

/** Two digits or more, and only what people put between them. */
export function looksLikeNumber(text: string): boolean {
  return /^\+?\d{2,}$/.test(copied(text.normalize("NFKC")).replace(/[\s\-.()]/g, ""));
}

/**
 * Whether the server may take it: a number in international or national form, or a short code. Which number a national form
 * is depends on the carrier's countries; the server knows.
 */
export function isNumber(text: string): boolean {
  const digits = copied(text).replace(/[\s\-.()]/g, "");
  return /^(\+[1-9]\d{6,14}|\d{2,19})$/.test(digits);
}
