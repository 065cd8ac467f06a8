/** How much an account may call, and where to. */
import { Button, MultiSelect, NumberInput, Switch } from "@mantine/core";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import * as queries from "../api/queries";
import { countriesQuery } from "../api/session";
import { usePermissions } from "../api/useSession";
import { updateAccount } from "../client/sdk.gen";
import type { Account } from "../client/types.gen";
import { useProblemForm } from "../lib/forms";
import { only } from "../lib/merge";
import { countryName, countryOptions } from "../lib/number";
import { Card } from "../ui/basics";
import css from "../ui/layout.module.css";
import { Meanwhile } from "../ui/Meanwhile";
import { ProblemNotice } from "../ui/ProblemNotice";
import { nothingChanged, told } from "../ui/toast";

const between = (most: number) => (value: number | string) =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= most
    ? null
    : `Enter a whole number from 1 to ${most.toLocaleString("en")}`;

/** What is typed stays as it is, and is refused in words: none of it becomes another number by itself. */
const whole = { min: 1, clampBehavior: "none" } as const;

export function AccountLimits({ account }: { account: Account }) {
  const client = useQueryClient();
  const { write, carrier } = usePermissions();
  const { data: countries } = useSuspenseQuery(countriesQuery);
  const own = carrier ? countryName(carrier.country) : "The carrier's own country";
  const { form, problem, busy, onSubmit, ...meanwhile } = useProblemForm(
    {
      unchanged: nothingChanged,
      initialValues: account.limits,
      validate: {
        calls_per_second: between(1_000),
        calls_at_once: between(100_000),
        same_pair_at_once: between(100_000),
      },
    },
    async (values, saved, touched) => {
      const limits = only(values, touched);
      const updated = await updateAccount({ path: { sid: account.sid }, body: { limits } });
      client.setQueryData(queries.account(account.sid).queryKey, updated);
      saved(updated.limits);
      told("Limits saved.");
    },
    (field) => field.replace(/^limits\./, "").replace(/^countries\..*/, "countries"),
  );
  return (
    <Card title="Limits">
      <form onSubmit={onSubmit} noValidate>
        <fieldset disabled={!write} className={css.stack} style={{ border: 0, margin: 0, padding: 0 }}>
          <NumberInput
            label="Calls per second"
            description="Placed by the API or <Dial>; more wait in the queue"
            {...whole}
            {...form.getInputProps("calls_per_second")}
          />
          <NumberInput
            label="Calls at once"
            description="Placed and not over; more wait in the queue"
            {...whole}
            {...form.getInputProps("calls_at_once")}
          />
          <NumberInput
            label="Dialled calls of one pair at once"
            description="From one caller to one number, so that a number forwarded to itself comes to rest"
            {...whole}
            {...form.getInputProps("same_pair_at_once")}
          />
          <MultiSelect
            label="Countries it may call"
            description={`${own} is always among them`}
            placeholder="Add a country"
            searchable
            clearable
            data={countryOptions(countries)}
            {...form.getInputProps("countries")}
          />
          <Switch
            label="May call high-risk numbers"
            description="Satellite, premium rate and their like: what toll fraud is made with"
            {...form.getInputProps("high_risk", { type: "checkbox" })}
          />
          {write && (
            <div className={css.buttons}>
              <Meanwhile {...meanwhile} />
              <Button type="submit" variant="default" loading={busy}>
                Save
              </Button>
            </div>
          )}
          {problem && <ProblemNotice error={problem} />}
        </fieldset>
      </form>
    </Card>
  );
}
