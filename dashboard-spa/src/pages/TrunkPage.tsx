/** Makes a trunk, or changes one. The outbound side shows live how a number would be dialled. */
import { Button, Fieldset, Select, Skeleton, Switch, TagsInput, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useIdempotency } from "../api/mutate";
import * as queries from "../api/queries";
import { countriesQuery } from "../api/session";
import { usePermissions } from "../api/useSession";
import { createTrunk, deleteTrunk, previewDialString, updateTrunk } from "../client/sdk.gen";
import type { OutboundConfig, Trunk } from "../client/types.gen";
import { useProblemForm } from "../lib/forms";
import { isLocalAuthority } from "../lib/local";
import { countryName, countryOptions, grouped } from "../lib/number";
import {
  bodyOf,
  exampleOf,
  fieldOf,
  needsPassword,
  patchOf,
  type TrunkValues,
  validateTrunk,
  valuesOf,
} from "../lib/trunkForm";
import { host } from "../lib/validate";
import { Card, DangerZone, When } from "../ui/basics";
import { ConfirmByName } from "../ui/ConfirmByName";
import { Local } from "../ui/Local";
import css from "../ui/layout.module.css";
import { Meanwhile } from "../ui/Meanwhile";
import { PageHead } from "../ui/PageHead";
import { PasswordField } from "../ui/PasswordField";
import { ProblemNotice } from "../ui/ProblemNotice";
import { nothingChanged, told } from "../ui/toast";
import { Warnings } from "../ui/Warnings";

const newRoute = getRouteApi("/app/trunks/new");
const route = getRouteApi("/app/trunks/$sid");
const parent = { label: "SIP trunks", link: { to: "/trunks" } } as const;

/** Wait for the next keystroke this long before asking for the example, in milliseconds. */
const TYPING = 150;

export function NewTrunk() {
  const { tab } = newRoute.useSearch();
  return (
    <>
      <PageHead title="Create trunk" parent={parent} />
      <TrunkForm tab={tab === "outbound" ? "outbound" : "inbound"} />
    </>
  );
}

export function TrunkPage() {
  const { sid } = route.useParams();
  const { data: trunk, error, refetch } = useQuery(queries.trunk(sid));
  return (
    <>
      <PageHead title={trunk?.name ?? "Trunk"} parent={parent} />
      {error && !trunk ? (
        <ProblemNotice error={error} retry={() => void refetch()} list={parent} />
      ) : trunk ? (
        <TrunkForm key={trunk.sid} trunk={trunk} tab="inbound" />
      ) : (
        <Skeleton h={480} maw={640} />
      )}
    </>
  );
}

function TrunkForm({ trunk, tab }: { trunk?: Trunk; tab: "inbound" | "outbound" }) {
  const { write } = usePermissions();
  const client = useQueryClient();
  const navigate = useNavigate();
  const idempotent = useIdempotency();
  const { form, problem, busy, onSubmit, ...meanwhile } = useProblemForm<TrunkValues>(
    { unchanged: trunk && nothingChanged, initialValues: valuesOf(trunk, tab), validate: validateTrunk },
    async (values, saved, touched) => {
      const body = bodyOf(values);
      if (trunk) {
        const updated = await updateTrunk({ path: { sid: trunk.sid }, body: patchOf(body, touched) });
        client.setQueryData(queries.trunk(trunk.sid).queryKey, updated);
        saved(valuesOf(updated, tab));
      } else {
        await createTrunk({ body, headers: idempotent(body) });
      }
      void client.invalidateQueries({ queryKey: ["trunks"] });
      told(trunk ? "Trunk saved." : `${body.name} was created.`);
      if (!trunk) await navigate({ to: "/trunks", search: { tab: body.inbound ? "inbound" : "outbound" } });
    },
    fieldOf,
  );
  const { takes, places } = form.values;
  return (
    <div className={css.form}>
      <form onSubmit={onSubmit} noValidate className={css.form}>
        {trunk && <Warnings of={trunk} />}
        <TextInput
          label="Name"
          placeholder="Phnom Penh gateway"
          autoFocus={!trunk}
          disabled={!write}
          {...form.getInputProps("name")}
        />
        <div className={css.stack} style={{ gap: 8 }}>
          <Switch
            label="Inbound: takes calls from it"
            disabled={!write}
            {...form.getInputProps("takes", { type: "checkbox" })}
          />
          <Switch
            label="Outbound: places calls through it"
            disabled={!write}
            {...form.getInputProps("places", { type: "checkbox" })}
          />
        </div>
        {takes && <InboundFields form={form} disabled={!write} />}
        {places && <OutboundFields form={form} disabled={!write} />}
        {(trunk?.inbound?.trusted || trunk?.outbound?.trusted) && (
          <p className="dim small">
            The operator of this installation trusts this trunk: hidden callers are shown to it, and whom it
            vouches for is believed.
          </p>
        )}
        {write && (
          <div className={css.buttons}>
            <Meanwhile {...meanwhile} />
            <Button component={Link} to="/trunks" variant="default">
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              {trunk ? "Save" : "Create trunk"}
            </Button>
          </div>
        )}
        {problem && <ProblemNotice error={problem} />}
      </form>
      {trunk?.inbound && <TurnedAway sid={trunk.sid} />}
      {trunk && write && <Delete trunk={trunk} />}
    </div>
  );
}

type Form = ReturnType<typeof useProblemForm<TrunkValues>>["form"];

function InboundFields({ form, disabled }: { form: Form; disabled: boolean }) {
  const { carrier } = usePermissions();
  const { data: countries } = useSuspenseQuery(countriesQuery);
  return (
    <Fieldset legend="Inbound" className={css.stack} disabled={disabled}>
      <TagsInput
        label="Source addresses"
        description="IPv4 or IPv6 addresses or networks; press Enter after each"
        placeholder="203.0.113.7 or 203.0.113.0/24"
        splitChars={[",", " ", "\n"]}
        acceptValueOnBlur
        maxTags={64}
        classNames={{ input: "mono" }}
        searchValue={form.values.inbound.typed}
        onSearchChange={(typed) => form.setFieldValue("inbound.typed", typed)}
        {...form.getInputProps("inbound.sources")}
      />
      <Select
        label="Country"
        description="National numbers it dials are read by this country's rules"
        placeholder={carrier ? `${countryName(carrier.country)} (the carrier's)` : "The carrier's"}
        clearable
        searchable
        data={countryOptions(countries)}
        {...form.getInputProps("inbound.country")}
      />
      <MediaFields form={form} side="inbound" />
    </Fieldset>
  );
}

function OutboundFields({ form, disabled }: { form: Form; disabled: boolean }) {
  const { carrier } = usePermissions();
  const { data: countries } = useSuspenseQuery(countriesQuery);
  const { outbound } = form.values;
  const stored = outbound.passwordFor !== null;
  return (
    <Fieldset legend="Outbound" className={css.stack} disabled={disabled}>
      <div className={css.withMethod}>
        <TextInput
          label="Host"
          description={
            isLocalAuthority(form.values.outbound.host) ? <Local /> : "With a port if it is not 5060"
          }
          placeholder="sip.example.com"
          classNames={{ input: "mono" }}
          {...form.getInputProps("outbound.host")}
        />
        <Select
          label="Transport"
          description=" "
          styles={{ description: { whiteSpace: "pre" } }}
          data={[
            { value: "udp", label: "UDP" },
            { value: "tcp", label: "TCP" },
          ]}
          allowDeselect={false}
          {...form.getInputProps("outbound.transport")}
        />
      </div>
      <TextInput
        label="Dial string prefix"
        description="Digits put before every number, behind the plus"
        placeholder="None"
        classNames={{ input: "mono" }}
        {...form.getInputProps("outbound.dial_string_prefix")}
      />
      <Switch
        label="Plus first"
        description="Before everything, the prefix included"
        {...form.getInputProps("outbound.plus_prefix", { type: "checkbox" })}
      />
      <Switch
        label="National numbers at home"
        description="Numbers of the trunk's country as they are dialled there; all others stay international"
        {...form.getInputProps("outbound.trunk_prefix", { type: "checkbox" })}
      />
      {form.values.outbound.trunk_prefix && (
        <Select
          label="Country"
          description="Whose numbers are national to it"
          placeholder={carrier ? `${countryName(carrier.country)} (the carrier's)` : "The carrier's"}
          clearable
          searchable
          data={countryOptions(countries)}
          {...form.getInputProps("outbound.country")}
        />
      )}
      <DialStringExample outbound={exampleOf(form.values)} />
      <TextInput
        label="User name"
        description="Only if the trunk asks for credentials (digest)"
        autoComplete="off"
        {...form.getInputProps("outbound.username")}
      />
      <PasswordField
        label="Password"
        description={
          stored && needsPassword(outbound)
            ? "The stored one is for the host before; enter it again."
            : stored
              ? "One is stored. Leave empty to keep it."
              : "Stored sealed; it is not shown again"
        }
        autoComplete="new-password"
        {...form.getInputProps("outbound.password")}
      />
      <Switch
        label="Takes emergency calls"
        description="Calls to 112, 911 and the like go only to trunks that say so; check with your provider first"
        {...form.getInputProps("outbound.emergency", { type: "checkbox" })}
      />
      <MediaFields form={form} side="outbound" />
    </Fieldset>
  );
}

/** For peers whose sound comes from other places than their signalling says. */
function MediaFields({ form, side }: { form: Form; side: "inbound" | "outbound" }) {
  return (
    <>
      <TagsInput
        label="Media networks"
        description="Only if its sound (RTP) comes from other addresses than its calls; press Enter after each"
        placeholder="198.51.100.0/24"
        splitChars={[",", " ", "\n"]}
        acceptValueOnBlur
        maxTags={64}
        classNames={{ input: "mono" }}
        {...form.getInputProps(`${side}.media_networks`)}
      />
      <Switch
        label="Its sound comes from another port than it wants ours at"
        description="Asymmetric RTP: leave off unless the provider says so"
        {...form.getInputProps(`${side}.asymmetric_rtp`, { type: "checkbox" })}
      />
    </>
  );
}

/** How a number leaves through this trunk, as the server would write it. */
export function DialStringExample({ outbound }: { outbound: OutboundConfig }) {
  const example = { ...outbound, host: host(outbound.host) === null ? outbound.host : "sip.example.com" };
  delete example.password;
  const [asked] = useDebouncedValue(JSON.stringify(example), TYPING);
  const preview = useQuery({
    queryKey: ["dial-string", asked],
    queryFn: () => previewDialString({ body: { outbound: JSON.parse(asked) as OutboundConfig } }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  return (
    <output className={css.preview} aria-label="Resulting dial string">
      {preview.data ? (
        <>
          <span className="dim small">{grouped(preview.data.number)} is dialled as</span>
          <div className={`mono ${css.big}`} data-testid="dial-string">
            {preview.data.dial_string}
          </div>
          <div className="mono dim">{preview.data.request_uri}</div>
        </>
      ) : (
        <span className="dim">{preview.error ? "No example: correct the fields above." : "…"}</span>
      )}
    </output>
  );
}

/** What became of it, before the reason. */
function turnedAway(what: { code?: number; method?: string }) {
  if (what.code) return `${what.method ?? "Request"} answered ${what.code}: `;
  return what.method === "TCP" ? "connection closed: " : "dropped unread: ";
}

/** For whoever wonders why no call arrives: what did arrive, and why nothing came of it. */
function TurnedAway({ sid }: { sid: string }) {
  const { data } = useQuery(queries.turnedAway(sid));
  if (!data) return null;
  return (
    <Card title="What reached us and was turned away">
      {data.data.length === 0 ? (
        <p className="dim small">
          Nothing from these addresses, or next to them, since this node was started. Refused calls are under
          Calls.
        </p>
      ) : (
        <ul className="small" style={{ margin: 0, paddingLeft: 18 }}>
          {data.data.map((what) => (
            <li key={`${what.source} ${what.code} ${what.method} ${what.reason}`}>
              <span className="mono">{what.source}</span> {turnedAway(what)}
              {what.reason} <span className="dim">({what.count}×, last </span>
              <When at={what.last_at} />
              <span className="dim">)</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Delete({ trunk }: { trunk: Trunk }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const remove = async () => {
    await deleteTrunk({ path: { sid: trunk.sid } });
    await navigate({ to: "/trunks" });
    client.removeQueries({ queryKey: ["trunks", trunk.sid] });
    void client.invalidateQueries({ queryKey: ["trunks"] });
    told(`${trunk.name} was deleted.`);
  };
  return (
    <>
      <DangerZone
        title="Delete this trunk"
        action={
          <Button color="red" variant="outline" onClick={() => setAsking(true)}>
            Delete trunk
          </Button>
        }
      >
        Calls from its addresses are dropped, and none are placed through it. Live calls go on.
      </DangerZone>
      {asking && (
        <ConfirmByName
          title="Delete trunk"
          name={trunk.name}
          verb="Delete trunk"
          onConfirm={remove}
          onClose={() => setAsking(false)}
        >
          Calls through {trunk.name} stop working at once. Its source addresses can then be used by another
          trunk of yours.
        </ConfirmByName>
      )}
    </>
  );
}
