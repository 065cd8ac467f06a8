/** What is shown when an address leads nowhere, or a page could not be opened. */
import { Button } from "@mantine/core";
import { IconMapPinOff } from "@tabler/icons-react";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { Empty } from "../ui/basics";
import { ProblemNotice } from "../ui/ProblemNotice";

export function NotFound() {
  return (
    <main>
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
    </main>
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
      <ProblemNotice error={error} retry={retry} />
    </main>
  );
}
