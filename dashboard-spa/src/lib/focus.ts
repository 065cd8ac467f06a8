/**
 * Gives the focus back when what had it is gone: a row, a dialog, a button that became another. Left to itself it falls to
 * the start of the page, and whoever works by keyboard begins anew.
 */

/** What takes it instead. No field: that would bring a phone's keyboard up. */
const NEXT = "a[href], button:not(:disabled), [tabindex='0']";
const ROW = "tr, li";
const LIST = "tbody, ul, ol";
const HEADING = "h1, h2, h3";
/** What is left only as a whole. */
const FRAME = "[role=dialog], main";
/** Where what lies over the page is drawn. */
const OVER = "[data-portal]";

/** What had the focus, and what was around it, from the inside out, each with the place of the one before in it. */
type Place = { element: HTMLElement; around: { box: Element; index: number }[] };

function placeOf(element: HTMLElement): Place {
  const frame = element.closest(FRAME);
  const around: Place["around"] = [];
  let inside: Element = element;
  for (let box = inside.parentElement; box && inside !== frame; box = box.parentElement) {
    if (box === document.body || box.matches(OVER)) break;
    around.push({ box, index: [...box.children].indexOf(inside) });
    inside = box;
  }
  return { element, around };
}

function first(box: Element): HTMLElement | undefined {
  const all = [...box.querySelectorAll<HTMLElement>(NEXT)];
  if (box instanceof HTMLElement && box.matches(NEXT)) all.unshift(box);
  return all.find(isShown);
}

/** A row itself, for a press that was meant for what is gone must not open it; else what stands where the other stood, then what follows, then what is before. */
function neighbour(box: Element, index: number): HTMLElement | undefined {
  if (box.matches(ROW)) return box as HTMLElement;
  const children = [...box.children];
  const near = [...children.slice(index), ...children.slice(0, index).reverse()];
  return near.map(within).find((found) => found !== undefined);
}

/** Of a list's rows themselves, of everything else the first that can be pressed. */
function within(box: Element): HTMLElement | undefined {
  const found = first(box);
  return found && box.matches(ROW) && box.parentElement?.matches(LIST) ? (box as HTMLElement) : found;
}

/** What is nearest to the place of something that is gone; past a list that has nothing left it is the heading. */
function nextTo({ around }: Place): HTMLElement | undefined {
  let past = false;
  for (const { box, index } of around) {
    if (box.isConnected) {
      const found = past || box.matches("main") ? undefined : neighbour(box, index);
      const heading = box.querySelector<HTMLElement>(HEADING);
      if (found ?? heading) return found ?? heading ?? undefined;
    }
    past ||= box.matches(LIST);
  }
  return undefined;
}

/** A page's own heading, else the page. */
function beginning(): HTMLElement | undefined {
  const all = [
    ...document.querySelectorAll<HTMLElement>("h1"),
    ...document.querySelectorAll<HTMLElement>("main"),
  ];
  return all.find(isShown);
}

const isShown = (element: HTMLElement) => element.checkVisibility?.() ?? true;
const isOff = (element: HTMLElement) => element.matches(":disabled");
/** What is off while it waits for an answer will be on again: a field, a button that says so. */
const isWaiting = (element: HTMLElement) => element.matches("[data-loading], :not(button)");
const isFree = () => document.activeElement === null || document.activeElement === document.body;

function give(element: HTMLElement): void {
  if (element.matches(`${HEADING}, ${ROW}, main`)) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

/** Watches where the focus is. Once a page. `arrived` says that another page is there, `stop` ends it. */
export function watchFocus(): { arrived: () => void; stop: () => void } {
  // On the page, and in what lies over it: a dialog that goes leads back to what opened it, or to what is next to that.
  let page: Place | undefined;
  let over: Place | undefined;
  // Whether another page was opened whose heading is not there yet.
  let arriving = false;
  const came = ({ target }: FocusEvent) => {
    if (!(target instanceof HTMLElement)) return;
    if (target.closest(OVER)) over = placeOf(target);
    else [page, over] = [placeOf(target), undefined];
  };
  /** What is there still takes it back, and when it is off for good what is next to it. */
  const keep = (place: Place) => {
    const next = isOff(place.element) ? nextTo(place) : place.element;
    if (next && !(isOff(place.element) && isWaiting(place.element))) give(next);
  };
  const went = ({ target, relatedTarget }: FocusEvent) => {
    if (relatedTarget !== null) return;
    // What is being taken away is told to have lost the focus while it is still there; a moment later it is not.
    queueMicrotask(() => {
      const left = over ?? page;
      if (!isFree() || left?.element !== target) return;
      // A page that waits for the next one's code is hidden, which is nobody's wish to be nowhere.
      if (!left.element.isConnected || !isShown(left.element)) return;
      if (isOff(left.element)) keep(left);
      else [page, over] = [undefined, undefined];
    });
  };
  /** Whoever opened a page and has the focus nowhere begins at its heading. */
  const begin = () => {
    const heading = [...document.querySelectorAll("h1")].find(isShown);
    if (isFree() && !heading) return;
    arriving = false;
    if (isFree() && heading) give(heading);
  };
  const changed = () => {
    if (arriving) begin();
    const last = over ?? page;
    if (!last || !isFree()) return;
    if (last.element.isConnected) return keep(last);
    // What opened it is on again in a moment, and then takes it.
    if (page?.element.isConnected && isOff(page.element) && isWaiting(page.element)) {
      over = undefined;
      return;
    }
    const back = page?.element.isConnected && !isOff(page.element) ? page.element : page && nextTo(page);
    const next = (over && nextTo(over)) ?? back ?? beginning();
    if (next) give(next);
  };
  const observer = new MutationObserver(changed);
  observer.observe(document.body, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["disabled", "data-loading"],
  });
  document.addEventListener("focusin", came);
  document.addEventListener("focusout", went);
  return {
    arrived: () => {
      arriving = true;
      begin();
    },
    stop: () => {
      observer.disconnect();
      document.removeEventListener("focusin", came);
      document.removeEventListener("focusout", went);
    },
  };
}
