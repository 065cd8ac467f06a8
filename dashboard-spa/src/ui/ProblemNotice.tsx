/** What happened, what to do, and a code to quote. */
import { Button, Text } from "@mantine/core";
import { advice, toProblem } from "../api/problem";
import { Notice } from "./Notice";

export function ProblemNotice({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = toProblem(error);
  return (
    <Notice tone="red" title={problem.title} role="alert">
      {problem.detail && <Text fz={13}>{problem.detail}</Text>}
      <Text fz={13} c="dimmed">
        {advice(problem)}
        {problem.requestId && (
          <>
            {" "}
            Code: <span className="mono">{problem.requestId}</span>
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
