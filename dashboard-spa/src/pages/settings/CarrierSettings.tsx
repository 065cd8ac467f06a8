/** The carrier's name and country, and what is known of it. */
import { Button, Select, Skeleton, TextInput } from "@mantine/core";
import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import * as queries from "../../api/queries";
import { countriesQuery, sessionQuery } from "../../api/session";
import { usePermissions } from "../../api/useSession";
import { updateCarrier } from "../../client/sdk.gen";
import type { Carrier } from "../../client/types.gen";
import { useProblemForm } from "../../lib/forms";
import { only } from "../../lib/merge";
import { countryOptions } from "../../lib/number";
import * as check from "../../lib/validate";
import { Card, Facts, SidText, When } from "../../ui/basics";
import css from "../../ui/layout.module.css";
import { Meanwhile } from "../../ui/Meanwhile";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { nothingChanged, told } from "../../ui/toast";

export function CarrierSettings() {
  const { data: carrier, error, refetch } = useQuery(queries.carrier);
  if (error && !carrier) return <ProblemNotice error={error} retry={() => void refetch()} />;
  if (!carrier) return <Skeleton h={320} maw={640} />;
  return (
    <div className={css.form}>
      <CarrierForm key={carrier.sid} carrier={carrier} />
      <Card title="Facts">
        <Facts
          items={[
            ["SID", <SidText key="sid" sid={carrier.sid} />],
            [
              "Subdomain",
              <span key="subdomain" className="mono">
                {carrier.subdomain}
              </span>,
            ],
            [
              "SIP address",
              carrier.sip_address ? (
                <span key="sip" className="mono">
                  {carrier.sip_address}
                </span>
              ) : undefined,
            ],
            ["Signed up", <When key="created" at={carrier.created_at} />],
          ]}
        />
      </Card>
    </div>
  );
}

function CarrierForm({ carrier }: { carrier: Carrier }) {
  const { write } = usePermissions();
  const client = useQueryClient();
  const { data: countries } = useSuspenseQuery(countriesQuery);
  const { form, problem, busy, onSubmit, ...meanwhile } = useProblemForm(
    {
      unchanged: nothingChanged,
      initialValues: { name: carrier.name, country: carrier.country },
      validate: {
        name: check.name("the company's name"),
        country: (value) => (value ? null : "Choose a country"),
      },
    },
    async ({ name, country }, saved, touched) => {
      const updated = await updateCarrier({ body: only({ name: name.trim(), country }, touched) });
      client.setQueryData(queries.carrier.queryKey, updated);
      saved({ name: updated.name, country: updated.country });
      void client.invalidateQueries({ queryKey: sessionQuery.queryKey });
      told("Settings saved.");
    },
  );
  return (
    <Card title="Carrier">
      <form onSubmit={onSubmit} noValidate className={css.stack}>
        <TextInput label="Company" disabled={!write} {...form.getInputProps("name")} />
        <Select
          label="Country"
          description="National numbers are read by its rules"
          disabled={!write}
          searchable
          allowDeselect={false}
          data={countryOptions(countries)}
          {...form.getInputProps("country")}
        />
        {write && (
          <div className={css.buttons}>
            <Meanwhile {...meanwhile} />
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
