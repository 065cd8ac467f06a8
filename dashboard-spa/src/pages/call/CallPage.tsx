/** One call, replayable on screen: facts at the left, its timeline or SIP ladder at the right. Live while it runs. */
import { Button, Group, Menu, SegmentedControl, Skeleton } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import clsx from "clsx";
import { type ReactNode, useMemo } from "react";
import * as queries from "../../api/queries";
import type { Call, SipMessage } from "../../client/types.gen";
import { billing, directions, isLive, mosWord, ownNumber, reasonOf } from "../../lib/call";
import { asText, pcap, save } from "../../lib/export";
import { span } from "../../lib/format";
import { grouped } from "../../lib/number";
import { type Entry, entries, type Lane, startOf } from "../../lib/timeline";
import { useCallRows, useLive } from "../../live/LiveProvider";
import { CallStatus, Card, Dot, Facts, Moment, NumberText, SidText } from "../../ui/basics";
import { Duration } from "../../ui/CallBits";
import { HangUp } from "../../ui/EndCall";
import layout from "../../ui/layout.module.css";
import { AccountName, TrunkName } from "../../ui/Names";
import { PageHead } from "../../ui/PageHead";
import { ProblemNotice } from "../../ui/ProblemNotice";
import css from "./Call.module.css";
import { LadderView } from "./LadderView";
import { TimelineView } from "./TimelineView";

const route = getRouteApi("/app/calls/$sid");
const parent = { label: "Calls", link: { to: "/calls" } } as const;

/** While a call runs: how often its SIP messages are asked for, and everything else when nothing is pushed. */
const POLL = 3_000;

export function CallPage() {
  const { sid } = route.useParams();
  const { data: call, error, refetch } = useQuery(queries.call(sid));
  useCallRows(sid);
  if (error && !call) {
    return (
      <>
        <PageHead title="Call" parent={parent} />
        <ProblemNotice error={error} retry={() => void refetch()} list={parent} />
      </>
    );
  }
  const name = call ? `${grouped(call.from)} → ${grouped(call.to)}` : "Call";
  return (
    <>
      <PageHead title="Call" name={name} parent={parent}>
        {call && <HangUp call={call} size="sm" />}
      </PageHead>
      {call ? <Header call={call} /> : <Skeleton h={32} w={420} maw="100%" mb={24} />}
      <div className={clsx(layout.two, layout.mainFirst)}>
        <div className={layout.stack}>
          <Card title="Facts">{call ? <CallFacts call={call} /> : <Skeleton h={260} />}</Card>
          {call?.quality?.codec && <Quality quality={call.quality} />}
        </div>
        <Activity sid={sid} call={call} />
      </div>
    </>
  );
}

function Header({ call }: { call: Call }) {
  return (
    <div className={css.head}>
      <div className={css.parties}>
        <NumberText number={call.from} always />
        <span className="dim" role="img" aria-label="calls">
          →
        </span>
        <NumberText number={call.to} always />
      </div>
      <span className={css.big} role="status">
        <CallStatus call={call} />
      </span>
      <span className={css.big}>
        <Duration call={call} />
      </span>
    </div>
  );
}

function CallFacts({ call }: { call: Call }) {
  const setUp = call.answered_at ? Date.parse(call.answered_at) - Date.parse(call.created_at) : undefined;
  const reason = reasonOf(call);
  const billed = billing(call);
  return (
    <Facts
      items={[
        ["Call SID", <SidText key="sid" sid={call.sid} />],
        ["Direction", directions[call.direction]],
        ["Ended", reason && <span key="reason">{reason}</span>],
        [
          "SIP code",
          call.sip_code !== undefined ? (
            <span key="code" className="mono">
              {call.sip_code}
            </span>
          ) : undefined,
        ],
        ["Detail", call.detail],
        ["Account", <AccountName key="account" sid={call.account_sid} name={call.account_name} />],
        ["Trunk", <TrunkName key="trunk" sid={call.trunk_sid} name={call.trunk_name} />],
        [
          "Number",
          call.phone_number_sid ? (
            <Link key="number" to="/numbers/$sid" params={{ sid: call.phone_number_sid }} className="mono">
              {grouped(ownNumber(call))}
            </Link>
          ) : undefined,
        ],
        [
          "Parent call",
          call.parent_call_sid ? (
            <Link key="parent" to="/calls/$sid" params={{ sid: call.parent_call_sid }} className="mono">
              {call.parent_call_sid.slice(0, 10)}…
            </Link>
          ) : undefined,
        ],
        [
          "Talks with",
          call.bridged_with_sid ? (
            <Link key="bridged" to="/calls/$sid" params={{ sid: call.bridged_with_sid }} className="mono">
              {call.bridged_with_sid.slice(0, 10)}…
            </Link>
          ) : undefined,
        ],
        [
          "SIP Call-ID",
          call.sip_call_id ? (
            <span key="call-id" className="mono">
              {call.sip_call_id}
            </span>
          ) : undefined,
        ],
        ["Started", <Moment key="created" at={call.created_at} />],
        [
          "Answered after",
          setUp === undefined ? undefined : (
            <span key="setup" className="num">
              {span(setUp)}
            </span>
          ),
        ],
        ["Ended at", call.ended_at ? <Moment key="ended" at={call.ended_at} /> : undefined],
        [
          "Lasted",
          billed === undefined ? undefined : (
            <span key="lasted" className="num">
              {billed}
            </span>
          ),
        ],
        [
          "Node",
          call.node ? (
            <span key="node" className="mono">
              {call.node}
            </span>
          ) : undefined,
        ],
      ]}
    />
  );
}

function Quality({ quality }: { quality: NonNullable<Call["quality"]> }) {
  const { codec, mos, jitter_ms: jitter, packet_loss_percent: loss, rtt_ms: roundTrip } = quality;
  const fixed = (value: number | undefined, unit: string) =>
    value === undefined ? "–" : `${value.toFixed(1)} ${unit}`;
  const verdict = mos ? mosWord(mos) : undefined;
  const note = roundTrip === undefined ? "" : `round trip ${fixed(roundTrip, "ms")}`;
  const all: [string, ReactNode, ReactNode][] = [
    ["codec", codec, "Codec"],
    ["mos", mos ? mos.toFixed(1) : "–", <>MOS {verdict && <Dot tone={verdict.tone}>{verdict.word}</Dot>}</>],
    ["jitter", fixed(jitter, "ms"), "Jitter"],
    ["loss", fixed(loss, "%"), "Packets lost"],
  ];
  // Where nothing was heard there is nothing to measure, as the timeline says.
  const figures = jitter === undefined ? all.slice(0, 1) : all;
  return (
    <Card title="Quality" flush aside={<span className="dim small num">{note}</span>}>
      <div className={css.quality}>
        {figures.map(([key, value, name]) => (
          <div key={key} className={css.figure}>
            <b>{value}</b>
            <span>{name}</span>
          </div>
        ))}
      </div>
    </Card>
  );
}

function Activity({ sid, call }: { sid: string; call: Call | undefined }) {
  const { view, hide, row } = route.useSearch();
  const navigate = useNavigate();
  const { state } = useLive();
  const live = call !== undefined && isLive(call);
  const rows = useQuery({
    ...queries.timeline(sid),
    refetchInterval: live && state !== "open" ? POLL : false,
  });
  const messages = useQuery({
    ...queries.sipMessages(sid),
    refetchInterval: ({ state }) => (live && !state.error ? POLL : false),
  });
  const hidden = useMemo(() => (hide?.split(",") ?? []) as Lane[], [hide]);
  const all = useMemo(() => entries(rows.data ?? [], messages.data ?? []), [rows.data, messages.data]);
  const set = (search: { view?: string; hide?: string }) =>
    void navigate({ to: "/calls/$sid", params: { sid }, search, replace: true });
  // The timeline waits for its messages once; when they could not be read it goes on without.
  const pending = rows.isPending || (messages.isPending && messages.errorUpdateCount === 0);
  const failed = [rows, messages].find(({ error, data }) => error && !data);
  return (
    <Card
      title="What happened"
      flush
      aside={
        <Group gap={8}>
          {call && rows.data && <Export call={call} all={all} messages={messages.data ?? []} />}
          <SegmentedControl
            size="xs"
            aria-label="View"
            value={view === "ladder" ? "ladder" : "timeline"}
            onChange={(value) => set({ ...(value === "ladder" && { view: value }), ...(hide && { hide }) })}
            data={[
              { value: "timeline", label: "Timeline" },
              { value: "ladder", label: "SIP ladder" },
            ]}
          />
        </Group>
      }
    >
      {failed && <ProblemNotice error={failed.error} retry={() => void failed.refetch()} />}
      {pending ? (
        <Skeleton h={320} m={16} w="auto" />
      ) : view === "ladder" ? (
        messages.data && <LadderView messages={messages.data} start={startOf(all)} />
      ) : (
        rows.data && (
          <TimelineView
            all={all}
            live={live}
            linked={row}
            hidden={hidden}
            onHide={(lanes) => set({ ...(lanes.length > 0 && { hide: lanes.join(",") }) })}
          />
        )
      )}
    </Card>
  );
}

/** Takes the call away: as text for a ticket, or as a capture for a network tool. */
function Export({ call, all, messages }: { call: Call; all: Entry[]; messages: SipMessage[] }) {
  const carrier = useQuery(queries.carrier);
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button size="compact-sm" variant="default" leftSection={<IconDownload size={14} />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => save(asText(call, all), "text/plain", `${call.sid}.txt`)}>
          Everything as text
        </Menu.Item>
        <Menu.Item
          disabled={messages.length === 0}
          onClick={() =>
            save(
              pcap(messages, carrier.data?.sip_address),
              "application/vnd.tcpdump.pcap",
              `${call.sid}.pcap`,
            )
          }
        >
          SIP messages as pcap
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
