/** Said in a form that is being filled in while what it is about was changed elsewhere. */
import { Anchor } from "@mantine/core";
import type { ProblemForm } from "../lib/forms";

type Props = Pick<ProblemForm<object>, "elsewhere" | "discard">;

export function Meanwhile({ elsewhere, discard }: Props) {
  if (!elsewhere) return null;
  return (
    <p role="status" className="dim small" style={{ margin: 0 }}>
      Changed elsewhere meanwhile. What you typed is kept; saving it overwrites the change.{" "}
      <Anchor component="button" type="button" fz="inherit" onClick={discard}>
        Show the change instead
      </Anchor>
    </p>
  );
}
