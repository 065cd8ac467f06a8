import { describe, expect, it } from "vitest";
import type { SipMessage, TimelineEntry } from "../client/types.gen";
import { ladder } from "./ladder";
import { barOf, endOf, entries, laneCounts, mergeRows, micros, startOf } from "./timeline";

const START = Date.parse("2026-11-23T20:00:00Z");
const at = (ms: number) => new Date(START + ms).toISOString();

function row(sequence: number, ms: number, over: Partial<TimelineEntry>): TimelineEntry {
  return {
    position: String(100 + sequence),
    sequence,
    at: at(ms),
    lane: "call",
    title: "row",
    event_type: "Received",
    detail: {},
    ...over,
  };
}

const verb = (sequence: number, ms: number, index: number, verbName: string) =>
  row(sequence, ms, {
    lane: "twiml",
    title: verbName,
    event_type: "VerbStarted",
    detail: { index, verb: verbName, attributes: [] },
  });
const verbEnd = (sequence: number, ms: number, index: number, outcome: string) =>
  row(sequence, ms, { lane: "twiml", title: "ended", event_type: "VerbEnded", detail: { index, outcome } });
const message = (
  ms: number,
  direction: "in" | "out",
  summary: string,
  peer = "127.0.0.1:5070",
): SipMessage => ({
  at: at(ms),
  direction,
  peer,
  summary,
  raw: `${summary}\r\n`,
});

describe("timeline rows", () => {
  it("are in order and each once, however they arrive", () => {
    const of = (...sequences: number[]) => sequences.map((sequence) => row(sequence, 0, {}));
    const rows = mergeRows(of(1, 3), of(4, 2, 3));
    expect(rows.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  });
});

describe("the timeline", () => {
  it("folds a verb's end into its beginning", () => {
    const all = entries(
      [
        verb(1, 0, 0, "Gather"),
        verb(2, 10, 1, "Say"),
        verbEnd(3, 1500, 1, "spoken"),
        verbEnd(4, 2000, 0, "1 digit"),
      ],
      [],
    );
    expect(all.map(({ title, tookMs, result }) => [title, tookMs, result])).toEqual([
      ["Gather", 2000, "1 digit"],
      ["Say", 1490, "spoken"],
    ]);
  });

  it("shows a verb as running until it or the call ends", () => {
    expect(entries([verb(1, 0, 0, "Say")], [])[0]?.running).toBe(true);
    expect(
      entries([verb(1, 0, 0, "Say"), row(2, 5, { event_type: "Ended" })], [])[0]?.running,
    ).toBeUndefined();
  });

  it("keeps the end of a verb whose beginning it never saw", () => {
    expect(entries([verbEnd(7, 0, 3, "spoken")], [])).toHaveLength(1);
  });

  it("puts SIP messages between the facts by time", () => {
    const rows = [row(1, 5, { title: "received" }), row(2, 200, { title: "answered" })];
    const titles = entries(rows, [message(0, "in", "INVITE sip:1234"), message(190, "out", "200 OK")]).map(
      ({ title }) => title,
    );
    expect(titles).toEqual(["INVITE sip:1234", "received", "200 OK", "answered"]);
  });

  it("says how a webhook went", () => {
    const exchange = {
      purpose: "document",
      method: "POST",
      url: "https://x.test/",
      parameters: [],
      duration_ms: 61,
    };
    const failed = { ...exchange, error: { code: 11205, message: "connection refused" } };
    const rows = [{ ...exchange, status: 200 }, { ...exchange, status: 500 }, failed].map((detail, index) =>
      row(index, index, {
        lane: "webhook",
        event_type: "Exchanged",
        detail: detail as Record<string, unknown>,
      }),
    );
    expect(entries(rows, []).map(({ result, tone }) => [result, tone])).toEqual([
      ["200", "green"],
      ["500", "red"],
      ["error 11205", "red"],
    ]);
  });

  it("shows a message that was sent again once, with how often", () => {
    const again = [0, 500, 1500].map((ms) => message(ms, "out", "404 Not Found (INVITE)"));
    const all = entries([], [...again, message(1600, "in", "ACK sip:1234")]);
    expect(all.map(({ title, result }) => [title, result])).toEqual([
      ["404 Not Found (INVITE)", "3 times"],
      ["ACK sip:1234", undefined],
    ]);
  });

  it("takes no challenge for credentials for a failure", () => {
    const tones = ["401 Unauthorized", "487 Request Terminated", "503 Service Unavailable"].map(
      (summary) => entries([], [message(0, "in", summary)])[0]?.tone,
    );
    expect(tones).toEqual([undefined, undefined, "red"]);
  });

  it("counts what each lane has, leaving empty ones out", () => {
    const all = entries([row(1, 0, {}), verb(2, 1, 0, "Say")], [message(2, "in", "BYE")]);
    expect(laneCounts(all)).toEqual([
      ["call", 1],
      ["sip", 1],
      ["twiml", 1],
    ]);
  });
});

describe("the SIP ladder", () => {
  it("gives each far end a column and marks what was sent again", () => {
    const messages = [
      message(0, "in", "INVITE sip:1234"),
      message(2, "out", "SIP/2.0 100 Trying"),
      message(10, "out", "INVITE sip:855", "10.0.0.2:5060"),
      message(510, "out", "INVITE sip:855", "10.0.0.2:5060"),
    ];
    const { peers, rungs } = ladder(messages, micros(messages[0]?.at ?? ""));
    expect(peers).toEqual(["127.0.0.1:5070", "10.0.0.2:5060"]);
    expect(
      rungs.map(({ peer, offsetMs, response, retransmission }) => [peer, offsetMs, response, retransmission]),
    ).toEqual([
      [0, 0, false, false],
      [0, 2, true, false],
      [1, 10, false, false],
      [1, 510, false, true],
    ]);
  });
});

describe("a call's page", () => {
  it("says the same time in the ladder as in the timeline, to the microsecond", () => {
    const at = (fraction: string) => `2026-11-23T20:00:00.${fraction}Z`;
    const sent = { ...message(0, "out", "INVITE sip:1"), at: at("001700") };
    const all = entries([row(1, 0, { at: at("000900") })], [sent]);
    const [rung] = ladder([sent], startOf(all)).rungs;
    expect(rung?.offsetMs).toBe((micros(sent.at) - startOf(all)) / 1000);
    expect(rung?.offsetMs).toBeCloseTo(0.8);
  });

  it("says of an INVITE what came of it in other words than the message", () => {
    const all = entries(
      [row(1, 0, { lane: "sip", event_type: "Received", title: "INVITE from sipp for 1234" })],
      [message(0, "in", "INVITE sip:1234@host")],
    );
    expect(all.map(({ title }) => title)).toEqual(["INVITE sip:1234@host", "Call from sipp for 1234"]);
  });
});

describe("causal order within a millisecond", () => {
  const exactly = (fraction: string) => `2026-11-23T20:00:00.${fraction}Z`;

  it("goes by microseconds", () => {
    const all = entries(
      [row(1, 0, { at: exactly("000200"), title: "noted" })],
      [
        { ...message(0, "out", "180 Ringing"), at: exactly("000300") },
        { ...message(0, "in", "INVITE"), at: exactly("000100") },
      ],
    );
    expect(all.map(({ title }) => title)).toEqual(["INVITE", "noted", "180 Ringing"]);
  });

  it("puts what came in before what it led to, and what went out after what it says", () => {
    const same = exactly("000100");
    const all = entries(
      [row(1, 0, { at: same, title: "first" }), row(2, 0, { at: same, title: "second" })],
      [
        { ...message(0, "in", "INVITE"), at: same },
        { ...message(0, "out", "200 OK"), at: same },
      ],
    );
    expect(all.map(({ title }) => title)).toEqual(["INVITE", "first", "second", "200 OK"]);
  });

  it("keeps facts in the order of the log when a clock stepped back", () => {
    const all = entries([row(1, 20, { title: "first" }), row(2, 10, { title: "second" })], []);
    expect(all.map(({ title }) => title)).toEqual(["first", "second"]);
  });
});

describe("a row", () => {
  it("says what a verb speaks without being opened", () => {
    const say = row(1, 0, {
      event_type: "VerbStarted",
      title: "<Say>",
      detail: { index: 0, verb: "Say", attributes: [["text", "Hello there"]] },
    });
    expect(entries([say], [])[0]?.said).toBe("Hello there");
  });

  it("lies in the call where it was, as wide as it took", () => {
    const all = entries([verb(1, 0, 0, "Say"), verbEnd(2, 500, 0, "spoken"), row(3, 1000, {})], []);
    expect(endOf(all)).toBe(micros(at(1000)));
    expect(all.map((entry) => barOf(entry, micros(at(0)), micros(at(1000))))).toEqual([
      { left: 0, width: 50 },
      { left: 100, width: 0 },
    ]);
  });
});
