/** A dialog that is there while it is drawn, and gives the focus back to what opened it when it goes. */
import { Modal, type ModalProps } from "@mantine/core";
import { useEffect, useRef } from "react";

export function Dialog(props: Omit<ModalProps, "opened">) {
  const opener = useRef<Element | null>(undefined);
  // Read while it is drawn for the first time: right after, the focus is inside it.
  if (opener.current === undefined) opener.current = document.activeElement;
  useEffect(() => {
    const back = opener.current;
    return () => {
      // After the dialog has let the focus go, and unless something else has it by then.
      setTimeout(() => {
        const free = document.activeElement === null || document.activeElement === document.body;
        if (free && back instanceof HTMLElement && back.isConnected) back.focus();
      }, 0);
    };
  }, []);
  return <Modal opened {...props} />;
}
