/** From a number to a call that is heard: what answers it, how to dial it, or to be rung by it. */
import { Button, Select, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { IconPhoneOutgoing } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useIdempotency } from "../api/mutate";
import * as queries from "../api/queries";
import { usePermissions } from "../api/useSession";
import { createTestCall } from "../client/sdk.gen";
import type { PhoneNumber } from "../client/types.gen";
import { reasonOf } from "../lib/call";
import { useProblemForm } from "../lib/forms";
import { grouped } from "../lib/number";
import { commandsOf, greeting, party, sipAddressOf } from "../lib/testCall";
import { CallStatus, Card, Code, Facts, UrlText, When } from "../ui/basics";
import { Duration } from "../ui/CallBits";
import css from "../ui/layout.module.css";
import { Notice } from "../ui/Notice";
import { PageHead } from "../ui/PageHead";
import { ProblemNotice } from "../ui/ProblemNotice";
import { refused, told } from "../ui/toast";
import { NoNumberToCall } from "./NoNumberToCall";
import { useUpdateNumber } from "./useUpdateNumber";

const route = getRouteApi("/app/test-call");
const parent = { label: "Overview", link: { to: "/" } } as const;

/** Where to find another number, when the one that was asked for is gone. */
const numbersList = { label: "Phone numbers", link: { to: "/numbers" } } as const;

export function TestCall() {
  const { number: wanted } = route.useSearch();
  const navigate = useNavigate();
  const numbers = useInfiniteQuery(queries.phoneNumbers({ assigned: true }));
  const chosen = useQuery({ ...queries.phoneNumber(wanted ?? ""), enabled: wanted !== undefined });
  const offered = numbers.data?.pages.flatMap((page) => page.data) ?? [];
  const number = wanted === undefined ? offered[0] : chosen.data;
  const options = number && !offered.some(({ sid }) => sid === number.sid) ? [number, ...offered] : offered;
  const failed = [numbers, chosen].find(({ error }) => error);
  return (
    <>
      <PageHead title="Test call" parent={parent} />
      {failed ? (
        <ProblemNotice error={failed.error} retry={() => void failed.refetch()} list={numbersList} />
      ) : numbers.isPending || (wanted !== undefined && chosen.isPending) ? (
        <Skeleton h={320} maw={640} />
      ) : number ? (
        <div className={css.form}>
          <Select
            label="Number"
            description="What is called, or calls you"
            data={options.map(({ sid, number: text }) => ({ value: sid, label: grouped(text) }))}
            value={number.sid}
            allowDeselect={false}
            searchable
            onChange={(sid) => sid && void navigate({ to: "/test-call", search: { number: sid } })}
          />
          <Answer number={number} />
          <DialIt number={number} />
          <CallMe key={number.sid} number={number} />
          <Latest number={number} />
        </div>
      ) : (
        <NoNumberToCall />
      )}
    </>
  );
}

/** What callers hear. A number that nothing answers gets a greeting with one click: no server is needed. */
function Answer({ number }: { number: PhoneNumber }) {
  const { write } = usePermissions();
  const { voice, sid } = number;
  const update = useUpdateNumber(sid);
  const greet = useMutation({
    mutationFn: () => update({ voice: { twiml: greeting(number.number) } }),
    onSuccess: () => told("The number answers with a greeting."),
    onError: refused,
  });
  const edit = (
    <Link to="/numbers/$sid" params={{ sid }} className="link dim" style={{ fontSize: 13 }}>
      Change
    </Link>
  );
  if (voice.twiml) {
    return (
      <Card title="What answers" aside={edit}>
        <Code text={voice.twiml} label="TwiML kept here" />
      </Card>
    );
  }
  if (voice.voice_url) {
    return (
      <Card title="What answers" aside={edit}>
        <Facts items={[["Application", <UrlText key="url" url={voice.voice_url} />]]} />
      </Card>
    );
  }
  return (
    <Notice tone="amber" title="Nothing answers this number yet">
      <Text fz={13}>
        Its calls are refused. Let it answer with a greeting that is kept here, or{" "}
        <Link to="/numbers/$sid" params={{ sid }}>
          give it the address of an application
        </Link>
        .
      </Text>
      {write && (
        <Button mt={8} size="xs" loading={greet.isPending} onClick={() => greet.mutate()}>
          Answer with a greeting
        </Button>
      )}
    </Notice>
  );
}

function DialIt({ number }: { number: PhoneNumber }) {
  const carrier = useQuery(queries.carrier);
  const trunks = useInfiniteQuery(queries.trunks({ direction: "inbound" }));
  const sources = trunks.data?.pages
    .flatMap((page) => page.data)
    .flatMap((trunk) => trunk.inbound?.sources ?? []);
  const address = sipAddressOf(number.number, carrier.data?.sip_address);
  if (!number.enabled) {
    return (
      <Notice tone="amber" title="This number takes no calls">
        <Text fz={13}>
          Enable it on{" "}
          <Link to="/numbers/$sid" params={{ sid: number.sid }}>
            its page
          </Link>
          .
        </Text>
      </Notice>
    );
  }
  return (
    <Card title="Dial it">
      <Stack gap={12}>
        <Text fz={13}>With any SIP phone, call this address:</Text>
        {address && <Code text={address} label="SIP address to dial" />}
        {sources?.length === 0 ? (
          <Text fz={13} c="var(--status-amber)">
            No inbound trunk yet: calls are dropped wherever they come from.{" "}
            <Link to="/trunks/new" search={{ tab: "inbound" }}>
              Create one
            </Link>{" "}
            with your phone's address as a source.
          </Text>
        ) : (
          <Text fz={13} c="dimmed">
            It has to call from one of your inbound trunks' sources:{" "}
            <span className="mono">{(sources ?? []).slice(0, 6).join(", ")}</span>
            {(sources?.length ?? 0) > 6 && " and more"}. Anything else is dropped without an answer.
          </Text>
        )}
        {address && (
          <>
            <Text fz={13}>
              Without a phone at hand, one of these calls it from a terminal on such a machine:
            </Text>
            {commandsOf(address).map(({ program, line }) => (
              <Code key={program} text={line} label={`${program} command`} />
            ))}
          </>
        )}
      </Stack>
    </Card>
  );
}

function CallMe({ number }: { number: PhoneNumber }) {
  const { write } = usePermissions();
  const client = useQueryClient();
  const idempotent = useIdempotency();
  const { form, problem, busy, onSubmit } = useProblemForm(
    { initialValues: { to: "" }, validate: { to: party } },
    async ({ to }) => {
      const body = { to: to.trim() };
      await createTestCall({ path: { sid: number.sid }, body, headers: idempotent(body) });
      void client.invalidateQueries({ queryKey: ["calls"] });
    },
  );
  if (!write) return null;
  return (
    <Card title="Or be called">
      <form onSubmit={onSubmit} noValidate className={css.stack}>
        {problem && <ProblemNotice error={problem} />}
        <TextInput
          label="Ring"
          description="A number, through your outbound trunk; or a SIP phone's own address, which an inbound trunk must have as a source"
          placeholder="+855 12 345 678 or sip:me@192.168.1.20:5060"
          classNames={{ input: "mono" }}
          {...form.getInputProps("to")}
        />
        <div className={css.buttons}>
          <Button type="submit" loading={busy} leftSection={<IconPhoneOutgoing size={16} />}>
            Call me
          </Button>
        </div>
      </form>
    </Card>
  );
}

/** The number's last call, as it goes. */
function Latest({ number }: { number: PhoneNumber }) {
  const calls = useInfiniteQuery(queries.calls({ phone_number_sid: number.sid }));
  const call = calls.data?.pages[0]?.data[0];
  if (!call) {
    return (
      <Card title="Its last call">
        <Text fz={13} c="dimmed" role="status">
          Waiting for the first one. It shows up here the moment it rings.
        </Text>
      </Card>
    );
  }
  return (
    <Card
      title="Its last call"
      aside={
        <Link to="/calls/$sid" params={{ sid: call.sid }} className="link" style={{ fontSize: 13 }}>
          See what happened
        </Link>
      }
    >
      <div role="status">
        <Facts
          items={[
            ["Status", <CallStatus key="status" call={call} />],
            [
              "From",
              <span key="from" className="mono">
                {grouped(call.from)}
              </span>,
            ],
            [
              "To",
              <span key="to" className="mono">
                {grouped(call.to)}
              </span>,
            ],
            ["Duration", <Duration key="duration" call={call} />],
            ["Started", <When key="at" at={call.created_at} />],
            ["Ended", reasonOf(call)],
            ["Detail", call.detail],
          ]}
        />
      </div>
    </Card>
  );
}
