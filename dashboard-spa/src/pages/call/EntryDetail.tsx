/** What is inside a row: the raw message, the request and its response, or the fact as recorded. */
import { Button } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconLink, IconTerminal2 } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { asCurl } from "../../lib/curl";
import { clock, span, words } from "../../lib/format";
import { type Entry, type Exchange, exchangeOf } from "../../lib/timeline";
import { prettyXml } from "../../lib/xml";
import { Code, Pairs } from "../../ui/basics";
import css from "./Call.module.css";

export function EntryDetail({ entry }: { entry: Entry }) {
  return (
    <div className={css.detail}>
      {inside(entry)}
      <LinkTo row={entry.key} />
    </div>
  );
}

/** Copies this page's address with the row in it: whoever opens it sees the row. */
function LinkTo({ row }: { row: string }) {
  const clipboard = useClipboard({ timeout: 1200 });
  const copy = () => {
    const address = new URL(window.location.href);
    address.searchParams.delete("view");
    address.searchParams.set("row", row);
    clipboard.copy(address.href);
  };
  return (
    <div>
      <Button size="compact-xs" variant="default" leftSection={<IconLink size={14} />} onClick={copy}>
        {clipboard.copied ? "Copied" : "Copy link to this row"}
      </Button>
    </div>
  );
}

function inside(entry: Entry): ReactNode {
  const { message, row, end } = entry;
  if (message) {
    return (
      <>
        <span className="dim small">
          {message.direction === "in" ? "Received from" : "Sent to"}{" "}
          <span className="mono">{message.peer}</span> at {clock(message.at)}
        </span>
        <Code text={message.raw} label="SIP message" />
      </>
    );
  }
  if (!row) return null;
  const exchange = exchangeOf(row);
  if (exchange) return <ExchangeDetail exchange={exchange} />;
  return (
    <FactDetail
      detail={row.detail as Record<string, unknown>}
      end={end?.detail as Record<string, unknown> | undefined}
      at={row.at}
    />
  );
}

/** A fact's members as names and values; verbs show their attributes as written. */
function FactDetail({
  detail,
  end,
  at,
}: {
  detail: Record<string, unknown>;
  end: Record<string, unknown> | undefined;
  at: string;
}) {
  const pairs = Object.entries({ ...detail, ...(end && { outcome: end.outcome }) }).flatMap(([name, value]) =>
    pairsOf(name, value),
  );
  return (
    <>
      <span className="dim small">At {clock(at)}</span>
      <Pairs pairs={pairs} label="Recorded" />
    </>
  );
}

function pairsOf(name: string, value: unknown): [string, string][] {
  if (value === null || value === undefined || value === "") return [];
  if (name === "attributes" && Array.isArray(value)) {
    return value.map((pair: unknown) =>
      Array.isArray(pair) ? [String(pair[0]), String(pair[1])] : ["attribute", String(pair)],
    );
  }
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return [[words(name), text]];
}

function ExchangeDetail({ exchange }: { exchange: Exchange }) {
  const clipboard = useClipboard({ timeout: 1200 });
  const headers = exchange.response_headers ?? [];
  const body = exchange.body ?? "";
  return (
    <>
      <div className={css.request}>
        <span className="mono" style={{ overflowWrap: "anywhere", flex: "1 1 240px" }}>
          <b>{exchange.method}</b> {exchange.url}
        </span>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconTerminal2 size={14} />}
          onClick={() => clipboard.copy(asCurl(exchange))}
        >
          {clipboard.copied ? "Copied" : "Copy as curl"}
        </Button>
      </div>
      <section>
        <h3>Parameters</h3>
        <Pairs pairs={exchange.parameters} label="Request parameters" />
      </section>
      {exchange.error && (
        <section>
          <h3>Error {exchange.error.code}</h3>
          {exchange.error.message}
        </section>
      )}
      {exchange.status !== undefined && (
        <section>
          <h3>
            Response {exchange.status} in {span(exchange.duration_ms)}
          </h3>
          <Pairs pairs={headers} label="Response headers" />
        </section>
      )}
      {body !== "" && (
        <section>
          <h3>Body{exchange.truncated ? ", cut to its first 16 KB" : ""}</h3>
          <Code text={prettyXml(body)} label="response body" />
        </section>
      )}
    </>
  );
}
