/** SIP messages as a ladder: who stands where, and which way each message went. */
import type { SipMessage } from "../client/types.gen";
import { micros } from "./timeline";

export type Rung = {
  message: SipMessage;
  /** Column of the far end, from 0; ours is drawn left of all. */
  peer: number;
  /** Milliseconds since the call's first row, as in the timeline. */
  offsetMs: number;
  response: boolean;
  retransmission: boolean;
};

export type Ladder = { peers: string[]; rungs: Rung[] };

/** Far ends in the order they appear; `start` in microseconds since 1970. The same text again on the same side is a retransmission. */
export function ladder(messages: readonly SipMessage[], start: number): Ladder {
  const peers: string[] = [];
  const seen = new Set<string>();
  const rungs = messages.map((message): Rung => {
    if (!peers.includes(message.peer)) peers.push(message.peer);
    const identity = `${message.direction} ${message.peer} ${message.raw}`;
    const retransmission = seen.has(identity);
    seen.add(identity);
    return {
      message,
      peer: peers.indexOf(message.peer),
      offsetMs: Math.max(0, (micros(message.at) - start) / 1000),
      response: /^(SIP\/2\.0 )?\d{3}\b/.test(message.summary) || message.raw.startsWith("SIP/2.0 "),
      retransmission,
    };
  });
  return { peers, rungs };
}
