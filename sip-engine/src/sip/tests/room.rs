//! What is over takes no room from what goes on, and has a limit of its own.

use super::bench::{Bench, kind, reply, request};
use crate::sip::flow::LegKey;
use crate::sip::message::Message;
use crate::sip::{EndpointConfig, Event};
use std::time::Duration;

/// How long nobody responds before a call is given up.
const SILENCE: Duration = Duration::from_secs(1);

fn with_room_for(max_legs: usize) -> Bench {
    let mut bench = Bench::with(EndpointConfig { max_legs, ..EndpointConfig::default() });
    bench.silence = SILENCE;
    bench
}

fn place(bench: &mut Bench, number: u64) -> Message {
    bench.place(LegKey::outbound(number), None)
}

#[test]
fn calls_that_nobody_answered_and_were_given_up_take_no_room_from_others() {
    let mut bench = with_room_for(1);
    for number in 1..9 {
        place(&mut bench, number);
        bench.pass(SILENCE);
        let given_up = bench.take_events();
        assert!(matches!(given_up[..], [Event::Failed { code: 408, .. }]), "{given_up:?}");
    }
    bench.sent.clear();
    bench.receive(request("INVITE", 1, ""));
    assert_eq!(bench.sent_kinds(), ["100 INVITE"]);
}

#[test]
fn calls_that_were_refused_take_no_room_from_others() {
    let mut bench = with_room_for(1);
    for number in 1..9 {
        let invite = place(&mut bench, number);
        bench.receive(reply(&invite, 503, "a", "", ""));
        assert!(matches!(bench.take_events()[..], [Event::Failed { code: 503, from_peer: true, .. }]));
    }
    assert!(bench.endpoint.counts().legs > 1, "they are remembered for repetitions");
}

#[test]
fn of_calls_that_are_over_so_many_are_remembered_and_the_eldest_is_forgotten() {
    let mut bench = with_room_for(1);
    let invites: Vec<_> = (1..21)
        .map(|number| {
            let invite = place(&mut bench, number);
            bench.pass(SILENCE);
            invite
        })
        .collect();
    let counts = bench.endpoint.counts();
    assert_eq!((counts.legs, counts.tags), (8, 8));
    bench.sent.clear();
    // The last one is known: it rang after all, and is called off. The first one is a stranger's who picks up.
    bench.receive(reply(&invites[19], 180, "late", "", ""));
    assert_eq!(bench.sent_kinds(), ["CANCEL"]);
    bench.receive(reply(&invites[0], 200, "late", "", ""));
    assert_eq!(bench.take_sent().iter().map(kind).collect::<Vec<_>>(), ["ACK", "BYE"]);
    bench.pass(Duration::from_secs(70));
    let counts = bench.endpoint.counts();
    assert_eq!((counts.legs, counts.tags, counts.transactions), (0, 0, 0));
}
