/** Phone numbers: grouped for reading, E.164 for copying. Calling codes come from the server's own table. */

/** ISO 3166-1 code, calling code without plus, digits before national numbers. */
export type Country = { code: string; calling_code: string; trunk_digit: string };

let callingCodes: ReadonlySet<string> = new Set();

/** Tells this module the calling codes; until then numbers are shown as they are. */
export function learnCallingCodes(countries: readonly Country[]): void {
  callingCodes = new Set(countries.map((country) => country.calling_code));
}

/** Splits digits in threes; what is left over makes the first group two long, or the last one four. */
function groups(digits: string): string[] {
  const out: string[] = [];
  let rest = digits;
  if (rest.length % 3 === 2) {
    out.push(rest.slice(0, 2));
    rest = rest.slice(2);
  }
  while (rest.length > 4) {
    out.push(rest.slice(0, 3));
    rest = rest.slice(3);
  }
  if (rest !== "") out.push(rest);
  return out;
}

function callingCode(digits: string): string | undefined {
  return [3, 2, 1].map((length) => digits.slice(0, length)).find((code) => callingCodes.has(code));
}

/** `+85512345678` as `+855 12 345 678`; short codes, SIP users and unknown countries stay as they are. */
export function grouped(number: string): string {
  if (!/^\+[1-9]\d{6,14}$/.test(number)) return number;
  const code = callingCode(number.slice(1));
  return code === undefined ? number : [`+${code}`, ...groups(number.slice(1 + code.length))].join(" ");
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

/** What somebody looks for among numbers: letters are part of a name; anything else the server reads as a number. */
export function wantedNumbers(text: string): { name: string } | { number: string } {
  return /\p{L}/u.test(text) ? { name: text.trim() } : { number: text.trim() };
}

/** Two digits or more, and only what people put between them. */
export function looksLikeNumber(text: string): boolean {
  return /^\+?\d{2,}$/.test(text.normalize("NFKC").replace(/[\s\-.()]/g, ""));
}

/**
 * Whether the server may take it: a number in international or national form, or a short code. Which number a national form
 * is depends on the carrier's countries; the server knows.
 */
export function isNumber(text: string): boolean {
  const digits = text.trim().replace(/[\s\-.()]/g, "");
  return /^(\+[1-9]\d{6,14}|\d{2,19})$/.test(digits);
}
