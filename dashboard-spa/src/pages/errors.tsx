/** What is shown when an address leads nowhere, or a page could not be opened. */
import { Button, Group, Text } from "@mantine/core";
import { IconMapPinOff } from "@tabler/icons-react";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { Empty } from "../ui/basics";
import { Notice } from "../ui/Notice";
import { PageHead } from "../ui/PageHead";
import { ProblemNotice } from "../ui/ProblemNotice";
import { PageUnavailable } from "./page";

export function NotFound() {
  return (
    <>
      <PageHead title="Nothing here" />
      <Empty
        icon={<IconMapPinOff size={22} stroke={1.6} />}
        title="There is no such page"
        action={
          <Button component={Link} to="/" variant="default">
            Go to the overview
          </Button>
        }
      >
        The address may be mistyped, or what was here has been deleted.
      </Empty>
    </>
  );
}

/** What is here already works on; this page's code needs the server. */
function NotLoaded({ retry }: { retry: () => void }) {
  const [asking, setAsking] = useState(false);
  // When the server is back its pages may have other names: the whole app is loaded anew, at this address.
  const again = async () => {
    setAsking(true);
    const answer = await fetch("/", { method: "HEAD", cache: "no-store" }).catch(() => undefined);
    setAsking(false);
    if (answer?.ok) window.location.reload();
    else retry();
  };
  return (
    <Notice tone="amber" title="This page could not be loaded" role="alert">
      <Text fz={13}>The server does not answer, and this page was not opened before.</Text>
      <Text fz={13} c="dimmed">
        What you had open is still there: go back, or try again in a moment.
      </Text>
      <Group mt={8} gap={8}>
        <Button size="xs" variant="default" loading={asking} onClick={() => void again()}>
          Try again
        </Button>
        <Button size="xs" variant="subtle" color="gray" onClick={() => window.history.back()}>
          Go back
        </Button>
      </Group>
    </Notice>
  );
}

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <main style={{ maxWidth: 640, margin: "80px auto", padding: 16 }}>
      {error instanceof PageUnavailable ? (
        <NotLoaded retry={retry} />
      ) : (
        <ProblemNotice error={error} retry={retry} />
      )}
    </main>
  );
}
