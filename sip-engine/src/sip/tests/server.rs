//! Calls that arrive: provisionals, the 2xx and its ACK, CANCEL, BYE, changes of session, forgeries.

use std::time::Duration;

use super::bench::{Bench, SDP, header, request, within};
use crate::sip::message::Message;
use crate::sip::{ClosedBy, Command, Event};

fn seconds(bench: &Bench, kind: &str) -> Vec<f64> {
    let times = bench.sent.iter().filter(|(_, _, message)| super::bench::kind(message) == kind);
    times.map(|(at, ..)| at.as_secs_f64()).collect()
}

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
    bench.receive(
        request("CANCEL", 1, "Reason: SIP;cause=200\r\n").replace("z9hG4bK1CANCEL", "z9hG4bK1INVITE"),
    );
    let sent = bench.take_sent();
    assert_eq!(sent.iter().map(super::bench::kind).collect::<Vec<_>>(), ["200 CANCEL", "487 INVITE"]);
    assert!(sent.iter().all(|answer| header(answer, "to") == header(&ringing, "to")));
    let events = bench.take_events();
    assert!(
        matches!(&events[..], [Event::Cancelled { reason_header: Some(reason), .. }] if reason == "SIP;cause=200")
    );
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
    assert_eq!(seconds(&bench, "180 INVITE"), [60.0, 120.0]);
}

#[test]
fn session_timers_are_left_to_the_peer() {
    let mut bench = Bench::new();
    bench.receive(request(
        "INVITE",
        1,
        "Supported: timer, 100rel\r\nSession-Expires: 600;refresher=uas\r\nMin-SE: 90\r\n",
    ));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!() };
    bench.respond(call.leg, 183);
    bench.respond(call.leg, 200);
    for answer in bench.take_sent() {
        for name in ["session-expires", "require", "supported", "rseq"] {
            assert_eq!(header(&answer, name), "", "{name}");
        }
    }
}

#[test]
fn a_2xx_is_repeated_until_the_ack_and_the_call_hung_up_without_one() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 200);
    bench.pass(Duration::from_secs(31));
    assert_eq!(seconds(&bench, "200 INVITE"), [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5]);
    assert!(bench.events.is_empty());
    bench.pass(Duration::from_secs(1));
    assert_eq!(seconds(&bench, "BYE"), [32.0]);
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
    assert_eq!(seconds(&bench, "486 INVITE"), [0.0, 0.5, 1.5, 3.5]);
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
    assert_eq!(seconds(&bench, "486 INVITE").last(), Some(&31.5));
    assert_eq!(bench.endpoint.counts().transactions, 0);
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
fn a_cancel_after_the_answer_changes_nothing() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 200);
    bench.sent.clear();
    bench.receive(request("CANCEL", 1, "").replace("z9hG4bK1CANCEL", "z9hG4bK1INVITE"));
    assert_eq!(bench.sent_kinds(), ["200 CANCEL"]);
    assert!(bench.events.is_empty());
}

#[test]
fn a_cancel_from_another_source_does_nothing() {
    let mut bench = Bench::new();
    bench.ring();
    bench.sent.clear();
    let cancel = request("CANCEL", 1, "").replace("z9hG4bK1CANCEL", "z9hG4bK1INVITE");
    bench.receive_from("203.0.113.66:5060".parse().unwrap(), cancel);
    assert_eq!(bench.sent_kinds(), ["481 CANCEL"]);
    assert!(bench.events.is_empty());
}

#[test]
fn two_old_peers_with_the_same_cseq_cannot_cancel_each_other() {
    let mut bench = Bench::new();
    let old = |text: String| text.replace(";branch=z9hG4bK1INVITE", "").replace(";branch=z9hG4bK1CANCEL", "");
    bench.receive(old(request("INVITE", 1, "")));
    let Some(Event::IncomingCall(_)) = bench.take_events().pop() else { panic!() };
    bench.receive(old(request("CANCEL", 1, "").replace("call-1", "call-2")));
    bench.receive_from("203.0.113.66:5060".parse().unwrap(), old(request("CANCEL", 1, "")));
    assert!(bench.take_events().is_empty());
    bench.receive(old(request("CANCEL", 1, "")));
    assert!(matches!(bench.events[..], [Event::Cancelled { .. }]));
}

#[test]
fn a_bye_ends_the_call_once_and_is_answered_every_time() {
    let mut bench = Bench::new();
    let (_, tag) = bench.call_up();
    bench.receive(within("BYE", 7, &tag, "bye").replace("Max-F", "Reason: Q.850;cause=16\r\nMax-F"));
    bench.receive(within("BYE", 7, &tag, "bye").replace("Max-F", "Reason: Q.850;cause=16\r\nMax-F"));
    bench.receive(within("BYE", 8, &tag, "late"));
    assert_eq!(bench.sent_kinds(), ["200 BYE", "200 BYE", "481 BYE"]);
    assert!(matches!(&bench.events[..], [Event::Ended { by: ClosedBy::Remote, reason_header: Some(_), .. }]));
    bench.pass(Duration::from_secs(60));
    assert!(bench.sent.is_empty(), "no BYE of our own follows the peer's");
}

#[test]
fn a_forged_bye_does_nothing() {
    let mut bench = Bench::new();
    let (_, tag) = bench.call_up();
    bench.receive_from("203.0.113.66:5060".parse().unwrap(), within("BYE", 7, &tag, "f1"));
    bench.receive(within("BYE", 8, &tag, "f2").replace("tag=peer", "tag=guess"));
    bench.receive(within("BYE", 9, "guess", "f3"));
    bench.receive(within("BYE", 10, &tag, "f4").replace("call-1", "call-2"));
    assert_eq!(bench.sent_kinds(), ["481 BYE"; 4]);
    assert!(bench.events.is_empty());
}

#[test]
fn a_cluster_may_hang_up_from_another_of_its_addresses() {
    let config = crate::sip::EndpointConfig {
        same_peer: std::sync::Arc::new(|_, source| source == std::net::IpAddr::from([192, 0, 2, 10])),
        ..Default::default()
    };
    let mut bench = Bench::with(config);
    let (_, tag) = bench.call_up();
    bench.receive_from("192.0.2.11:5060".parse().unwrap(), within("BYE", 7, &tag, "f1"));
    assert!(bench.events.is_empty());
    bench.receive_from("192.0.2.10:5060".parse().unwrap(), within("BYE", 8, &tag, "f2"));
    assert!(matches!(bench.events[..], [Event::Ended { by: ClosedBy::Remote, .. }]));
}

#[test]
fn our_bye_waits_for_the_ack_of_our_answer() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 200);
    let tag = bench.our_tag();
    bench.sent.clear();
    bench.command(Command::Bye { leg, headers: Vec::new() });
    assert!(matches!(bench.take_events()[..], [Event::Ended { by: ClosedBy::Us, .. }]));
    assert!(bench.sent.is_empty());
    bench.pass(Duration::from_millis(600));
    assert_eq!(bench.sent_kinds(), ["200 INVITE"]);
    bench.receive(within("ACK", 1, &tag, "ack"));
    assert_eq!(bench.sent_kinds(), ["BYE"]);
    assert!(bench.events.is_empty());
    bench.pass(Duration::from_secs(64));
    assert_eq!(bench.endpoint.counts().legs, 0);
}

#[test]
fn our_bye_leaves_after_32_seconds_even_without_the_ack() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 200);
    bench.command(Command::Bye { leg, headers: Vec::new() });
    bench.pass(Duration::from_secs(33));
    assert_eq!(seconds(&bench, "BYE"), [32.0, 32.5]);
    assert_eq!(bench.events.len(), 1);
}

#[test]
fn a_bye_before_the_answer_cancels_the_call() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    bench.respond(leg, 180);
    let tag = bench.our_tag();
    bench.sent.clear();
    bench.receive(within("BYE", 2, &tag, "bye"));
    assert_eq!(bench.sent_kinds(), ["200 BYE", "487 INVITE"]);
    assert!(matches!(bench.events[..], [Event::Cancelled { .. }]));
}

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
        ["200 OPTIONS", "200 INFO", "200 UPDATE", "405 MESSAGE", "405 REFER", "489 SUBSCRIBE", "405 PRACK"];
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
fn a_hold_is_offered_answered_and_acknowledged() {
    let mut bench = Bench::new();
    let (leg, tag) = bench.call_up();
    bench.receive(
        within("INVITE", 2, &tag, "hold").replace("sip:bob@192.0.2.9:5060", "sip:bob@192.0.2.9:5099"),
    );
    assert!(matches!(&bench.take_events()[..], [Event::ReOffer { sdp: Some(_), .. }]));
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
    let mut bench = Bench::new();
    bench.receive(request("INVITE", 1, "Record-Route: <sip:192.0.2.20:5070;lr>, <sip:p1;lr>\r\n"));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!() };
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
fn a_contact_we_do_not_deal_with_leads_back_to_the_source() {
    let known = std::sync::Arc::new(|ip: std::net::IpAddr| ip == super::bench::peer().ip());
    let mut bench = Bench::with(crate::sip::EndpointConfig { known, ..Default::default() });
    bench.receive(request("INVITE", 1, "").replace("<sip:bob@192.0.2.9:5060>", "<sip:bob@10.0.0.1:5060>"));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!() };
    bench.respond(call.leg, 200);
    let tag = bench.our_tag();
    bench.receive(within("ACK", 1, &tag, "ack"));
    bench.command(Command::Bye { leg: call.leg, headers: Vec::new() });
    let (_, flow, bye) = bench.sent.pop().unwrap();
    assert_eq!((flow.peer, bye.uri()), (super::bench::peer(), "sip:bob@10.0.0.1:5060"));
}
