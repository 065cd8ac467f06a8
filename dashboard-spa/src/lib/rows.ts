/** Rows of a list that is asked for again and again. */
import { replaceEqualDeep } from "@tanstack/react-query";

type Row = { sid?: string; position?: unknown };
type Pages = { pages: { data: Row[] }[] };

const keyOf = ({ sid, position }: Row) => sid ?? position;

/**
 * A row that is as it was stays the same object wherever in the list it is now, so that only what changed is drawn again.
 * Compared by their places, one new row on top would make all of them others.
 */
export function keepRows(known: unknown, fresh: unknown): unknown {
  // A list that is shown while the next one is on its way is compared at each drawing: another object would be drawn again.
  if (replaceEqualDeep(known, fresh) === known) return known;
  const before = new Map(
    (known as Pages | undefined)?.pages.flatMap(({ data }) => data.map((row) => [keyOf(row), row])),
  );
  const pages = (fresh as Pages).pages.map((page) => ({
    ...page,
    data: page.data.map((row) => replaceEqualDeep(before.get(keyOf(row)), row)),
  }));
  return { ...(fresh as Pages), pages };
}
