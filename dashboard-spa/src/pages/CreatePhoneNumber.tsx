/** Adds a number to the inventory, then leads to its configuration. */
import { Button, Checkbox, Group, Stack, Switch, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useIdempotency } from "../api/mutate";
import * as queries from "../api/queries";
import { createPhoneNumber } from "../client/sdk.gen";
import { useProblemForm } from "../lib/forms";
import { grouped } from "../lib/number";
import * as check from "../lib/validate";
import { AccountSelect } from "../ui/AccountSelect";
import { Dialog } from "../ui/Dialog";
import { ProblemNotice } from "../ui/ProblemNotice";
import { told } from "../ui/toast";
import { NumberPreview } from "./NumberPreview";

export function CreatePhoneNumber({ onClose, account }: { onClose: () => void; account?: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const idempotent = useIdempotency();
  const { form, problem, busy, onSubmit } = useProblemForm(
    {
      initialValues: {
        number: "",
        short_code: false,
        account_sid: account ?? (null as string | null),
        enabled: true,
      },
      validate: {
        number: (value, { short_code }) => (short_code ? check.shortCode(value) : check.phoneNumber(value)),
      },
    },
    async ({ number, short_code, account_sid, enabled }) => {
      const type = short_code ? ({ type: "short_code" } as const) : {};
      const body = { number: number.trim(), ...type, enabled, ...(account_sid && { account_sid }) };
      const created = await createPhoneNumber({ body, headers: idempotent(body) });
      void client.invalidateQueries({ queryKey: ["phone_numbers"] });
      told(`${grouped(created.number)} is added`);
      await navigate({ to: "/numbers/$sid", params: { sid: created.sid } });
    },
  );
  // Where there is one account it is meant, unless somebody says otherwise.
  const { data: accounts } = useQuery(queries.accountsNamed(""));
  const only = accounts?.length === 1 && accounts[0]?.status === "enabled" ? accounts[0].sid : undefined;
  const chosen = useRef(account !== undefined);
  useEffect(() => {
    if (only === undefined || chosen.current) return;
    chosen.current = true;
    if (!form.isTouched("account_sid")) form.setFieldValue("account_sid", only);
  }, [only, form]);
  return (
    <Dialog onClose={onClose} title="Add number">
      <form onSubmit={onSubmit} noValidate>
        <Stack gap={16}>
          {problem && <ProblemNotice error={problem} />}
          <TextInput
            label="Number"
            description="International form, as people dial it in your country or your trunks', or a short code"
            placeholder="+855 12 345 678"
            classNames={{ input: "mono" }}
            data-autofocus
            {...form.getInputProps("number")}
          />
          <NumberPreview
            number={form.errors.number ? "" : form.values.number}
            shortCode={form.values.short_code}
          />
          <Checkbox
            label="It is a short code"
            description="Up to 6 digits are one anyway"
            {...form.getInputProps("short_code", { type: "checkbox" })}
          />
          <AccountSelect
            label="Account"
            description="Answers its calls; until one does they are refused"
            placeholder="Nobody yet"
            clearable
            // Choosing what is chosen already, the only one, takes it away from nobody.
            allowDeselect={false}
            {...form.getInputProps("account_sid")}
          />
          <Switch label="Takes calls right away" {...form.getInputProps("enabled", { type: "checkbox" })} />
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Add number
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
