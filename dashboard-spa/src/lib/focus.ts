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
  return all.find((element) => element.checkVisibility?.() ?? true);
}

/** Of a row its beginning; else what stands where the other stood, then what follows, then what is before. */
function neighbour(box: Element, index: number): HTMLElement | undefined {
  if (box.matches(ROW)) return first(box);
  const children = [...box.children];
  const near = [...children.slice(index), ...children.slice(0, index).reverse()];
  return near.map(first).find((found) => found !== undefined);
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

const isOff = (element: HTMLElement) => element.matches(":disabled");
const isFree = () => document.activeElement === null || document.activeElement === document.body;

function give(element: HTMLElement): void {
  if (element.matches(`${HEADING}, main`)) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

/** Watches where the focus is. Once a page; what is returned ends it. */
export function watchFocus(): () => void {
  // On the page, and in what lies over it: a dialog that goes leads back to what opened it, or to what is next to that.
  let page: Place | undefined;
  let over: Place | undefined;
  const came = ({ target }: FocusEvent) => {
    if (!(target instanceof HTMLElement)) return;
    if (target.closest(OVER)) over = placeOf(target);
    else [page, over] = [placeOf(target), undefined];
  };
  const went = ({ target, relatedTarget }: FocusEvent) => {
    if (relatedTarget !== null) return;
    // What is being taken away is told to have lost the focus while it is still there; a moment later it is not.
    queueMicrotask(() => {
      const left = over ?? page;
      if (isFree() && left?.element === target && left.element.isConnected && !isOff(left.element))
        [page, over] = [undefined, undefined];
    });
  };
  const changed = () => {
    const last = over ?? page;
    if (!last || !isFree()) return;
    if (last.element.isConnected) {
      // A button that waits for an answer is off, and loses the focus by that.
      if (!isOff(last.element)) give(last.element);
      return;
    }
    const back = page?.element.isConnected && !isOff(page.element) ? page.element : page && nextTo(page);
    const next = (over && nextTo(over)) ?? back ?? document.querySelector<HTMLElement>("h1, main");
    if (next) give(next);
  };
  const observer = new MutationObserver(changed);
  observer.observe(document.body, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["disabled"],
  });
  document.addEventListener("focusin", came);
  document.addEventListener("focusout", went);
  return () => {
    observer.disconnect();
    document.removeEventListener("focusin", came);
    document.removeEventListener("focusout", went);
  };
}
