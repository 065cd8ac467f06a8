/** What a test call lacks: a number, or an account that has one. */
import { Button, Skeleton } from "@mantine/core";
import { IconHash } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import * as queries from "../api/queries";
import { Empty } from "../ui/basics";
import { ProblemNotice } from "../ui/ProblemNotice";

/** Shown where no account has a number. */
export function NoNumberToCall() {
  const free = useInfiniteQuery(queries.phoneNumbers({ assigned: false }));
  if (free.error && !free.data) return <ProblemNotice error={free.error} retry={() => void free.refetch()} />;
  if (free.isPending) return <Skeleton h={320} maw={640} />;
  const icon = <IconHash size={22} stroke={1.6} />;
  if (free.data?.pages.some(({ data }) => data.length > 0)) {
    return (
      <Empty
        icon={icon}
        title="No account has a number yet"
        action={
          <Button component={Link} to="/numbers?assigned=false">
            Give a number to an account
          </Button>
        }
      >
        Calls to a number are refused until an account has it. Open one and choose its account; then this page
        says how to dial it.
      </Empty>
    );
  }
  return (
    <Empty
      icon={icon}
      title="There is no number to call yet"
      action={
        <Button component={Link} to="/numbers">
          Add a number
        </Button>
      }
    >
      Add one and give it to an account; then this page says how to dial it.
    </Empty>
  );
}
