/** The SIP ladder: one line of life for us and for each far end, one arrow for each message. */
import { type CSSProperties, useMemo, useState } from "react";
import type { SipMessage } from "../../client/types.gen";
import { offset } from "../../lib/format";
import { ladder, type Rung } from "../../lib/ladder";
import { Code } from "../../ui/basics";
import css from "./Call.module.css";

/** Far ends that get a column; more than these share the last one. */
const PEERS = 3;

/** `start` is when the call's first row was, in microseconds: its times are those of the timeline. */
export function LadderView({ messages, start }: { messages: readonly SipMessage[]; start: number }) {
  const { peers, rungs } = useMemo(() => ladder(messages, start), [messages, start]);
  const [open, setOpen] = useState<number>();
  if (rungs.length === 0) {
    return (
      <p className="dim" style={{ padding: 16, margin: 0 }}>
        No SIP messages are kept for this call. They are evidence with their own, shorter retention.
      </p>
    );
  }
  const columns = Math.min(peers.length, PEERS) + 1;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
    <section className={css.ladderScroll} tabIndex={0} aria-label="SIP ladder">
      <div className={css.ladder} style={{ "--columns": columns } as CSSProperties}>
        <div className={css.heads}>
          <span />
          <span>Trunkline</span>
          {peers.slice(0, PEERS).map((peer) => (
            <span key={peer} className="mono">
              {peer}
            </span>
          ))}
        </div>
        {rungs.map((rung, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: messages are only ever added at the end
          <div key={index}>
            <RungLine
              rung={rung}
              columns={columns}
              open={open === index}
              onToggle={() => setOpen(open === index ? undefined : index)}
            />
            {open === index && (
              <div className={css.raw}>
                <Code text={rung.message.raw} label="SIP message" />
              </div>
            )}
          </div>
        ))}
      </div>
    </section>
  );
}

function RungLine({
  rung,
  columns,
  open,
  onToggle,
}: {
  rung: Rung;
  columns: number;
  open: boolean;
  onToggle: () => void;
}) {
  const { message } = rung;
  const code = Number(/\b([1-6]\d\d)\b/.exec(message.summary)?.[1]);
  const failed = rung.response && code >= 400 && code !== 401 && code !== 407;
  const colour = failed ? "var(--status-red)" : rung.response ? "var(--status-green)" : "#3b82f6";
  // The arrow spans from the middle of our column to the middle of the far end's.
  const far = Math.min(rung.peer, PEERS - 1) + 1;
  const column = `(100% - 76px) / ${columns}`;
  const style = {
    "--arrow": colour,
    left: `calc(76px + ${column} / 2)`,
    width: `calc(${column} * ${far})`,
  } as CSSProperties;
  return (
    <button type="button" className={css.rung} aria-expanded={open} onClick={onToggle}>
      <span className={`${css.time} ${css.rungTime} num`} style={{ paddingRight: 12 }}>
        {offset(rung.offsetMs)}
      </span>
      {Array.from({ length: columns }, (_, index) => index).map((index) => (
        <span key={index} className={css.lifeline} aria-hidden />
      ))}
      <span
        className={css.arrow}
        style={style}
        data-to={message.direction === "out" ? "right" : "left"}
        data-response={rung.response || undefined}
      >
        <span
          className={`${css.label} mono truncate`}
          style={failed ? { color: "var(--status-red)" } : undefined}
        >
          <span className="sr-only">{message.direction === "out" ? "Sent " : "Received "}</span>
          {message.summary}
          {rung.retransmission && <span className="dim"> again</span>}
        </span>
      </span>
    </button>
  );
}
