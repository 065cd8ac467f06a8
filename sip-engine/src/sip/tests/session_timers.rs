//! Session timers (RFC 4028), offered and kept.

use super::bench::{Bench, SDP, header, kind, reply, request, within};
use super::client::leg;
use crate::sip::message::Message;
use crate::sip::{ClosedBy, Command, Event, LegKey};
use std::time::Duration;

const UPDATES: &str = "Allow: INVITE, ACK, BYE, UPDATE\r\n";

/// A call that says this of timers is answered and acknowledged; its leg and our answer.
fn arrives(bench: &mut Bench, headers: &str) -> (LegKey, Message) {
    bench.receive(request("INVITE", 1, headers));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!("no call") };
    bench.respond(call.leg, 200);
    let answer = bench.take_sent().pop().unwrap();
    let tag = crate::sip::values::tag(&answer, "to").unwrap();
    bench.receive(within("ACK", 1, &tag, "ack"));
    bench.events.clear();
    (call.leg, answer)
}

/// A call we place is answered with this.
fn placed(bench: &mut Bench, headers: &str) {
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 200, "a", headers, SDP));
    bench.sent.clear();
    bench.events.clear();
}

#[test]
fn a_timer_is_agreed_on_with_who_asks_and_given_to_who_knows() {
    for (headers, expires, require) in [
        ("Require: timer\r\nSession-Expires: 600;refresher=uas\r\n", "600;refresher=uas", "timer"),
        ("Supported: timer\r\nSession-Expires: 90\r\n", "90;refresher=uac", "timer"),
        ("Session-Expires: 600\r\n", "600;refresher=uas", ""),
        ("Supported: timer\r\n", "1800;refresher=uas", "timer"),
        ("", "", ""),
    ] {
        let (_, answer) = arrives(&mut Bench::new(), headers);
        assert_eq!(header(&answer, "session-expires"), expires, "{headers}");
        assert_eq!(header(&answer, "require"), require, "{headers}");
        assert_eq!(header(&answer, "supported"), "100rel, timer");
    }
}

#[test]
fn a_session_that_is_too_short_is_422_with_what_would_do() {
    let mut bench = Bench::new();
    bench.receive(request("INVITE", 1, "Supported: timer\r\nSession-Expires: 60\r\n"));
    let refusal = bench.take_sent().pop().unwrap();
    assert_eq!((refusal.code(), header(&refusal, "min-se")), (Some(422), "90".to_owned()));
    assert!(bench.events.is_empty());
}

#[test]
fn a_peer_that_stops_refreshing_is_hung_up_on() {
    let mut bench = Bench::new();
    let (_, answer) = arrives(&mut bench, "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    let tag = crate::sip::values::tag(&answer, "to").unwrap();
    bench.pass(Duration::from_secs(45));
    let again = "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n";
    bench.receive(within("UPDATE", 2, &tag, "u").replace("Max-Forwards", &format!("{again}Max-Forwards")));
    let kept = bench.take_sent().pop().unwrap();
    assert_eq!(
        (kind(&kept), header(&kept, "session-expires")),
        ("200 UPDATE".into(), "90;refresher=uac".into())
    );
    bench.pass(Duration::from_secs(59));
    assert!(bench.sent.is_empty() && bench.events.is_empty());
    bench.pass(Duration::from_secs(1));
    let bye = bench.take_sent().pop().unwrap();
    assert_eq!(kind(&bye), "BYE");
    assert!(header(&bye, "reason").contains("Session expired"));
    assert!(matches!(bench.take_events()[..], [Event::Ended { by: ClosedBy::Expired, .. }]));
}

#[test]
fn a_session_is_refreshed_at_half_time_by_update_where_the_peer_takes_it() {
    let mut bench = Bench::new();
    placed(&mut bench, &format!("{UPDATES}Session-Expires: 600;refresher=uac\r\n"));
    for _ in 0..3 {
        bench.pass(Duration::from_secs(299));
        assert!(bench.sent.is_empty());
        bench.pass(Duration::from_secs(1));
        let update = bench.take_sent().pop().unwrap();
        assert_eq!((kind(&update), update.body.len()), ("UPDATE".to_owned(), 0));
        assert_eq!(header(&update, "session-expires"), "600;refresher=uac");
        bench.receive(reply(&update, 200, "", "Session-Expires: 600;refresher=uac\r\n", ""));
    }
    assert!(bench.events.is_empty());
}

#[test]
fn a_session_is_refreshed_by_a_reinvite_that_changes_nothing_where_it_does_not() {
    let mut bench = Bench::new();
    let (_, answer) = arrives(&mut bench, "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n");
    bench.pass(Duration::from_secs(300));
    let again = bench.take_sent().pop().unwrap();
    assert_eq!((kind(&again), &again.body), ("INVITE".to_owned(), &answer.body));
    assert_eq!(header(&again, "session-expires"), "600;refresher=uac", "whoever asks is the UAC of that");
    bench.receive(reply(&again, 200, "", "Session-Expires: 600;refresher=uac\r\n", SDP));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
    bench.pass(Duration::from_secs(299));
    assert!(bench.sent.is_empty());
}

#[test]
fn an_update_that_is_not_taken_after_all_becomes_a_reinvite() {
    let mut bench = Bench::new();
    placed(&mut bench, &format!("{UPDATES}Session-Expires: 600;refresher=uac\r\n"));
    bench.pass(Duration::from_secs(300));
    let update = bench.take_sent().pop().unwrap();
    bench.receive(reply(&update, 501, "", "", ""));
    assert_eq!(bench.sent_kinds(), ["INVITE"]);
}

#[test]
fn a_refresh_that_fails_is_tried_again_and_the_call_ends_in_time() {
    let mut bench = Bench::new();
    placed(&mut bench, &format!("{UPDATES}Session-Expires: 90;refresher=uac\r\n"));
    bench.pass(Duration::from_secs(45));
    let update = bench.take_sent().pop().unwrap();
    bench.receive(reply(&update, 500, "", "", ""));
    bench.pass(Duration::from_secs(10));
    let update = bench.take_sent().pop().unwrap();
    assert_eq!(kind(&update), "UPDATE");
    bench.receive(reply(&update, 503, "", "", ""));
    bench.pass(Duration::from_secs(5));
    assert_eq!(bench.sent_kinds(), ["BYE"]);
    assert!(matches!(bench.take_events()[..], [Event::Ended { by: ClosedBy::Expired, .. }]));
}

#[test]
fn a_peer_that_forgot_the_call_ends_it_at_the_next_refresh() {
    let mut bench = Bench::new();
    placed(&mut bench, &format!("{UPDATES}Session-Expires: 600;refresher=uac\r\n"));
    bench.pass(Duration::from_secs(300));
    let update = bench.take_sent().pop().unwrap();
    bench.receive(reply(&update, 481, "", "", ""));
    assert!(matches!(bench.take_events()[..], [Event::Ended { by: ClosedBy::Gone, .. }]));
}

#[test]
fn a_refresh_waits_while_the_session_changes() {
    let mut bench = Bench::new();
    let (leg, answer) =
        arrives(&mut bench, &format!("{UPDATES}Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n"));
    let tag = crate::sip::values::tag(&answer, "to").unwrap();
    bench.pass(Duration::from_secs(299));
    let hold = "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\nMax-Forwards";
    bench.receive(within("INVITE", 2, &tag, "hold").replace("Max-Forwards", hold));
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.sent_kinds(), ["100 INVITE"]);
    bench.respond(leg, 200);
    bench.receive(within("ACK", 2, &tag, "hold-ack"));
    bench.sent.clear();
    bench.pass(Duration::from_secs(299));
    assert!(bench.sent.is_empty(), "that was a refresh");
}

#[test]
fn a_peer_that_wants_a_longer_session_gets_it() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 422, "a", "Min-SE: 3600\r\n", ""));
    let sent = bench.take_sent();
    assert_eq!(sent.iter().map(kind).collect::<Vec<_>>(), ["ACK", "INVITE"]);
    let again = &sent[1];
    assert_eq!((header(again, "session-expires"), header(again, "min-se")), ("3600".into(), "3600".into()));
    assert_eq!(
        (header(again, "cseq"), header(again, "call-id")),
        ("2 INVITE".into(), header(&invite, "call-id"))
    );
    assert_eq!(header(again, "from"), header(&invite, "from"));
    assert_ne!(header(again, "via"), header(&invite, "via"));
    bench.receive(reply(again, 200, "a", "Session-Expires: 3600;refresher=uas\r\n", SDP));
    assert!(matches!(bench.take_events()[..], [Event::Answered { .. }]));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    assert_eq!(header(&bench.take_sent().pop().unwrap(), "cseq"), "3 BYE");
}

#[test]
fn a_422_that_asks_for_nothing_longer_is_a_refusal() {
    for answer in ["Min-SE: 90\r\n", ""] {
        let mut bench = Bench::new();
        let invite = bench.place(leg(), None);
        bench.receive(reply(&invite, 422, "a", answer, ""));
        assert_eq!(bench.sent_kinds(), ["ACK"]);
        assert!(matches!(bench.take_events()[..], [Event::Failed { code: 422, .. }]));
    }
}

#[test]
fn a_callee_without_timers_has_a_call_without_end() {
    let mut bench = Bench::new();
    placed(&mut bench, "");
    bench.pass(Duration::from_secs(10_000));
    assert!(bench.sent.is_empty() && bench.events.is_empty());
}

#[test]
fn a_call_that_is_over_refreshes_nothing() {
    let mut bench = Bench::new();
    placed(&mut bench, &format!("{UPDATES}Session-Expires: 90;refresher=uac\r\n"));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let bye = bench.take_sent().pop().unwrap();
    bench.receive(reply(&bye, 200, "", "", ""));
    bench.pass(Duration::from_secs(200));
    assert!(bench.sent.is_empty());
    assert_eq!(bench.endpoint.counts().legs, 0);
}
