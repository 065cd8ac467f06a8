//! How a call that arrived ends: CANCEL, BYE, and forged ones of both.

use super::bench::{Bench, header, request, within};
use super::client::{leg, up};
use crate::sip::message::Message;
use crate::sip::{ClosedBy, Command, Event};
use std::time::Duration;

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
    bench.receive(within("BYE", 7, &tag, "bye"));
    bench.receive(within("BYE", 7, &tag, "bye"));
    bench.receive(within("BYE", 8, &tag, "late"));
    assert_eq!(bench.sent_kinds(), ["200 BYE", "200 BYE", "481 BYE"]);
    assert!(matches!(&bench.events[..], [Event::Ended { by: ClosedBy::Remote, .. }]));
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
    let mut bench = Bench::new().with_peers("192.0.2.10/32");
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
    assert_eq!(bench.seconds("BYE"), [32.0, 32.5]);
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

/// A request of the callee inside a call we placed.
fn of_callee(invite: &Message, method: &str, cseq: u32, branch: &str) -> String {
    within(method, cseq, &crate::sip::values::tag(invite, "from").unwrap(), branch)
        .replace("call-1@192.0.2.9", &header(invite, "call-id"))
        .replace(";tag=peer", ";tag=callee")
}

const METHODS: [&str; 8] = ["OPTIONS", "INFO", "MESSAGE", "REFER", "NOTIFY", "UPDATE", "INVITE", "PRACK"];

#[test]
fn whatever_is_said_in_a_dialog_after_its_end_is_481() {
    let mut bench = Bench::new();
    let invite = up(&mut bench, None);
    for _ in 0..2 {
        bench.receive(of_callee(&invite, "BYE", 1, "bye"));
    }
    assert_eq!(bench.sent_kinds(), ["200 BYE", "200 BYE"], "the same one again");
    for (cseq, method) in (2..).zip(METHODS.into_iter().chain(["BYE"])) {
        bench.receive(of_callee(&invite, method, cseq, method));
        assert_eq!(bench.sent_kinds(), [format!("481 {method}")]);
    }
    assert!(matches!(bench.take_events()[..], [Event::Ended { by: ClosedBy::Remote, .. }]));
}

#[test]
fn while_our_bye_is_on_its_way_only_another_bye_means_anything() {
    let mut bench = Bench::new();
    let invite = up(&mut bench, None);
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    assert!(matches!(bench.take_events()[..], [Event::Ended { by: ClosedBy::Us, .. }]));
    bench.sent.clear();
    for (cseq, method) in (1..).zip(METHODS) {
        bench.receive(of_callee(&invite, method, cseq, method));
        assert_eq!(bench.sent_kinds(), [format!("481 {method}")]);
    }
    bench.receive(of_callee(&invite, "BYE", 1, "bye"));
    bench.receive(of_callee(&invite, "BYE", 2, "other"));
    assert_eq!(bench.sent_kinds(), ["200 BYE", "481 BYE"]);
    assert!(bench.events.is_empty());
}
