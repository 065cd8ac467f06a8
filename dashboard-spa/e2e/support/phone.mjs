// A phone on this machine: calls a number over SIP/UDP, sends silence by RTP, and waits to be hung up on.
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";

/** How long each step of a call may take, in milliseconds. */
const LIMIT = 10_000;
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

  let sent = 1;
  const later = (method, body, type) => {
    sent += 1;
    send(method, sent, body, undefined, type);
  };
  const send = (method, sequence, body = "", branch = newBranch(), type = "application/sdp") => {
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
    sip.send(lines.join("\r\n"), Number(port), host);
  };
  const respond = (request) => {
    const kept = request.split("\r\n").filter((line) => /^(via|from|to|call-id|cseq):/i.test(line));
    sip.send(["SIP/2.0 200 OK", ...kept, "Content-Length: 0", "", ""].join("\r\n"), Number(port), host);
  };

  let hungUp;
  const ended = new Promise((resolve) => {
    hungUp = resolve;
  });
  let timer;
  const close = () => {
    clearInterval(timer);
    sip.close();
    rtp.close();
  };
  const answered = new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error("the call was not answered in time")), LIMIT);
    sip.on("message", (packet) => {
      const text = packet.toString();
      const status = Number(/^SIP\/2\.0 (\d+)/.exec(text)?.[1]);
      if (text.startsWith("BYE ")) {
        respond(text);
        hungUp();
      } else if (status >= 300) {
        clearTimeout(limit);
        to = header(text, "To");
        // A refusal is acknowledged within its own transaction (RFC 3261 section 17.1.1.3).
        send("ACK", 1, "", invite);
        reject(new Error(`the call was refused: ${text.split("\r\n")[0]}`));
      } else if (status >= 200 && /INVITE/.test(header(text, "CSeq"))) {
        clearTimeout(limit);
        to = header(text, "To");
        send("ACK", 1);
        resolve(Number(/^m=audio (\d+)/m.exec(text)?.[1]));
      }
    });
  });

  send("INVITE", 1, sdp, invite);
  const media = await answered.catch((error) => {
    close();
    throw error;
  });
  let sequence = 0;
  const speak = () => {
    const packet = Buffer.alloc(12 + SAMPLES, 0xff);
    packet.writeUInt16BE(0x8000, 0);
    packet.writeUInt16BE(sequence & 0xffff, 2);
    packet.writeUInt32BE((sequence * SAMPLES) >>> 0, 4);
    packet.writeUInt32BE(0x1234abcd, 8);
    sequence += 1;
    rtp.send(packet, media, host);
  };
  if (!mute) timer = setInterval(speak, PACKET);

  return {
    /** Resolves when the other side hangs up. */
    ended,
    hangUp: () => later("BYE"),
    /** Presses a key, which it says by signalling. */
    press: (key) => later("INFO", `Signal=${key}\r\nDuration=160\r\n`, "application/dtmf-relay"),
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
    heard,
    close: () => {
      sip.close();
      rtp.close();
    },
  };
}
