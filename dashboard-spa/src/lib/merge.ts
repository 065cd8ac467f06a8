/** Three versions of a form's values: what it began with, what is typed, and what somebody else has stored meanwhile. */

/** A field's path, `voice.voice_url`, and its value; a list is one field. */
type Fields = Map<string, unknown>;

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function fieldsOf(values: object, before = ""): Fields {
  const entries = Object.entries(values).flatMap(([key, value]) =>
    isGroup(value) ? [...fieldsOf(value, `${before}${key}.`)] : [[`${before}${key}`, value] as const],
  );
  return new Map(entries);
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** The fields of `now` that are not as they were. */
export function changed(before: object, now: object): Fields {
  const was = fieldsOf(before);
  return new Map([...fieldsOf(now)].filter(([path, value]) => !same(value, was.get(path))));
}

export type Merged = {
  /** Fields to show differently: nobody touched them here. */
  take: Fields;
  /** Fields that both have changed, and not to the same, with what they were before. */
  conflicts: Fields;
};

/** What becomes of `mine`, begun with `base`, when `theirs` is stored. */
export function merge(base: object, mine: object, theirs: object): Merged {
  const [was, here, there] = [fieldsOf(base), changed(base, mine), changed(base, theirs)];
  const untouched = [...there].filter(([path]) => !here.has(path));
  const both = [...there].filter(([path, value]) => here.has(path) && !same(value, here.get(path)));
  return { take: new Map(untouched), conflicts: new Map(both.map(([path]) => [path, was.get(path)])) };
}

/** The values of these fields alone, in their groups. */
export function only<T extends object>(values: T, paths: Iterable<string>): Partial<T> {
  const wanted = new Set(paths);
  const kept = (group: object, before: string): object =>
    Object.fromEntries(
      Object.entries(group).flatMap(([key, value]) => {
        const path = `${before}${key}`;
        if (!isGroup(value)) return wanted.has(path) ? [[key, value]] : [];
        const inside = kept(value, `${path}.`);
        return Object.keys(inside).length > 0 ? [[key, inside]] : [];
      }),
    );
  return kept(values, "") as Partial<T>;
}

/** Drops the conflicts that are none any more, for `theirs` is what it was when they began. */
export function unsettled(conflicts: Fields, theirs: object): Fields {
  const there = fieldsOf(theirs);
  return new Map([...conflicts].filter(([path, was]) => !same(was, there.get(path))));
}

/** What somebody else has made of a field, beside it: `Changed elsewhere meanwhile: “Door”`. */
export function beside(theirs: object, path: string): string {
  return `Changed elsewhere meanwhile: ${shown(fieldsOf(theirs).get(path))}`;
}

/** Longest value that is said beside a field, in characters. */
const LONGEST = 40;

function shown(value: unknown): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  const text = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  if (text === "") return "empty now";
  return `“${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}”`;
}
