/** A framed remark: what it is in one line, what to do about it below. */
import { Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Tone } from "../lib/call";
import { toned } from "./basics";
import css from "./basics.module.css";

type Props = { tone: Tone; title: string; role?: "alert"; children: ReactNode };

export function Notice({ tone, title, role, children }: Props) {
  return (
    <div className={css.notice} style={toned(tone)} role={role}>
      <IconAlertTriangle
        size={18}
        color={`var(--status-${tone})`}
        style={{ flex: "none", marginTop: 1 }}
        aria-hidden
      />
      <div style={{ flex: 1, minWidth: 0 }}>
        <Text fw={600}>{title}</Text>
        {children}
      </div>
    </div>
  );
}
