/** How a list stands still: what is on screen keeps its place, what is new waits, what went stays where it was. */

export type Held<Row> = {
  lines: HeldLine<Row>[];
  /** Rows that are not shown yet, because they would move others. */
  waiting: number;
  /** Rows that are still shown although the list has them no more. */
  gone: number;
};

export type HeldLine<Row> = { key: string; row: Row; gone: boolean };

/** The list as it is, held by nobody. */
export function asItIs<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Held<Row> {
  return { lines: rows.map((row) => ({ key: keyOf(row), row, gone: false })), waiting: 0, gone: 0 };
}

/**
 * The list with the lines that were `shown` where they were. Rows that come after the last known one go to the end, where
 * they move nothing; all others wait.
 */
export function held<Row>(
  shown: readonly HeldLine<Row>[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): Held<Row> {
  if (shown.length === 0) return asItIs(rows, keyOf);
  const fresh = new Map(rows.map((row) => [keyOf(row), row]));
  const known = new Set(shown.map(({ key }) => key));
  const kept = shown.map((line): HeldLine<Row> => {
    const row = fresh.get(line.key);
    return row === undefined ? { ...line, gone: true } : { key: line.key, row, gone: false };
  });
  const last = rows.findLastIndex((row) => known.has(keyOf(row)));
  const after = last === -1 ? [] : rows.slice(last + 1);
  const lines = [...kept, ...asItIs(after, keyOf).lines];
  const unknown = rows.filter((row) => !known.has(keyOf(row))).length;
  return {
    lines,
    waiting: unknown - after.length,
    gone: kept.filter((line) => line.gone).length,
  };
}
