/** What happened, what to do, and a code to quote. */
import { Button, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { advice, toProblem } from "../api/problem";
import { toned } from "./basics";
import css from "./basics.module.css";

export function ProblemNotice({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = toProblem(error);
  return (
    <div className={css.notice} style={toned("red")} role="alert">
      <IconAlertTriangle
        size={18}
        color="var(--status-red)"
        style={{ flex: "none", marginTop: 1 }}
        aria-hidden
      />
      <div style={{ flex: 1, minWidth: 0 }}>
        <Text fw={600}>{problem.title}</Text>
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
      </div>
    </div>
  );
}
