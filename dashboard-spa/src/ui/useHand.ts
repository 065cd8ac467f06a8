/** Whether a hand is on something: the pointer over it, the focus in it, or a finger that may come down any time. */
import { useMediaQuery } from "@mantine/hooks";
import { type FocusEvent, type PointerEvent, useEffect, useRef, useState } from "react";

/** A pointer or the focus that only passes from one part to another is not gone, in milliseconds. */
const PASSING = 120;

type Hand = "pointer" | "focus";

/** `on` tells, and `props` go on what is watched. Fingers give no sign before they touch: they count as always there. */
export function useHand() {
  const touch = useMediaQuery("(hover: none)", false, { getInitialValueInEffect: false });
  const [on, setOn] = useState<Record<Hand, boolean>>({ pointer: false, focus: false });
  const timers = useRef<Partial<Record<Hand, ReturnType<typeof setTimeout>>>>({});
  const come = (hand: Hand) => {
    clearTimeout(timers.current[hand]);
    setOn((known) => (known[hand] ? known : { ...known, [hand]: true }));
  };
  const go = (hand: Hand) => {
    clearTimeout(timers.current[hand]);
    timers.current[hand] = setTimeout(() => setOn((known) => ({ ...known, [hand]: false })), PASSING);
  };
  // What had the focus may have been taken away, which no event tells.
  useEffect(() => {
    if (!on.focus) return;
    const look = setInterval(() => {
      if (document.activeElement === document.body) setOn((known) => ({ ...known, focus: false }));
    }, 500);
    return () => clearInterval(look);
  }, [on.focus]);
  useEffect(() => () => Object.values(timers.current).forEach(clearTimeout), []);
  return {
    on: on.pointer || on.focus || touch === true,
    /** Seen, not only taken to be there. */
    seen: on.pointer || on.focus,
    props: {
      onPointerEnter: (event: PointerEvent) => event.pointerType !== "touch" && come("pointer"),
      onPointerMove: (event: PointerEvent) => event.pointerType !== "touch" && come("pointer"),
      onPointerLeave: () => go("pointer"),
      // Focus that a click left behind is no hand; one that the keyboard moves is.
      onFocus: ({ target }: FocusEvent) => target.matches(":focus-visible") && come("focus"),
      onBlur: () => go("focus"),
    },
  };
}
