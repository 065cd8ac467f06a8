/** Writes: one key per thing asked for, so that asking again after a lost answer does it once. */
import { useRef } from "react";
import { uuid } from "../lib/random";

/** The `Idempotency-Key` header for a body: the same body gets the same key while the form is open. */
export function useIdempotency(): (body: unknown) => { "Idempotency-Key": string } {
  const keys = useRef(new Map<string, string>());
  return (body) => {
    const text = JSON.stringify(body);
    const key = keys.current.get(text) ?? uuid();
    keys.current.set(text, key);
    return { "Idempotency-Key": key };
  };
}
