/** Whether something is being pressed right now: what moves the page then moves it under the finger. */

let pressing = false;
let waiting: (() => void)[] = [];

/** A click follows the release of the button within this time, in milliseconds. */
const CLICK = 50;

function released(): void {
  if (!pressing) return;
  pressing = false;
  // The click is told after the release; only then may the page move.
  setTimeout(() => {
    if (pressing) return;
    const ready = waiting;
    waiting = [];
    for (const run of ready) run();
  }, CLICK);
}

/** Watches presses. Once a page. */
export function watchPresses(target: EventTarget = document): void {
  target.addEventListener(
    "pointerdown",
    () => {
      pressing = true;
    },
    { capture: true },
  );
  for (const name of ["pointerup", "pointercancel"])
    target.addEventListener(name, released, { capture: true });
}

/** Runs at once, or when what is being pressed has been let go; never before what was asked for earlier. */
export function afterPress(run: () => void): void {
  if (pressing || waiting.length > 0) waiting.push(run);
  else run();
}
