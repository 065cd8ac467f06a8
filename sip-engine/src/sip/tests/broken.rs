//! TCP connections that end under a call: what waits for its answer gets one other connection.

use super::bench::{Bench, SDP, header, peer, reply};
use super::client::{leg, up};
use crate::sip::message::Message;
use crate::sip::{Command, Event, Input, Transport};
use std::time::Duration;

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.transport = Transport::Tcp;
    bench
}

/// The connection ends; what is sent then, which is on a new one.
fn breaks(bench: &mut Bench) -> Vec<Message> {
    bench.sent.clear();
    let flow = bench.flow(peer());
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
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

#[test]
fn an_invite_that_was_given_up_is_not_sent_on_another_connection() {
    let mut bench = bench();
    bench.silence = Duration::from_secs(4);
    bench.place(leg(), None);
    bench.pass(Duration::from_secs(5));
    assert!(breaks(&mut bench).is_empty());
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
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

#[test]
fn a_repeated_answer_is_acknowledged_though_its_connection_ended() {
    let mut bench = bench();
    let invite = up(&mut bench, None);
    assert!(breaks(&mut bench).is_empty());
    bench.receive(reply(&invite, 200, "callee", "", SDP));
    assert_eq!(bench.sent.last().map(|(_, flow, _)| flow.connection), Some(None));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
}
