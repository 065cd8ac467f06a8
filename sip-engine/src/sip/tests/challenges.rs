//! Digest challenges: the realms that challenge the INVITE first are answered, at the leg's own next hop, with the leg's own
//! credentials; nobody else is.

use super::bench::{Bench, SDP, header, kind, reply};
use super::client::{leg, up};
use crate::sip::message::Message;
use crate::sip::{Command, Credentials, Event};
use std::time::Duration;

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
fn a_challenge_of_another_sender_leaks_nothing() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), credentials());
    bench.receive_from("203.0.113.66:5060".parse().unwrap(), reply(&invite, 407, "p", CHALLENGE, ""));
    assert!(bench.sent.is_empty());
}

/// What the far end asks, behind the proxy.
const FAR_END: &str = "WWW-Authenticate: Digest realm=\"far end\", nonce=\"f1\", qop=\"auth\"\r\n";

/// For which realms and nonces a message carries credentials.
fn shown(message: &Message) -> Vec<(String, String)> {
    let quoted = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let headers = ["proxy-authorization", "authorization"].map(|name| message.headers.all(name));
    let texts = headers.into_iter().flatten().map(|header| header.text().into_owned());
    texts.map(|text| (quoted(&text, "realm"), quoted(&text, " nonce"))).collect()
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(realm, nonce)| ((*realm).to_owned(), (*nonce).to_owned())).collect()
}

#[test]
fn a_far_end_that_asks_behind_the_proxy_gets_no_answer_and_the_proxy_has_its_once() {
    for (code, asked_again) in [(407, CHALLENGE), (401, FAR_END)] {
        let mut bench = Bench::new();
        let invite = bench.place(leg(), credentials());
        bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
        let second = bench.take_sent().pop().unwrap();
        assert_eq!(shown(&second), pairs(&[("carrier", "n1")]));
        bench.receive(reply(&second, code, "far", asked_again, ""));
        assert_eq!(bench.sent_kinds(), ["ACK"]);
        assert!(matches!(bench.take_events()[..], [Event::Failed { from_peer: true, .. }]));
    }
}

#[test]
fn two_proxies_that_ask_at_once_both_have_their_answer_and_the_ack_has_them_too() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), credentials());
    let other = CHALLENGE.replace("carrier", "other").replace("n1", "o1");
    bench.receive(reply(&invite, 407, "p", &format!("{CHALLENGE}{other}"), ""));
    let again = bench.take_sent().pop().unwrap();
    let both = pairs(&[("carrier", "n1"), ("other", "o1")]);
    assert_eq!(shown(&again), both);
    bench.receive(reply(&again, 200, "a", "", SDP));
    assert_eq!(shown(&bench.take_sent()[0]), both);
}

/// A request of ours inside a call is challenged: it is said again with the next number and the answer, and then no more.
fn is_answered(bench: &mut Bench, ours: &Message, asked: (u16, &str), realm: (&str, &str)) -> Message {
    let number = |message: &Message| crate::sip::values::CSeq::of(message).unwrap().number;
    bench.receive(reply(ours, asked.0, "p", asked.1, ""));
    let again = bench.take_sent().pop().unwrap();
    assert_eq!((again.method(), number(&again)), (ours.method(), number(ours) + 1));
    assert_eq!(shown(&again), pairs(&[realm]), "{ours:?}");
    again
}

/// A call that the trunk challenged, or nobody, is up.
fn call(challenged: bool, headers: &str) -> Bench {
    let mut bench = Bench::new();
    let mut invite = bench.place(leg(), credentials());
    if challenged {
        bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
        invite = bench.take_sent().pop().unwrap();
    }
    bench.receive(reply(&invite, 200, "a", headers, SDP));
    (bench.sent, bench.events) = (Vec::new(), Vec::new());
    bench
}

fn requests() -> [Command; 3] {
    let info = Command::Info { leg: leg(), content_type: "application/dtmf-relay", body: SDP.into() };
    let bye = Command::Bye { leg: leg(), headers: Vec::new() };
    [bye, info, Command::Reinvite { leg: leg(), sdp: SDP.into() }]
}

#[test]
fn inside_a_call_the_realm_that_challenged_the_invite_is_answered_once() {
    for command in requests() {
        for (asked, realm) in [
            ((407, CHALLENGE.to_owned()), ("carrier", "n1")),
            ((401, FAR_END.replace("far end", "carrier")), ("carrier", "f1")),
        ] {
            let mut bench = call(true, "");
            bench.command(command.clone());
            let ours = bench.take_sent().pop().unwrap();
            let asked = (asked.0, asked.1.as_str());
            let again = is_answered(&mut bench, &ours, asked, realm);
            bench.receive(reply(&again, asked.0, "p", asked.1, ""));
            assert!(bench.sent_kinds().iter().all(|kind| kind == "ACK"), "no second time");
        }
    }
}

#[test]
fn inside_a_call_no_realm_is_answered_that_the_invite_never_had() {
    for command in requests() {
        for (challenged, asked) in
            [(true, (401, FAR_END)), (false, (401, FAR_END)), (false, (407, CHALLENGE))]
        {
            let mut bench = call(challenged, "");
            bench.command(command.clone());
            let ours = bench.take_sent().pop().unwrap();
            bench.receive(reply(&ours, asked.0, "p", asked.1, ""));
            assert!(bench.sent_kinds().iter().all(|kind| kind == "ACK"), "{challenged} {asked:?} {ours:?}");
        }
    }
}

#[test]
fn a_refresh_that_is_challenged_is_answered_and_keeps_the_session() {
    let mut bench = call(true, "Allow: INVITE, ACK, BYE, UPDATE\r\nSession-Expires: 90;refresher=uac\r\n");
    bench.pass(Duration::from_secs(45));
    let update = bench.take_sent().pop().unwrap();
    assert_eq!(kind(&update), "UPDATE");
    let again = is_answered(&mut bench, &update, (407, CHALLENGE), ("carrier", "n1"));
    bench.receive(reply(&again, 200, "", "Session-Expires: 90;refresher=uac\r\n", ""));
    bench.pass(Duration::from_secs(44));
    assert!(bench.sent.is_empty() && bench.events.is_empty());
}

#[test]
fn a_prack_that_is_challenged_is_answered_and_counted_in_its_fork() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), credentials());
    bench.receive(reply(&invite, 407, "p", CHALLENGE, ""));
    let invite = bench.take_sent().pop().unwrap();
    bench.receive(reply(&invite, 183, "a", "Require: 100rel\r\nRSeq: 7\r\n", SDP));
    let prack = bench.take_sent().pop().unwrap();
    let again = is_answered(&mut bench, &prack, (407, CHALLENGE), ("carrier", "n1"));
    assert_eq!((header(&again, "rack"), header(&again, "cseq")), ("7 2 INVITE".into(), "4 PRACK".into()));
    bench.receive(reply(&again, 200, "", "", ""));
    bench.receive(reply(&invite, 183, "a", "Require: 100rel\r\nRSeq: 8\r\n", ""));
    assert_eq!(header(&bench.take_sent()[0], "cseq"), "5 PRACK");
    bench.receive(reply(&invite, 200, "a", "", ""));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    assert_eq!(header(&bench.take_sent()[1], "cseq"), "6 BYE");
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
