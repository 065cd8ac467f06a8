/** What waits while a list stands still under a hand. */
import { Button } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";
import css from "./DataGrid.module.css";

/** Says how much it is, and shows it when it is pressed. It takes no room, so that it moves nothing when it comes. */
export function News({ waiting, gone, onShow }: { waiting: number; gone: number; onShow: () => void }) {
  return (
    <div className={css.news} role="status">
      {waiting + gone > 0 && (
        <Button size="compact-xs" leftSection={<IconArrowUp size={13} />} onClick={onShow}>
          {waiting > 0 ? `${waiting} new` : `${gone} over`}
        </Button>
      )}
    </div>
  );
}
