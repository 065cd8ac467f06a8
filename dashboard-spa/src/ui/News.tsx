/** What waits while a list stands still under a hand. */
import { Button } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";

type Props = {
  waiting: number;
  /** Nobody knows how many more there are. */
  atLeast?: boolean;
  gone: number;
  /** What became of what is gone. */
  word?: string | undefined;
  onShow: () => void;
};

/** Says how much it is, and shows it when it is pressed. It stands in the line below the list, where its room is kept. */
export function News({ waiting, atLeast = false, gone, word = "gone", onShow }: Props) {
  return (
    <div role="status">
      {waiting + gone > 0 && (
        <Button
          size="compact-xs"
          {...(waiting > 0 && { leftSection: <IconArrowUp size={13} /> })}
          onClick={onShow}
        >
          {waiting > 0 ? `${waiting.toLocaleString("en-GB")}${atLeast ? "+" : ""} new` : `${gone} ${word}`}
        </Button>
      )}
    </div>
  );
}
