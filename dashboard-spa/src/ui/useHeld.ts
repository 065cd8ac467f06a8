/** A list that stands still while a hand is on it. */
import { useEffect, useRef, useState } from "react";
import { asItIs, type Held, held } from "../lib/held";
import { useHand } from "./useHand";

type Asked = {
  /** What was asked for: with other filters it is another list, which nothing holds. */
  scope: string;
  /** Whether the list goes on after its rows, and how many it has where somebody counted all. */
  more?: boolean;
  total?: number | undefined;
  /** Whether rows are on their way. */
  fetching?: boolean;
};

type View<Row> = { view: Held<Row>; scope: string; released: number; total: number | undefined };

/**
 * Rows as they are shown. `release` shows the list as it is. What comes first after a page was opened is no news: until then
 * it shows what is remembered from the last time, which only a hand that is seen there holds.
 */
export function useHeld<Row>(rows: readonly Row[], keyOf: (row: Row) => string, asked: Asked) {
  const { scope, more = false, total, fetching = false } = asked;
  const hand = useHand();
  const [released, setReleased] = useState(0);
  const last = useRef<View<Row>>(undefined);
  const arrived = useRef(false);
  const same = last.current?.scope === scope && last.current.released === released;
  const holds = hand.seen || (hand.on && arrived.current);
  const view =
    holds && same && last.current ? held(last.current.view.lines, rows, keyOf, more) : asItIs(rows, keyOf);
  // How many there were when it was shown as it is.
  const before = holds && same && last.current ? last.current.total : total;
  useEffect(() => {
    last.current = { view, scope, released, total: before };
    if (!fetching) arrived.current = true;
  });
  const known = new Set(view.lines.map(({ key }) => key));
  const counted = total !== undefined && before !== undefined ? total - before : 0;
  const waiting = view.beyond ? Math.max(view.waiting, counted) : view.waiting;
  return {
    ...view,
    waiting,
    /** Nobody knows how many more there are. */
    atLeast: view.beyond && counted < view.waiting,
    /** Where the first new one is in the list as it is. */
    firstNew: rows.findIndex((row) => !known.has(keyOf(row))),
    arrived: arrived.current || !fetching,
    hand: hand.props,
    handOn: hand.on,
    release: () => setReleased((count) => count + 1),
  };
}
