/** A call to take away: its SIP messages as a capture for Wireshark, and everything as text. */
import type { Call, SipMessage } from "../client/types.gen";
import { reasonOf } from "./call";
import { clock, exact, offset, span } from "./format";
import { type Entry, lanes, micros } from "./timeline";

/** Link type LINKTYPE_RAW: packets begin with their IP header. */
const RAW_IP = 101;
/** UDP's number in an IP header (RFC 768). */
const UDP = 17;
/** Longest packet that is written; a SIP message that is kept is shorter. */
const SNAP = 65_535;

type Endpoint = { ip: number[]; port: number };

/**
 * The messages as a pcap file. They were kept as text, not as packets: each is written as one UDP datagram between `own` and
 * its peer, without checksums, whatever carried it.
 */
export function pcap(messages: readonly SipMessage[], own: string | undefined): Uint8Array<ArrayBuffer> {
  const header = bytes(24, (view) => {
    view.setUint32(0, 0xa1b2c3d4);
    view.setUint16(4, 2);
    view.setUint16(6, 4);
    view.setUint32(16, SNAP);
    view.setUint32(20, RAW_IP);
  });
  return joined([header, ...messages.flatMap((message) => packet(message, own))]);
}

function packet(message: SipMessage, own: string | undefined): Uint8Array[] {
  const peer = endpoint(message.peer) ?? { ip: [0, 0, 0, 0], port: 0 };
  const ours = fitting(endpoint(own ?? ""), peer);
  const [from, to] = message.direction === "in" ? [peer, ours] : [ours, peer];
  const payload = new TextEncoder().encode(message.raw);
  const udp = bytes(8, (view) => {
    view.setUint16(0, from.port);
    view.setUint16(2, to.port);
    view.setUint16(4, 8 + payload.length);
  });
  const ip = ipHeader(from, to, udp.length + payload.length);
  const length = Math.min(SNAP, ip.length + udp.length + payload.length);
  const at = micros(message.at);
  const record = bytes(16, (view) => {
    view.setUint32(0, Math.floor(at / 1_000_000));
    view.setUint32(4, at % 1_000_000);
    view.setUint32(8, length);
    view.setUint32(12, length);
  });
  return [record, joined([ip, udp, payload]).slice(0, length)];
}

function ipHeader(from: Endpoint, to: Endpoint, length: number): Uint8Array {
  if (from.ip.length === 16) {
    return bytes(40, (view, raw) => {
      view.setUint8(0, 0x60);
      view.setUint16(4, length);
      view.setUint8(6, UDP);
      view.setUint8(7, 64);
      raw.set(from.ip, 8);
      raw.set(to.ip, 24);
    });
  }
  return bytes(20, (view, raw) => {
    view.setUint8(0, 0x45);
    view.setUint16(2, Math.min(SNAP, 20 + length));
    view.setUint8(8, 64);
    view.setUint8(9, UDP);
    raw.set(from.ip, 12);
    raw.set(to.ip, 16);
    view.setUint16(10, checksum(raw));
  });
}

/** RFC 1071. */
function checksum(raw: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < raw.length; at += 2) sum += ((raw[at] ?? 0) << 8) | (raw[at + 1] ?? 0);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** Our own end in the family of the peer's; unknown is all zeroes. */
function fitting(own: Endpoint | undefined, peer: Endpoint): Endpoint {
  if (own && own.ip.length === peer.ip.length) return own;
  return { ip: peer.ip.map(() => 0), port: own?.port ?? 5060 };
}

/** `192.0.2.1:5060` or `[2001:db8::1]:5060`. */
export function endpoint(text: string): Endpoint | undefined {
  const [, six, four, port] = /^(?:\[([0-9a-f:.]+)\]|([\d.]+)):(\d+)$/i.exec(text.replace(/^sip:/, "")) ?? [];
  const ip = six === undefined ? four?.split(".").map(Number) : sixteen(six);
  return ip && (ip.length === 4 || ip.length === 16) ? { ip, port: Number(port) } : undefined;
}

function sixteen(text: string): number[] {
  const groups = (part: string | undefined) =>
    part ? part.split(":").map((group) => Number.parseInt(group, 16)) : [];
  const [before, after] = text.split("::");
  const [head, tail] = [groups(before), groups(after)];
  const zeroes = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return [...head, ...zeroes, ...tail].flatMap((group) => [group >> 8, group & 0xff]);
}

function bytes(length: number, fill: (view: DataView, raw: Uint8Array) => void): Uint8Array {
  const raw = new Uint8Array(length);
  fill(new DataView(raw.buffer), raw);
  return raw;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Everything that happened, as somebody would paste it into a ticket. */
export function asText(call: Call, all: readonly Entry[]): string {
  const start = all[0] ? micros(all[0].at) : 0;
  const facts: [string, string | undefined][] = [
    ["Call", call.sid],
    ["From", call.from],
    ["To", call.to],
    ["Status", call.status],
    ["Ended", reasonOf(call)],
    ["SIP Call-ID", call.sip_call_id],
    ["Started", exact(call.created_at)],
  ];
  const head = facts.filter(([, value]) => value).map(([name, value]) => `${name}: ${value}`);
  return `${[...head, "", ...all.map((entry) => textOf(entry, start))].join("\n")}\n`;
}

function textOf(entry: Entry, start: number): string {
  const { at, lane, title, said, result, tookMs, message } = entry;
  const arrow = message ? (message.direction === "in" ? "<- " : "-> ") : "";
  const took = tookMs === undefined ? undefined : span(tookMs);
  const when = [clock(at), offset((micros(at) - start) / 1000)];
  const told = [...when, lanes[lane], `${arrow}${title}`, said && `"${said}"`, result, took].filter(Boolean);
  // A message has its own line ends (RFC 3261 section 7), the text has one kind.
  const raw = message?.raw.trimEnd().split(/\r\n|\r|\n/) ?? [];
  const line = told.join("  ").replace(/\s*[\r\n]+\s*/g, " ");
  return [line, ...raw.map((text) => text && `    ${text}`)].join("\n");
}

/** Has the browser save something under a name. */
export function save(content: BlobPart, type: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
