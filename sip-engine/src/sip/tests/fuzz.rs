//! Twenty thousand broken messages: nothing panics, what we send stays readable, and the endpoint works afterwards.

use super::bench::{Bench, SDP, reply, request, within};
use crate::sip::framing::Framer;
use crate::sip::{Command, Credentials, Event, LegKey, sdp};
use std::time::Duration;

const MUTANTS: u32 = 20_000;

/// Pieces that break parsers.
const NASTY: [&[u8]; 24] = [
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"\0",
    b"\xff\xfe",
    b"\"",
    b"\\",
    b"<",
    b">",
    b";",
    b",",
    b":",
    b"%",
    b"@",
    b"[",
    b"99999999999999999999",
    b"-1",
    b"4294967296",
    b";tag=",
    b";branch=",
    b"z9hG4bK",
    b"\r\n ",
    b"=",
    b"sip:",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

/// One to four changes of a message.
fn mutate(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[dice.roll(seeds.len())].clone();
    for _ in 0..1 + dice.roll(4) {
        let at = dice.roll(bytes.len());
        let to = (at + dice.roll(60)).min(bytes.len());
        match dice.roll(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.roll(8),
            1 => drop(bytes.drain(at..to)),
            2 => drop(bytes.splice(at..at, NASTY[dice.roll(NASTY.len())].iter().copied())),
            3 => drop(bytes.splice(at..to, NASTY[dice.roll(NASTY.len())].iter().copied())),
            4 => {
                let piece = bytes[at..to].to_vec();
                drop(bytes.splice(at..at, piece));
            }
            5 => {
                let other = &seeds[dice.roll(seeds.len())];
                let from = dice.roll(other.len());
                let piece = other[from..(from + dice.roll(200)).min(other.len())].to_vec();
                drop(bytes.splice(at..to, piece));
            }
            _ if dice.roll(8) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

/// A bench with a call up, one ringing and one placed, and messages that touch all of them.
fn busy_bench() -> (Bench, Vec<Vec<u8>>) {
    let mut bench = Bench::new();
    let (_, tag) = bench.call_up();
    let credentials = Credentials { username: "u".into(), password: "p".into() };
    let placed = bench.place(LegKey::outbound(1), Some(credentials));
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\r\n";
    let seeds = vec![
        request("INVITE", 7, "Record-Route: <sip:192.0.2.20;lr>\r\nP-Asserted-Identity: \"x\" <tel:+1>\r\n"),
        request("INVITE", 8, "").replace("call-1", "call-2"),
        request("OPTIONS", 9, ""),
        request("CANCEL", 7, "").replace("7CANCEL", "7INVITE"),
        request("REGISTER", 3, "Authorization: Digest username=\"a\"\r\n"),
        within("INVITE", 20, &tag, "re"),
        within("ACK", 20, &tag, "ack"),
        within("INFO", 21, &tag, "info"),
        within("UPDATE", 22, &tag, "update"),
        reply(&placed, 180, "callee", "Record-Route: <sip:a;lr>, <sip:b>\r\n", ""),
        reply(&placed, 183, "callee", "Require: 100rel\r\nRSeq: 1\r\n", SDP),
        reply(&placed, 422, "callee", "Min-SE: 3600\r\n", ""),
        within("PRACK", 23, &tag, "prack").replace("Max-F", "RAck: 1 1 INVITE\r\nMax-F"),
        request("INVITE", 10, "Require: 100rel, timer\r\nSession-Expires: 90;refresher=uas\r\n"),
        reply(&placed, 401, "callee", challenge, ""),
        reply(&placed, 200, "callee", "", SDP),
        reply(&placed, 486, "callee", "Retry-After: 5 (x)\r\n", ""),
    ];
    bench.sent.clear();
    (bench, seeds.into_iter().map(String::into_bytes).collect())
}

#[test]
fn no_mutant_brings_the_endpoint_down() {
    let mut dice = Dice(0x5eed_0001);
    let (mut bench, seeds) = busy_bench();
    for number in 0..MUTANTS {
        let mutant = mutate(&mut dice, &seeds);
        bench.receive_from(super::bench::peer(), mutant);
        for event in bench.take_events() {
            answer(&mut bench, &mut dice, &event);
        }
        bench.sent.clear();
        bench.traces.clear();
        if number % 50 == 0 {
            bench.pass(Duration::from_millis(1_300));
            bench.sent.clear();
        }
    }
    assert!(bench.endpoint.counts().malformed > 1_000);
    bench.pass(Duration::from_secs(120));
    bench.sent.clear();
    bench.receive(request("OPTIONS", 1, "").replace("call-1", "after"));
    assert_eq!(bench.sent_kinds(), ["200 OPTIONS"]);
}

/// Does what a call engine might.
fn answer(bench: &mut Bench, dice: &mut Dice, event: &Event) {
    let Some(leg) = event.leg() else { return };
    match dice.roll(5) {
        0 => bench.respond(leg, 180),
        1 => bench.respond(leg, 200),
        2 => bench.respond(leg, 486),
        3 => bench.command(Command::Bye { leg, headers: Vec::new() }),
        _ => bench.command(Command::Reinvite { leg, sdp: SDP.into() }),
    }
}

#[test]
fn no_mutant_brings_the_framer_down() {
    let mut dice = Dice(0x5eed_0002);
    let (_, seeds) = busy_bench();
    for _ in 0..MUTANTS / 4 {
        let mut framer = Framer::default();
        let mutant = [mutate(&mut dice, &seeds), mutate(&mut dice, &seeds)].concat();
        for piece in mutant.chunks(1 + dice.roll(300)) {
            framer.push(piece);
            while let Ok(Some(_)) = framer.next_frame() {}
        }
    }
}

#[test]
fn no_mutant_brings_the_description_reader_down() {
    let mut dice = Dice(0x5eed_0003);
    let rich = format!(
        "{SDP}a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtcp:4001 IN IP4 192.0.2.9\r\na=ptime:20\r\na=sendrecv\r\nm=image 5000 udptl t38\r\nc=IN IP6 2001:db8::1\r\n"
    );
    let seeds = [rich.into_bytes(), SDP.as_bytes().to_vec()];
    let mut local = sdp::LocalSession::new("198.51.100.7:40000".parse().unwrap(), 40001, 2);
    let mut read = 0;
    for _ in 0..MUTANTS {
        if let Ok(remote) = sdp::parse(&mutate(&mut dice, &seeds)) {
            read += 1;
            let answer = local.answer(&remote, sdp::MediaDirection::SendRecv);
            assert!(answer.starts_with(b"v=0\r\n"));
        }
    }
    assert!(read > 1_000, "only {read} mutants were still readable");
}
