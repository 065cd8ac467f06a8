/**
 * The authenticator app's code of now, sent as soon as its six digits are there, typed or pasted. What proves anew who asks
 * may be a recovery code as well; that one is sent by its button. Read-only while it is checked: what is typed on by mistake
 * would be the beginning of the next code.
 */
import { TextInput, type TextInputProps } from "@mantine/core";
import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";
import { freshCode } from "../lib/validate";

type Props = Omit<TextInputProps, "onChange" | "value"> & {
  value?: string;
  onChange?: (value: string) => void;
  /** Whether a recovery code does, too. */
  recovery?: boolean;
};

/** Digits of a code. */
const LENGTH = 6;

/** A refusal can have two lines where the field is narrow: their room is there before they come. */
const ROOM: Exclude<TextInputProps["styles"], undefined> = {
  root: { position: "relative", marginBottom: 24 },
  error: { position: "absolute", insetInline: 0, top: "100%", margin: "4px 0 0" },
};

const app: Partial<TextInputProps> = {
  label: "Code",
  inputMode: "numeric",
  maxLength: 40,
  styles: { ...ROOM, input: { fontSize: 18, letterSpacing: "0.3em", height: 44 } },
};
const either: Partial<TextInputProps> = {
  label: "Your code",
  description: "Six digits of your own authenticator app, or one of your recovery codes",
  styles: ROOM,
  maxLength: 40,
};

/** What was put into a text, at the cursor or over a part of it. */
function inserted(before: string, now: string): string {
  const room = Math.min(before.length, now.length);
  let start = 0;
  while (start < room && before[start] === now[start]) start += 1;
  let end = 0;
  while (end < room - start && before.at(-1 - end) === now.at(-1 - end)) end += 1;
  return now.slice(start, now.length - end);
}

/**
 * What was typed, without what an app or a password manager writes between the digits. A code that is whole has no room for
 * more: what comes then is another one.
 */
function tidy(before: string, typed: string, recovery: boolean): string {
  if (recovery && !/^[\d\s]*$/.test(typed)) return typed;
  const digits = typed.replace(/\D/g, "");
  if (digits.length <= LENGTH) return digits;
  if (isWhole(before)) return inserted(before, digits).slice(0, LENGTH);
  return recovery ? digits : digits.slice(0, LENGTH);
}

const isWhole = (code: string) => code.length === LENGTH && /^\d+$/.test(code);

/** A code that was refused has the focus and is marked: what is typed or pasted next takes its place. */
function useRefused(input: RefObject<HTMLInputElement | null>, refused: boolean) {
  useLayoutEffect(() => {
    if (!refused) return;
    input.current?.focus();
    input.current?.select();
  }, [input, refused]);
}

export function CodeField({ value = "", onChange, recovery = false, ...props }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const sent = useRef("");
  useEffect(() => {
    if (isWhole(value) && value !== sent.current) input.current?.form?.requestSubmit();
    sent.current = value;
  }, [value]);
  // Of what is not whole a form says so by itself, and it is to be continued.
  const whole = recovery ? freshCode(value) === null : isWhole(value);
  useRefused(input, Boolean(props.error) && whole);
  return (
    <TextInput
      ref={input}
      autoComplete="one-time-code"
      classNames={{ input: "mono" }}
      {...(recovery ? either : app)}
      {...props}
      value={value}
      onChange={(event) => onChange?.(tidy(value, event.currentTarget.value, recovery))}
    />
  );
}

/** One of the codes that sign in when the app is not at hand. */
export function RecoveryCodeField(props: TextInputProps) {
  const input = useRef<HTMLInputElement>(null);
  useRefused(input, Boolean(props.error) && props.value !== "");
  return (
    <TextInput
      ref={input}
      label="Recovery code"
      autoComplete="off"
      classNames={{ input: "mono" }}
      styles={ROOM}
      {...props}
    />
  );
}
