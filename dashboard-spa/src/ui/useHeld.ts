/** A list that stands still while a hand is on it. */
import { useEffect, useRef, useState } from "react";
import { asItIs, type Held, held } from "../lib/held";
import { useHand } from "./useHand";

/**
 * Rows as they are shown. `scope` is what was asked for: with other filters it is another list, which nothing holds.
 * `release` shows it as it is.
 */
export function useHeld<Row>(rows: readonly Row[], keyOf: (row: Row) => string, scope: string) {
  const hand = useHand();
  const [released, setReleased] = useState(0);
  const last = useRef<{ view: Held<Row>; scope: string; released: number }>(undefined);
  const same = last.current?.scope === scope && last.current.released === released;
  const view =
    hand.on && same && last.current ? held(last.current.view.lines, rows, keyOf) : asItIs(rows, keyOf);
  useEffect(() => {
    last.current = { view, scope, released };
  });
  return { ...view, hand: hand.props, handOn: hand.on, release: () => setReleased((count) => count + 1) };
}
