/** A page's code comes when it is opened, or before, when there is nothing else to do. */
import { type ComponentType, type ReactNode, use } from "react";

/** Between two pages that are loaded ahead, and before the first, in milliseconds. */
const PAUSE = 200;

/** A page whose code could not be had: the server is away, or has another version by now. */
export class PageUnavailable extends Error {
  constructor() {
    super("This page's code could not be loaded.");
    this.name = "PageUnavailable";
  }
}

const loaders: (() => Promise<unknown>)[] = [];

/** The component `name` of a module that is loaded when it is needed. A failed attempt is made again with the next one. */
export function page<Module extends Record<Name, ComponentType>, Name extends string>(
  load: () => Promise<Module>,
  name: Name,
): (() => ReactNode) & { preload: () => Promise<void> } {
  let loading: Promise<ComponentType> | undefined;
  const component = () => {
    loading ??= load().then(
      (module) => module[name],
      () => {
        loading = undefined;
        throw new PageUnavailable();
      },
    );
    return loading;
  };
  const preload = async () => void (await component());
  loaders.push(preload);
  function Page() {
    const Component = use(component());
    return <Component />;
  }
  return Object.assign(Page, { preload });
}

/** Loads every page's code, one after another, while the browser has nothing else to do. */
export function loadAllPages(): void {
  const idle = window.requestIdleCallback ?? ((run: () => void) => setTimeout(run, PAUSE));
  const next = (at: number) => {
    const load = loaders[at];
    if (!load) return;
    // What does not come now comes when it is opened.
    void load().then(
      () => idle(() => next(at + 1)),
      () => setTimeout(() => next(at), 30 * PAUSE),
    );
  };
  setTimeout(() => idle(() => next(0)), PAUSE);
}
