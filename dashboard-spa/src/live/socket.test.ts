import { describe, expect, it } from "vitest";
import { backOff, LiveSocket, type LiveState, type Socket } from "./socket";

class FakeSocket implements Socket {
  readyState = 0;
  sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.lose(1000);
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  lose(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

function live() {
  const sockets: FakeSocket[] = [];
  const timers: { run: () => void; milliseconds: number }[] = [];
  const seen = { messages: [] as unknown[], states: [] as LiveState[], ended: 0 };
  const socket = new LiveSocket({
    connect: () => {
      const fake = new FakeSocket();
      sockets.push(fake);
      return fake;
    },
    onMessage: (message) => seen.messages.push(message),
    onState: (state) => seen.states.push(state),
    onSessionEnded: () => {
      seen.ended += 1;
    },
    setTimer: (run, milliseconds) => timers.push({ run, milliseconds }),
    clearTimer: () => {},
    random: () => 1,
  });
  const last = () => sockets.at(-1) as FakeSocket;
  return { socket, sockets, timers, seen, last };
}

describe("the live connection", () => {
  it("comes back with growing waits", () => {
    const { socket, sockets, timers, last } = live();
    socket.start();
    last().open();
    last().lose(1001);
    timers.at(-1)?.run();
    last().lose(1006);
    timers.at(-1)?.run();
    last().open();
    expect(timers.map(({ milliseconds }) => milliseconds)).toEqual([500, 1000]);
    expect(sockets).toHaveLength(3);
    last().lose(1006);
    expect(timers.at(-1)?.milliseconds).toBe(500);
  });

  it("subscribes once for many pages, again after a re-open, and stops with the last page", () => {
    const { socket, timers, last } = live();
    socket.start();
    const first = socket.subscribe("CA1");
    last().open();
    const second = socket.subscribe("CA1");
    expect(last().sent).toEqual([{ subscribe: "call", id: "CA1" }]);
    last().lose(1006);
    timers.at(-1)?.run();
    last().open();
    expect(last().sent).toEqual([{ subscribe: "call", id: "CA1" }]);
    first();
    first();
    expect(last().sent).toHaveLength(1);
    second();
    expect(last().sent.at(-1)).toEqual({ unsubscribe: "call", id: "CA1" });
  });

  it("does not come back when the session has ended", () => {
    const { socket, sockets, timers, seen, last } = live();
    socket.start();
    last().open();
    last().lose(4401);
    expect([seen.ended, timers.length, sockets.length, seen.states.at(-1)]).toEqual([1, 0, 1, "closed"]);
  });

  it("does not come back when the page has left", () => {
    const { socket, timers, seen, last } = live();
    socket.start();
    last().open();
    socket.stop();
    socket.hurry();
    expect([timers.length, seen.states.at(-1)]).toEqual([0, "closed"]);
  });

  it("connects at once when the network is back", () => {
    const { socket, sockets, last } = live();
    socket.start();
    last().lose(1006);
    socket.hurry();
    expect(sockets).toHaveLength(2);
    socket.hurry();
    expect(sockets).toHaveLength(2);
  });

  it("passes messages on and survives frames that are none", () => {
    const { socket, seen, last } = live();
    socket.start();
    last().open();
    for (const data of ['{"type":"hello"}', "no json", "null", new ArrayBuffer(2)])
      last().onmessage?.({ data });
    expect(seen.messages).toEqual([{ type: "hello" }]);
  });

  it("waits between half and all of a doubling time, with a ceiling", () => {
    expect([0, 1, 2].map((attempt) => backOff(attempt, 0))).toEqual([250, 500, 1000]);
    expect([backOff(0, 1), backOff(40, 1)]).toEqual([500, 15_000]);
  });
});
