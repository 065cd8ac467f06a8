/** A subdomain made from a company's name. */
import { plain } from "./plain";

/** Longest one, in characters. */
const LONGEST = 32;

/** `Søren & Søn` as `soren-son`. What has no Latin letter is left out. */
export function subdomainOf(company: string): string {
  return plain(company)
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, LONGEST)
    .replace(/-+$/, "");
}
