import { describe, expect, it } from "vitest";
import type { Call, SipMessage } from "../client/types.gen";
import { asText, endpoint, pcap } from "./export";
import { entries } from "./timeline";

const message = (direction: "in" | "out", peer: string, raw: string): SipMessage => ({
  at: "2026-11-23T20:00:00.123456Z",
  direction,
  peer,
  summary: raw,
  raw,
});

describe("a capture", () => {
  it("has a file header and a packet for each message, from whom to whom it went", () => {
    const file = pcap([message("in", "192.0.2.7:5070", "INVITE x\r\n")], "198.51.100.1:5060");
    const view = new DataView(file.buffer);
    expect([view.getUint32(0), view.getUint32(20)]).toEqual([0xa1b2c3d4, 101]);
    expect(view.getUint32(28)).toBe(123_456);
    expect(view.getUint32(32)).toBe(20 + 8 + 10);
    expect([...file.slice(40 + 12, 40 + 20)]).toEqual([192, 0, 2, 7, 198, 51, 100, 1]);
    expect([view.getUint16(60), view.getUint16(62)]).toEqual([5070, 5060]);
    expect(new TextDecoder().decode(file.slice(68))).toBe("INVITE x\r\n");
    let sum = 0;
    for (let at = 40; at < 60; at += 2) sum += view.getUint16(at);
    expect((sum & 0xffff) + (sum >> 16)).toBe(0xffff);
  });

  it("writes IPv6 as IPv6", () => {
    const file = pcap([message("out", "[2001:db8::1]:5060", "BYE")], "198.51.100.1:5060");
    expect(file[40]).toBe(0x60);
    expect([...file.slice(40 + 24, 40 + 28)]).toEqual([0x20, 0x01, 0x0d, 0xb8]);
    expect(endpoint("sip.example.com")).toBeUndefined();
  });
});

describe("a call as text", () => {
  it("has one kind of line end, whatever its messages and texts have", () => {
    const call = { sid: "CA1", from: "1", to: "2", status: "completed", created_at: "2026-11-23T20:00:00Z" };
    const said = {
      sequence: 1,
      at: "2026-11-23T20:00:01.000000Z",
      lane: "twiml",
      event_type: "VerbStarted",
      title: "<Say>",
      detail: { index: 0, attributes: [["text", "Good\r\nmorning"]] },
    } as never;
    const raw = "INVITE sip:1234 SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\n";
    const text = asText(call as Call, entries([said], [message("in", "192.0.2.7:5070", raw)]));
    expect(text).not.toContain("\r");
    expect(text).toContain("    INVITE sip:1234 SIP/2.0\n    CSeq: 1 INVITE\n\n    v=0\n");
    expect(text).toContain('<Say>  "Good morning"');
  });
});
