/** What waits while a list stands still under a hand. */
import { Button } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";

/** Says how much it is, and shows it when it is pressed. It stands in the line below the list, where its room is kept. */
export function News({ waiting, gone, onShow }: { waiting: number; gone: number; onShow: () => void }) {
  return (
    <div role="status">
      {waiting + gone > 0 && (
        <Button size="compact-xs" leftSection={<IconArrowUp size={13} />} onClick={onShow}>
          {waiting > 0 ? `${waiting} new` : `${gone} over`}
        </Button>
      )}
    </div>
  );
}
