//! Calls that arrive: provisionals, the 2xx and its ACK, refusals and theirs.

use super::bench::{Bench, SDP, header, request, within};
use crate::sip::{ClosedBy, EndpointConfig, Event, TurnedAway};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

#[test]
fn trying_leaves_at_once_and_without_a_tag() {
    let mut bench = Bench::new();
    bench.receive(request("INVITE", 1, "Timestamp: 54\r\n"));
    let trying = bench.take_sent().pop().unwrap();
    assert_eq!(trying.code(), Some(100));
    assert!(!header(&trying, "to").contains("tag="));
    assert_eq!(header(&trying, "timestamp"), "54");
}

#[test]
fn ringing_answer_and_refusal_carry_one_tag() {
    for last in [200, 404] {
        let mut bench = Bench::new();
        let leg = bench.ring();
        bench.sent.clear();
        bench.respond(leg, 180);
        bench.respond(leg, 183);
        bench.respond(leg, last);
        let tags: Vec<String> = bench.take_sent().iter().map(|answer| header(answer, "to")).collect();
        assert!(tags[0].contains(";tag="));
        assert!(tags.iter().all(|tag| *tag == tags[0]), "{tags:?}");
    }
}

#[test]
fn a_487_has_the_tag_of_the_180() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 180);
    let ringing = bench.take_sent().pop().unwrap();
    bench.receive(request("CANCEL", 1, "").replace("z9hG4bK1CANCEL", "z9hG4bK1INVITE"));
    let sent = bench.take_sent();
    assert_eq!(sent.iter().map(super::bench::kind).collect::<Vec<_>>(), ["200 CANCEL", "487 INVITE"]);
    assert!(sent.iter().all(|answer| header(answer, "to") == header(&ringing, "to")));
    assert!(matches!(bench.take_events()[..], [Event::Cancelled { .. }]));
}

#[test]
fn record_route_is_copied_into_ringing_and_answer() {
    let mut bench = Bench::new();
    bench.receive(request(
        "INVITE",
        1,
        "Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\nRecord-Route: <sip:p0;lr>\r\n",
    ));
    let Some(Event::IncomingCall(call)) = bench.events.first() else { panic!() };
    let leg = call.leg;
    bench.sent.clear();
    bench.respond(leg, 180);
    bench.respond(leg, 200);
    for answer in bench.take_sent() {
        let routes: Vec<String> =
            answer.headers.all("record-route").map(|route| route.text().into_owned()).collect();
        assert_eq!(routes, ["<sip:p2;lr>, <sip:p1;lr>", "<sip:p0;lr>"]);
    }
}

#[test]
fn a_repeated_invite_gets_the_last_provisional_again() {
    let mut bench = Bench::new();
    bench.receive(request("INVITE", 1, ""));
    bench.receive(request("INVITE", 1, ""));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!() };
    bench.respond(call.leg, 183);
    bench.receive(request("INVITE", 1, ""));
    assert_eq!(bench.sent_kinds(), ["100 INVITE", "100 INVITE", "183 INVITE", "183 INVITE"]);
    assert!(bench.events.is_empty());
}

#[test]
fn a_long_ring_is_repeated_every_minute() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 180);
    bench.sent.clear();
    bench.pass(Duration::from_secs(130));
    assert_eq!(bench.seconds("180 INVITE"), [60.0, 120.0]);
}

#[test]
fn a_2xx_is_repeated_until_the_ack_and_the_call_hung_up_without_one() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 200);
    bench.pass(Duration::from_secs(31));
    assert_eq!(bench.seconds("200 INVITE"), [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5]);
    assert!(bench.events.is_empty());
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.seconds("BYE"), [32.0]);
    assert!(matches!(bench.events[..], [Event::Ended { by: ClosedBy::LostAck, .. }]));
    bench.pass(Duration::from_secs(64));
    assert_eq!(bench.endpoint.counts().legs, 0);
}

#[test]
fn an_ack_ends_the_repetition_and_brings_its_answer() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 200);
    let tag = bench.our_tag();
    let ack = within("ACK", 1, &tag, "ack").replace(
        "Content-Length: 0\r\n\r\n",
        &format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len()),
    );
    bench.receive(ack.clone());
    bench.receive(ack);
    bench.sent.clear();
    bench.pass(Duration::from_secs(40));
    assert!(bench.sent.is_empty());
    assert!(matches!(&bench.events[..], [Event::Acknowledged { sdp: Some(_), .. }]));
}

#[test]
fn a_refusal_is_repeated_on_udp_until_its_ack() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 486);
    let tag = bench.our_tag();
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.seconds("486 INVITE"), [0.0, 0.5, 1.5, 3.5]);
    bench.receive(within("ACK", 1, &tag, "1INVITE"));
    bench.sent.clear();
    bench.pass(Duration::from_secs(40));
    assert!(bench.sent.is_empty());
    assert_eq!(bench.endpoint.counts().transactions, 0);
    assert!(matches!(bench.events[..], [Event::Ended { by: ClosedBy::Us, .. }]));
}

#[test]
fn a_refusal_without_an_ack_ends_after_32_seconds() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 486);
    bench.pass(Duration::from_secs(100));
    assert_eq!(bench.seconds("486 INVITE").last(), Some(&31.5));
    assert_eq!(bench.endpoint.counts().transactions, 0);
}

/// Somebody who is told of what is turned away, and what he was told.
fn noting() -> (crate::sip::endpoint::Notice, Arc<Mutex<Vec<TurnedAway>>>) {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&noted);
    (Arc::new(move |what| told.lock().unwrap().push(what)), noted)
}

#[test]
fn an_address_we_only_call_is_told_of_when_it_calls_us() {
    let (turned_away, noted) = noting();
    let known = Arc::new(|_| false);
    let mut bench = Bench::with(EndpointConfig { known, turned_away, ..EndpointConfig::default() });
    bench.receive(request("INVITE", 1, ""));
    assert!(bench.sent.is_empty() && bench.events.is_empty(), "it is dropped as before");
    let (source, method) = (super::bench::peer().ip(), String::new());
    let reason = crate::sip::endpoint::NO_SOURCE.to_owned();
    assert_eq!(*noted.lock().unwrap(), [TurnedAway { source, code: None, method, reason }]);
}

#[test]
fn what_is_refused_before_there_is_a_call_is_told_of_with_its_reason() {
    let invite = request("INVITE", 1, "");
    for (text, code, method, reason) in [
        (request("INVITE", 1, "Require: precondition\r\n"), 420, "INVITE", "(Unsupported: precondition)"),
        (invite.replace("CSeq: 1 INVITE\r\n", ""), 400, "INVITE", ""),
        (invite.replace("INVITE sip:+15551234@198.51.100.1 ", "INVITE sip:a@h:99999 "), 400, "INVITE", ""),
        (invite.replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia"), 505, "INVITE", ""),
        (request("INVITE", 1, "Content-Encoding: gzip\r\n"), 415, "INVITE", "(Accept-Encoding: identity)"),
        (invite.replace("application/sdp", "text/html"), 415, "INVITE", "(Accept: application/sdp"),
        (invite.replace("Max-Forwards: 70", "Max-Forwards: 0"), 483, "INVITE", "Too Many Hops"),
        (request("REGISTER", 1, ""), 405, "REGISTER", "(Allow: INVITE"),
    ] {
        let (turned_away, noted) = noting();
        let mut bench = Bench::with(EndpointConfig { turned_away, ..EndpointConfig::default() });
        bench.receive(text.clone());
        assert_eq!(bench.take_sent().pop().and_then(|answer| answer.code()), Some(code), "{text}");
        let noted = noted.lock().unwrap();
        let [what] = &noted[..] else { panic!("{noted:?} of {text}") };
        let told = (what.source, what.code, what.method.as_str());
        assert_eq!(told, (super::bench::peer().ip(), Some(code), method), "{text}");
        assert!(!what.reason.is_empty() && what.reason.contains(reason), "{}: {text}", what.reason);
    }
}

#[test]
fn a_call_refused_at_routing_gets_one_answer_for_one_request() {
    let turns_away: crate::sip::endpoint::Doorkeeper = std::sync::Arc::new(|_| Some(404));
    let (turned_away, noted) = noting();
    let mut bench = Bench::with(EndpointConfig { turns_away, turned_away, ..EndpointConfig::default() });
    bench.receive(request("INVITE", 1, ""));
    let told = bench.take_events();
    let [Event::IncomingCall(call), Event::Ended { leg, by: ClosedBy::Us }] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((call.turned_away, call.leg), (Some(404), *leg));
    assert_eq!(bench.traces.len(), 2, "both messages are told of");
    bench.pass(Duration::from_secs(40));
    assert_eq!(bench.seconds("404 INVITE"), [0.0], "never again, though no ACK came");
    assert_eq!(bench.sent.len(), 1, "and no 100 before it");
    let tag = bench.our_tag();
    bench.receive(request("INVITE", 1, ""));
    assert_eq!((bench.seconds("404 INVITE").len(), bench.our_tag()), (2, tag.clone()));
    bench.receive(within("ACK", 1, &tag, "1INVITE"));
    assert!(bench.take_events().is_empty(), "a repetition is no other call");
    assert_eq!(noted.lock().unwrap().len(), 1);
    let counts = bench.endpoint.counts();
    assert_eq!((counts.transactions, counts.legs, counts.tags), (0, 0, 0));
}

#[test]
fn nothing_but_the_2xx_is_repeated_on_tcp() {
    let mut bench = Bench::new();
    bench.transport = crate::sip::Transport::Tcp;
    let leg = bench.ring();
    bench.respond(leg, 486);
    bench.sent.clear();
    bench.pass(Duration::from_secs(60));
    assert!(bench.sent.is_empty());
}

#[test]
fn an_answer_whose_connection_is_gone_goes_to_where_the_peer_listens() {
    let mut bench = Bench::new();
    bench.transport = crate::sip::Transport::Tcp;
    let source = "192.0.2.9:40000".parse().unwrap();
    bench.receive_from(source, request("INVITE", 1, ""));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!() };
    let flow = bench.flow(source);
    bench.input(crate::sip::Input::TransportFailed { flow });
    bench.respond(call.leg, 200);
    let (_, flow, answer) = bench.sent.pop().unwrap();
    assert_eq!((answer.code(), flow.peer, flow.connection), (Some(200), super::bench::peer(), None));
}

#[test]
fn a_2xx_whose_connection_is_gone_is_repeated_to_where_the_peer_listens() {
    let mut bench = Bench::new();
    bench.transport = crate::sip::Transport::Tcp;
    let source = "192.0.2.9:40000".parse().unwrap();
    bench.receive_from(source, request("INVITE", 1, ""));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!() };
    bench.respond(call.leg, 200);
    let flow = bench.flow(source);
    bench.input(crate::sip::Input::TransportFailed { flow });
    bench.sent.clear();
    bench.pass(Duration::from_secs(1));
    let (_, flow, answer) = bench.sent.pop().unwrap();
    assert_eq!((answer.code(), flow.peer, flow.connection), (Some(200), super::bench::peer(), None));
}
