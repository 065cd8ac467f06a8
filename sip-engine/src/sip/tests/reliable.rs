//! Provisional responses that arrive for certain (RFC 3262), both ways.

use super::bench::{Bench, SDP, header, kind, reply, request, within};
use super::client::leg;
use crate::sip::message::Message;
use crate::sip::{ClosedBy, Command, Event, LegKey};
use bytes::Bytes;
use std::time::Duration;

/// A call arrives that says this of extensions; its leg.
fn arrives(bench: &mut Bench, headers: &str) -> LegKey {
    bench.receive(request("INVITE", 1, headers));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!("no call") };
    bench.sent.clear();
    call.leg
}

fn progress(bench: &mut Bench, leg: LegKey, code: u16) {
    let sdp = Some(Bytes::from_static(SDP.as_bytes()));
    bench.command(Command::Respond { leg, code, reason: None, headers: Vec::new(), sdp });
}

fn prack(of: &Message, cseq: u32, rseq_ahead: u32) -> String {
    let rseq: u32 = header(of, "rseq").parse().unwrap();
    let tag = crate::sip::values::tag(of, "to").unwrap();
    let text = within("PRACK", cseq, &tag, &format!("prack{cseq}"));
    text.replace("Max-Forwards", &format!("RAck: {} 1 INVITE\r\nMax-Forwards", rseq + rseq_ahead))
}

#[test]
fn early_media_is_said_reliably_to_who_knows_how_and_ringing_is_not() {
    for (headers, reliable) in [("Supported: 100rel\r\n", true), ("k: timer,100REL\r\n", true), ("", false)] {
        let mut bench = Bench::new();
        let leg = arrives(&mut bench, headers);
        bench.respond(leg, 180);
        progress(&mut bench, leg, 183);
        let sent = bench.take_sent();
        let said =
            |message: &Message| (header(message, "require"), header(message, "rseq").parse::<u32>().is_ok());
        assert_eq!(said(&sent[0]), (String::new(), false), "{headers}");
        assert_eq!(
            said(&sent[1]),
            (if reliable { "100rel".into() } else { String::new() }, reliable),
            "{headers}"
        );
    }
}

#[test]
fn a_provisional_is_repeated_until_its_prack() {
    let mut bench = Bench::new();
    let leg = arrives(&mut bench, "Supported: 100rel\r\n");
    progress(&mut bench, leg, 183);
    bench.pass(Duration::from_secs(8));
    assert_eq!(bench.seconds("183 INVITE"), [0.0, 0.5, 1.5, 3.5, 7.5]);
    let said = bench.take_sent();
    assert!(said.iter().all(|again| *again == said[0]));
    bench.receive(prack(&said[0], 2, 0));
    bench.receive(prack(&said[0], 2, 0));
    assert_eq!(bench.sent_kinds(), ["200 PRACK", "200 PRACK"]);
    bench.pass(Duration::from_secs(40));
    assert!(bench.sent.is_empty() && bench.events.is_empty());
    bench.receive(prack(&said[0], 3, 0));
    assert_eq!(bench.sent_kinds(), ["481 PRACK"], "it is acknowledged already");
}

#[test]
fn a_prack_of_something_else_is_481_and_stops_nothing() {
    let mut bench = Bench::new();
    let leg = arrives(&mut bench, "Supported: 100rel\r\n");
    progress(&mut bench, leg, 183);
    let said = bench.take_sent().pop().unwrap();
    bench.receive(prack(&said, 2, 1));
    bench.receive(prack(&said, 3, 0).replace(" 1 INVITE", " 2 INVITE"));
    bench.receive(prack(&said, 4, 0).replace(" 1 INVITE", ""));
    bench.pass(Duration::from_millis(500));
    assert_eq!(bench.sent_kinds(), ["481 PRACK", "481 PRACK", "481 PRACK", "183 INVITE"]);
}

#[test]
fn who_never_acknowledges_it_is_refused() {
    let mut bench = Bench::new();
    let leg = arrives(&mut bench, "Supported: 100rel\r\n");
    progress(&mut bench, leg, 183);
    bench.pass(Duration::from_secs(33));
    assert_eq!(bench.seconds("504 INVITE")[..1], [32.0]);
    assert!(matches!(bench.events[..], [Event::Ended { by: ClosedBy::LostAck, .. }]));
}

#[test]
fn an_answer_waits_until_the_description_before_it_has_arrived() {
    let mut bench = Bench::new();
    let leg = arrives(&mut bench, "Supported: 100rel\r\n");
    progress(&mut bench, leg, 183);
    let said = bench.take_sent().pop().unwrap();
    bench.respond(leg, 180);
    bench.respond(leg, 200);
    assert!(bench.sent.is_empty());
    bench.receive(prack(&said, 2, 0));
    assert_eq!(bench.sent_kinds(), ["200 PRACK", "180 INVITE", "200 INVITE"]);
    bench.receive(within("ACK", 1, &crate::sip::values::tag(&said, "to").unwrap(), "ack"));
    assert!(matches!(bench.take_events()[..], [Event::Acknowledged { .. }]));
}

#[test]
fn a_refusal_and_a_cancel_do_not_wait() {
    let mut bench = Bench::new();
    let leg = arrives(&mut bench, "Supported: 100rel\r\n");
    progress(&mut bench, leg, 183);
    bench.respond(leg, 486);
    assert_eq!(bench.sent_kinds(), ["183 INVITE", "486 INVITE"]);
    let mut bench = Bench::new();
    let leg = arrives(&mut bench, "Supported: 100rel\r\n");
    progress(&mut bench, leg, 183);
    bench.respond(leg, 200);
    bench.receive(request("CANCEL", 1, "").replace("z9hG4bK1CANCEL", "z9hG4bK1INVITE"));
    assert_eq!(bench.sent_kinds(), ["183 INVITE", "200 CANCEL", "487 INVITE"]);
    assert!(matches!(bench.take_events()[..], [Event::Cancelled { .. }]));
    bench.pass(Duration::from_secs(33));
    assert_eq!(bench.endpoint.counts().legs, 0);
}

#[test]
fn who_requires_it_hears_every_provisional_so_one_after_the_other() {
    let mut bench = Bench::new();
    let leg = arrives(&mut bench, "Require: 100rel\r\n");
    bench.respond(leg, 180);
    progress(&mut bench, leg, 183);
    let said = bench.take_sent();
    assert_eq!(said.iter().map(kind).collect::<Vec<_>>(), ["180 INVITE"], "one at a time");
    bench.receive(prack(&said[0], 2, 0));
    let next = bench.take_sent().pop().unwrap();
    let rseq = |message: &Message| header(message, "rseq").parse::<u32>().unwrap();
    assert_eq!((kind(&next), rseq(&next)), ("183 INVITE".to_owned(), rseq(&said[0]) + 1));
    bench.receive(prack(&next, 3, 0));
    bench.respond(leg, 200);
    assert_eq!(bench.sent_kinds(), ["200 PRACK", "200 INVITE"]);
}

#[test]
fn an_answer_need_not_wait_for_ringing_and_its_late_prack_is_taken() {
    let mut bench = Bench::new();
    let leg = arrives(&mut bench, "Require: 100rel\r\n");
    bench.respond(leg, 180);
    bench.respond(leg, 200);
    let said = bench.take_sent();
    assert_eq!(said.iter().map(kind).collect::<Vec<_>>(), ["180 INVITE", "200 INVITE"]);
    bench.receive(prack(&said[0], 2, 0));
    assert_eq!(bench.sent_kinds(), ["200 PRACK"]);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.sent_kinds(), ["200 INVITE"], "the provisional is not repeated");
}

#[test]
fn without_an_offer_nothing_rings_reliably_but_the_call_is_answered() {
    let mut bench = Bench::new();
    let text = request("INVITE", 1, "Require: 100rel\r\n");
    let (head, _) = text.split_once("Content-Type").unwrap();
    bench.receive(format!("{head}Content-Length: 0\r\n\r\n"));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!("no call") };
    bench.respond(call.leg, 180);
    bench.respond(call.leg, 200);
    assert_eq!(bench.sent_kinds(), ["100 INVITE", "200 INVITE"]);
}

#[test]
fn a_long_ring_is_said_anew_every_minute() {
    let mut bench = Bench::new();
    let leg = arrives(&mut bench, "Require: 100rel\r\n");
    bench.respond(leg, 180);
    let said = bench.take_sent().pop().unwrap();
    bench.receive(prack(&said, 2, 0));
    bench.sent.clear();
    bench.pass(Duration::from_secs(60));
    let again = bench.take_sent().pop().unwrap();
    assert_eq!(kind(&again), "180 INVITE");
    assert_ne!(header(&again, "rseq"), header(&said, "rseq"));
}

#[test]
fn an_offer_in_a_prack_is_refused_and_the_prack_counts() {
    let mut bench = Bench::new();
    let leg = arrives(&mut bench, "Supported: 100rel\r\n");
    progress(&mut bench, leg, 183);
    let said = bench.take_sent().pop().unwrap();
    let offer = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len());
    bench.receive(prack(&said, 2, 0).replace("Content-Length: 0\r\n\r\n", &offer));
    bench.pass(Duration::from_secs(5));
    assert_eq!(bench.sent_kinds(), ["488 PRACK"]);
}

/// A callee's reliable provisional.
fn rings(invite: &Message, code: u16, tag: &str, rseq: u32, sdp: &str) -> String {
    reply(invite, code, tag, &format!("Require: 100rel\r\nRSeq: {rseq}\r\n"), sdp)
}

#[test]
fn a_reliable_provisional_is_acknowledged_once() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    for _ in 0..2 {
        bench.receive(rings(&invite, 183, "a", 7, SDP));
    }
    let prack = bench.take_sent();
    assert_eq!(prack.iter().map(kind).collect::<Vec<_>>(), ["PRACK"]);
    assert_eq!(
        (header(&prack[0], "rack"), header(&prack[0], "cseq")),
        ("7 1 INVITE".into(), "2 PRACK".into())
    );
    assert!(header(&prack[0], "to").ends_with(";tag=a"));
    assert_eq!(prack[0].uri(), "sip:bob@192.0.2.9:5060");
    assert!(matches!(bench.take_events()[..], [Event::Ringing { code: 183, sdp: Some(_), .. }]));
    bench.pass(Duration::from_millis(1_500));
    assert_eq!(bench.sent_kinds(), ["PRACK", "PRACK"], "until it is answered");
    bench.receive(reply(&prack[0], 200, "", "", ""));
    bench.pass(Duration::from_secs(30));
    assert!(bench.sent.is_empty());
    bench.receive(reply(&invite, 200, "a", "", ""));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let sent = bench.take_sent();
    assert_eq!(header(&sent[0], "cseq"), "1 ACK");
    assert_eq!(header(&sent[1], "cseq"), "3 BYE", "the PRACK was counted");
}

#[test]
fn provisionals_out_of_order_are_dropped_until_their_turn_comes() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    for (rseq, taken) in [(5, true), (7, false), (4, false), (6, true), (7, true), (6, false)] {
        bench.receive(rings(&invite, 180, "a", rseq, ""));
        assert_eq!(bench.take_events().len(), usize::from(taken), "{rseq}");
        assert_eq!(bench.sent_kinds().contains(&"PRACK".to_owned()), taken, "{rseq}");
    }
    bench.receive(rings(&invite, 180, "b", 1, ""));
    assert_eq!(bench.sent_kinds(), ["PRACK"], "another fork counts for itself");
    bench.receive(reply(&invite, 180, "a", "", ""));
    assert_eq!(bench.take_events().len(), 2, "what is not reliable has no order");
}

#[test]
fn a_prack_goes_to_addresses_of_the_trunk_and_nowhere_else() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    let elsewhere = "Contact: <sip:a@203.0.113.66:5070>\r\nRequire: 100rel\r\nRSeq: 1\r\n";
    bench.receive(reply(&invite, 180, "a", elsewhere, ""));
    let (_, flow, prack) = bench.sent.pop().unwrap();
    assert_eq!((kind(&prack), flow.peer), ("PRACK".to_owned(), super::bench::peer()));
}

#[test]
fn a_callee_may_change_the_session_while_it_rings_once_it_is_agreed_on() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    let tag = crate::sip::values::tag(&invite, "from").unwrap();
    let update = |cseq: u32| {
        within("INVITE", cseq, &tag, &format!("u{cseq}"))
            .replace("INVITE", "UPDATE")
            .replace("call-1@192.0.2.9", &header(&invite, "call-id"))
            .replace(";tag=peer", ";tag=a")
    };
    bench.receive(rings(&invite, 180, "a", 1, ""));
    bench.receive(update(1));
    assert_eq!(bench.sent_kinds(), ["PRACK", "491 UPDATE"], "our offer has no answer yet");
    bench.receive(rings(&invite, 183, "a", 2, SDP));
    bench.events.clear();
    bench.receive(update(2));
    assert!(matches!(bench.take_events()[..], [Event::ReOffer { sdp: Some(_), .. }]));
    bench.respond(leg(), 200);
    assert_eq!(bench.sent_kinds(), ["PRACK", "200 UPDATE"]);
    bench.receive(reply(&invite, 200, "a", "", ""));
    assert!(matches!(bench.take_events()[..], [Event::Answered { .. }]));
}
