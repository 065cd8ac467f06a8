/** A trunk's form: what it starts with, what it checks, and what it sends. */
import type { OutboundConfig, Trunk, TrunkCreate, TrunkUpdate } from "../client/types.gen";
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
    media_networks: string[];
    asymmetric_rtp: boolean;
  };
  outbound: {
    host: string;
    transport: string;
    dial_string_prefix: string;
    plus_prefix: boolean;
    /** Numbers of the trunk's country in national form. */
    trunk_prefix: boolean;
    country: string | null;
    username: string;
    password: string;
    emergency: boolean;
    media_networks: string[];
    asymmetric_rtp: boolean;
    /** The host that the stored password is for, if there is one. */
    passwordFor: string | null;
  };
};

export function valuesOf(trunk: Trunk | undefined, tab: "inbound" | "outbound"): TrunkValues {
  const { inbound, outbound } = trunk ?? {};
  return {
    name: trunk?.name ?? "",
    takes: trunk ? inbound !== undefined : tab === "inbound",
    places: trunk ? outbound !== undefined : tab === "outbound",
    inbound: {
      sources: inbound?.sources ?? [],
      typed: "",
      country: inbound?.country ?? null,
      media_networks: inbound?.media_networks ?? [],
      asymmetric_rtp: inbound?.asymmetric_rtp ?? false,
    },
    outbound: {
      host: outbound?.host ?? "",
      transport: outbound?.transport ?? "udp",
      dial_string_prefix: outbound?.dial_string_prefix ?? "",
      plus_prefix: outbound?.plus_prefix ?? true,
      trunk_prefix: outbound?.trunk_prefix ?? false,
      country: outbound?.country ?? null,
      username: outbound?.username ?? "",
      password: "",
      emergency: outbound?.emergency ?? false,
      media_networks: outbound?.media_networks ?? [],
      asymmetric_rtp: outbound?.asymmetric_rtp ?? false,
      passwordFor: outbound?.has_password ? outbound.host : null,
    },
  };
}

const wrongNetwork = (networks: string[]): string | null => {
  const wrong = networks.find((network) => !check.isSource(network));
  return wrong ? `${wrong} is no address or network, like 203.0.113.7 or 203.0.113.0/24` : null;
};

/** `host:port` in lower case: two ways of writing one host are one. */
const withPort = (host: string) => {
  const plain = host.trim().toLowerCase();
  const bare = plain.startsWith("[") ? !plain.includes("]:") : plain.split(":").length !== 2;
  return bare ? `${plain}:5060` : plain;
};

/** Whether a password is stored that the new host must not be told. */
export const needsPassword = ({ passwordFor, host }: TrunkValues["outbound"]): boolean =>
  passwordFor !== null && withPort(passwordFor) !== withPort(host);

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
      return wrongNetwork(sources);
    },
    media_networks: (networks: string[], all: TrunkValues) => (all.takes ? wrongNetwork(networks) : null),
  },
  outbound: {
    host: (value: string, all: TrunkValues) => (all.places ? check.host(value) : null),
    dial_string_prefix: (value: string, all: TrunkValues) =>
      !all.places || /^[\d*#]{0,16}$/.test(value.trim()) ? null : "At most 16 digits, * or #",
    username: (value: string, all: TrunkValues) =>
      all.places && all.outbound.password !== "" && value.trim() === ""
        ? "Enter the user name the password is for"
        : null,
    media_networks: (networks: string[], all: TrunkValues) => (all.places ? wrongNetwork(networks) : null),
    password: (value: string, all: TrunkValues) =>
      all.places && all.outbound.username.trim() !== "" && value === "" && needsPassword(all.outbound)
        ? "Enter the password again: the stored one is for another host"
        : null,
  },
};

/** The outbound side as the API takes it. An empty password is left out, which keeps the stored one. */
function outboundOf({ outbound }: TrunkValues): OutboundConfig {
  const username = outbound.username.trim();
  return {
    host: outbound.host.trim(),
    transport: outbound.transport === "tcp" ? "tcp" : "udp",
    dial_string_prefix: outbound.dial_string_prefix.trim(),
    plus_prefix: outbound.plus_prefix,
    trunk_prefix: outbound.trunk_prefix,
    ...(outbound.country && { country: outbound.country }),
    ...(username && { username }),
    ...(username && outbound.password && { password: outbound.password }),
    emergency: outbound.emergency,
    media_networks: outbound.media_networks,
    asymmetric_rtp: outbound.asymmetric_rtp,
  };
}

/** The outbound side an example is made of: the country may be the inbound side's. */
export function exampleOf(values: TrunkValues): OutboundConfig {
  const country = values.outbound.country ?? (values.takes ? values.inbound.country : null);
  return { ...outboundOf(values), ...(country && { country }) };
}

export function bodyOf(values: TrunkValues): TrunkCreate {
  const { country, media_networks, asymmetric_rtp } = values.inbound;
  return {
    name: values.name.trim(),
    ...(values.takes && {
      inbound: {
        sources: sourcesOf(values.inbound),
        ...(country && { country }),
        media_networks,
        asymmetric_rtp,
      },
    }),
    ...(values.places && { outbound: outboundOf(values) }),
  };
}

/** The parts of it that were touched: the API takes each side as a whole. */
export function patchOf(body: TrunkCreate, touched: readonly string[]): TrunkUpdate {
  const has = (part: string, toggle: string) =>
    touched.some((path) => path === part || path === toggle || path.startsWith(`${part}.`));
  return {
    ...(has("name", "name") && { name: body.name }),
    ...(has("inbound", "takes") && { inbound: body.inbound ?? null }),
    ...(has("outbound", "places") && { outbound: body.outbound ?? null }),
  };
}

/** `inbound.sources.2` as the field this form has. */
export function fieldOf(field: string): string {
  const list = /^(inbound\.sources|(?:in|out)bound\.media_networks)\.\d+$/.exec(field);
  if (list?.[1]) return list[1];
  return field;
}
