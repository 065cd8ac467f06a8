//! Responses from others than those we asked, or to something else than what we asked: they do nothing.

use super::bench::{Bench, SDP, header, kind, reply};
use super::client::{leg, up};
use crate::sip::message::Message;
use crate::sip::{Command, Event, Transport};
use std::net::SocketAddr;

/// Somebody else who may send to us.
fn neighbour() -> SocketAddr {
    "203.0.113.66:5060".parse().unwrap()
}

fn is_ignored(bench: &mut Bench, what: &str) {
    assert!(bench.sent.is_empty() && bench.events.is_empty(), "{what}: {:?} {:?}", bench.sent, bench.events);
    assert_eq!(bench.endpoint.counts().stray_responses, 1, "{what}");
}

/// The call goes on: who was asked answers.
fn goes_on(bench: &mut Bench, invite: &Message) {
    bench.receive(reply(invite, 200, "callee", "", SDP));
    assert!(matches!(bench.take_events()[..], [Event::Answered { .. }]));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
}

#[test]
fn a_response_whose_via_call_id_from_tag_or_cseq_is_not_the_requests_is_none() {
    for code in [180, 200, 302, 407, 486, 503] {
        for what in ["Via", "Call-ID", "From tag", "CSeq number", "CSeq method"] {
            let mut bench = Bench::new();
            let invite = bench.place(leg(), None);
            let answer = reply(&invite, code, "evil", "", SDP);
            let forged = match what {
                "Via" => answer.replacen("SIP/2.0/UDP 198.51.100.1:5060", "SIP/2.0/UDP 198.51.100.2:5060", 1),
                "Call-ID" => answer.replace(&header(&invite, "call-id"), "other@192.0.2.9"),
                "From tag" => answer.replace(&crate::sip::values::tag(&invite, "from").unwrap(), "other"),
                "CSeq number" => answer.replace("CSeq: 1 INVITE", "CSeq: 9 INVITE"),
                _ => answer.replace("CSeq: 1 INVITE", "CSeq: 1 INFO"),
            };
            assert_ne!(forged, answer, "{what}");
            bench.receive(forged);
            is_ignored(&mut bench, &format!("{code} with another {what}"));
            goes_on(&mut bench, &invite);
        }
    }
}

#[test]
fn a_neighbour_who_knows_everything_of_a_request_may_not_answer_it() {
    for code in [180, 200, 302, 407, 486, 503] {
        let mut bench = Bench::new().with_peers("192.0.2.64/26");
        let invite = bench.place(leg(), None);
        bench.receive_from(neighbour(), reply(&invite, code, "evil", "", SDP));
        is_ignored(&mut bench, &code.to_string());
        goes_on(&mut bench, &invite);
    }
}

#[test]
fn another_address_of_the_trunk_may_answer() {
    let mut bench = Bench::new().with_peers("192.0.2.64/26");
    let invite = bench.place(leg(), None);
    bench.receive_from("192.0.2.77:5070".parse().unwrap(), reply(&invite, 180, "callee", "", ""));
    assert!(matches!(bench.take_events()[..], [Event::Ringing { .. }]));
    bench.receive_from("[::ffff:192.0.2.77]:5070".parse().unwrap(), reply(&invite, 486, "callee", "", ""));
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 486, .. }]));
}

#[test]
fn inside_a_call_a_neighbour_ends_nothing_and_answers_nothing() {
    let mut bench = Bench::new();
    up(&mut bench, None);
    bench.command(Command::Reinvite { leg: leg(), sdp: SDP.into() });
    let offer = bench.take_sent().pop().unwrap();
    bench.receive_from(neighbour(), reply(&offer, 481, "", "", ""));
    is_ignored(&mut bench, "481");
    bench.receive(reply(&offer, 200, "", "", SDP).replace("CSeq: 2 INVITE", "CSeq: 1 INVITE"));
    assert!(bench.sent.is_empty() && bench.events.is_empty(), "the number of another INVITE of the call");
    bench.receive(reply(&offer, 200, "", "", SDP));
    assert!(matches!(bench.take_events()[..], [Event::Reoffered { .. }]));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let bye = bench.take_sent().pop().unwrap();
    bench.receive_from(neighbour(), reply(&bye, 200, "", "", ""));
    bench.pass(std::time::Duration::from_millis(500));
    assert_eq!(bench.take_sent().iter().map(kind).collect::<Vec<_>>(), ["BYE"], "it is said again");
}

#[test]
fn what_left_on_a_connection_is_answered_on_one_of_the_same_peer() {
    let mut bench = Bench::new();
    bench.transport = Transport::Tcp;
    let invite = bench.place(leg(), None);
    bench.connection = 9;
    bench.receive_from(neighbour(), reply(&invite, 200, "evil", "", SDP));
    is_ignored(&mut bench, "on a neighbour's connection");
    bench.transport = Transport::Udp;
    bench.receive(reply(&invite, 200, "evil", "", SDP));
    assert!(bench.sent.is_empty() && bench.events.is_empty(), "a datagram says anything of where it is from");
    bench.transport = Transport::Tcp;
    goes_on(&mut bench, &invite);
}
