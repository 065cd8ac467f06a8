//! TCP connections that end under a call: what waits for its answer gets one other connection.

use super::bench::{Bench, SDP, header, kind, peer, reply};
use super::client::{leg, up};
use crate::sip::message::Message;
use crate::sip::{ClosedBy, Command, ConnectionId, Event, Flow, Input, Transport};
use std::time::Duration;

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.transport = Transport::Tcp;
    bench
}

/// The connection ends; what is sent then, which is on a new one.
fn breaks(bench: &mut Bench) -> Vec<Message> {
    let connection = bench.connection;
    bench.connection += 1;
    ends(bench, connection)
}

/// It is told that a connection has ended; what is sent then.
fn ends(bench: &mut Bench, connection: u64) -> Vec<Message> {
    bench.sent.clear();
    let flow = Flow { connection: Some(ConnectionId(connection)), ..bench.flow(peer()) };
    bench.input(Input::TransportFailed { flow });
    assert!(bench.sent.iter().all(|(_, flow, _)| flow.connection.is_none()));
    bench.take_sent()
}

fn is_repeated(sent: &[Message], request: &Message) {
    let [again] = sent else { panic!("{sent:?}") };
    assert_eq!(header(again, "via"), header(request, "via"), "the same transaction");
    assert_eq!(header(again, "cseq"), header(request, "cseq"));
}

#[test]
fn an_invite_whose_connection_ends_is_sent_on_another_and_then_fails() {
    let mut bench = bench();
    let invite = bench.place(leg(), None);
    is_repeated(&breaks(&mut bench), &invite);
    assert!(bench.events.is_empty());
    assert!(breaks(&mut bench).is_empty());
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 503, from_peer: false, .. }]));
    is_forgotten(&mut bench);
}

/// An INVITE that has failed for its caller arrived all the same: it rings, and is called off.
fn is_called_off(bench: &mut Bench, invite: &Message) {
    bench.receive(reply(invite, 180, "callee", "", ""));
    assert_eq!(bench.sent_kinds(), ["CANCEL"]);
    is_forgotten(bench);
}

/// Nothing more is said of it, and in the end nothing known.
fn is_forgotten(bench: &mut Bench) {
    bench.sent.clear();
    bench.pass(Duration::from_secs(40));
    assert!(bench.sent.is_empty() && bench.events.is_empty());
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

#[test]
fn a_connection_that_ends_twice_takes_nothing_from_what_moved_to_the_next() {
    for rings in [false, true] {
        let mut bench = bench();
        let invite = bench.place(leg(), None);
        is_repeated(&breaks(&mut bench), &invite);
        if rings {
            bench.receive(reply(&invite, 180, "callee", "", ""));
            assert!(matches!(bench.take_events()[..], [Event::Ringing { .. }]));
        }
        assert!(ends(&mut bench, 1).is_empty() && ends(&mut bench, 1).is_empty());
        assert!(bench.events.is_empty());
        bench.receive(reply(&invite, 200, "callee", "", SDP));
        assert!(matches!(bench.take_events()[..], [Event::Answered { .. }]));
    }
}

#[test]
fn a_goodbye_that_moved_is_not_forgotten_with_its_first_connection() {
    let mut bench = bench();
    up(&mut bench, None);
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    breaks(&mut bench);
    assert!(ends(&mut bench, 1).is_empty());
    assert_eq!(bench.endpoint.counts().transactions, 2, "the INVITE's and the BYE's");
}

#[test]
fn an_invite_on_one_connection_does_not_fail_with_another_to_the_same_peer() {
    let mut bench = bench();
    bench.place(leg(), None);
    assert!(ends(&mut bench, 7).is_empty() && bench.events.is_empty());
}

#[test]
fn a_phone_that_rings_behind_the_second_connection_that_ended_is_cancelled() {
    let mut bench = bench();
    let invite = bench.place(leg(), None);
    breaks(&mut bench);
    assert!(breaks(&mut bench).is_empty());
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 503, .. }]));
    bench.receive(reply(&invite, 180, "callee", "", ""));
    assert_eq!(bench.sent_kinds(), ["CANCEL"]);
    bench.receive(reply(&invite, 487, "callee", "", ""));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
    is_forgotten(&mut bench);
}

#[test]
fn a_phone_that_rang_before_its_second_connection_ended_is_cancelled_at_once() {
    let mut bench = bench();
    let invite = bench.place(leg(), None);
    breaks(&mut bench);
    bench.receive(reply(&invite, 180, "callee", "", ""));
    bench.take_events();
    let sent = breaks(&mut bench);
    assert_eq!(sent.iter().map(kind).collect::<Vec<_>>(), ["CANCEL"]);
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 503, .. }]));
    // Neither does the CANCEL arrive, until the phone is heard of again.
    assert_eq!(breaks(&mut bench).iter().map(kind).collect::<Vec<_>>(), ["CANCEL"]);
    assert!(breaks(&mut bench).is_empty());
    is_called_off(&mut bench, &invite);
}

#[test]
fn an_invite_that_was_given_up_is_not_sent_on_another_connection() {
    let mut bench = bench();
    bench.silence = Duration::from_secs(4);
    let invite = bench.place(leg(), None);
    bench.pass(Duration::from_secs(5));
    bench.take_events();
    assert!(breaks(&mut bench).is_empty());
    is_called_off(&mut bench, &invite);
}

#[test]
fn a_bye_whose_connection_ends_is_sent_on_another() {
    for is_answered in [true, false] {
        let mut bench = bench();
        up(&mut bench, None);
        bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
        let bye = bench.take_sent().pop().unwrap();
        is_repeated(&breaks(&mut bench), &bye);
        if is_answered {
            bench.receive(reply(&bye, 200, "callee", "", ""));
        } else {
            assert!(breaks(&mut bench).is_empty(), "and on no third");
        }
        bench.pass(Duration::from_secs(40));
        assert!(bench.sent.is_empty());
        assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
    }
}

/// The connection ends; what is sent again, and to where.
fn moves(bench: &mut Bench) -> Vec<(String, String)> {
    let flow = bench.flow(peer());
    bench.connection += 1;
    bench.sent.clear();
    bench.input(Input::TransportFailed { flow });
    bench.sent.drain(..).map(|(_, flow, message)| (kind(&message), flow.peer.to_string())).collect()
}

#[test]
fn what_was_said_to_a_fork_that_rings_is_said_again_to_that_fork() {
    let mut bench = bench().with_peers("192.0.2.0/24");
    let invite = bench.place(leg(), None);
    let fork = "Contact: <sip:bob@192.0.2.10:5070>\r\nRequire: 100rel\r\nRSeq: 7\r\n";
    bench.receive(reply(&invite, 183, "fork", fork, SDP));
    assert_eq!(bench.sent_kinds(), ["PRACK"]);
    let mut moved = moves(&mut bench);
    moved.sort();
    let wanted = [("INVITE", "192.0.2.9:5060"), ("PRACK", "192.0.2.10:5070")];
    assert_eq!(moved, wanted.map(|(kind, peer)| (kind.to_owned(), peer.to_owned())));
}

#[test]
fn the_bye_to_a_fork_that_answered_too_late_is_said_again_to_that_fork() {
    let mut bench = bench().with_peers("192.0.2.0/24");
    let invite = up(&mut bench, None);
    bench.receive(reply(&invite, 200, "late", "Contact: <sip:bob@192.0.2.10:5070>\r\n", SDP));
    assert_eq!(bench.sent_kinds(), ["ACK", "BYE"]);
    assert_eq!(moves(&mut bench), [("BYE".to_owned(), "192.0.2.10:5070".to_owned())]);
}

#[test]
fn a_call_goes_on_though_connections_end_under_its_reinvite() {
    let mut bench = bench();
    up(&mut bench, None);
    bench.command(Command::Reinvite { leg: leg(), sdp: SDP.into() });
    let reinvite = bench.take_sent().pop().unwrap();
    is_repeated(&breaks(&mut bench), &reinvite);
    assert!(breaks(&mut bench).is_empty());
    assert!(matches!(bench.take_events()[..], [Event::ReofferFailed { code: 503, .. }]));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    assert_eq!(bench.sent_kinds(), ["BYE"]);
}

/// A re-INVITE that no connection takes; what comes of it.
fn is_out_of_reach(bench: &mut Bench) -> Vec<Event> {
    bench.command(Command::Reinvite { leg: leg(), sdp: SDP.into() });
    breaks(bench);
    breaks(bench);
    bench.take_events()
}

#[test]
fn a_call_without_a_session_timer_ends_when_its_peer_is_out_of_reach_twice_in_a_row() {
    for is_heard in [false, true] {
        let mut bench = bench();
        up(&mut bench, None);
        assert!(matches!(is_out_of_reach(&mut bench)[..], [Event::ReofferFailed { code: 503, .. }]));
        if is_heard {
            bench.command(Command::Reinvite { leg: leg(), sdp: SDP.into() });
            let reinvite = bench.take_sent().pop().unwrap();
            bench.receive(reply(&reinvite, 488, "", "", ""));
            bench.take_events();
        }
        let events = is_out_of_reach(&mut bench);
        match is_heard {
            true => assert!(matches!(events[..], [Event::ReofferFailed { code: 503, .. }]), "{events:?}"),
            false => assert!(matches!(events[..], [Event::Ended { by: ClosedBy::Gone, .. }]), "{events:?}"),
        }
    }
}

#[test]
fn a_call_with_a_session_timer_ends_by_that() {
    let mut bench = bench();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 200, "callee", "Session-Expires: 1800;refresher=uas\r\n", SDP));
    bench.take_events();
    for _ in 0..3 {
        assert!(matches!(is_out_of_reach(&mut bench)[..], [Event::ReofferFailed { code: 503, .. }]));
    }
    bench.pass(Duration::from_secs(1_800));
    assert!(matches!(bench.take_events()[..], [Event::Ended { by: ClosedBy::Expired, .. }]));
}

#[test]
fn a_repeated_answer_is_acknowledged_though_its_connection_ended() {
    let mut bench = bench();
    let invite = up(&mut bench, None);
    assert!(breaks(&mut bench).is_empty());
    bench.receive(reply(&invite, 200, "callee", "", SDP));
    assert_eq!(bench.sent.last().map(|(_, flow, _)| flow.connection), Some(None));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
}
