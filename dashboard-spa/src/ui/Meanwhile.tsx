/** Said in a form that is being filled in while what it is about was changed elsewhere. */
import { Anchor } from "@mantine/core";
import type { ProblemForm } from "../lib/forms";

type Props = Pick<ProblemForm<object>, "elsewhere" | "discard">;

/** It has its room before it comes: it must not move the button below it. */
const ROOM = { margin: 0, minHeight: 34, lineHeight: "17px" };

export function Meanwhile({ elsewhere, discard }: Props) {
  if (!elsewhere) return <p style={ROOM} />;
  return (
    <p role="status" className="dim small" style={ROOM}>
      Changed elsewhere meanwhile. What you typed is kept; saving it overwrites the change.{" "}
      <Anchor component="button" type="button" fz="inherit" onClick={discard}>
        Show the change instead
      </Anchor>
    </p>
  );
}
