/** A new carrier with its owner. Two-factor is set up right after. */
import { Anchor, Button, Select, Stack, TextInput } from "@mantine/core";
import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { countriesQuery, signUp, welcomeQuery } from "../../api/session";
import { useProblemForm } from "../../lib/forms";
import { countryOptions } from "../../lib/number";
import { subdomainOf } from "../../lib/subdomain";
import * as check from "../../lib/validate";
import { PasswordField } from "../../ui/PasswordField";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { AuthPage } from "./AuthPage";
import { useEnter } from "./useEnter";

export function SignUp() {
  const enter = useEnter();
  const { data: countries } = useSuspenseQuery(countriesQuery);
  const { data: welcome } = useQuery(welcomeQuery);
  const { form, problem, busy, onSubmit } = useProblemForm(
    {
      initialValues: { company: "", country: "", subdomain: "", name: "", email: "", password: "" },
      validate: {
        company: check.name("the company's name"),
        country: (value) => (value ? null : "Choose a country"),
        subdomain: check.subdomain,
        name: check.name("your name"),
        email: check.email,
        password: check.newPassword,
      },
    },
    async (values) =>
      enter(
        await signUp({
          ...values,
          company: values.company.trim(),
          name: values.name.trim(),
          email: values.email.trim(),
        }),
      ),
  );
  const company = form.getInputProps("company");
  const nameIt = (event: React.ChangeEvent<HTMLInputElement>) => {
    const follow = form.values.subdomain === subdomainOf(form.values.company);
    company.onChange(event);
    if (follow) form.setFieldValue("subdomain", subdomainOf(event.currentTarget.value));
  };
  return (
    <AuthPage
      title="Create your carrier"
      lead={
        welcome?.empty
          ? "Nobody has signed up here yet: you are the first. Sell voice under your own brand, on your own trunks."
          : "Sell voice under your own brand, on your own trunks."
      }
      foot={
        !welcome?.empty && (
          <>
            Have one already?{" "}
            <Anchor component={Link} to="/sign-in" fz={13} underline="always">
              Sign in
            </Anchor>
          </>
        )
      }
    >
      <form onSubmit={onSubmit} noValidate>
        <Stack gap={16}>
          <TextInput label="Company" autoComplete="organization" autoFocus {...company} onChange={nameIt} />
          <Select
            label="Country"
            description="National numbers are read by its rules"
            searchable
            data={countryOptions(countries)}
            {...form.getInputProps("country")}
          />
          <TextInput
            label="Subdomain"
            description="The first part of your dashboard's address"
            autoComplete="off"
            {...form.getInputProps("subdomain")}
          />
          <TextInput label="Your name" autoComplete="name" {...form.getInputProps("name")} />
          <TextInput label="E-mail" type="email" autoComplete="username" {...form.getInputProps("email")} />
          <PasswordField
            label="Password"
            description="At least 8 characters; a few words work well"
            autoComplete="new-password"
            {...form.getInputProps("password")}
          />
          <Button type="submit" loading={busy} fullWidth mt={12}>
            Create carrier
          </Button>
          {problem && <ProblemNotice error={problem} />}
        </Stack>
      </form>
    </AuthPage>
  );
}
