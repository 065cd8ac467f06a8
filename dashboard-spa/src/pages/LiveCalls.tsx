/** Calls that are up right now; rows come, count and go by themselves. */
import { Button } from "@mantine/core";
import { IconPhoneCall } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import * as queries from "../api/queries";
import type { Call } from "../client/types.gen";
import { useLive } from "../live/LiveProvider";
import { Dot, Empty } from "../ui/basics";
import { DataGrid, type Pages } from "../ui/DataGrid";
import { hangUpInRow } from "../ui/EndCall";
import { PageHead } from "../ui/PageHead";
import { useAsTheyAre } from "../ui/useAsTheyAre";
import { liveColumns } from "./callColumns";

/** Without a live connection the list is asked for this often, in milliseconds. */
const POLL = 5_000;

/** How many calls nobody has answered yet: how many there are is told below the list, and how much of it is there. */
function waiting({ data, hasNextPage }: Pick<Pages<Call>, "data" | "hasNextPage">): string {
  const rows = data?.pages.flatMap((page) => page.data) ?? [];
  const open = rows.filter((call) => call.status !== "in-progress").length;
  const said = `${open === 0 ? "nothing" : open} ringing or queued`;
  return hasNextPage ? `of the newest ${rows.length}, ${said}` : said;
}

export function LiveCalls() {
  const navigate = useNavigate();
  const { state } = useLive();
  const query = useInfiniteQuery({ ...queries.liveCalls, refetchInterval: state === "open" ? false : POLL });
  return (
    <>
      <PageHead title="Live calls" />
      <DataGrid
        name="live"
        noun={["call", "calls"]}
        columns={liveColumns}
        query={query}
        rowKey={(call) => call.sid}
        useAfterwards={useAsTheyAre}
        onOpen={(call) => void navigate({ to: "/calls/$sid", params: { sid: call.sid } })}
        gone="ended"
        actions={hangUpInRow}
        actionsWidth={136}
        empty={
          <Empty
            icon={<IconPhoneCall size={22} stroke={1.6} />}
            title="Nobody is calling right now"
            action={
              <Button variant="default" component={Link} to="/calls">
                See past calls
              </Button>
            }
          >
            A call shows up here the moment it rings, with its duration counting and a button to end it.
          </Empty>
        }
        filters={
          <span className="num" role="status">
            <Dot tone={state === "open" ? "green" : "amber"} live={state === "open"}>
              {state === "open" ? `Live · ${waiting(query)}` : "Connecting…"}
            </Dot>
          </span>
        }
      />
    </>
  );
}
