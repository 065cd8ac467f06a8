//! Calls we place: repetition, CANCEL, forks and late answers, requests inside the dialog.

use super::bench::{Bench, SDP, header, kind, peer, reply};
use crate::sip::message::Message;
use crate::sip::{ClosedBy, Command, Credentials, Event, LegKey, Transport};
use std::time::Duration;

const LEG: u64 = 5;

pub(super) fn leg() -> LegKey {
    LegKey::outbound(LEG)
}

fn times(bench: &Bench, wanted: &str) -> Vec<f64> {
    let of_kind = bench.sent.iter().filter(|(_, _, message)| kind(message) == wanted);
    of_kind.map(|(at, ..)| at.as_secs_f64()).collect()
}

/// A call we placed is up; its INVITE.
pub(super) fn up(bench: &mut Bench, credentials: Option<Credentials>) -> Message {
    let invite = bench.place(leg(), credentials);
    bench.receive(reply(&invite, 200, "callee", "", SDP));
    assert!(matches!(bench.take_events()[..], [Event::Answered { .. }]));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
    invite
}

#[test]
fn an_invite_says_who_calls_and_keeps_our_headers_ours() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    assert_eq!(invite.uri(), "sip:+15550100@192.0.2.9");
    assert!(header(&invite, "from").starts_with("\"Ann \\\"A\\\"\" <sip:+15550199@198.51.100.1>;tag="));
    assert_eq!(header(&invite, "to"), "<sip:+15550100@192.0.2.9>");
    assert_eq!(header(&invite, "contact"), "<sip:198.51.100.1:5060>");
    assert_eq!((header(&invite, "x-note"), invite.headers.all("via").count()), ("one".to_owned(), 1));
    assert_eq!(header(&invite, "supported"), "100rel, timer");
    assert_eq!(header(&invite, "session-expires"), "1800");
}

#[test]
fn an_unanswered_invite_is_repeated_and_given_up() {
    let mut bench = Bench::new();
    bench.place(leg(), None);
    bench.pass(Duration::from_secs(33));
    assert_eq!(times(&bench, "INVITE"), [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]);
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 408, from_peer: false, .. }]));
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

/// A call whose INVITE met four seconds of silence.
fn silent() -> (Bench, Message) {
    let mut bench = Bench::new();
    bench.silence = Duration::from_secs(4);
    let invite = bench.place(leg(), None);
    bench.pass(Duration::from_secs(4));
    assert_eq!(times(&bench, "INVITE"), [0.5, 1.5, 3.5]);
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 408, from_peer: false, .. }]));
    bench.sent.clear();
    (bench, invite)
}

#[test]
fn four_seconds_without_any_response_close_the_leg_and_nothing_is_repeated() {
    let (mut bench, _) = silent();
    bench.pass(Duration::from_secs(40));
    assert!(bench.sent.is_empty() && bench.events.is_empty());
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

#[test]
fn an_answer_after_the_silence_is_acknowledged_and_hung_up() {
    let (mut bench, invite) = silent();
    bench.pass(Duration::from_secs(5));
    bench.receive(reply(&invite, 200, "late", "", SDP));
    assert_eq!(bench.sent_kinds(), ["ACK", "BYE"]);
    assert!(bench.events.is_empty());
}

#[test]
fn a_phone_that_rings_after_the_silence_is_cancelled() {
    let (mut bench, invite) = silent();
    bench.receive(reply(&invite, 180, "late", "", ""));
    assert_eq!(bench.sent_kinds(), ["CANCEL"]);
    bench.receive(reply(&invite, 487, "late", "", ""));
    bench.pass(Duration::from_secs(40));
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

#[test]
fn a_trying_is_a_response() {
    let mut bench = Bench::new();
    bench.silence = Duration::from_secs(4);
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 100, "", "", ""));
    bench.pass(Duration::from_secs(30));
    assert!(bench.events.is_empty() && bench.sent.is_empty());
}

#[test]
fn an_invite_is_sent_once_on_tcp() {
    let mut bench = Bench::new();
    bench.transport = Transport::Tcp;
    let invite = bench.place(leg(), None);
    assert!(header(&invite, "via").starts_with("SIP/2.0/TCP "));
    bench.pass(Duration::from_secs(31));
    assert!(bench.sent.is_empty());
}

#[test]
fn ringing_stops_the_repetition_and_every_provisional_is_told() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 100, "", "", ""));
    bench.receive(reply(&invite, 180, "a", "", ""));
    bench.receive(reply(&invite, 183, "a", "", SDP));
    bench.pass(Duration::from_secs(40));
    assert!(bench.sent.is_empty());
    let events = bench.take_events();
    assert!(matches!(
        events[..],
        [Event::Ringing { code: 180, sdp: None, .. }, Event::Ringing { code: 183, sdp: Some(_), .. }]
    ));
}

#[test]
fn the_description_of_the_answer_wins_over_early_media() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 183, "a", "", "v=0\r\ns=early\r\n"));
    bench.receive(reply(&invite, 200, "a", "", SDP));
    let Some(Event::Answered { sdp, .. }) = bench.take_events().pop() else { panic!() };
    assert_eq!(sdp.unwrap(), SDP);
}

#[test]
fn a_bye_is_repeated_at_half_one_two_and_four_seconds() {
    let mut bench = Bench::new();
    up(&mut bench, None);
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    assert!(matches!(bench.take_events()[..], [Event::Ended { by: ClosedBy::Us, .. }]));
    bench.pass(Duration::from_secs(33));
    assert_eq!(times(&bench, "BYE"), [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]);
    assert_eq!(bench.endpoint.counts().legs, 0);
}

#[test]
fn a_request_in_proceeding_is_repeated_every_four_seconds() {
    let mut bench = Bench::new();
    up(&mut bench, None);
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let bye = bench.take_sent().pop().unwrap();
    bench.receive(reply(&bye, 100, "", "", ""));
    bench.pass(Duration::from_secs(9));
    assert_eq!(times(&bench, "BYE"), [0.5, 4.5, 8.5]);
}

#[test]
fn a_repeated_2xx_is_acknowledged_again_with_the_same_ack() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    for _ in 0..3 {
        bench.receive(reply(&invite, 200, "callee", "", SDP));
    }
    let sent = bench.take_sent();
    assert_eq!(sent.iter().map(kind).collect::<Vec<_>>(), ["ACK"; 3]);
    assert!(sent.iter().all(|ack| *ack == sent[0]));
    assert_ne!(header(&sent[0], "via"), header(&invite, "via"), "a new branch");
    assert_eq!(header(&sent[0], "cseq"), "1 ACK");
    assert_eq!(bench.take_events().len(), 1);
}

#[test]
fn of_several_answers_the_first_wins_and_the_others_are_hung_up() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 200, "one", "", SDP));
    bench.receive(reply(&invite, 200, "two", "Contact: <sip:two@192.0.2.9:5062>\r\n", SDP));
    bench.receive(reply(&invite, 200, "two", "", SDP));
    let sent = bench.take_sent();
    assert_eq!(sent.iter().map(kind).collect::<Vec<_>>(), ["ACK", "ACK", "BYE", "ACK"]);
    assert!(header(&sent[2], "to").ends_with(";tag=two"));
    assert_eq!(sent[2].uri(), "sip:two@192.0.2.9:5062");
    assert_eq!(bench.take_events().len(), 1);
}

#[test]
fn a_refusal_is_acknowledged_in_its_transaction() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    let busy = reply(&invite, 486, "callee", "", "");
    bench.receive(busy.clone());
    bench.receive(busy);
    let sent = bench.take_sent();
    assert_eq!(sent.iter().map(kind).collect::<Vec<_>>(), ["ACK", "ACK"]);
    assert_eq!(header(&sent[0], "via"), header(&invite, "via"));
    assert!(header(&sent[0], "to").ends_with(";tag=callee"));
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 486, from_peer: true, .. }]));
    bench.pass(Duration::from_secs(33));
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

#[test]
fn a_cancel_carries_the_invites_branch_and_waits_for_a_provisional() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    assert!(bench.sent.is_empty());
    assert!(matches!(bench.take_events()[..], [Event::Cancelled { .. }]));
    bench.receive(reply(&invite, 180, "a", "", ""));
    let cancel = bench.take_sent().pop().unwrap();
    assert_eq!(cancel.method(), Some("CANCEL"));
    for name in ["via", "from", "to", "call-id"] {
        assert_eq!(header(&cancel, name), header(&invite, name));
    }
    assert_eq!((cancel.uri(), header(&cancel, "cseq")), (invite.uri(), "1 CANCEL".to_owned()));
    bench.receive(reply(&cancel, 200, "a", "", ""));
    bench.receive(reply(&invite, 487, "a", "", ""));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
    assert!(bench.events.is_empty());
    bench.pass(Duration::from_secs(40));
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 180, "a", "", ""));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    bench.receive(reply(&invite, 200, "a", "", SDP));
    assert_eq!(bench.sent_kinds(), ["CANCEL", "ACK", "BYE"]);
    let told = bench.take_events();
    assert!(matches!(told[..], [Event::Ringing { .. }, Event::Cancelled { .. }]), "{told:?}");
}

#[test]
fn a_callee_that_ignores_the_cancel_is_forgotten_after_32_seconds() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 180, "a", "", ""));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let cancel = bench.take_sent().pop().unwrap();
    bench.receive(reply(&cancel, 481, "a", "", ""));
    bench.receive(reply(&invite, 180, "a", "", ""));
    bench.pass(Duration::from_secs(33));
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

#[test]
fn a_ring_that_is_too_long_is_cancelled_by_our_own_timer() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 180, "a", "", ""));
    bench.pass(Duration::from_secs(59));
    assert!(bench.sent.is_empty());
    bench.pass(Duration::from_secs(1));
    assert_eq!(times(&bench, "CANCEL"), [60.0]);
    assert!(matches!(bench.take_events()[..], [Event::Ringing { .. }, Event::TimedOut { .. }]));
}

#[test]
fn a_ring_may_be_longer_than_any_timer_of_the_transaction() {
    let mut bench = Bench::new();
    let invite = bench.place_ringing(leg(), None, Duration::from_secs(600));
    bench.receive(reply(&invite, 180, "a", "", ""));
    bench.pass(Duration::from_secs(599));
    assert!(bench.sent.is_empty());
    bench.receive(reply(&invite, 200, "a", "", SDP));
    assert!(matches!(bench.take_events()[..], [Event::Ringing { .. }, Event::Answered { .. }]));
}

#[test]
fn the_route_set_is_reversed_for_the_caller() {
    let mut bench = Bench::new().with_peers("192.0.2.0/24");
    let invite = bench.place(leg(), None);
    let routes = "Record-Route: <sip:p3;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:192.0.2.21:5071;lr>\r\n";
    bench.receive(reply(&invite, 200, "a", routes, SDP));
    let (_, flow, ack) = bench.sent.pop().unwrap();
    let routes: Vec<String> = ack.headers.all("route").map(|route| route.text().into_owned()).collect();
    assert_eq!(routes, ["<sip:192.0.2.21:5071;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]);
    assert_eq!((ack.uri(), flow.peer), ("sip:bob@192.0.2.9:5060", "192.0.2.21:5071".parse().unwrap()));
}

#[test]
fn a_callee_sends_us_to_addresses_of_its_trunk_and_nowhere_else() {
    let carriers = "Contact: <sip:a@203.0.113.66:5070>\r\n";
    let routed = "Record-Route: <sip:203.0.113.66:5070;lr>\r\n";
    for (networks, headers, goes_to) in [
        (&[][..], carriers, "192.0.2.9:5060"),
        (&[], routed, "192.0.2.9:5060"),
        (&["192.0.2.0/24"], carriers, "192.0.2.9:5060"),
        (&["203.0.113.0/24"], carriers, "203.0.113.66:5070"),
        (&["203.0.113.0/24"], routed, "203.0.113.66:5070"),
        (&[], "Contact: <sip:a@192.0.2.9:5070>\r\n", "192.0.2.9:5070"),
    ] {
        let mut bench = Bench::new();
        bench.networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        let invite = bench.place(leg(), None);
        bench.receive(reply(&invite, 200, "a", headers, SDP));
        bench.command(Command::Reinvite { leg: leg(), sdp: SDP.into() });
        let offer = bench.sent.last().unwrap().2.clone();
        bench.receive(reply(&offer, 200, "", headers, SDP));
        bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
        let went: Vec<_> =
            bench.sent.iter().map(|(_, flow, message)| (kind(message), flow.peer.to_string())).collect();
        let expected = ["ACK", "INVITE", "ACK", "BYE"].map(|kind| (kind.to_owned(), goes_to.to_owned()));
        assert_eq!(went, expected, "{networks:?} {headers}");
    }
}

#[test]
fn an_answer_from_another_address_of_the_trunk_names_its_own_contact() {
    let mut bench = Bench::new().with_peers("192.0.2.64/26");
    let invite = bench.place(leg(), None);
    let contact = "Contact: <sip:a@192.0.2.77:5061>\r\n";
    bench.receive_from("192.0.2.77:5060".parse().unwrap(), reply(&invite, 200, "a", contact, SDP));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let went: Vec<_> =
        bench.sent.iter().map(|(_, flow, message)| (kind(message), flow.peer.to_string())).collect();
    assert_eq!(went, ["ACK", "BYE"].map(|kind| (kind.to_owned(), "192.0.2.77:5061".to_owned())));
}

#[test]
fn an_ack_burns_no_cseq() {
    let mut bench = Bench::new();
    up(&mut bench, None);
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    assert_eq!(header(&bench.take_sent()[0], "cseq"), "2 BYE");
}

#[test]
fn our_offer_is_accepted_and_acknowledged() {
    let mut bench = Bench::new();
    up(&mut bench, None);
    bench.command(Command::Reinvite { leg: leg(), sdp: SDP.into() });
    let offer = bench.take_sent().pop().unwrap();
    assert_eq!((kind(&offer), header(&offer, "cseq")), ("INVITE".to_owned(), "2 INVITE".to_owned()));
    bench.receive(reply(&offer, 200, "", "Contact: <sip:moved@192.0.2.9:5090>\r\n", SDP));
    bench.receive(reply(&offer, 200, "", "", SDP));
    assert_eq!(bench.sent_kinds(), ["ACK", "ACK"]);
    assert!(matches!(bench.take_events()[..], [Event::Reoffered { sdp: Some(_), .. }, Event::Moved { .. }]));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    assert_eq!(bench.take_sent()[0].uri(), "sip:moved@192.0.2.9:5090");
}

#[test]
fn glare_is_tried_once_again_after_a_pause() {
    let mut bench = Bench::new();
    up(&mut bench, None);
    bench.command(Command::Reinvite { leg: leg(), sdp: SDP.into() });
    let offer = bench.take_sent().pop().unwrap();
    bench.receive(reply(&offer, 491, "", "", ""));
    assert_eq!(bench.sent_kinds(), ["ACK"]);
    bench.pass(Duration::from_secs(2));
    assert!(bench.sent.is_empty());
    bench.pass(Duration::from_millis(2001));
    let again = bench.take_sent().into_iter().next().unwrap();
    assert_eq!(header(&again, "cseq"), "3 INVITE");
    bench.receive(reply(&again, 491, "", "", ""));
    assert!(matches!(bench.take_events()[..], [Event::ReofferFailed { code: 491, .. }]));
}

#[test]
fn a_refused_offer_leaves_the_call_up_and_481_ends_it() {
    let mut bench = Bench::new();
    up(&mut bench, None);
    for (code, ends) in [(488, false), (481, true)] {
        bench.command(Command::Reinvite { leg: leg(), sdp: SDP.into() });
        let offer = bench.take_sent().pop().unwrap();
        bench.receive(reply(&offer, code, "", "", ""));
        let events = bench.take_events();
        match events[..] {
            [Event::ReofferFailed { code: 488, .. }] => assert!(!ends),
            [Event::Ended { by: ClosedBy::Gone, .. }] => assert!(ends),
            _ => panic!("{events:?}"),
        }
        bench.sent.clear();
    }
}

#[test]
fn a_datagram_that_the_network_gave_back_fails_the_call_at_once() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    let quoted = invite.to_bytes().slice(..400.min(invite.to_bytes().len()));
    let undelivered = |start: bytes::Bytes, peer| crate::sip::Input::Undelivered { peer, start };
    let forged = String::from_utf8_lossy(&quoted).replace("branch=z9hG4bK", "branch=z9hG4bKx");
    bench.input(undelivered(forged.into(), peer()));
    bench.input(undelivered(quoted.clone(), "192.0.2.9:5061".parse().unwrap()));
    bench.input(undelivered("SIP/2.0 200 OK\r\nVia: x".into(), peer()));
    assert!(bench.events.is_empty());
    bench.input(undelivered(quoted, peer()));
    assert!(matches!(bench.take_events()[..], [Event::Failed { code: 503, from_peer: false, .. }]));
    bench.pass(Duration::from_secs(40));
    assert!(bench.sent.is_empty());
    assert_eq!((bench.endpoint.counts().legs, bench.endpoint.counts().transactions), (0, 0));
}

fn given_back(request: &Message, bytes: usize) -> crate::sip::Input {
    let start = request.to_bytes();
    crate::sip::Input::Undelivered { peer: peer(), start: start.slice(..bytes.min(start.len())) }
}

#[test]
fn who_has_responded_is_there_whatever_the_network_says() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 100, "", "", ""));
    bench.input(given_back(&invite, 500));
    assert!(bench.events.is_empty());
    let mut bench = Bench::new();
    up(&mut bench, None);
    bench.command(Command::Reinvite { leg: leg(), sdp: SDP.into() });
    let offer = bench.take_sent().pop().unwrap();
    bench.input(given_back(&offer, 500));
    assert!(bench.events.is_empty(), "a call that is up is not ended by one lost datagram");
}

#[test]
fn a_router_that_gives_too_little_back_ends_nothing() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    for bytes in [0, 8, 60] {
        bench.input(given_back(&invite, bytes));
    }
    assert!(bench.events.is_empty(), "anybody could have sent that");
    bench.pass(Duration::from_secs(1));
    assert_eq!(times(&bench, "INVITE"), [0.5]);
}

#[test]
fn an_invite_that_came_back_is_called_off_where_another_copy_arrived() {
    for (code, sent) in [(180, vec!["CANCEL"]), (200, vec!["ACK", "BYE"])] {
        let mut bench = Bench::new();
        let invite = bench.place(leg(), None);
        bench.input(given_back(&invite, 500));
        assert!(matches!(bench.take_events()[..], [Event::Failed { code: 503, from_peer: false, .. }]));
        bench.receive(reply(&invite, code, "a", "", SDP));
        assert_eq!(bench.sent_kinds(), sent);
        assert!(bench.events.is_empty());
    }
}

#[test]
fn a_bye_and_a_cancel_that_came_back_are_repeated() {
    let mut bench = Bench::new();
    up(&mut bench, None);
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let bye = bench.take_sent().pop().unwrap();
    bench.input(given_back(&bye, 500));
    bench.pass(Duration::from_secs(1));
    assert_eq!(times(&bench, "BYE"), [0.5]);
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 180, "a", "", ""));
    bench.command(Command::Bye { leg: leg(), headers: Vec::new() });
    let cancel = bench.take_sent().pop().unwrap();
    bench.input(given_back(&cancel, 500));
    bench.pass(Duration::from_secs(1));
    assert_eq!(times(&bench, "CANCEL"), [0.5]);
}

#[test]
fn responses_of_no_transaction_are_dropped_and_counted() {
    let mut bench = Bench::new();
    let invite = bench.place(leg(), None);
    bench.receive(reply(&invite, 200, "a", "", SDP).replace("branch=z9hG4bK", "branch=z9hG4bKx"));
    bench.receive(reply(&invite, 200, "a", "Via: SIP/2.0/UDP second\r\n", SDP));
    assert!(bench.take_events().is_empty());
    assert_eq!((bench.endpoint.counts().stray_responses, bench.endpoint.counts().malformed), (1, 1));
}

#[test]
fn a_destination_that_would_split_the_message_is_refused() {
    let mut bench = Bench::new();
    let placed = |from: &str, uri: &str| crate::sip::Invite {
        leg: leg(),
        target: crate::sip::Target {
            uri: uri.into(),
            next_hop: peer(),
            networks: std::sync::Arc::default(),
            transport: Transport::Udp,
            local: Some(peer()),
        },
        call_id: None,
        from: from.into(),
        to: "<sip:a@h>".into(),
        headers: Vec::new(),
        sdp: SDP.into(),
        credentials: None,
        max_forwards: 70,
        emergency: false,
        ring_timeout: Duration::from_secs(5),
        silence: Duration::from_secs(32),
    };
    for (from, uri) in [
        ("<sip:a@h>\r\nX: y", "sip:a@h"),
        ("<sip:a@h>;tag=x", "sip:a@h"),
        ("<sip:a@h>", "sip:a@h SIP/2.0\r\n"),
        ("<sip:a@h>", "tel:1"),
        ("", "sip:a@h"),
    ] {
        bench.command(Command::Invite(Box::new(placed(from, uri))));
        assert!(matches!(bench.take_events()[..], [Event::Failed { code: 400, .. }]), "{from} {uri}");
        assert!(bench.sent.is_empty());
    }
}
