/** Short notes at the upper edge. */
import { notifications } from "@mantine/notifications";
import { advice, toProblem } from "../api/problem";
import { visible } from "../lib/visible";

const closeButtonProps = { "aria-label": "Dismiss" };

export function told(message: string): void {
  notifications.show({ message: visible(message), withBorder: true, closeButtonProps });
}

/** Said where there is nothing to save. */
export const nothingChanged = () => told("Nothing has changed.");

export function refused(error: unknown): void {
  const problem = toProblem(error);
  const message = problem.code === "offline" ? advice(problem) : (problem.detail ?? advice(problem));
  notifications.show({
    title: problem.title,
    message,
    color: "red",
    withBorder: true,
    autoClose: 8000,
    closeButtonProps,
  });
}
