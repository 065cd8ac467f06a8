//! Calls for help, for which there is more room than for others.

use super::bench::{Bench, request};
use crate::sip::{EndpointConfig, Event, IncomingCall};
use std::sync::Arc;

/// An endpoint for which 119 is a call for help, and such a call.
fn with_help(max_legs: usize) -> (Bench, impl Fn(u32) -> String) {
    let for_help = Arc::new(|call: &IncomingCall| call.dialled == "119");
    let call = |n: u32| {
        let text = request("INVITE", n, "").replacen("+15551234", "119", 1);
        text.replace("call-1", &format!("call-{n}"))
    };
    (Bench::with(EndpointConfig { max_legs, for_help, ..EndpointConfig::default() }), call)
}

#[test]
fn a_call_for_help_is_taken_beyond_the_limit() {
    let (mut bench, help) = with_help(1);
    bench.ring();
    bench.sent.clear();
    bench.receive(request("INVITE", 2, "").replace("call-1", "call-2"));
    bench.receive(help(3));
    assert_eq!(bench.sent_kinds(), ["503 INVITE", "100 INVITE"]);
    assert!(matches!(bench.events[..], [Event::IncomingCall(_)]));
}

#[test]
fn calls_for_help_have_a_limit_of_their_own() {
    let (mut bench, help) = with_help(1);
    bench.ring();
    bench.sent.clear();
    (2..19).for_each(|n| bench.receive(help(n)));
    let answers = bench.sent_kinds();
    assert_eq!(answers.iter().filter(|kind| *kind == "100 INVITE").count(), 16);
    assert_eq!(answers.last().map(String::as_str), Some("503 INVITE"));
}

#[test]
fn refusals_of_calls_for_help_that_are_never_acknowledged_are_not_remembered_without_end() {
    let (mut bench, help) = with_help(2_000);
    for n in 1..2_002 {
        bench.receive(help(n));
        if let Some(Event::IncomingCall(call)) = bench.take_events().last() {
            bench.respond(call.leg, 404);
        }
    }
    let answers = bench.sent_kinds();
    assert_eq!(answers.iter().filter(|kind| *kind == "404 INVITE").count(), 2_000);
    assert_eq!(answers.last().map(String::as_str), Some("503 INVITE"));
}
