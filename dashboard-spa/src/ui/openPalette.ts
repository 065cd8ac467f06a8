/** What opens the palette: a click in the head of a page, Ctrl-K anywhere, a slash where it types nothing. */
import { useHotkeys } from "@mantine/hooks";

let opened = false;
const listeners = new Set<() => void>();

function set(now: boolean): void {
  opened = now;
  for (const tell of listeners) tell();
}

/** Whether it is open. There is one; what opens it is in the head of every page. */
export const palette = {
  open: () => set(true),
  close: () => set(false),
  isOpen: () => opened,
  subscribe: (listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

/** A Mac's Control-K deletes to the end of the line, and so it is Command there. */
export function paletteKey(agent: string): { hotkey: string; shown: string } {
  return /Mac OS X/.test(agent)
    ? { hotkey: "meta + K", shown: "⌘ K" }
    : { hotkey: "ctrl + K", shown: "Ctrl K" };
}

/** What a dialog holds, typed or shown once, would be lost below the palette: Escape and every way on would close both. */
export function openPalette(): void {
  const dialogs = [...document.querySelectorAll("[aria-modal=true]")];
  // Its own may be there still while it closes.
  if (dialogs.every((dialog) => dialog.closest("[data-palette]"))) palette.open();
}

export function usePaletteKeys(): void {
  // It types nothing, and so it works in a field as well.
  useHotkeys([[paletteKey(navigator.userAgent).hotkey, openPalette]], [], true);
  useHotkeys([["/", openPalette]]);
}
