/** One number: facts at the left, Configure at the right. */
import { Button, Select, Skeleton, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import * as queries from "../api/queries";
import { usePermissions } from "../api/useSession";
import { deletePhoneNumber, updatePhoneNumber } from "../client/sdk.gen";
import type { PhoneNumber } from "../client/types.gen";
import { useProblemForm } from "../lib/forms";
import { countryName, grouped } from "../lib/number";
import * as check from "../lib/validate";
import { Card, DangerZone, Facts, NumberText, SidText, When } from "../ui/basics";
import { ConfirmByName } from "../ui/ConfirmByName";
import css from "../ui/layout.module.css";
import { useAccountOptions } from "../ui/Names";
import { PageHead } from "../ui/PageHead";
import { ProblemNotice } from "../ui/ProblemNotice";
import { refused, told } from "../ui/toast";

const route = getRouteApi("/app/numbers/$sid");
const parent = { label: "Phone numbers", link: { to: "/numbers" } } as const;

export function PhoneNumberPage() {
  const { sid } = route.useParams();
  const { data: number, error, refetch } = useQuery(queries.phoneNumber(sid));
  if (error) {
    return (
      <>
        <PageHead title="Phone number" parent={parent} />
        <ProblemNotice error={error} retry={() => void refetch()} />
      </>
    );
  }
  const title = number ? grouped(number.number) : "…";
  return (
    <>
      <PageHead
        title={
          <span className="mono" style={{ fontSize: 15 }}>
            {title}
          </span>
        }
        name={title}
        parent={parent}
      />
      <div className={css.two}>
        <Card title="Number">{number ? <NumberFacts number={number} /> : <Skeleton h={200} />}</Card>
        <div className={css.stack}>
          {number ? <Configure key={number.updated_at} number={number} /> : <Skeleton h={420} />}
          {number && <Release number={number} />}
        </div>
      </div>
    </>
  );
}

function NumberFacts({ number }: { number: PhoneNumber }) {
  const { write } = usePermissions();
  const client = useQueryClient();
  const accounts = useAccountOptions();
  const update = useMutation({
    mutationFn: (body: { enabled?: boolean; account_sid?: string | null }) =>
      updatePhoneNumber({ path: { sid: number.sid }, body }),
    onSuccess: (updated) => {
      client.setQueryData(queries.phoneNumber(number.sid).queryKey, updated);
      void client.invalidateQueries({ queryKey: ["phone_numbers", "list"] });
    },
    onError: refused,
  });
  return (
    <Facts
      items={[
        ["Number", <NumberText key="number" number={number.number} />],
        ["Country", number.country ? countryName(number.country) : undefined],
        [
          "Takes calls",
          <Switch
            key="enabled"
            checked={number.enabled}
            disabled={!write || update.isPending}
            onChange={(event) => update.mutate({ enabled: event.currentTarget.checked })}
            aria-label="Takes calls"
            label={number.enabled ? "Enabled" : "Disabled"}
          />,
        ],
        [
          "Account",
          <Select
            key="account"
            size="xs"
            aria-label="Account"
            placeholder="Nobody"
            clearable
            searchable
            data={accounts}
            value={number.account_sid ?? null}
            disabled={!write || update.isPending}
            onChange={(account_sid) => update.mutate({ account_sid })}
            clearButtonProps={{ "aria-label": "Take it from its account" }}
          />,
        ],
        ["SID", <SidText key="sid" sid={number.sid} />],
        ["Added", <When key="created" at={number.created_at} />],
        [
          "Calls",
          <Link key="calls" to="/calls" search={{ phone_number_sid: number.sid }}>
            See its calls
          </Link>,
        ],
      ]}
    />
  );
}

const methods = ["POST", "GET"];
type Method = "GET" | "POST";

function Configure({ number }: { number: PhoneNumber }) {
  const { write } = usePermissions();
  const client = useQueryClient();
  const { voice } = number;
  const { form, problem, busy, onSubmit } = useProblemForm(
    {
      initialValues: {
        friendly_name: number.friendly_name ?? "",
        voice: {
          voice_url: voice.voice_url ?? "",
          voice_method: voice.voice_method,
          voice_fallback_url: voice.voice_fallback_url ?? "",
          voice_fallback_method: voice.voice_fallback_method,
          status_callback_url: voice.status_callback_url ?? "",
          status_callback_method: voice.status_callback_method,
        },
      },
      validate: {
        friendly_name: (value) => (value.trim().length > 64 ? "At most 64 characters" : null),
        voice: {
          voice_url: check.optionalUrl,
          voice_fallback_url: check.optionalUrl,
          status_callback_url: check.optionalUrl,
        },
      },
    },
    async (values) => {
      const url = (text: string) => text.trim() || null;
      const name = values.friendly_name.trim();
      const body = {
        ...(name && { friendly_name: name }),
        voice: {
          voice_url: url(values.voice.voice_url),
          voice_method: values.voice.voice_method as Method,
          voice_fallback_url: url(values.voice.voice_fallback_url),
          voice_fallback_method: values.voice.voice_fallback_method as Method,
          status_callback_url: url(values.voice.status_callback_url),
          status_callback_method: values.voice.status_callback_method as Method,
        },
      };
      const updated = await updatePhoneNumber({ path: { sid: number.sid }, body });
      client.setQueryData(queries.phoneNumber(number.sid).queryKey, updated);
      void client.invalidateQueries({ queryKey: ["phone_numbers", "list"] });
      told("Configuration saved.");
    },
  );
  const pair = (url: string, method: string, label: string, description: string) => (
    <div className={css.withMethod}>
      <TextInput
        label={label}
        description={description}
        placeholder="https://example.com/voice"
        inputMode="url"
        disabled={!write}
        classNames={{ input: "mono" }}
        {...form.getInputProps(url)}
      />
      <Select
        label="Method"
        description=" "
        aria-label={`${label}: method`}
        data={methods}
        allowDeselect={false}
        disabled={!write}
        styles={{ description: { whiteSpace: "pre" } }}
        {...form.getInputProps(method)}
      />
    </div>
  );
  return (
    <Card title="Configure">
      <form onSubmit={onSubmit} noValidate className={css.stack}>
        {problem && <ProblemNotice error={problem} />}
        {pair("voice.voice_url", "voice.voice_method", "Voice URL", "Asked for TwiML when a call comes in")}
        {pair(
          "voice.voice_fallback_url",
          "voice.voice_fallback_method",
          "Fallback URL",
          "Asked when the Voice URL fails",
        )}
        {pair(
          "voice.status_callback_url",
          "voice.status_callback_method",
          "Status callback URL",
          "Told when a call has ended",
        )}
        <TextInput
          label="Name"
          description="For people; callers never see it"
          disabled={!write}
          {...form.getInputProps("friendly_name")}
        />
        {write && (
          <div className={css.buttons}>
            <Button variant="default" disabled={!form.isDirty()} onClick={() => form.reset()}>
              Discard
            </Button>
            <Button type="submit" loading={busy}>
              Save
            </Button>
          </div>
        )}
      </form>
    </Card>
  );
}

function Release({ number }: { number: PhoneNumber }) {
  const { write } = usePermissions();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  if (!write) return null;
  const release = async () => {
    await deletePhoneNumber({ path: { sid: number.sid } });
    await navigate({ to: "/numbers" });
    client.removeQueries({ queryKey: ["phone_numbers", number.sid] });
    void client.invalidateQueries({ queryKey: ["phone_numbers"] });
    told(`${grouped(number.number)} was removed.`);
  };
  return (
    <>
      <DangerZone
        title="Remove this number"
        action={
          <Button color="red" variant="outline" onClick={() => setAsking(true)}>
            Remove number
          </Button>
        }
      >
        Its calls are refused from then on. Past calls stay.
      </DangerZone>
      {asking && (
        <ConfirmByName
          title="Remove number"
          name={number.number}
          verb="Remove number"
          onConfirm={release}
          onClose={() => setAsking(false)}
        >
          Calls to {grouped(number.number)} will be refused. The number can be added again later, without its
          configuration.
        </ConfirmByName>
      )}
    </>
  );
}
