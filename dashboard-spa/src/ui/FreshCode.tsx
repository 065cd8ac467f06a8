/** What proves anew who asks: the app's code of now, or a recovery code. */
import { TextInput, type TextInputProps } from "@mantine/core";

export function FreshCode(props: TextInputProps) {
  return (
    <TextInput
      label="Your code"
      description="Six digits of your own authenticator app, or one of your recovery codes"
      autoComplete="one-time-code"
      maxLength={40}
      classNames={{ input: "mono" }}
      {...props}
    />
  );
}
