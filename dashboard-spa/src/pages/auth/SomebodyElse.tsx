/** The way out of a sign-in that is half done. */
import { Anchor } from "@mantine/core";
import { useLeave } from "../../ui/useLeave";

export function SomebodyElse() {
  const { signOut } = useLeave();
  return (
    <Anchor component="button" type="button" fz={13} c="dimmed" onClick={signOut}>
      Sign in as somebody else
    </Anchor>
  );
}
