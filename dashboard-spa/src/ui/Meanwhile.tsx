/** Said in a form that is being filled in while what it is about was changed elsewhere. */
import { Anchor } from "@mantine/core";
import type { ProblemForm } from "../lib/forms";
import css from "./layout.module.css";

type Props = Pick<ProblemForm<object>, "elsewhere" | "takeTheirs">;

/** Its place is beside the form's buttons, where its room is before it comes: it must not move what is about to be pressed. */

export function Meanwhile({ elsewhere, takeTheirs }: Props) {
  if (!elsewhere) return <p className={css.meanwhile} />;
  return (
    <p role="status" className={`${css.meanwhile} dim small`}>
      Changed elsewhere meanwhile. What you typed in the marked fields is kept; saving it overwrites the
      change.{" "}
      <Anchor component="button" type="button" fz="inherit" onClick={takeTheirs}>
        Show the change instead
      </Anchor>
    </p>
  );
}
