/** Six digits, sent as soon as they are there; what an app or a password manager pastes may have spaces in it. */
import { TextInput, type TextInputProps } from "@mantine/core";
import { useEffect, useRef } from "react";

type Props = Omit<TextInputProps, "onChange"> & { onChange?: (value: string) => void };

/** Digits of a code. */
const LENGTH = 6;

export function CodeInput({ onChange, value, ...props }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const sent = useRef("");
  useEffect(() => {
    const code = String(value ?? "");
    if (code.length === LENGTH && code !== sent.current) input.current?.form?.requestSubmit();
    sent.current = code;
  }, [value]);
  return (
    <TextInput
      ref={input}
      label="Code"
      inputMode="numeric"
      autoComplete="one-time-code"
      maxLength={8}
      autoFocus
      classNames={{ input: "mono" }}
      styles={{ input: { fontSize: 18, letterSpacing: "0.3em", height: 44 } }}
      {...props}
      value={value}
      onChange={(event) => onChange?.(event.currentTarget.value.replace(/\D/g, "").slice(0, LENGTH))}
    />
  );
}
