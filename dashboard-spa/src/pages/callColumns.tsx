/** The columns calls are listed in, on every page that lists them. */
import { Link } from "@tanstack/react-router";
import type { Call } from "../client/types.gen";
import { directions } from "../lib/call";
import { grouped } from "../lib/number";
import { CallStatus, Copyable, SidText, When } from "../ui/basics";
import { DirectionIcon, Duration } from "../ui/CallBits";
import type { Column } from "../ui/DataGrid";
import { AccountName, TrunkName } from "../ui/Names";

/** Who calls whom, as the link that opens the call. */
function Parties({ call }: { call: Call }) {
  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: 8, minWidth: 0 }}>
      <DirectionIcon direction={call.direction} />
      <Link
        to="/calls/$sid"
        params={{ sid: call.sid }}
        className="link mono nowrap"
        onClick={(event) => event.stopPropagation()}
      >
        <span className="nowrap">{grouped(call.from)}</span>{" "}
        <span className="nowrap">
          <span className="dim">→</span> {grouped(call.to)}
        </span>
      </Link>
    </span>
  );
}

const parties: Column<Call> = {
  id: "parties",
  title: "From → to",
  phone: "lead",
  fixed: true,
  render: (call) => (
    <Copyable value={call.direction === "inbound" ? call.from : call.to} what="the far end's number">
      <Parties call={call} />
    </Copyable>
  ),
};
const status: Column<Call> = {
  id: "status",
  title: "Status",
  width: 150,
  phone: "aside",
  render: (call) => <CallStatus call={call} />,
};
const lasting: Column<Call> = {
  id: "duration",
  title: "Duration",
  width: 90,
  right: true,
  phone: "meta",
  render: (call) => <Duration call={call} />,
};
const started: Column<Call> = {
  id: "created_at",
  title: "Started",
  order: "created_at",
  width: 120,
  right: true,
  phone: "meta",
  render: (call) => <When at={call.created_at} />,
};
const account: Column<Call> = {
  id: "account",
  title: "Account",
  width: 180,
  shrink: true,
  phone: "meta",
  render: (call) => <AccountName sid={call.account_sid} name={call.account_name} />,
};
const trunk: Column<Call> = {
  id: "trunk",
  title: "Trunk",
  width: 150,
  shrink: true,
  render: (call) => <TrunkName sid={call.trunk_sid} name={call.trunk_name} />,
};
const direction: Column<Call> = {
  id: "direction",
  title: "Direction",
  width: 150,
  extra: true,
  render: (call) => directions[call.direction],
};
const sid: Column<Call> = {
  id: "sid",
  title: "SID",
  width: 180,
  extra: true,
  render: (call) => <SidText sid={call.sid} />,
};

export const callColumns: Column<Call>[] = [
  parties,
  status,
  account,
  trunk,
  direction,
  sid,
  lasting,
  started,
];
export const liveColumns: Column<Call>[] = [parties, status, account, trunk, lasting];
export const recentColumns: Column<Call>[] = [parties, status, lasting, started];
