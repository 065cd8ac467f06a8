/** The carrier, its API keys and one's own sign-in: one tab each. */
import { Tabs } from "@mantine/core";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { usePermissions } from "../../api/useSession";
import { PageHead } from "../../ui/PageHead";
import { ApiKeys } from "./ApiKeys";
import { CarrierSettings } from "./CarrierSettings";
import { OwnSignIn } from "./OwnSignIn";

const route = getRouteApi("/app/settings");

export function Settings() {
  const { tab = "carrier" } = route.useSearch();
  const { own } = usePermissions();
  const navigate = useNavigate();
  const go = (value: string | null) =>
    void navigate({
      to: "/settings",
      search: value && value !== "carrier" ? { tab: value } : {},
      replace: true,
    });
  return (
    <>
      <PageHead title="Settings" />
      <Tabs value={tab} onChange={go}>
        <Tabs.List>
          <Tabs.Tab value="carrier">Carrier</Tabs.Tab>
          {own && <Tabs.Tab value="keys">API keys</Tabs.Tab>}
          <Tabs.Tab value="you">Your sign-in</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="carrier" pt={16}>
          <CarrierSettings />
        </Tabs.Panel>
        {own && (
          <Tabs.Panel value="keys" pt={16}>
            <ApiKeys />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="you" pt={16}>
          <OwnSignIn />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
