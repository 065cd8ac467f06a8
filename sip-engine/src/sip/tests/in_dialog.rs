//! Requests inside a dialog: their order, changes of session, routes.

use super::bench::{Bench, SDP, header, reply, request, within};
use crate::sip::message::Message;
use crate::sip::{Command, Event};
use bytes::Bytes;
use std::time::Duration;

#[test]
fn gaps_in_the_cseq_are_legal_and_steps_back_are_not() {
    let mut bench = Bench::new();
    let (_, tag) = bench.call_up();
    bench.receive(within("OPTIONS", 9, &tag, "a"));
    bench.receive(within("OPTIONS", 8, &tag, "b"));
    bench.receive(within("BYE", 100, &tag, "c"));
    assert_eq!(bench.sent_kinds(), ["200 OPTIONS", "500 OPTIONS", "200 BYE"]);
}

#[test]
fn requests_inside_a_dialog_have_answers_that_keep_it() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.call_up();
    let methods = ["OPTIONS", "INFO", "UPDATE", "MESSAGE", "REFER", "SUBSCRIBE", "PRACK"];
    for (index, method) in methods.into_iter().enumerate() {
        bench.receive(within(method, 2 + index as u32, &tag, method));
    }
    let expected =
        ["200 OPTIONS", "200 INFO", "200 UPDATE", "405 MESSAGE", "405 REFER", "489 SUBSCRIBE", "481 PRACK"];
    assert_eq!(bench.sent_kinds(), expected);
    assert!(matches!(&bench.take_events()[..], [Event::Info { .. }]));
    bench.command(Command::Bye { leg, headers: vec![("Reason".into(), "Q.850;cause=16".into())] });
    let bye = bench.take_sent().pop().unwrap();
    assert_eq!((bye.method(), header(&bye, "reason")), (Some("BYE"), "Q.850;cause=16".to_owned()));
}

#[test]
fn digits_arrive_by_info() {
    let mut bench = Bench::new();
    let (_, tag) = bench.call_up();
    let body = "Signal=5\r\nDuration=160\r\n";
    let info = within("INFO", 2, &tag, "i").replace(
        "Content-Length: 0\r\n\r\n",
        &format!("Content-Type: application/DTMF-relay;x=y\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
    );
    bench.receive(info);
    let Some(Event::Info { content_type, body: got, .. }) = bench.take_events().pop() else { panic!() };
    assert_eq!((content_type.as_str(), got.as_ref()), ("application/dtmf-relay", body.as_bytes()));
}

#[test]
fn a_key_is_told_by_info_and_its_refusal_harms_nothing() {
    let mut bench = Bench::new();
    let (leg, _) = bench.call_up();
    let body = Bytes::from_static(b"Signal=5\r\nDuration=160\r\n");
    bench.command(Command::Info { leg, content_type: "application/dtmf-relay", body: body.clone() });
    let info = bench.take_sent().pop().unwrap();
    assert_eq!((info.method(), &info.body), (Some("INFO"), &body));
    assert_eq!(header(&info, "content-type"), "application/dtmf-relay");
    bench.receive(reply(&info, 415, "peer", "", ""));
    assert!(bench.take_events().is_empty());
    bench.command(Command::Bye { leg, headers: Vec::new() });
    assert_eq!(bench.sent_kinds(), ["BYE"]);
}

#[test]
fn a_hold_is_offered_answered_and_acknowledged() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.call_up();
    bench.receive(
        within("INVITE", 2, &tag, "hold").replace("sip:bob@192.0.2.9:5060", "sip:bob@192.0.2.9:5099"),
    );
    let told = bench.take_events();
    let [Event::Moved { dialog, .. }, Event::ReOffer { sdp: Some(_), .. }] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(dialog.target, "sip:bob@192.0.2.9:5099");
    bench.respond(leg, 200);
    assert_eq!(bench.sent_kinds(), ["100 INVITE", "200 INVITE"]);
    bench.receive(within("ACK", 2, &tag, "hold-ack"));
    assert!(matches!(&bench.take_events()[..], [Event::Acknowledged { .. }]));
    // The re-INVITE's Contact is the remote target now.
    bench.command(Command::Bye { leg, headers: Vec::new() });
    let (_, flow, bye) = bench.sent.pop().unwrap();
    assert_eq!((bye.uri(), flow.peer.port()), ("sip:bob@192.0.2.9:5099", 5099));
}

#[test]
fn an_update_with_an_offer_is_answered_without_an_ack() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.call_up();
    bench.receive(within("INVITE", 2, &tag, "u").replace("INVITE", "UPDATE"));
    assert!(matches!(&bench.take_events()[..], [Event::ReOffer { sdp: Some(_), .. }]));
    bench.respond(leg, 200);
    assert_eq!(bench.sent_kinds(), ["200 UPDATE"]);
    bench.pass(Duration::from_secs(60));
    assert!(bench.sent.is_empty());
}

#[test]
fn a_second_change_while_one_is_open_is_put_off() {
    let mut bench = Bench::new();
    let (_, tag) = bench.call_up();
    bench.receive(within("INVITE", 2, &tag, "one"));
    bench.receive(within("INVITE", 3, &tag, "two"));
    let sent = bench.take_sent();
    assert_eq!(sent[1].code(), Some(500));
    assert!(!header(&sent[1], "retry-after").is_empty());
}

/// An UPDATE with an offer.
fn update(cseq: u32, tag: &str) -> String {
    within("INVITE", cseq, tag, &format!("u{cseq}")).replace("INVITE", "UPDATE")
}

#[test]
fn a_change_before_their_own_offer_has_its_answer_is_put_off() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 180);
    let tag = bench.our_tag();
    bench.sent.clear();
    bench.receive(update(2, &tag));
    let refusal = bench.take_sent().pop().unwrap();
    assert_eq!((refusal.code(), header(&refusal, "retry-after").is_empty()), (Some(500), false));
}

#[test]
fn a_change_that_was_refused_is_over_though_its_ack_never_comes() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.call_up();
    bench.receive(within("INVITE", 2, &tag, "one"));
    bench.receive(within("INVITE", 3, &tag, "two"));
    bench.respond(leg, 488);
    assert_eq!(bench.sent_kinds(), ["100 INVITE", "500 INVITE", "488 INVITE"]);
    bench.events.clear();
    bench.receive(update(4, &tag));
    assert!(matches!(bench.take_events()[..], [Event::ReOffer { .. }]));
    bench.respond(leg, 200);
    bench.receive(within("INVITE", 5, &tag, "three"));
    assert!(matches!(bench.take_events()[..], [Event::ReOffer { .. }]));
    assert_eq!(bench.sent_kinds(), ["200 UPDATE", "100 INVITE"]);
}

#[test]
fn a_change_that_was_answered_holds_up_no_other_while_its_ack_is_on_the_way() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.call_up();
    bench.receive(within("INVITE", 2, &tag, "one"));
    bench.respond(leg, 200);
    bench.receive(update(3, &tag));
    bench.respond(leg, 200);
    bench.pass(Duration::from_millis(500));
    assert_eq!(bench.sent_kinds(), ["100 INVITE", "200 INVITE", "200 UPDATE", "200 INVITE"]);
    bench.receive(within("INVITE", 4, &tag, "two"));
    bench.respond(leg, 200);
    bench.events.clear();
    bench.receive(within("ACK", 2, &tag, "late"));
    assert!(bench.events.is_empty(), "the newer one is to be acknowledged");
    bench.receive(within("ACK", 4, &tag, "ack"));
    assert!(matches!(bench.take_events()[..], [Event::Acknowledged { .. }]));
    bench.sent.clear();
    bench.pass(Duration::from_secs(40));
    assert!(bench.sent.is_empty() && bench.events.is_empty());
}

#[test]
fn an_offer_that_meets_ours_in_an_answer_without_its_ack_is_491() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.call_up();
    let asks = within("INVITE", 2, &tag, "one");
    let (head, _) = asks.split_once("Content-Type").unwrap();
    bench.receive(format!("{head}Content-Length: 0\r\n\r\n"));
    assert!(matches!(bench.take_events()[..], [Event::ReOffer { sdp: None, .. }]));
    bench.respond(leg, 200);
    bench.receive(update(3, &tag));
    bench.receive(within("INVITE", 4, &tag, "two"));
    assert_eq!(bench.sent_kinds(), ["100 INVITE", "200 INVITE", "491 UPDATE", "491 INVITE"]);
    bench.receive(within("INVITE", 2, &tag, "ack").replace("INVITE", "ACK"));
    assert!(matches!(bench.take_events()[..], [Event::Acknowledged { sdp: Some(_), .. }]));
    bench.receive(update(5, &tag));
    assert!(matches!(bench.take_events()[..], [Event::ReOffer { .. }]));
}

#[test]
fn a_change_nobody_answers_is_refused_in_time() {
    let mut bench = Bench::new();
    let (_, tag) = bench.call_up();
    bench.receive(within("INVITE", 2, &tag, "one"));
    bench.sent.clear();
    bench.pass(Duration::from_secs(20));
    assert_eq!(bench.sent_kinds(), ["500 INVITE"]);
}

#[test]
fn a_refused_change_leaves_nothing_to_cancel() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.call_up();
    for cseq in 2..10 {
        bench.receive(within("INVITE", cseq, &tag, &format!("re{cseq}")));
        bench.respond(leg, 488);
    }
    assert_eq!(bench.endpoint.counts().invites, 0);
}

#[test]
fn glare_between_two_offers_is_491() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.call_up();
    bench.command(Command::Reinvite { leg, sdp: SDP.into() });
    bench.sent.clear();
    bench.receive(within("INVITE", 2, &tag, "one"));
    assert_eq!(bench.sent_kinds(), ["491 INVITE"]);
}

#[test]
fn a_bye_during_a_hold_leaves_nothing_unanswered() {
    let mut bench = Bench::new();
    let (_, tag) = bench.call_up();
    bench.receive(within("INVITE", 2, &tag, "one"));
    bench.sent.clear();
    bench.receive(within("BYE", 3, &tag, "bye"));
    assert_eq!(bench.sent_kinds(), ["200 BYE", "487 INVITE"]);
}

#[test]
fn requests_of_ours_take_the_route_as_it_came() {
    let mut bench = Bench::new().with_peers("192.0.2.0/24");
    bench.receive(request("INVITE", 1, "Record-Route: <sip:192.0.2.20:5070;lr>, <sip:p1;lr>\r\n"));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!() };
    bench.command(Command::Confine { leg: call.leg, networks: bench.networks.clone() });
    bench.respond(call.leg, 200);
    let tag = bench.our_tag();
    bench.receive(within("ACK", 1, &tag, "ack"));
    bench.command(Command::Bye { leg: call.leg, headers: Vec::new() });
    let (_, flow, bye) = bench.sent.pop().unwrap();
    let routes: Vec<String> = bye.headers.all("route").map(|route| route.text().into_owned()).collect();
    assert_eq!(routes, ["<sip:192.0.2.20:5070;lr>", "<sip:p1;lr>"]);
    assert_eq!((bye.uri(), flow.peer), ("sip:bob@192.0.2.9:5060", "192.0.2.20:5070".parse().unwrap()));
}

#[test]
fn a_strict_router_takes_the_request_uris_place() {
    let mut bench = Bench::new();
    bench.receive(request("INVITE", 1, "Record-Route: <sip:192.0.2.20>, <sip:p1;lr>\r\n"));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!() };
    bench.respond(call.leg, 200);
    let tag = bench.our_tag();
    bench.receive(within("ACK", 1, &tag, "ack"));
    bench.command(Command::Bye { leg: call.leg, headers: Vec::new() });
    let bye: Message = bench.take_sent().pop().unwrap();
    let routes: Vec<String> = bye.headers.all("route").map(|route| route.text().into_owned()).collect();
    assert_eq!(bye.uri(), "sip:192.0.2.20");
    assert_eq!(routes, ["<sip:p1;lr>", "<sip:bob@192.0.2.9:5060>"]);
}

#[test]
fn a_contact_of_somebody_else_leads_back_to_the_source() {
    let mut bench = Bench::new();
    bench.receive(request("INVITE", 1, "").replace("<sip:bob@192.0.2.9:5060>", "<sip:bob@10.0.0.1:5060>"));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!() };
    bench.respond(call.leg, 200);
    let tag = bench.our_tag();
    bench.receive(within("ACK", 1, &tag, "ack"));
    bench.command(Command::Bye { leg: call.leg, headers: Vec::new() });
    let (_, flow, bye) = bench.sent.pop().unwrap();
    assert_eq!((flow.peer, bye.uri()), (super::bench::peer(), "sip:bob@10.0.0.1:5060"));
}
