import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { afterPress, watchPresses } from "./press";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("keeps the order, so that a check of what was left never wipes out the refusal that came after it", () => {
  const page = new EventTarget();
  watchPresses(page);
  const done: string[] = [];
  page.dispatchEvent(new Event("pointerdown"));
  afterPress(() => done.push("check"));
  page.dispatchEvent(new Event("pointerup"));
  afterPress(() => done.push("refusal"));
  expect(done).toEqual([]);
  vi.runAllTimers();
  expect(done).toEqual(["check", "refusal"]);
  afterPress(() => done.push("at once"));
  expect(done).toEqual(["check", "refusal", "at once"]);
});
