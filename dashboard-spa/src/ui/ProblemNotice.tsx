/** What happened, what to do, and a reference to quote. */
import { Button, Text } from "@mantine/core";
import { Link, type LinkProps } from "@tanstack/react-router";
import { advice, type Problem, toProblem } from "../api/problem";
import { Notice } from "./Notice";

type List = { label: string; link: LinkProps };
type Props = {
  error: unknown;
  retry?: () => void;
  /** Where to find what is there, when this is not. */
  list?: List;
};

export function ProblemNotice({ error, retry, list }: Props) {
  const problem = toProblem(error);
  if (problem.code === "not_found") return <Missing problem={problem} list={list} />;
  // What is to be done about it says all of these.
  const told = problem.code === "rate_limited" || problem.code === "unavailable";
  return (
    <Notice tone="red" title={problem.title} role="alert">
      {problem.detail && !told && <Text fz={13}>{problem.detail}</Text>}
      <Text fz={13} c="dimmed">
        {advice(problem)}
        {problem.requestId && (
          <>
            {" "}
            Reference: <span className="mono">{problem.requestId}</span>
          </>
        )}
      </Text>
      {retry && (
        <Button mt={8} size="xs" variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </Notice>
  );
}

/** Asking again finds nothing either; the list has what is there. */
function Missing({ problem, list }: { problem: Problem; list: List | undefined }) {
  return (
    <Notice tone="red" title={(problem.detail ?? problem.title).replace(/\.$/, "")} role="alert">
      <Text fz={13}>
        {advice(problem)} {list && <Link {...list.link}>Back to {list.label}</Link>}
      </Text>
    </Notice>
  );
}
