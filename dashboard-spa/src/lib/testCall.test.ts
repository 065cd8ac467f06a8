import { describe, expect, it } from "vitest";
import { commandsOf, greeting, party, sipAddressOf } from "./testCall";

describe("a test call", () => {
  it("is dialled without a plus, at the server's address", () => {
    expect(sipAddressOf("+85512345678", "192.0.2.1:5060")).toBe("sip:85512345678@192.0.2.1:5060");
    expect(sipAddressOf("1234", undefined)).toBeUndefined();
  });

  it("has a line to copy for each program that can dial it", () => {
    const lines = commandsOf("sip:85512345678@192.0.2.1:5060").map(({ line }) => line);
    expect(lines).toEqual([
      'baresip -e "/uanew sip:me@127.0.0.1;regint=0" -e "/dial sip:85512345678@192.0.2.1:5060"',
      "sipp -sn uac -s 85512345678 -m 1 -d 5000 192.0.2.1:5060",
    ]);
  });

  it("rings numbers and phones at an IP address, and says how either is written", () => {
    for (const good of [
      "+855 12 345 678",
      "1234",
      "sip:me@192.168.1.20",
      "sip:127.0.0.1:5070",
      "sip:a@[2001:db8::1]:5060",
    ])
      expect(party(good), good).toBeNull();
    for (const bad of ["", "Ada", "sip:me@example.com", "sip:", "sip:me@192.168.1.20;transport=tcp"])
      expect(party(bad), bad).toMatch(/sip:|number/);
  });

  it("greets in TwiML", () => {
    const document = new DOMParser().parseFromString(greeting("1234"), "text/xml");
    expect(document.documentElement.tagName).toBe("Response");
    expect(document.querySelector("Say")?.textContent).toContain("1 2 3 4");
  });
});
