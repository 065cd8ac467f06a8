/** The vertical timeline: a filter per lane, rows that open in place, fresh ones with a soft highlight. */
import { IconChevronRight } from "@tabler/icons-react";
import clsx from "clsx";
import { useEffect, useMemo, useRef, useState } from "react";
import type { SipMessage, TimelineEntry } from "../../client/types.gen";
import { exact, offset, span } from "../../lib/format";
import { type Entry, entries, type Lane, laneCounts, lanes } from "../../lib/timeline";
import { Dot, toned } from "../../ui/basics";
import css from "./Call.module.css";
import { EntryDetail } from "./EntryDetail";

type Props = {
  rows: readonly TimelineEntry[];
  messages: readonly SipMessage[];
  live: boolean;
  hidden: Lane[];
  onHide: (lanes: Lane[]) => void;
};

/** Keys that were not there when the page was opened. */
function useFresh(keys: string[]): (key: string) => boolean {
  const known = useRef<Set<string> | undefined>(undefined);
  known.current ??= new Set(keys);
  const first = known.current;
  return (key) => !first.has(key);
}

/** Keeps the end of the page in sight while rows arrive, unless the person has scrolled away from it. */
function useFollow(length: number, live: boolean): void {
  const atEnd = useRef(true);
  useEffect(() => {
    const look = () => {
      atEnd.current = window.innerHeight + window.scrollY >= document.body.scrollHeight - 80;
    };
    look();
    window.addEventListener("scroll", look, { passive: true });
    return () => window.removeEventListener("scroll", look);
  }, []);
  useEffect(() => {
    if (live && atEnd.current && length > 0) window.scrollTo({ top: document.body.scrollHeight });
  }, [length, live]);
}

export function TimelineView({ rows, messages, live, hidden, onHide }: Props) {
  const all = useMemo(() => entries(rows, messages), [rows, messages]);
  const fresh = useFresh(all.map((entry) => entry.key));
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const shown = all.filter((entry) => !hidden.includes(entry.lane));
  const start = all[0] ? Date.parse(all[0].at) : 0;
  useFollow(shown.length, live);
  const toggle = (key: string) =>
    setOpen((old) => {
      const next = new Set(old);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  if (all.length === 0) {
    return (
      <p className="dim" style={{ padding: 16, margin: 0 }}>
        {live ? "Waiting for the first row…" : "Nothing was recorded."}
      </p>
    );
  }
  return (
    <>
      <fieldset className={css.bar} aria-label="Lanes">
        {laneCounts(all).map(([lane, total]) => (
          <button
            key={lane}
            type="button"
            className={clsx(css.chip, css.lane)}
            data-lane={lane}
            aria-pressed={!hidden.includes(lane)}
            onClick={() =>
              onHide(hidden.includes(lane) ? hidden.filter((other) => other !== lane) : [...hidden, lane])
            }
          >
            {lanes[lane]} <span className="dim num">{total}</span>
          </button>
        ))}
      </fieldset>
      <ol
        className={css.rows}
        aria-label="Timeline"
        aria-live={live ? "polite" : undefined}
        aria-relevant="additions"
      >
        {shown.map((entry) => (
          <Row
            key={entry.key}
            entry={entry}
            start={start}
            fresh={live && fresh(entry.key)}
            open={open.has(entry.key)}
            onToggle={() => toggle(entry.key)}
          />
        ))}
      </ol>
    </>
  );
}

type RowProps = { entry: Entry; start: number; fresh: boolean; open: boolean; onToggle: () => void };

function Row({ entry, start, fresh, open, onToggle }: RowProps) {
  return (
    <li className={clsx(css.row, css.lane, fresh && css.fresh)} data-lane={entry.lane}>
      <button type="button" className={css.line} aria-expanded={open} onClick={onToggle}>
        <span className={`${css.time} num`} title={exact(entry.at)}>
          {offset(Date.parse(entry.at) - start)}
        </span>
        <span className={css.node} aria-hidden />
        <span className={css.laneName}>{lanes[entry.lane] ?? entry.lane}</span>
        <span className={css.title}>
          {entry.message && <span className="dim">{entry.message.direction === "in" ? "← " : "→ "}</span>}
          <span className={entry.message ? "mono" : undefined}>{entry.title}</span>
        </span>
        <span className={css.result}>
          {entry.running && (
            <Dot tone="green" live>
              running
            </Dot>
          )}
          {entry.result &&
            (entry.tone ? (
              <span className={css.outcome} style={toned(entry.tone)}>
                <Dot tone={entry.tone}>{entry.result}</Dot>
              </span>
            ) : (
              <span className={`${css.outcome} dim`}>{entry.result}</span>
            ))}
          {!entry.result && entry.tone === "red" && <Dot tone="red">failed</Dot>}
          {entry.tookMs !== undefined && <span className={`${css.took} num dim`}>{span(entry.tookMs)}</span>}
        </span>
        <IconChevronRight size={14} className={css.chevron} aria-hidden />
      </button>
      {open && <EntryDetail entry={entry} />}
    </li>
  );
}
