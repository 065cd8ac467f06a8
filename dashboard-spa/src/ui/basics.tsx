/** The small pieces every page is made of. */
import { ActionIcon, CopyButton, Text, Title, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import clsx from "clsx";
import { type CSSProperties, Fragment, type ReactNode } from "react";
import type { Call } from "../client/types.gen";
import { isLive, outcomeOf, reasonOf, type Tone } from "../lib/call";
import { exact, relative, shortSid } from "../lib/format";
import { grouped } from "../lib/number";
import css from "./basics.module.css";
import { useNow } from "./useNow";

/** Sets the colour a class draws with. */
export const toned = (tone: Tone) => ({ "--tone": `var(--status-${tone})` }) as CSSProperties;

/** Status by dot and word. */
export function Dot({ tone, children, live }: { tone: Tone; children: ReactNode; live?: boolean }) {
  return (
    <span className={css.dot} style={toned(tone)} data-live={live || undefined}>
      {children}
    </span>
  );
}

/** How far a call is. What went wrong with it goes before Twilio's word, which calls every answered call completed. */
export function CallStatus({ call }: { call: Pick<Call, "status" | "problem" | "reason"> }) {
  const { word, tone } = outcomeOf(call);
  return (
    <span title={reasonOf(call)}>
      <Dot tone={tone} live={isLive(call)}>
        {word}
      </Dot>
    </span>
  );
}

export function Enabled({ on }: { on: boolean }) {
  return <Dot tone={on ? "green" : "grey"}>{on ? "Enabled" : "Disabled"}</Dot>;
}

/** A button that copies, says so for a moment, and does not open the row it is in. */
export function Copy({ value, label, className }: { value: string; label: string; className?: string }) {
  return (
    <CopyButton value={value} timeout={1200}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : label}>
          <ActionIcon
            size={22}
            className={className}
            aria-label={copied ? "Copied" : label}
            onClick={(event) => {
              event.stopPropagation();
              event.preventDefault();
              copy();
            }}
          >
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** Something with a copy button that shows on hover and on focus (always, with `always`). */
export function Copyable(props: { value: string; what: string; children: ReactNode; always?: boolean }) {
  return (
    <span className={clsx(css.copyable, props.always && css.always)}>
      {props.children}
      <Copy value={props.value} label={`Copy ${props.what}`} className={css.copy} />
    </span>
  );
}

/** A SID: shortened for reading, copied whole. */
export function SidText({ sid, always = false }: { sid: string; always?: boolean }) {
  return (
    <Copyable value={sid} what="SID" always={always}>
      <span className="mono truncate" title={sid}>
        {shortSid(sid)}
      </span>
    </Copyable>
  );
}

/** A configured address on one line, whole on hover. */
export function UrlText({ url }: { url: string | undefined }) {
  if (!url) return <span className="dim">Not configured</span>;
  return (
    <span className={clsx("mono truncate", css.url)} title={url}>
      {url}
    </span>
  );
}

/** A phone number: grouped for reading, copied as E.164. */
export function NumberText({ number, always = false }: { number: string; always?: boolean }) {
  return (
    <Copyable value={number} what="number" always={always}>
      <span className="mono nowrap">{grouped(number)}</span>
    </Copyable>
  );
}

/** Now, as often as it changes what is said of a time. */
const useAgo = (at: string | undefined) =>
  useNow(at !== undefined && Date.now() - Date.parse(at) < 3_600_000 ? 5_000 : 60_000);

/** A time: relative, with the exact one on hover. */
export function When({ at }: { at: string | undefined }) {
  const now = useAgo(at);
  if (!at) return <span className="dim">Never</span>;
  return (
    <Tooltip label={exact(at)}>
      <time dateTime={at} className="num nowrap">
        {relative(at, now)}
      </time>
    </Tooltip>
  );
}

/** A time where there is room for both: relative, and the exact one below. */
export function Moment({ at }: { at: string }) {
  const now = useAgo(at);
  return (
    <span>
      <time dateTime={at} className="num nowrap">
        {relative(at, now)}
      </time>
      <br />
      <span className="dim small num">{exact(at)}</span>
    </span>
  );
}

/** Name and value, one pair a line. */
export function Facts({ items }: { items: [string, ReactNode][] }) {
  return (
    <dl className={css.facts}>
      {items
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
    </dl>
  );
}

export function Card(props: { title?: string; aside?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className={css.card}>
      {props.title !== undefined && (
        <header className={css.cardHead}>
          <Title order={2}>{props.title}</Title>
          {props.aside}
        </header>
      )}
      <div className={props.flush ? undefined : css.cardBody}>{props.children}</div>
    </section>
  );
}

/** One sentence what this is, one button that makes the first one. */
export function Empty(props: { icon: ReactNode; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={css.empty}>
      <div className={css.emptyIcon}>{props.icon}</div>
      <div>
        <Text fw={600}>{props.title}</Text>
        {props.children && (
          <Text c="dimmed" maw={420} mt={4}>
            {props.children}
          </Text>
        )}
      </div>
      {props.action}
    </div>
  );
}

/** Preformatted text with a copy button. */
export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className={css.codeWrap}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard */}
      <section tabIndex={0} aria-label={label} className={css.code}>
        <pre>{text}</pre>
      </section>
      <Copy value={text} label={`Copy ${label}`} className={css.codeCopy} />
    </div>
  );
}

/** Names and values, as in headers or parameters. */
export function Pairs({ pairs, label }: { pairs: readonly (readonly [string, string])[]; label: string }) {
  if (pairs.length === 0) return <span className="dim small">None</span>;
  return (
    <table className={css.pairs} aria-label={label}>
      <tbody>
        {pairs.map(([name, value], index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: names repeat, and the list never changes
          <tr key={index}>
            <th scope="row">{name}</th>
            <td className="mono">{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The red zone at the end of a page. */
export function DangerZone({
  title,
  children,
  action,
}: {
  title: string;
  children: ReactNode;
  action: ReactNode;
}) {
  return (
    <section className={css.danger} aria-label="Danger zone">
      <div>
        <Text fw={600}>{title}</Text>
        <Text c="dimmed" fz={13}>
          {children}
        </Text>
      </div>
      {action}
    </section>
  );
}
