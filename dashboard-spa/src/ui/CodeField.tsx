/**
 * The authenticator app's code of now, sent as soon as its six digits are there, typed or pasted. What proves anew who asks
 * may be a recovery code as well; that one is sent by its button.
 */
import { TextInput, type TextInputProps } from "@mantine/core";
import { useEffect, useRef } from "react";

type Props = Omit<TextInputProps, "onChange" | "value"> & {
  value?: string;
  onChange?: (value: string) => void;
  /** Whether a recovery code does, too. */
  recovery?: boolean;
};

/** Digits of a code. */
const LENGTH = 6;

const digits: Partial<TextInputProps> = {
  label: "Code",
  inputMode: "numeric",
  maxLength: 12,
  styles: { input: { fontSize: 18, letterSpacing: "0.3em", height: 44 } },
};
const either: Partial<TextInputProps> = {
  label: "Your code",
  description: "Six digits of your own authenticator app, or one of your recovery codes",
  maxLength: 40,
};

/** What was typed, without what an app or a password manager writes between the digits. */
function tidy(typed: string, recovery: boolean): string {
  if (!recovery) return typed.replace(/\D/g, "").slice(0, LENGTH);
  return /^[\d\s]*$/.test(typed) ? typed.replace(/\s/g, "") : typed;
}

export function CodeField({ value = "", onChange, recovery = false, ...props }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const sent = useRef("");
  useEffect(() => {
    const whole = value.length === LENGTH && /^\d+$/.test(value);
    if (whole && value !== sent.current) input.current?.form?.requestSubmit();
    sent.current = value;
  }, [value]);
  return (
    <TextInput
      ref={input}
      autoComplete="one-time-code"
      classNames={{ input: "mono" }}
      {...(recovery ? either : digits)}
      {...props}
      value={value}
      onChange={(event) => onChange?.(tidy(event.currentTarget.value, recovery))}
    />
  );
}
