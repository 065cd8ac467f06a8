/** How a list stands still: what is on screen keeps its place, what is new waits, what went stays where it was. */

export type Held<Row> = {
  lines: HeldLine<Row>[];
  /** Rows that are not shown yet, because they would move others. */
  waiting: number;
  /** Whether these are only those that were asked for: nothing that is shown is among them any more. */
  beyond: boolean;
  /** Rows that are still shown although the list has them no more. */
  gone: number;
};

export type HeldLine<Row> = {
  key: string;
  row: Row;
  /** The list has it no more. */
  gone: boolean;
  /** New ones on top have pushed it off the end of what was asked for; the list has it further down. */
  below: boolean;
};

const line = <Row>(key: string, row: Row): HeldLine<Row> => ({ key, row, gone: false, below: false });

/** The list as it is, held by nobody. */
export function asItIs<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Held<Row> {
  return { lines: rows.map((row) => line(keyOf(row), row)), waiting: 0, beyond: false, gone: 0 };
}

/**
 * The list with the lines that were `shown` where they were. Rows that come after the last known one go to the end, where
 * they move nothing; all others wait. `more` says that the list goes on after `rows`.
 */
export function held<Row>(
  shown: readonly HeldLine<Row>[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  more = false,
): Held<Row> {
  if (shown.length === 0) return asItIs(rows, keyOf);
  const fresh = new Map(rows.map((row) => [keyOf(row), row]));
  const known = new Set(shown.map(({ key }) => key));
  const last = rows.findLastIndex((row) => known.has(keyOf(row)));
  const after = last === -1 ? [] : rows.slice(last + 1);
  const waiting = rows.filter((row) => !known.has(keyOf(row))).length - after.length;
  // Each new one pushes one off the end, from the last one up.
  let pushed = more ? waiting : 0;
  const kept = shown.toReversed().map(({ key, row }): HeldLine<Row> => {
    const now = fresh.get(key);
    if (now !== undefined) return line(key, now);
    pushed -= 1;
    return { key, row, gone: pushed < 0, below: pushed >= 0 };
  });
  return {
    lines: [...kept.reverse(), ...asItIs(after, keyOf).lines],
    waiting,
    beyond: more && last === -1 && rows.length > 0,
    gone: kept.filter((line) => line.gone).length,
  };
}
