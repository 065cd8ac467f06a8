/** Where you stand: what is still to set up, counts, the last calls. */
import { Skeleton } from "@mantine/core";
import { IconCircleCheckFilled, IconCircleDashed, IconPhoneDone } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, type LinkProps, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import * as queries from "../api/queries";
import type { Overview as Counts } from "../client/types.gen";
import { Card, Copyable, Empty } from "../ui/basics";
import { DataGrid, onePage } from "../ui/DataGrid";
import { PageHead } from "../ui/PageHead";
import { ProblemNotice } from "../ui/ProblemNotice";
import { useAsTheyAre } from "../ui/useAsTheyAre";
import { recentColumns } from "./callColumns";
import css from "./Overview.module.css";

export function Overview() {
  const counts = useQuery(queries.overview);
  return (
    <>
      <PageHead title="Overview" />
      {counts.error && !counts.data && (
        <ProblemNotice error={counts.error} retry={() => void counts.refetch()} />
      )}
      <Stats counts={counts.data} />
      <div className={css.grid}>
        <RecentCalls />
        <div className={css.side}>
          {counts.data && <Checklist counts={counts.data} />}
          <SipAddress />
        </div>
      </div>
    </>
  );
}

function Stats({ counts }: { counts: Counts | undefined }) {
  const stats: [string, number | undefined, LinkProps][] = [
    ["Live calls", counts?.live_calls, { to: "/live" }],
    ["Calls today", counts?.calls_today, { to: "/calls", search: { period: "today" } }],
    [
      "With problems today",
      counts?.problems_today,
      { to: "/calls", search: { problems: "true", period: "today" } },
    ],
    ["Phone numbers", counts?.phone_numbers, { to: "/numbers" }],
    ["SIP trunks", counts?.trunks, { to: "/trunks" }],
    ["Accounts", counts?.accounts, { to: "/accounts" }],
  ];
  return (
    <div className={css.stats}>
      {stats.map(([label, value, link]) => (
        <Link key={label} {...link} className={css.stat}>
          <b>{value === undefined ? <Skeleton h={20} w={32} my={5} /> : value.toLocaleString("en-GB")}</b>
          <span>{label}</span>
        </Link>
      ))}
    </div>
  );
}

type Step = { done: boolean; title: string; help: ReactNode; link: LinkProps };

/** Steps to the first call; gone when all are done. */
function Checklist({ counts: { accounts, checklist } }: { counts: Counts }) {
  const steps: Step[] = [
    {
      done: checklist.two_factor,
      title: "Set up two-factor sign-in",
      help: "Every sign-in asks for a code from your phone.",
      link: { to: "/settings" },
    },
    {
      done: checklist.trunk,
      title: "Add a SIP trunk",
      help: "Connects your network: where calls come from and go to.",
      link: { to: "/trunks/new" },
    },
    {
      done: accounts > 0,
      title: "Create an account",
      help: "Answers the calls to its numbers and places calls through Twilio's API.",
      link: { to: "/accounts" },
    },
    {
      done: checklist.phone_number,
      title: "Add a phone number",
      help: "Give it to the account and point it at an application.",
      link: { to: "/numbers" },
    },
    {
      done: checklist.test_call,
      title: "Make a test call",
      help: "Dial the number or have it ring you, and hear it answer. No server is needed.",
      link: { to: "/test-call" },
    },
  ];
  const done = steps.filter((step) => step.done).length;
  if (done === steps.length) return null;
  return (
    <Card
      title="Getting started"
      aside={
        <span className="dim small num">
          {done} of {steps.length}
        </span>
      }
      flush
    >
      <ol className={css.steps}>
        {steps.map(({ done, title, help, link }) => (
          <li key={title} className={done ? css.done : undefined}>
            {done ? (
              <IconCircleCheckFilled size={18} color="var(--status-green)" role="img" aria-label="Done" />
            ) : (
              <IconCircleDashed size={18} color="var(--mantine-color-dimmed)" role="img" aria-label="To do" />
            )}
            <div>
              {done ? (
                title
              ) : (
                <Link {...link} className="link" style={{ fontWeight: 500 }}>
                  {title}
                </Link>
              )}
              {!done && <p>{help}</p>}
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function SipAddress() {
  const carrier = useQuery(queries.carrier);
  const address = carrier.data?.sip_address;
  if (!address) return null;
  return (
    <Card title="Send calls here">
      <Copyable value={address} what="SIP address" always>
        <span className="mono">{address}</span>
      </Copyable>
      <p className="dim" style={{ margin: "8px 0 0", fontSize: 13 }}>
        SIP over UDP or TCP, from a source address of one of your inbound trunks.
      </p>
    </Card>
  );
}

function RecentCalls() {
  const navigate = useNavigate();
  const query = useQuery(queries.recentCalls);
  return (
    <section>
      <div
        style={{
          display: "flex",
          justifyContent: "space-between",
          alignItems: "center",
          minHeight: 32,
          marginBottom: 4,
        }}
      >
        <h2 style={{ fontSize: 15, fontWeight: 600, margin: 0 }}>Recent calls</h2>
        <Link to="/calls" className="link dim" style={{ fontSize: 13 }}>
          All calls
        </Link>
      </div>
      <DataGrid
        name="recent"
        noun={["call", "calls"]}
        columns={recentColumns}
        query={onePage(query)}
        plain
        rowKey={(call) => call.sid}
        useAfterwards={useAsTheyAre}
        onOpen={(call) => void navigate({ to: "/calls/$sid", params: { sid: call.sid } })}
        empty={
          <Empty icon={<IconPhoneDone size={22} stroke={1.6} />} title="No calls yet">
            The latest ones appear here as soon as the first number rings.
          </Empty>
        }
      />
    </section>
  );
}
