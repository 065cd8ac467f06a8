// A phone on this machine: calls a number over SIP/UDP, sends silence by RTP, and waits to be hung up on.
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";

/** How long an answer may take, and what is said until somebody is heard or hangs up, in milliseconds. */
const LIMIT = 10_000;
const LONG = 60_000;
/** What was not answered is said again after this time, in milliseconds (T1, RFC 3261 section 17.1.1.1). */
const REPEAT = 500;
/** A PCMU packet's time, in milliseconds, and its samples. */
const PACKET = 20;
const SAMPLES = 160;

async function bound() {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/** A transaction's name (RFC 3261 section 8.1.1.7). */
const newBranch = () => `z9hG4bK${randomBytes(6).toString("hex")}`;

/** Waits for what happens to a phone, and not for ever. */
async function within(limit, promise, otherwise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${otherwise} within ${limit / 1000} s`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function header(text, name) {
  return new RegExp(`^${name}:\\s*(.*)$`, "im").exec(text)?.[1]?.trim() ?? "";
}

/** Calls `number` at `sipAddress` (host:port). Resolves when it is answered. One that is `mute` sends no RTP. */
export async function call(sipAddress, number, from = "+85577000111", { mute = false } = {}) {
  const [host, port] = sipAddress.replace(/^sip:/, "").split(":");
  const [sip, rtp] = [await bound(), await bound()];
  const [sipPort, rtpPort] = [sip.address().port, rtp.address().port];
  const [callId, tag] = [randomBytes(8).toString("hex"), randomBytes(4).toString("hex")];
  const target = `sip:${number}@${sipAddress.replace(/^sip:/, "")}`;
  const sdp = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    `m=audio ${rtpPort} RTP/AVP 0 101`,
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:101 telephone-event/8000",
    "",
  ].join("\r\n");
  const invite = newBranch();
  let to = `<${target}>`;

  let sent = 0;
  /** What has no response yet, by its CSeq. */
  const repeating = new Map();
  const ask = (method, body, branch, type) => {
    sent += 1;
    const said = packet(method, sent, body, branch, type);
    const say = () => sip.send(said, Number(port), host);
    say();
    repeating.set(`${sent} ${method}`, setInterval(say, REPEAT));
  };
  const heard = (request) => {
    clearInterval(repeating.get(request));
    repeating.delete(request);
  };
  const packet = (method, sequence, body = "", branch = newBranch(), type = "application/sdp") => {
    const lines = [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${sipPort};rport;branch=${branch}`,
      "Max-Forwards: 70",
      `From: <sip:${from}@127.0.0.1>;tag=${tag}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${sequence} ${method}`,
      `Contact: <sip:${from}@127.0.0.1:${sipPort}>`,
      ...(body && [`Content-Type: ${type}`]),
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ];
    return lines.join("\r\n");
  };
  const acknowledge = (branch) => sip.send(packet("ACK", 1, "", branch), Number(port), host);
  const respond = (request) => {
    const kept = request.split("\r\n").filter((line) => /^(via|from|to|call-id|cseq):/i.test(line));
    sip.send(["SIP/2.0 200 OK", ...kept, "Content-Length: 0", "", ""].join("\r\n"), Number(port), host);
  };

  let hungUp;
  const ended = new Promise((resolve) => {
    hungUp = resolve;
  });
  let over = false;
  let timer;
  const close = () => {
    clearInterval(timer);
    for (const request of [...repeating.keys()]) heard(request);
    sip.close();
    rtp.close();
  };
  const answered = new Promise((resolve, reject) => {
    sip.on("message", (message) => {
      const text = message.toString();
      const status = Number(/^SIP\/2\.0 (\d+)/.exec(text)?.[1]);
      const request = header(text, "CSeq");
      if (status) heard(request);
      if (text.startsWith("BYE ")) {
        respond(text);
        over = true;
        hungUp();
      } else if (status >= 200 && request.endsWith("INVITE")) {
        to = header(text, "To");
        // A refusal is acknowledged within its own transaction (RFC 3261 section 17.1.1.3).
        acknowledge(status >= 300 ? invite : undefined);
        if (status >= 300) reject(new Error(`the call was refused: ${text.split("\r\n")[0]}`));
        else resolve(Number(/^m=audio (\d+)/m.exec(text)?.[1]));
      }
    });
  });

  ask("INVITE", sdp, invite);
  const media = await within(LIMIT, answered, "the call was not answered").catch((error) => {
    close();
    throw error;
  });
  let sequence = 0;
  const speak = () => {
    const sound = Buffer.alloc(12 + SAMPLES, 0xff);
    sound.writeUInt16BE(0x8000, 0);
    sound.writeUInt16BE(sequence & 0xffff, 2);
    sound.writeUInt32BE((sequence * SAMPLES) >>> 0, 4);
    sound.writeUInt32BE(0x1234abcd, 8);
    sequence += 1;
    rtp.send(sound, media, host);
  };
  if (!mute) timer = setInterval(speak, PACKET);

  return {
    /** Resolves when the other side hangs up. */
    ends: () => within(LONG, ended, "the call was not hung up"),
    /** Whether the other side has hung up. */
    isOver: () => over,
    hangUp: () => ask("BYE"),
    /** Presses a key, which it says by signalling. */
    press: (key) => ask("INFO", `Signal=${key}\r\nDuration=160\r\n`, undefined, "application/dtmf-relay"),
    close,
  };
}

/** A phone that picks up whoever calls it. Resolves once it listens. */
export async function waiting() {
  const [sip, rtp] = [await bound(), await bound()];
  const tag = randomBytes(4).toString("hex");
  let heardIt;
  const heard = new Promise((resolve) => {
    heardIt = resolve;
  });
  // Silence is all 0xff or 0x7f in PCMU; words are not.
  let loud = 0;
  rtp.on("message", (packet) => {
    const sound = packet.subarray(12).filter((sample) => (sample & 0x7f) < 0x60).length;
    loud += sound > 20 ? 1 : 0;
    if (loud > 10) heardIt();
  });
  const sdp = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    `m=audio ${rtp.address().port} RTP/AVP 0`,
    "a=rtpmap:0 PCMU/8000",
    "",
  ].join("\r\n");
  sip.on("message", (packet, from) => {
    const text = packet.toString();
    const method = text.split(" ")[0];
    if (method !== "INVITE" && method !== "BYE") return;
    const kept = text
      .split("\r\n\r\n")[0]
      .split("\r\n")
      .filter((line) => /^(via|from|to|call-id|cseq):/i.test(line))
      .map((line) => (/^to:/i.test(line) && !line.includes("tag=") ? `${line};tag=${tag}` : line));
    const body = method === "INVITE" ? sdp : "";
    const own = [
      `Contact: <sip:me@127.0.0.1:${sip.address().port}>`,
      ...(body && ["Content-Type: application/sdp"]),
    ];
    const lines = ["SIP/2.0 200 OK", ...kept, ...own, `Content-Length: ${Buffer.byteLength(body)}`, "", body];
    sip.send(lines.join("\r\n"), from.port, from.address);
  });
  return {
    /** Its SIP address. */
    address: `sip:me@127.0.0.1:${sip.address().port}`,
    /** Resolves when something other than silence was heard. */
    hears: () => within(LONG, heard, "nothing was heard"),
    close: () => {
      sip.close();
      rtp.close();
    },
  };
}
