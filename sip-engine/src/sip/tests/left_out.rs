//! Extensions of ours that a peer refuses with 420: it is asked once more without them.

use super::bench::{Bench, SDP, header, kind, reply};
use super::client::leg;
use crate::sip::message::Message;
use crate::sip::{Command, Event};
use std::time::Duration;

fn refusal(request: &Message, unsupported: &str) -> String {
    reply(request, 420, "a", &format!("Unsupported: {unsupported}\r\n"), "")
}

#[test]
fn a_callee_that_refuses_an_extension_is_called_once_more_without_it() {
    for (refused, supported, expires) in
        [("timer", "100rel", ""), ("100rel", "timer", "1800"), ("100rel, TIMER", "", "")]
    {
        let mut bench = Bench::new();
        let invite = bench.place(leg(), None);
        bench.receive(refusal(&invite, refused));
        let sent = bench.take_sent();
        assert_eq!(sent.iter().map(kind).collect::<Vec<_>>(), ["ACK", "INVITE"], "{refused}");
        let again = &sent[1];
        assert_eq!(
            (header(again, "supported"), header(again, "session-expires")),
            (supported.into(), expires.into())
        );
        assert_eq!((header(again, "cseq"), again.body.as_ref()), ("2 INVITE".into(), SDP.as_bytes()));
        bench.receive(refusal(again, refused));
        assert_eq!(bench.sent_kinds(), ["ACK"], "{refused}");
        assert!(matches!(bench.take_events()[..], [Event::Failed { code: 420, from_peer: true, .. }]));
    }
}

#[test]
fn a_420_that_names_nothing_of_ours_is_a_refusal() {
    for unsupported in ["precondition", ""] {
        let mut bench = Bench::new();
        let invite = bench.place(leg(), None);
        bench.receive(refusal(&invite, unsupported));
        assert_eq!(bench.sent_kinds(), ["ACK"]);
        assert!(matches!(bench.take_events()[..], [Event::Failed { code: 420, .. }]));
    }
}

#[test]
fn what_a_callee_has_refused_it_is_not_told_of_again() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(refusal(&invite, "timer"));
    let again = bench.take_sent().pop().unwrap();
    bench.receive(reply(&again, 200, "a", "", SDP));
    bench.sent.clear();
    bench.command(Command::Reinvite { leg: leg(), sdp: SDP.into() });
    assert_eq!(header(&bench.take_sent()[0], "supported"), "100rel");
}

#[test]
fn a_refresh_that_is_refused_for_its_timer_is_made_without_one() {
    for (allow, method) in [("INVITE, ACK, BYE, UPDATE", "UPDATE"), ("INVITE, ACK, BYE", "INVITE")] {
        let mut bench = Bench::new();
        let invite = bench.place(leg(), None);
        let headers = format!("Allow: {allow}\r\nSession-Expires: 90;refresher=uac\r\n");
        bench.receive(reply(&invite, 200, "a", &headers, SDP));
        (bench.sent, bench.events) = (Vec::new(), Vec::new());
        bench.pass(Duration::from_secs(45));
        let refresh = bench.take_sent().pop().unwrap();
        assert_eq!((kind(&refresh), header(&refresh, "session-expires").is_empty()), (method.into(), false));
        bench.receive(refusal(&refresh, "timer"));
        let again = bench.take_sent().pop().unwrap();
        assert_eq!((kind(&again), header(&again, "session-expires")), (method.into(), String::new()));
        bench.receive(reply(&again, 200, "", "", SDP));
        bench.sent.clear();
        bench.pass(Duration::from_secs(200));
        assert!(bench.sent.is_empty(), "{method}");
        assert!(bench.events.iter().all(|event| !event.is_closing()), "{method}");
    }
}
