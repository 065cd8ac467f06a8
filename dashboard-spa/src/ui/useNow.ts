/** The time of day, as often as asked; all users of one interval share one timer. */
import { useCallback, useSyncExternalStore } from "react";

type Ticker = { now: number; timer: ReturnType<typeof setInterval> | undefined; listeners: Set<() => void> };

const tickers = new Map<number, Ticker>();

function tickerOf(every: number): Ticker {
  let ticker = tickers.get(every);
  if (ticker === undefined) {
    ticker = { now: Date.now(), timer: undefined, listeners: new Set() };
    tickers.set(every, ticker);
  }
  return ticker;
}

function listen(ticker: Ticker, every: number, listener: () => void): () => void {
  ticker.listeners.add(listener);
  ticker.timer ??= setInterval(() => {
    ticker.now = Date.now();
    for (const tell of ticker.listeners) tell();
  }, every);
  return () => {
    ticker.listeners.delete(listener);
    if (ticker.listeners.size > 0) return;
    clearInterval(ticker.timer);
    ticker.timer = undefined;
  };
}

/** Milliseconds since 1970, renewed every `every` milliseconds. */
export function useNow(every: number): number {
  const ticker = tickerOf(every);
  if (ticker.timer === undefined) ticker.now = Date.now();
  // The same function each time: a new one would start the timer anew with each drawing, and seconds would be skipped.
  const subscribe = useCallback((listener: () => void) => listen(ticker, every, listener), [ticker, every]);
  return useSyncExternalStore(subscribe, () => ticker.now);
}
