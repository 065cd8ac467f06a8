import { describe, expect, it } from "vitest";
import type { Trunk } from "../client/types.gen";
import { bodyOf, fieldOf, patchOf, type TrunkValues, validateTrunk, valuesOf } from "./trunkForm";
import { host, isSource, optionalUrl, subdomain } from "./validate";

const stored: Trunk = {
  sid: "TK1",
  name: "Gateway",
  inbound: { sources: ["127.0.0.0/8"] },
  outbound: {
    host: "127.0.0.1:5070",
    transport: "tcp",
    dial_string_prefix: "99",
    plus_prefix: true,
    trunk_prefix: true,
    country: "KH",
    username: "me",
    has_password: true,
    emergency: true,
    media_networks: ["198.51.100.0/24"],
    asymmetric_rtp: false,
    trusted: false,
    example_dial_string: "",
    example_request_uri: "",
  },
  created_at: "",
  updated_at: "",
};

describe("a trunk's form", () => {
  it("sends back what it was filled with, without the password it never had", () => {
    expect(bodyOf(valuesOf(stored, "inbound"))).toEqual({
      name: "Gateway",
      inbound: { sources: ["127.0.0.0/8"], media_networks: [], asymmetric_rtp: false },
      outbound: {
        host: "127.0.0.1:5070",
        transport: "tcp",
        dial_string_prefix: "99",
        plus_prefix: true,
        trunk_prefix: true,
        country: "KH",
        username: "me",
        emergency: true,
        media_networks: ["198.51.100.0/24"],
        asymmetric_rtp: false,
      },
    });
  });

  it("leaves out a side that is switched off", () => {
    const values = { ...valuesOf(stored, "inbound"), takes: false };
    expect(bodyOf(values)).not.toHaveProperty("inbound");
    expect(validateTrunk.inbound.sources([], values)).toBeNull();
  });

  it("wants the password again for another host", () => {
    const values = valuesOf(stored, "inbound");
    const told = (outbound: Partial<TrunkValues["outbound"]>) =>
      validateTrunk.outbound.password(outbound.password ?? "", {
        ...values,
        outbound: { ...values.outbound, ...outbound },
      });
    expect(told({})).toBeNull();
    expect(told({ dial_string_prefix: "1" })).toBeNull();
    expect(told({ host: "sip.example.com" })).toMatch(/again/);
    expect(told({ host: "127.0.0.1" })).toMatch(/again/);
    expect(told({ host: "sip.example.com", password: "new" })).toBeNull();
    expect(told({ host: "sip.example.com", username: "" })).toBeNull();
    expect(told({ host: "SIP.example.com", passwordFor: "sip.example.com:5060" })).toBeNull();
  });

  it("starts on the side whose tab it was opened from", () => {
    expect(valuesOf(undefined, "outbound")).toMatchObject({
      takes: false,
      places: true,
      outbound: { plus_prefix: true, trunk_prefix: false },
    });
  });

  it("wants a direction, sources and a host", () => {
    const values: TrunkValues = { ...valuesOf(undefined, "inbound"), places: true };
    expect(validateTrunk.takes(false, { ...values, places: false })).toMatch(/direction/);
    expect(validateTrunk.inbound.sources([], values)).toMatch(/source/);
    expect(validateTrunk.inbound.sources(["10.0.0.1", "10.0.0.300"], values)).toMatch(/10\.0\.0\.300/);
    expect(validateTrunk.outbound.host("", values)).toMatch(/host/);
  });

  it("takes an address that was typed and not entered for entered", () => {
    const { inbound, ...rest } = valuesOf(undefined, "inbound");
    const typed = (text: string): TrunkValues => ({
      ...rest,
      inbound: { ...inbound, sources: ["10.0.0.1"], typed: text },
    });
    const two = ["10.0.0.1", "10.0.0.2"];
    for (const text of ["10.0.0.2", " 10.0.0.2 ,10.0.0.1"])
      expect(bodyOf(typed(text)).inbound?.sources).toEqual(two);
    expect(validateTrunk.inbound.sources(["10.0.0.1"], typed("10.0.0"))).toMatch(/10\.0\.0 is no address/);
  });

  it("finds its fields under the server's names", () => {
    const told = ["inbound.sources.2", "outbound.media_networks.0", "outbound.host", "name"];
    expect(told.map(fieldOf)).toEqual([
      "inbound.sources",
      "outbound.media_networks",
      "outbound.host",
      "name",
    ]);
  });
});

describe("a change of a trunk", () => {
  const body = { name: "Gateway", inbound: { sources: ["192.0.2.1"] } };

  it("is of the sides that were touched", () => {
    expect(patchOf(body, ["name"])).toEqual({ name: "Gateway" });
    expect(patchOf(body, ["inbound.typed"])).toEqual({ inbound: body.inbound });
    expect(patchOf(body, ["places"])).toEqual({ outbound: null });
    expect(patchOf(body, [])).toEqual({});
  });
});

describe("checks", () => {
  it("know addresses and networks", () => {
    for (const text of ["203.0.113.7", "203.0.113.0/24", "2001:db8::1", "2001:db8::/48"])
      expect(isSource(text)).toBe(true);
    for (const text of ["", "203.0.113", "1.2.3.4/33", "example.com", "1.2.3.4/24/1"])
      expect(isSource(text)).toBe(false);
  });

  it("know hosts, addresses and subdomains", () => {
    for (const text of ["sip.example.com", "127.0.0.1:5070", "[2001:db8::1]:5060"])
      expect(host(text)).toBeNull();
    expect(host("2001:db8::1")).toBeNull();
    for (const text of ["", "a b", "sip:example.com:x", "0", "1.2.3", "1.2.3:5060", "0x7f.0.0.1"])
      expect(host(text)).not.toBeNull();
    expect(optionalUrl("")).toBeNull();
    expect(optionalUrl("https://example.com/voice")).toBeNull();
    expect(optionalUrl("ftp://example.com")).not.toBeNull();
    expect(subdomain("demo-telecom")).toBeNull();
    expect(subdomain("-demo")).not.toBeNull();
  });
});
