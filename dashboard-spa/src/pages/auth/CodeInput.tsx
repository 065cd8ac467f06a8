/** Six digits; what an app or a password manager pastes may have spaces in it. */
import { TextInput, type TextInputProps } from "@mantine/core";

type Props = Omit<TextInputProps, "onChange"> & { onChange?: (value: string) => void };

export function CodeInput({ onChange, ...props }: Props) {
  return (
    <TextInput
      label="Code"
      inputMode="numeric"
      autoComplete="one-time-code"
      maxLength={8}
      autoFocus
      classNames={{ input: "mono" }}
      styles={{ input: { fontSize: 18, letterSpacing: "0.3em", height: 44 } }}
      {...props}
      onChange={(event) => onChange?.(event.currentTarget.value.replace(/\D/g, "").slice(0, 6))}
    />
  );
}
