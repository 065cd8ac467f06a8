/** In which order a list comes, and how many rows it has: what the API says of both. */
import { count } from "./format";

/** The order by age; lists are newest first, which is `-created_at`, unless the address says otherwise. */
export const byAge = "created_at";

/** How a page's rows were counted; only the first one is. */
export type Counted = { total?: number; total_exact?: boolean };

/** `420 numbers`, or `10,000+ numbers` where there may be more. */
export function total(page: Counted | undefined, noun: [one: string, many: string]): string | undefined {
  if (page?.total === undefined) return undefined;
  if (page.total_exact !== false) return count(page.total, ...noun);
  return `${page.total.toLocaleString("en-GB")}+ ${noun[1]}`;
}

/** Which way a list is sorted by a column, if it is sorted by it. */
export function directionOf(
  column: string,
  order: string | undefined,
): "ascending" | "descending" | undefined {
  const is = order ?? `-${byAge}`;
  if (is === column) return "ascending";
  return is === `-${column}` ? "descending" : undefined;
}

/** The order after a press on a column's head: up, down, and back to newest first. */
export function nextOrder(column: string, order: string | undefined): string | undefined {
  const direction = directionOf(column, order);
  if (direction === "ascending") return column === byAge ? undefined : `-${column}`;
  if (direction === undefined) return column === byAge ? undefined : column;
  return column === byAge ? column : undefined;
}

type Ordered = { title: string; order?: string };

/** Every order of a list by its columns, for a select. */
export function ordersOf(columns: readonly Ordered[]): { value: string; label: string }[] {
  const both = ({ title, order }: Ordered) => {
    if (order === undefined) return [];
    const [up, down] =
      order === byAge ? ["Oldest first", "Newest first"] : [`${title}, ascending`, `${title}, descending`];
    return [
      { value: `-${order}`, label: down },
      { value: order, label: up },
    ];
  };
  // The one that holds when nothing is chosen comes first.
  return columns
    .flatMap(both)
    .sort((a, b) => Number(b.value === `-${byAge}`) - Number(a.value === `-${byAge}`));
}

/** The same as a filter of the address, to find one that means nothing. */
export const orderChoice = (columns: readonly Ordered[]) => ({
  key: "order",
  label: "Order",
  options: ordersOf(columns),
});

type Search = { order?: string };

/** The address with another order. */
export function ordered<S extends Search>(search: S, order: string | undefined): S {
  const { order: _, ...rest } = search;
  return (order === undefined ? rest : { ...rest, order }) as S;
}

/** Whether an address asks for some of the rows only. */
export const isNarrowed = (search: Search): boolean => Object.keys(search).some((key) => key !== "order");
