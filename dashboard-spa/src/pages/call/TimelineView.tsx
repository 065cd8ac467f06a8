/** The vertical timeline: a filter per lane, rows that open in place, fresh ones with a soft highlight. */
import { IconChevronRight } from "@tabler/icons-react";
import clsx from "clsx";
import { useEffect, useMemo, useRef, useState } from "react";
import { exact, offset, span } from "../../lib/format";
import { barOf, type Entry, endOf, type Lane, laneCounts, lanes, micros, startOf } from "../../lib/timeline";
import { Dot, toned } from "../../ui/basics";
import { News } from "../../ui/News";
import { useHeld } from "../../ui/useHeld";
import css from "./Call.module.css";
import { EntryDetail } from "./EntryDetail";

type Props = {
  all: readonly Entry[];
  live: boolean;
  /** The row a link leads to. */
  linked: string | undefined;
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
function useFollow(length: number, live: boolean, hand: boolean): void {
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
    if (live && !hand && atEnd.current && length > 0) window.scrollTo({ top: document.body.scrollHeight });
  }, [length, live, hand]);
}

/** Brings the row that a link leads to into sight, once it is there. */
function useLinked(key: string | undefined, present: boolean): void {
  const done = useRef<string>(undefined);
  useEffect(() => {
    if (key === undefined || !present || done.current === key) return;
    done.current = key;
    document.getElementById(`row-${key}`)?.scrollIntoView({ block: "center" });
  }, [key, present]);
}

const keyOf = (entry: Entry) => entry.key;

export function TimelineView({ all, live, linked, hidden, onHide }: Props) {
  const fresh = useFresh(all.map(keyOf));
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set(linked === undefined ? [] : [linked]));
  const wanted = useMemo(() => all.filter((entry) => !hidden.includes(entry.lane)), [all, hidden]);
  const { lines, waiting, gone, hand, handOn, release } = useHeld(wanted, keyOf, {
    scope: hidden.join(","),
  });
  const shown = lines.map(({ row }) => row);
  const start = startOf(all);
  const end = endOf(all);
  useFollow(shown.length, live, handOn);
  useLinked(
    linked,
    all.some(({ key }) => key === linked),
  );
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
      <div {...hand}>
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
              end={end}
              linked={entry.key === linked}
              fresh={live && fresh(entry.key)}
              open={open.has(entry.key)}
              onToggle={() => toggle(entry.key)}
            />
          ))}
        </ol>
        <div className={css.foot} data-live={live || undefined}>
          <News waiting={waiting} gone={gone} onShow={release} />
        </div>
      </div>
    </>
  );
}

type RowProps = {
  entry: Entry;
  /** The call's beginning and end, in microseconds. */
  start: number;
  end: number;
  linked: boolean;
  fresh: boolean;
  open: boolean;
  onToggle: () => void;
};

function Row({ entry, start, end, linked, fresh, open, onToggle }: RowProps) {
  const { left, width } = barOf(entry, start, end);
  return (
    <li
      id={`row-${entry.key}`}
      className={clsx(css.row, css.lane, fresh && css.fresh, linked && css.linked)}
      data-lane={entry.lane}
    >
      <button type="button" className={css.line} aria-expanded={open} onClick={onToggle}>
        <span className={`${css.time} num`} title={exact(entry.at)}>
          {offset((micros(entry.at) - start) / 1000)}
        </span>
        <span className={css.node} aria-hidden />
        <span className={css.laneName}>{lanes[entry.lane] ?? entry.lane}</span>
        <span className={css.title}>
          {entry.message && <span className="dim">{entry.message.direction === "in" ? "← " : "→ "}</span>}
          <span className={entry.message ? "mono" : undefined}>{entry.title}</span>
          {entry.said && <span className="dim"> {entry.said}</span>}
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
        <span className={css.track} aria-hidden>
          <span style={{ left: `${left}%`, width: `${width}%` }} />
        </span>
      </button>
      {open && <EntryDetail entry={entry} />}
    </li>
  );
}
