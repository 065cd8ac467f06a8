/** A trunk's form: what it starts with, what it checks, and what it sends. */
import type { OutboundConfig, Trunk, TrunkCreate } from "../client/types.gen";
import * as check from "./validate";

export type TrunkValues = {
  name: string;
  takes: boolean;
  places: boolean;
  inbound: {
    sources: string[];
    /** What stands behind the last of them and was not entered yet. */
    typed: string;
    country: string | null;
  };
  outbound: {
    host: string;
    transport: string;
    dial_string_prefix: string;
    /** How numbers are written: bare digits, with plus, or in national form. */
    format: "digits" | "plus" | "national";
    username: string;
    password: string;
  };
};

export function valuesOf(trunk: Trunk | undefined, tab: "inbound" | "outbound"): TrunkValues {
  const { inbound, outbound } = trunk ?? {};
  return {
    name: trunk?.name ?? "",
    takes: trunk ? inbound !== undefined : tab === "inbound",
    places: trunk ? outbound !== undefined : tab === "outbound",
    inbound: { sources: inbound?.sources ?? [], typed: "", country: inbound?.country ?? null },
    outbound: {
      host: outbound?.host ?? "",
      transport: outbound?.transport ?? "udp",
      dial_string_prefix: outbound?.dial_string_prefix ?? "",
      format: outbound?.trunk_prefix ? "national" : outbound?.plus_prefix || !outbound ? "plus" : "digits",
      username: outbound?.username ?? "",
      password: "",
    },
  };
}

/** All source addresses, entered or only typed, each once. */
function sourcesOf({ sources, typed }: TrunkValues["inbound"]): string[] {
  return [...new Set([...sources, ...typed.split(/[\s,]+/)].map((source) => source.trim()).filter(Boolean))];
}

export const validateTrunk = {
  name: check.name("a name for the trunk"),
  takes: (value: boolean, all: TrunkValues) => (value || all.places ? null : "Choose at least one direction"),
  inbound: {
    sources: (entered: string[], all: TrunkValues) => {
      if (!all.takes) return null;
      const sources = sourcesOf({ ...all.inbound, sources: entered });
      if (sources.length === 0) return "Enter at least one source address";
      const wrong = sources.find((source) => !check.isSource(source));
      return wrong ? `${wrong} is no address or network, like 203.0.113.7 or 203.0.113.0/24` : null;
    },
  },
  outbound: {
    host: (value: string, all: TrunkValues) => (all.places ? check.host(value) : null),
    dial_string_prefix: (value: string, all: TrunkValues) =>
      !all.places || /^[\d*#]{0,16}$/.test(value.trim()) ? null : "At most 16 digits, * or #",
    username: (value: string, all: TrunkValues) =>
      all.places && all.outbound.password !== "" && value.trim() === ""
        ? "Enter the user name the password is for"
        : null,
  },
};

/** The outbound side as the API takes it. An empty password is left out, which keeps the stored one. */
export function outboundOf({ outbound }: TrunkValues): OutboundConfig {
  const username = outbound.username.trim();
  return {
    host: outbound.host.trim(),
    transport: outbound.transport === "tcp" ? "tcp" : "udp",
    dial_string_prefix: outbound.dial_string_prefix.trim(),
    plus_prefix: outbound.format === "plus",
    trunk_prefix: outbound.format === "national",
    ...(username && { username }),
    ...(username && outbound.password && { password: outbound.password }),
  };
}

export function bodyOf(values: TrunkValues): TrunkCreate {
  const { country } = values.inbound;
  return {
    name: values.name.trim(),
    ...(values.takes && {
      inbound: { sources: sourcesOf(values.inbound), ...(country && { country }) },
    }),
    ...(values.places && { outbound: outboundOf(values) }),
  };
}

/** `inbound.sources.2` and `outbound.plus_prefix` as the fields this form has. */
export function fieldOf(field: string): string {
  if (field.startsWith("inbound.sources")) return "inbound.sources";
  if (field === "outbound.plus_prefix" || field === "outbound.trunk_prefix") return "outbound.format";
  return field;
}
