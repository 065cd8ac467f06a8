/** A dialog that is there while it is drawn. */
import { Modal, type ModalProps } from "@mantine/core";

export function Dialog(props: Omit<ModalProps, "opened">) {
  return <Modal opened {...props} />;
}
