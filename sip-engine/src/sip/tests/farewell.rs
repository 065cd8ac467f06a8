//! Dialogs of a process that is gone, ended by another.

use super::bench::{Bench, SDP, header, kind, peer, reply, request};
use super::client::leg;
use crate::sip::{Command, Credentials, EndpointConfig, Event, Farewell, LegKey};
use domain::call::SipDialog;
use std::time::Duration;

/// What is kept of a call that arrives and says this.
fn arrived(headers: &str) -> SipDialog {
    let mut bench = Bench::new();
    bench.receive(request("INVITE", 1, headers));
    let Some(Event::IncomingCall(call)) = bench.take_events().pop() else { panic!("no call") };
    *call.dialog.expect("it was not turned away")
}

/// What is kept of a call that is placed and answered with this.
fn placed(bench: &mut Bench, headers: &str) -> SipDialog {
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 200, "callee", headers, SDP));
    let Some(Event::Answered { dialog, .. }) = bench.take_events().pop() else { panic!("no answer") };
    *dialog
}

/// Another process that ends it.
fn ends(dialog: SipDialog, credentials: Option<Credentials>) -> Bench {
    let mut bench = Bench::new();
    let local = "198.51.100.1:5060".parse().ok();
    let dialog = Box::new(dialog);
    let farewell =
        Farewell { leg: LegKey::outbound(77), dialog, networks: bench.networks.clone(), credentials, local };
    bench.command(Command::Farewell(Box::new(farewell)));
    bench
}

#[test]
fn a_callers_dialog_is_ended_by_another_process_as_the_caller_knows_it() {
    let bench = ends(arrived("Record-Route: <sip:192.0.2.9:5070;lr>\r\n"), None);
    let (_, flow, bye) = bench.sent[0].clone();
    assert_eq!((kind(&bye), bye.uri()), ("BYE".to_owned(), "sip:bob@192.0.2.9:5060"));
    assert_eq!(
        (header(&bye, "call-id"), header(&bye, "route")),
        ("call-1@192.0.2.9".into(), "<sip:192.0.2.9:5070;lr>".into())
    );
    assert_eq!(header(&bye, "to"), "\"Bob\" <sip:bob@192.0.2.9>;tag=peer");
    assert!(header(&bye, "from").starts_with("<sip:+15551234@198.51.100.1>;tag="));
    assert_eq!(flow.peer, "192.0.2.9:5070".parse().unwrap());
    assert!(header(&bye, "reason").contains("interrupted"));
}

#[test]
fn the_bye_is_ahead_of_whatever_was_said_before_and_repeated_until_it_is_answered() {
    let mut bench = ends(placed(&mut Bench::new(), ""), None);
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.seconds("BYE"), [0.0, 0.5, 1.5, 3.5]);
    let bye = bench.take_sent().pop().unwrap();
    assert_eq!(header(&bye, "cseq"), "1048578 BYE");
    assert!(header(&bye, "to").ends_with(";tag=callee"));
    bench.receive(reply(&bye, 200, "", "", ""));
    bench.pass(Duration::from_secs(10));
    assert!(bench.sent.is_empty() && bench.events.is_empty());
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

#[test]
fn a_peer_that_does_not_answer_is_forgotten() {
    let mut bench = ends(placed(&mut Bench::new(), ""), None);
    bench.pass(Duration::from_secs(33));
    assert_eq!(bench.sent.len(), 11);
    assert!(bench.events.is_empty());
    assert_eq!(bench.endpoint.counts().legs, 0);
}

#[test]
fn a_dialog_leads_to_addresses_of_the_trunk_and_nowhere_else() {
    let elsewhere = "Contact: <sip:a@203.0.113.66:5070>\r\n";
    let bench = ends(placed(&mut Bench::new(), elsewhere), None);
    assert_eq!(bench.sent[0].1.peer, peer());
}

#[test]
fn a_challenge_is_answered_for_the_realm_that_asked_when_the_call_was_placed() {
    for (before, answered) in [(Some("carrier"), true), (Some("somebody"), false), (None, false)] {
        let dialog = SipDialog { realm: before.map(str::to_owned), ..placed(&mut Bench::new(), "") };
        let mut bench = ends(dialog, Some(Credentials { username: "u".into(), password: "p".into() }));
        let bye = bench.take_sent().pop().unwrap();
        let challenge = "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n\", qop=\"auth\"\r\n";
        bench.receive(reply(&bye, 401, "", challenge, ""));
        let again = bench.take_sent().pop();
        let shown = again.map(|bye| header(&bye, "authorization").contains("realm=\"carrier\""));
        assert_eq!(shown, answered.then_some(true), "{before:?}");
    }
}

#[test]
fn the_realm_that_challenged_a_call_is_kept_with_it_from_its_ringing_on() {
    let mut bench = Bench::new();
    let credentials = Credentials { username: "u".into(), password: "p".into() };
    let invite = bench.place(leg(), Some(credentials));
    let challenge = "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n\", qop=\"auth\"\r\n";
    bench.receive(reply(&invite, 401, "", challenge, ""));
    let again = bench.take_sent().pop().unwrap();
    bench.receive(reply(&again, 180, "callee", "", ""));
    bench.receive(reply(&again, 200, "callee", "", SDP));
    let kept = bench.take_events().into_iter().filter_map(|event| match event {
        Event::Ringing { invite, .. } => invite,
        Event::Answered { dialog, .. } => Some(dialog),
        _ => None,
    });
    assert_eq!(
        kept.map(|dialog| dialog.realm).collect::<Vec<_>>(),
        [Some("carrier".into()), Some("carrier".into())]
    );
}

#[test]
fn nothing_that_is_kept_names_a_caller_who_hides() {
    let kept = arrived("Privacy: id\r\n");
    assert_eq!(
        (kept.remote.as_str(), kept.target.as_str()),
        ("<sip:anonymous@anonymous.invalid>;tag=peer", "sip:192.0.2.9:5060")
    );
    assert!(!format!("{kept:?}").contains("bob"));
    assert_eq!(kind(&ends(kept, None).sent[0].2), "BYE");
}

#[test]
fn somebody_who_answers_a_call_of_a_process_that_is_gone_is_hung_up_on() {
    let mut gone = Bench::new();
    let invite = gone.place(leg(), None);
    let answer = reply(&invite, 200, "late", "", SDP);
    let mut bench = Bench::new();
    for _ in 0..2 {
        bench.receive(answer.clone());
        let sent = bench.take_sent();
        assert_eq!(sent.iter().map(kind).collect::<Vec<_>>(), ["ACK", "BYE"]);
        assert_eq!(
            (header(&sent[0], "cseq"), header(&sent[1], "cseq")),
            ("1 ACK".into(), "1048578 BYE".into())
        );
        assert!(sent.iter().all(|said| header(said, "to").ends_with(";tag=late")));
    }
    assert!(bench.events.is_empty());
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

/// What is kept of a call that is placed and rings; its INVITE.
fn ringing() -> (SipDialog, crate::sip::message::Message) {
    let mut gone = Bench::new();
    let invite = gone.place(leg(), None);
    gone.receive(reply(&invite, 180, "callee", "", ""));
    gone.receive(reply(&invite, 183, "callee", "", SDP));
    let told = gone.take_events();
    let [Event::Ringing { invite: Some(kept), .. }, Event::Ringing { invite: None, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    (SipDialog::clone(kept), invite)
}

#[test]
fn a_phone_that_a_process_that_is_gone_had_ring_is_called_off_by_another() {
    let (kept, invite) = ringing();
    let mut bench = ends(kept, None);
    let [(_, flow, cancel)] = &bench.sent[..] else { panic!("{:?}", bench.sent) };
    assert_eq!((kind(cancel), cancel.uri(), flow.peer), ("CANCEL".into(), invite.uri(), peer()));
    for name in ["via", "from", "to", "call-id"] {
        assert_eq!(header(cancel, name), header(&invite, name), "{name}");
    }
    assert_eq!(header(cancel, "cseq"), "1 CANCEL");
    let cancel = bench.take_sent().pop().unwrap();
    bench.receive(reply(&cancel, 200, "callee", "", ""));
    bench.receive(reply(&invite, 487, "callee", "", ""));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
    bench.pass(Duration::from_secs(40));
    assert!(bench.sent.is_empty(), "and nothing is repeated");
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

#[test]
fn who_answers_while_another_process_calls_off_is_hung_up_on() {
    let (kept, invite) = ringing();
    let mut bench = ends(kept, None);
    bench.sent.clear();
    bench.receive(reply(&invite, 200, "callee", "", SDP));
    assert_eq!(bench.sent_kinds(), ["ACK", "BYE"]);
}

#[test]
fn a_stranger_and_a_refusal_are_not_answered() {
    let mut gone = Bench::new();
    let invite = gone.place(leg(), None);
    let mut bench = Bench::with(EndpointConfig {
        known: std::sync::Arc::new(|ip| ip == peer().ip()),
        ..EndpointConfig::default()
    });
    let answer = reply(&invite, 200, "late", "", SDP);
    bench.receive_from("203.0.113.66:5060".parse().unwrap(), answer.clone());
    bench.receive(reply(&invite, 180, "late", "", ""));
    bench.receive(reply(&invite, 486, "late", "", ""));
    bench.receive(answer.replace("1 INVITE", "1 INFO"));
    assert!(bench.sent.is_empty());
    // The call lives: only its transaction does not.
    gone.receive(reply(&invite, 200, "a", "", SDP));
    gone.sent.clear();
    gone.receive(answer.replace("branch=z9hG4bK", "branch=z9hG4bKx"));
    assert!(gone.sent.is_empty());
}
