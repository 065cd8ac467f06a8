/** One number: facts at the left, Configure at the right. */
import { Button, SegmentedControl, Select, Skeleton, Switch, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import * as queries from "../api/queries";
import { usePermissions } from "../api/useSession";
import { deletePhoneNumber } from "../client/sdk.gen";
import type { PhoneNumber, PhoneNumberUpdate } from "../client/types.gen";
import { useProblemForm } from "../lib/forms";
import { isLocalUrl } from "../lib/local";
import { only } from "../lib/merge";
import { countryName, grouped, means } from "../lib/number";
import { greeting } from "../lib/testCall";
import * as check from "../lib/validate";
import { Card, DangerZone, Facts, NumberText, SidText, When } from "../ui/basics";
import { ConfirmByName } from "../ui/ConfirmByName";
import { Local } from "../ui/Local";
import css from "../ui/layout.module.css";
import { Meanwhile } from "../ui/Meanwhile";
import { PageHead } from "../ui/PageHead";
import { ProblemNotice } from "../ui/ProblemNotice";
import { nothingChanged, refused, told } from "../ui/toast";
import { Warnings } from "../ui/Warnings";
import { NobodysNumber, NumberAccount, Unassign } from "./NumberAccount";
import { useUpdateNumber } from "./useUpdateNumber";

const route = getRouteApi("/app/numbers/$sid");
const parent = { label: "Phone numbers", link: { to: "/numbers" } } as const;

export function PhoneNumberPage() {
  const { sid } = route.useParams();
  const { write } = usePermissions();
  const { data: number, error, refetch } = useQuery(queries.phoneNumber(sid));
  if (error && !number) {
    return (
      <>
        <PageHead title="Phone number" parent={parent} />
        <ProblemNotice error={error} retry={() => void refetch()} list={parent} />
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
      >
        {number?.account_sid && (
          <Button component={Link} to={`/test-call?number=${number.sid}`} variant="default">
            Test call
          </Button>
        )}
      </PageHead>
      {number && !number.account_sid && <NobodysNumber />}
      {number && (number.warnings?.length ?? 0) > 0 && (
        <div style={{ marginBottom: 24 }}>
          <Warnings of={number} />
        </div>
      )}
      <div className={css.two}>
        <Card title="Number">{number ? <NumberFacts number={number} /> : <Skeleton h={200} />}</Card>
        <div className={css.stack}>
          {number ? <Configure key={number.sid} number={number} /> : <Skeleton h={420} />}
          {number?.account_sid && write && <Unassign number={number} />}
          {number && write && <Release number={number} />}
        </div>
      </div>
    </>
  );
}

/** `fixed_line` as `Fixed line`. */
const sentence = (word: string) => word.charAt(0).toUpperCase() + word.slice(1).replaceAll("_", " ");

function NumberFacts({ number }: { number: PhoneNumber }) {
  const { write } = usePermissions();
  const update = useUpdateNumber(number.sid);
  const enable = useMutation({ mutationFn: (enabled: boolean) => update({ enabled }), onError: refused });
  return (
    <Facts
      items={[
        ["Number", <NumberText key="number" number={number.number} />],
        ["Country", number.country ? countryName(number.country) : undefined],
        ["Type", sentence(number.type)],
        ["Dialled at home", number.national],
        [
          "Takes calls",
          <Switch
            key="enabled"
            checked={number.enabled}
            disabled={!write || enable.isPending}
            onChange={(event) => enable.mutate(event.currentTarget.checked)}
            aria-label={`Takes calls: ${number.enabled ? "Enabled" : "Disabled"}`}
            label={number.enabled ? "Enabled" : "Disabled"}
          />,
        ],
        ["Account", <NumberAccount key="account" number={number} />],
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

/** A number's configuration as its form has it. */
function valuesOf({ friendly_name, voice }: PhoneNumber) {
  return {
    friendly_name: friendly_name ?? "",
    answer: voice.twiml === undefined ? "application" : "twiml",
    voice: {
      twiml: voice.twiml ?? "",
      voice_url: voice.voice_url ?? "",
      voice_method: voice.voice_method,
      voice_fallback_url: voice.voice_fallback_url ?? "",
      voice_fallback_method: voice.voice_fallback_method,
      status_callback_url: voice.status_callback_url ?? "",
      status_callback_method: voice.status_callback_method,
    },
  };
}

/** The form as the API takes it: what was emptied is taken away. */
function bodyOf({ friendly_name, answer, voice }: ReturnType<typeof valuesOf>): PhoneNumberUpdate {
  const text = (written: string) => written.trim() || null;
  return {
    friendly_name: text(friendly_name),
    voice: {
      twiml: answer === "twiml" ? text(voice.twiml) : null,
      voice_url: text(voice.voice_url),
      voice_method: voice.voice_method as Method,
      voice_fallback_url: text(voice.voice_fallback_url),
      voice_fallback_method: voice.voice_fallback_method as Method,
      status_callback_url: text(voice.status_callback_url),
      status_callback_method: voice.status_callback_method as Method,
    },
  };
}

function Configure({ number }: { number: PhoneNumber }) {
  const { write } = usePermissions();
  const update = useUpdateNumber(number.sid);
  const { form, problem, busy, onSubmit, ...meanwhile } = useProblemForm(
    {
      unchanged: nothingChanged,
      initialValues: valuesOf(number),
      validate: {
        friendly_name: (value) => (value.trim().length > 64 ? "At most 64 characters" : null),
        voice: {
          twiml: (value, { answer }) => (answer === "twiml" ? check.twiml(value) : null),
          voice_url: check.optionalUrl,
          voice_fallback_url: check.optionalUrl,
          status_callback_url: check.optionalUrl,
        },
      },
    },
    async (values, saved, touched) => {
      // Which of the two answers is in what the document is.
      const paths = touched.map((path) => (path === "answer" ? "voice.twiml" : path));
      saved(valuesOf(await update(only(bodyOf(values), paths))));
      told("Configuration saved.");
    },
  );
  const pair = (url: string, method: string, label: string, description: string) => (
    <div className={css.withMethod}>
      <TextInput
        label={label}
        description={isLocalUrl(form.getInputProps(url).value) ? <Local /> : description}
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
        <SegmentedControl
          aria-label="What answers"
          disabled={!write}
          data={[
            { value: "application", label: "An application answers" },
            { value: "twiml", label: "A TwiML text kept here answers" },
          ]}
          {...form.getInputProps("answer")}
        />
        {form.values.answer === "twiml" ? (
          <Textarea
            label="TwiML"
            description="What callers hear; no server is asked"
            placeholder={greeting(number.number)}
            autosize
            minRows={6}
            maxRows={20}
            disabled={!write}
            spellCheck={false}
            classNames={{ input: "mono" }}
            {...form.getInputProps("voice.twiml")}
          />
        ) : (
          <>
            {pair(
              "voice.voice_url",
              "voice.voice_method",
              "Voice URL",
              "Asked for TwiML when a call comes in",
            )}
            {pair(
              "voice.voice_fallback_url",
              "voice.voice_fallback_method",
              "Fallback URL",
              "Asked when the Voice URL fails",
            )}
          </>
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
            <Meanwhile {...meanwhile} />
            <Button variant="default" disabled={!form.isDirty()} onClick={meanwhile.discard}>
              Discard
            </Button>
            <Button type="submit" loading={busy}>
              Save
            </Button>
          </div>
        )}
        {problem && <ProblemNotice error={problem} />}
      </form>
    </Card>
  );
}

function Release({ number }: { number: PhoneNumber }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
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
          name={grouped(number.number)}
          isName={(typed) => means(typed, number)}
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
