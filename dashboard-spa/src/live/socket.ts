/**
 * The live connection: one WebSocket that comes back by itself.
 * After every re-open this re-sends the subscriptions, and the server's greeting tells whether something was missed; the
 * server has no replay.
 */

import { visibleJson } from "../lib/visible";

/** First wait after a lost connection, and the longest, in milliseconds. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
/** The server closes with this when the session has ended. */
const SESSION_ENDED = 4401;

export type LiveState = "connecting" | "open" | "waiting" | "closed";

export type Socket = {
  readonly readyState: number;
  send: (text: string) => void;
  close: () => void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
};

export type LiveOptions = {
  connect: () => Socket;
  onMessage: (message: Record<string, unknown>) => void;
  onState: (state: LiveState) => void;
  onSessionEnded: () => void;
  setTimer?: (run: () => void, milliseconds: number) => unknown;
  clearTimer?: (timer: unknown) => void;
  random?: () => number;
};

/** How long to wait before attempt number `attempt` (from 0): doubling, with half of it left to chance. */
export function backOff(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(attempt, 10));
  return ceiling / 2 + (ceiling / 2) * random;
}

export class LiveSocket {
  private socket: Socket | undefined;
  private attempt = 0;
  private stopped = false;
  private timer: unknown;
  private readonly subscriptions = new Map<string, number>();
  private readonly setTimer: (run: () => void, milliseconds: number) => unknown;
  private readonly clearTimer: (timer: unknown) => void;
  private readonly random: () => number;

  constructor(private readonly options: LiveOptions) {
    this.setTimer = options.setTimer ?? ((run, milliseconds) => setTimeout(run, milliseconds));
    this.clearTimer = options.clearTimer ?? ((timer) => clearTimeout(timer as number));
    this.random = options.random ?? Math.random;
  }

  start(): void {
    this.stopped = false;
    this.open();
  }

  stop(): void {
    this.stopped = true;
    this.clearTimer(this.timer);
    this.socket?.close();
    this.options.onState("closed");
  }

  /** Connects at once instead of waiting on: the network is back, or the page is looked at again. */
  hurry(): void {
    if (this.stopped || this.socket !== undefined) return;
    this.clearTimer(this.timer);
    this.open();
  }

  /** Asks for a call's rows while at least one page wants them. Returns how to stop. */
  subscribe(call: string): () => void {
    const wanted = this.subscriptions.get(call) ?? 0;
    this.subscriptions.set(call, wanted + 1);
    if (wanted === 0) this.send({ subscribe: "call", id: call });
    let done = false;
    return () => {
      if (done) return;
      done = true;
      this.release(call);
    };
  }

  /** Sends every subscription again: after a re-open, or when the server says we lagged. */
  resubscribe(): void {
    for (const call of this.subscriptions.keys()) this.send({ subscribe: "call", id: call });
  }

  private release(call: string): void {
    const left = (this.subscriptions.get(call) ?? 1) - 1;
    if (left > 0) {
      this.subscriptions.set(call, left);
    } else {
      this.subscriptions.delete(call);
      this.send({ unsubscribe: "call", id: call });
    }
  }

  private open(): void {
    this.options.onState("connecting");
    const socket = this.options.connect();
    this.socket = socket;
    socket.onopen = () => this.greeted(socket);
    socket.onmessage = (event) => this.received(event.data);
    socket.onclose = (event) => this.lost(socket, event.code);
  }

  private greeted(socket: Socket): void {
    if (socket !== this.socket) return;
    this.attempt = 0;
    this.options.onState("open");
    this.resubscribe();
  }

  private received(data: unknown): void {
    if (this.stopped || typeof data !== "string") return;
    try {
      const message: unknown = JSON.parse(visibleJson(data));
      if (typeof message === "object" && message !== null) {
        this.options.onMessage(message as Record<string, unknown>);
      }
    } catch {
      // A frame that is no JSON says nothing we could use.
    }
  }

  private lost(socket: Socket, code: number): void {
    if (socket !== this.socket) return;
    this.socket = undefined;
    if (this.stopped) return;
    if (code === SESSION_ENDED) {
      this.stopped = true;
      this.options.onState("closed");
      this.options.onSessionEnded();
      return;
    }
    this.options.onState("waiting");
    this.timer = this.setTimer(() => this.open(), backOff(this.attempt, this.random()));
    this.attempt += 1;
  }

  private send(message: object): void {
    const open = 1; // WebSocket.OPEN, which fake sockets share
    if (this.socket?.readyState === open) this.socket.send(JSON.stringify(message));
  }
}
