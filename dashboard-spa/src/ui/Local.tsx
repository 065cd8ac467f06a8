/** Stands where a field's description stood, so that it moves nothing: the address is a local one. */
import { LOCAL } from "../lib/local";

export function Local() {
  return (
    <span role="status" style={{ color: "var(--status-amber)" }}>
      {LOCAL}
    </span>
  );
}
