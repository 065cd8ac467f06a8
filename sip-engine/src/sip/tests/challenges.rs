//! Digest challenges: answered to the leg's own next hop with the leg's own credentials, and to nobody else.

use std::time::Duration;

use super::bench::{Bench, SDP, header, kind, reply};
use super::client::{leg, up};
use crate::sip::{Command, Credentials, Event};

fn credentials() -> Option<Credentials> {
    Some(Credentials { username: "trunk".into(), password: "secret".into() })
}

const CHALLENGE: &str =
    "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5, qop=\"auth-int,auth\"\r\n";

#[test]
fn a_challenge_is_answered_with_a_new_branch_and_the_next_cseq() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), credentials());
    bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
    let sent = bench.take_sent();
    assert_eq!(sent.iter().map(kind).collect::<Vec<_>>(), ["ACK", "INVITE"]);
    let again = &sent[1];
    assert_eq!(header(again, "cseq"), "2 INVITE");
    assert_ne!(header(again, "via"), header(&invite, "via"));
    assert_eq!(
        (header(again, "call-id"), header(again, "from"), header(again, "to")),
        (header(&invite, "call-id"), header(&invite, "from"), header(&invite, "to"))
    );
    let answer = header(again, "proxy-authorization");
    assert!(
        answer.contains("username=\"trunk\"")
            && answer.contains("qop=auth,")
            && answer.contains("nc=00000001"),
        "{answer}"
    );
    assert!(answer.contains(&format!("uri=\"{}\"", again.uri())), "{answer}");
    assert_eq!(again.body, SDP);
    bench.receive(reply(again, 200, "a", "", SDP));
    assert!(matches!(bench.take_events()[..], [Event::Answered { .. }]));
    let ack = bench.take_sent().pop().unwrap();
    assert_eq!((header(&ack, "cseq"), header(&ack, "proxy-authorization")), ("2 ACK".to_owned(), answer));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    assert_eq!(header(&bench.take_sent()[0], "cseq"), "3 BYE");
}

#[test]
fn a_call_that_is_challenged_while_it_rings_is_cancelled_by_what_it_was_sent_last() {
    let too_short = "Min-SE: 3600\r\n";
    for (code, headers) in [(407, CHALLENGE), (422, too_short)] {
        let mut bench = Bench::new();
        let invite = bench.place(leg(), credentials());
        bench.receive(reply(&invite, 183, "a", "", ""));
        bench.receive(reply(&invite, code, "a", headers, ""));
        let again = bench.take_sent().pop().unwrap();
        bench.receive(reply(&again, 180, "a", "", ""));
        bench.receive(reply(&again, 183, "a", "", ""));
        let told = bench.take_events();
        let kept = told.iter().map(|event| match event {
            Event::Ringing { invite, .. } => invite.as_ref().and_then(|kept| kept.via.clone()),
            other => panic!("{other:?}"),
        });
        let vias = [Some(header(&invite, "via")), Some(header(&again, "via")), None];
        assert_eq!(kept.collect::<Vec<_>>(), vias, "{code}");
    }
}

#[test]
fn wrong_credentials_are_not_tried_twice_but_a_stale_nonce_once() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), credentials());
    bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
    let second = bench.take_sent().pop().unwrap();
    bench.receive(reply(
        &second,
        407,
        "p",
        &CHALLENGE.replace("n1", "n2").replace("qop", "stale=TRUE, qop"),
        "",
    ));
    let third = bench.take_sent().pop().unwrap();
    assert!(header(&third, "proxy-authorization").contains("nonce=\"n2\""));
    assert_eq!(third.headers.all("proxy-authorization").count(), 1);
    bench.receive(reply(
        &third,
        407,
        "p",
        &CHALLENGE.replace("n1", "n3").replace("qop", "stale=true, qop"),
        "",
    ));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 407, .. }]));

    let mut bench = Bench::new();
    let invite = bench.place(leg(), credentials());
    bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
    let second = bench.take_sent().pop().unwrap();
    bench.receive(reply(&second, 407, "p", &CHALLENGE.replace("n1", "n2"), ""));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
}

#[test]
fn without_credentials_no_challenge_is_answered() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 401, "p", &CHALLENGE.replace("Proxy-Authenticate", "WWW-Authenticate"), ""));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 401, .. }]));
}

#[test]
fn a_challenge_of_another_sender_or_realm_leaks_nothing() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), credentials());
    bench.receive_from("203.0.113.66:5060".parse().unwrap(), reply(&invite, 407, "p", CHALLENGE, ""));
    assert!(bench.sent.is_empty());

    let (evil, mut bench) =
        (CHALLENGE.replace("carrier", "evil").replace("qop", "stale=true, qop"), Bench::new());
    let invite = bench.place(leg(), credentials());
    bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
    let again = bench.take_sent().pop().unwrap();
    bench.receive(reply(&again, 401, "p", &evil.replace("Proxy-Authenticate", "WWW-Authenticate"), ""));
    assert_eq!(bench.sent_kinds(), ["ACK"], "neither by the callee behind the trunk");
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 401, .. }]));
}

#[test]
fn inside_a_call_only_the_realm_that_challenged_it_is_answered() {
    for (realm, answered) in [("evil", 0), ("carrier", 1)] {
        let mut bench = Bench::new();
        let invite = bench.place(leg(), credentials());
        bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
        let again = bench.take_sent().pop().unwrap();
        bench.receive(reply(&again, 200, "a", "", SDP));
        bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
        let bye = bench.take_sent().pop().unwrap();
        let challenge = CHALLENGE.replace("carrier", realm).replace("Proxy-Authenticate", "WWW-Authenticate");
        bench.receive(reply(&bye, 401, "p", &challenge, ""));
        assert_eq!(bench.sent_kinds().len(), answered, "{realm}");
    }
}

#[test]
fn a_callee_that_challenges_our_bye_gets_no_password() {
    let mut bench = Bench::new();
    let (inbound, _) = bench.call_up();
    bench.command(Command::Bye { leg: inbound, headers: Vec::new() });
    let bye = bench.take_sent().pop().unwrap();
    bench.receive(reply(&bye, 407, "p", CHALLENGE, ""));
    assert!(bench.sent.is_empty());

    let mut bench = Bench::new();
    up(&mut bench, credentials());
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let bye = bench.take_sent().pop().unwrap();
    bench.receive_from("203.0.113.66:5060".parse().unwrap(), reply(&bye, 407, "p", CHALLENGE, ""));
    assert!(bench.sent.is_empty());
}

#[test]
fn a_realm_that_the_invite_never_had_is_answered_nothing_inside_the_call() {
    let requests =
        [Command::Bye { leg: leg(), headers: Vec::new() }, Command::Reinvite { leg: leg(), sdp: SDP.into() }];
    for request in requests {
        let mut bench = Bench::new();
        up(&mut bench, credentials());
        bench.command(request);
        let ours = bench.take_sent().pop().unwrap();
        bench.receive(reply(
            &ours,
            401,
            "p",
            &CHALLENGE.replace("Proxy-Authenticate", "WWW-Authenticate"),
            "",
        ));
        let sent = bench.take_sent();
        assert!(sent.iter().all(|message| kind(message) == "ACK"), "{sent:?}");
        assert!(sent.iter().all(|message| header(message, "authorization").is_empty()));
    }
}

#[test]
fn an_answer_goes_to_the_hop_that_asked_and_to_no_other_port_of_it() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), credentials());
    bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
    let again = bench.take_sent().pop().unwrap();
    bench.receive(reply(&again, 200, "a", "Contact: <sip:bob@192.0.2.9:5099>\r\n", SDP));
    let (_, flow, ack) = bench.sent.pop().unwrap();
    assert_eq!((flow.peer.port(), header(&ack, "proxy-authorization")), (5099, String::new()));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let bye = bench.take_sent().pop().unwrap();
    bench.receive_from("192.0.2.9:5099".parse().unwrap(), reply(&bye, 407, "p", CHALLENGE, ""));
    assert!(bench.sent.is_empty());
}

#[test]
fn the_trunk_that_challenged_the_invite_and_then_our_bye_gets_its_answer_once() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), credentials());
    bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
    let again = bench.take_sent().pop().unwrap();
    bench.receive(reply(&again, 200, "a", "", SDP));
    bench.take_sent();
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let bye = bench.take_sent().pop().unwrap();
    bench.receive(reply(&bye, 407, "p", CHALLENGE, ""));
    let again = bench.take_sent().pop().unwrap();
    assert_eq!((kind(&again), header(&again, "cseq")), ("BYE".to_owned(), "4 BYE".to_owned()));
    bench.receive(reply(&again, 407, "p", CHALLENGE, ""));
    assert!(bench.sent.is_empty());
    bench.pass(Duration::from_secs(40));
    assert_eq!(bench.endpoint.counts().legs, 0);
}

#[test]
fn traces_show_no_secret() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), credentials());
    bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
    let traces: Vec<String> = bench.traces.iter().map(|trace| format!("{trace:?}")).collect();
    assert_eq!(traces.len(), 4, "INVITE, 407, ACK, INVITE");
    assert!(traces[3].contains("Digest [redacted]"));
    assert!(traces.iter().all(|trace| !trace.contains("response=")));
}

#[test]
fn a_peer_that_wanted_credentials_and_is_silent_then_was_there_all_the_same() {
    for comes_back in [false, true] {
        let mut bench = Bench::new();
        bench.silence = Duration::from_secs(4);
        let invite = bench.place(leg(), credentials());
        bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
        let again = bench.take_sent().pop().unwrap();
        if comes_back {
            bench.input(crate::sip::Input::Undelivered {
                peer: super::bench::peer(),
                start: again.to_bytes(),
            });
        } else {
            bench.pass(Duration::from_secs(4));
        }
        let told = bench.take_events();
        assert!(matches!(told[..], [Event::Failed { from_peer: false, heard: true, .. }]), "{told:?}");
    }
}
