/**
 * Forms that check what was typed once it is left, and everything at once when they are sent, place the server's refusals
 * at their fields and focus the first. They follow what is stored, unless somebody is typing.
 */
import { type FormErrors, type UseFormInput, type UseFormReturnType, useForm } from "@mantine/form";
import { useDidUpdate } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import { type Problem, toProblem } from "../api/problem";
import { beside, changed, merge, unsettled } from "./merge";
import { afterPress } from "./press";

export type ProblemForm<T extends object> = {
  form: UseFormReturnType<T>;
  /** What went wrong that belongs to no field. */
  problem: Problem | undefined;
  busy: boolean;
  /** Whether a field was changed elsewhere while something else was typed into it here. */
  elsewhere: boolean;
  /** Shows what is stored in such fields; what else was typed stays. */
  takeTheirs: () => void;
  /** Shows what is stored. */
  discard: () => void;
  onSubmit: (event?: React.FormEvent<HTMLFormElement>) => void;
};

/** Fields that both have changed, with what they were before. */
type Conflicts = ReturnType<typeof merge>["conflicts"];

/** What can take the focus in a field with an error. */
const INVALID =
  "input[aria-invalid=true], textarea[aria-invalid=true], button[aria-invalid=true], [data-error=true] input";

/** Splits a refusal into what belongs to fields of the form and what does not. */
export function placeErrors(
  problem: Problem,
  known: (field: string) => boolean,
): [FormErrors, Problem | undefined] {
  const placed = problem.fields.filter(({ field }) => known(field));
  const errors = Object.fromEntries(placed.map(({ field, message }) => [field, sentence(message)]));
  const unplaced = problem.fields.filter(({ field }) => !known(field));
  if (problem.fields.length > 0 && unplaced.length === 0) return [errors, undefined];
  if (unplaced.length === 0) return [errors, problem];
  const detail = unplaced.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return [errors, problem.withDetail(detail)];
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Takes over what is stored as it changes, field by field: what is typed is kept, and what nobody touched here follows. Where
 * both have changed one field it is a conflict, which somebody has to see.
 */
function useStored<T extends object>(
  form: UseFormReturnType<T>,
  stored: T,
  [conflicts, setConflicts]: [Conflicts, (next: Conflicts) => void],
) {
  const text = JSON.stringify(stored);
  const put = (fields: Iterable<[string, unknown]>) => {
    for (const [path, value] of fields) form.setFieldValue(path, value as never);
  };
  useDidUpdate(() => {
    const base = form.getInitialValues();
    const { take, conflicts: fresh } = merge(base, form.getValues(), stored);
    form.setInitialValues(stored);
    put(take);
    setConflicts(unsettled(new Map([...fresh, ...conflicts]), stored));
  }, [text]);
  return {
    /** What was sent is now stored like this; what was typed since is kept. */
    saved: (sent: T, now: T) => {
      const typed = changed(sent, form.getValues());
      form.setInitialValues(now);
      put([...changed(form.getValues(), now)].filter(([path]) => !typed.has(path)));
      setConflicts(new Map());
    },
    takeTheirs: () => {
      const theirs = changed(form.getValues(), form.getInitialValues());
      put([...theirs].filter(([path]) => conflicts.has(path)));
      setConflicts(new Map());
    },
    discard: () => {
      form.reset();
      setConflicts(new Map());
    },
  };
}

/**
 * A form whose `submit` may throw what the server refused. `initialValues` are what is stored: the form follows when they
 * change, and a `submit` that changes them says with `saved` how.
 */
export function useProblemForm<T extends object>(
  input: UseFormInput<T> & {
    initialValues: T;
    /** Whether a field is checked when it is left. */
    checkOnLeave?: boolean;
    /**
     * Called instead of `submit` where nothing was typed over what is stored: sent again it would undo what was changed
     * elsewhere a moment ago.
     */
    unchanged?: (() => void) | undefined;
  },
  /** `touched` are the paths of the fields that are not as they are stored. */
  submit: (values: T, saved: (now: T) => void, touched: readonly string[]) => Promise<void>,
  rename: (field: string) => string = (field) => field,
): ProblemForm<T> {
  const { checkOnLeave = true, unchanged, ...options } = input;
  const [busy, setBusy] = useState(false);
  const conflict = useState<Conflicts>(new Map());
  const [conflicts] = conflict;
  const form = useForm<T>({
    ...options,
    // A field nobody has typed in is not complained about, and no message comes while a button is being pressed.
    enhanceGetInputProps: ({ field, inputProps, form: { isDirty, validateField, getInitialValues } }) => ({
      ...(conflicts.has(field) && !busy && isDirty(field) && !inputProps.error
        ? { error: beside(getInitialValues(), field) }
        : {}),
      onBlur: () => {
        if (checkOnLeave && isDirty(field)) afterPress(() => validateField(field));
      },
    }),
  });
  const { saved, takeTheirs, discard } = useStored(form, input.initialValues, conflict);
  const [problem, setProblem] = useState<Problem>();
  const root = useRef<HTMLFormElement | null>(null);
  const [attempts, setAttempts] = useState(0);

  // After the errors are drawn, the first field that has one takes the focus. What belongs to none stands below the button,
  // where it moves nothing, and is brought into sight.
  useEffect(() => {
    if (attempts === 0) return;
    const field = root.current?.querySelector<HTMLElement>(INVALID);
    if (field) field.focus();
    else root.current?.querySelector("[role=alert]")?.scrollIntoView({ block: "nearest" });
  }, [attempts]);

  const send = form.onSubmit(
    async (values) => {
      if (busy) return;
      if (unchanged && !form.isDirty()) return unchanged();
      setBusy(true);
      setProblem(undefined);
      try {
        const touched = [...changed(form.getInitialValues(), values).keys()];
        await submit(values, (now) => saved(values, now), touched);
      } catch (thrown) {
        const refused = toProblem(thrown).renamed(rename);
        const [errors, rest] = placeErrors(
          refused,
          (field) => form.getInputNode(field) !== null || hasPath(values, field),
        );
        afterPress(() => {
          form.setErrors(errors);
          setProblem(rest);
          setAttempts((count) => count + 1);
        });
      } finally {
        setBusy(false);
      }
    },
    () => setAttempts((count) => count + 1),
  );

  return {
    form,
    problem,
    busy,
    elsewhere: !busy && [...conflicts.keys()].some((path) => form.isDirty(path)),
    takeTheirs,
    discard,
    onSubmit: (event) => {
      root.current = event?.currentTarget ?? null;
      send(event);
    },
  };
}

/** Whether a dotted path leads somewhere in the values. */
function hasPath(values: object, path: string): boolean {
  let at: unknown = values;
  for (const step of path.split(".")) {
    if (typeof at !== "object" || at === null || !(step in at)) return false;
    at = (at as Record<string, unknown>)[step];
  }
  return true;
}
