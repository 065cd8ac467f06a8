//! Answers to requests: what is echoed, where it goes, and which answer each flaw gets.

use super::bench::{Bench, header, peer, request, within};
use crate::sip::{Command, EndpointConfig, Event, Transport};

#[test]
fn echoed_headers_come_back_byte_for_byte() {
    let mut bench = Bench::new();
    let text = "OPTIONS sip:h@198.51.100.1 SIP/2.0\r\n\
        v: SIP/2.0/UDP my_host:5060;branch=z9hG4bK%2B=a|b;x=\"q;u\" , SIP/2.0/UDP lower;branch=\x01\r\n\
        Via: unparsable nonsense\r\n\
        f: \"J\\\"\u{e9}\" <sip:a%20b@my_host:5070;transport=tcp>;tag=a%2Bb\r\n\
        To: <sip:h#1@198.51.100.1:5080>\r\ni: odd(call)id\r\nCSeq: 0007 OPTIONS\r\n\r\n";
    bench.receive(text);
    let answer = bench.take_sent().pop().unwrap();
    assert_eq!(answer.code(), Some(200));
    let vias: Vec<String> = answer.headers.all("via").map(|via| via.text().into_owned()).collect();
    assert_eq!(
        vias[0],
        "SIP/2.0/UDP my_host:5060;branch=z9hG4bK%2B=a|b;x=\"q;u\";received=192.0.2.9, SIP/2.0/UDP lower;branch=\x01"
    );
    assert_eq!(vias[1], "unparsable nonsense");
    assert_eq!(header(&answer, "from"), "\"J\\\"\u{e9}\" <sip:a%20b@my_host:5070;transport=tcp>;tag=a%2Bb");
    assert!(header(&answer, "to").starts_with("<sip:h#1@198.51.100.1:5080>;tag="));
    assert_eq!(
        (header(&answer, "call-id"), header(&answer, "cseq")),
        ("odd(call)id".into(), "0007 OPTIONS".into())
    );
}

#[test]
fn bytes_that_are_not_utf8_are_echoed_too() {
    let mut bench = Bench::new();
    let mut bytes = request("OPTIONS", 1, "").into_bytes();
    let at = bytes.windows(3).position(|window| window == b"Bob").unwrap();
    bytes[at + 1] = 0xe9;
    bench.receive_from(peer(), bytes);
    let answer = bench.take_sent().pop().unwrap();
    assert!(answer.headers.get("from").unwrap().value.starts_with(b"\"B\xe9b\""));
}

#[test]
fn a_response_with_rport_goes_to_the_source() {
    let mut bench = Bench::new();
    let behind_nat = "203.0.113.5:31337".parse().unwrap();
    bench.receive_from(behind_nat, request("OPTIONS", 1, ""));
    let (_, flow, answer) = bench.sent.pop().unwrap();
    assert_eq!(flow.peer, behind_nat);
    assert!(header(&answer, "via").ends_with(";rport=31337;received=203.0.113.5"));
}

#[test]
fn a_response_without_rport_goes_to_the_sent_by_port() {
    let mut bench = Bench::new();
    bench.receive_from("192.0.2.9:40000".parse().unwrap(), request("OPTIONS", 1, "").replace(";rport", ""));
    assert_eq!(bench.sent.pop().unwrap().1.peer, peer());
}

#[test]
fn behind_a_nat_without_rport_only_the_source_port_works() {
    let mut bench = Bench::new();
    let source = "203.0.113.5:31337".parse().unwrap();
    bench.receive_from(source, request("OPTIONS", 1, "").replace(";rport", ""));
    assert_eq!(bench.sent.pop().unwrap().1.peer, source);
}

#[test]
fn maddr_makes_nobody_a_target() {
    let mut bench = Bench::new();
    bench.receive(request("OPTIONS", 1, "").replace(";rport", ";maddr=203.0.113.77"));
    assert_eq!(bench.sent.pop().unwrap().1.peer, peer());
}

#[test]
fn a_tcp_response_stays_on_its_connection() {
    let mut bench = Bench::new();
    bench.transport = Transport::Tcp;
    bench.receive(request("OPTIONS", 1, ""));
    assert_eq!(bench.sent.pop().unwrap().1, bench.flow(peer()));
}

#[test]
fn an_unparsable_top_via_is_dropped_and_counted() {
    let mut bench = Bench::new();
    bench.receive(request("OPTIONS", 1, "").replace("SIP/2.0/UDP 192", "garbage 192"));
    bench.receive("OPTIONS sip:h SIP/2.0\r\nTo: <sip:h>\r\n\r\n");
    assert!(bench.sent.is_empty());
    assert_eq!(bench.endpoint.counts().malformed, 2);
}

#[test]
fn every_flaw_has_its_answer() {
    let options = request("OPTIONS", 1, "");
    let invite = request("INVITE", 1, "");
    let tagged = "198.51.100.1>\r\nCall";
    let cases = [
        (options.replace("Max-Forwards: 70", "Max-Forwards: 300"), 400),
        (options.replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"), 400),
        (options.replace("CSeq: 1 OPTIONS", "CSeq: 2147483648 OPTIONS"), 400),
        (options.replace("CSeq: 1 OPTIONS\r\n", ""), 400),
        (options.replace("Max-Forwards", "t: <sip:x@h>\r\nMax-Forwards"), 400),
        (options.replace("Max-Forwards", "f: <sip:x@h>;tag=x\r\nMax-Forwards"), 400),
        (options.replace("Max-Forwards", "i: x\r\nMax-Forwards"), 400),
        (options.replace("Max-Forwards", "CSeq : 1 OPTIONS\r\nMax-Forwards"), 400),
        (options.replace("Max-Forwards", "l:0\r\nMax-Forwards"), 400),
        (options.replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia"), 505),
        (options.replace("OPTIONS sip:+15551234@198.51.100.1", "OPTIONS urn:service:sos"), 416),
        (invite.replace("INVITE sip:+15551234@198.51.100.1 ", "INVITE sip:a@h:99999 "), 400),
        (request("INVITE", 1, "Require: 100rel, precondition\r\n"), 420),
        (request("INVITE", 1, "k: timer\r\nSession-Expires: 60\r\n"), 422),
        (request("PRACK", 1, "RAck: 1 1 INVITE\r\n"), 481),
        (request("INVITE", 1, "Content-Encoding: gzip\r\n"), 415),
        (invite.replace("application/sdp", "text/html"), 415),
        (request("BYE", 1, ""), 481),
        (request("INFO", 1, ""), 481),
        (request("CANCEL", 1, ""), 481),
        (request("MESSAGE", 1, ""), 405),
        (request("REFER", 1, ""), 405),
        (request("NOTIFY", 1, ""), 405),
        (request("REGISTER", 1, ""), 405),
        (request("SUBSCRIBE", 1, ""), 489),
        (request("PUBLISH", 1, ""), 489),
        (request("invite", 1, ""), 405),
        (options.replace(tagged, "198.51.100.1>;tag=unknown\r\nCall"), 481),
        (invite.replace(tagged, "198.51.100.1>;tag=unknown\r\nCall"), 481),
        (options.replace("<sip:bob@192.0.2.9>", "<sip:bob@192.0.2.9"), 400),
        (invite.replace("Max-Forwards: 70", "Max-Forwards: 0"), 483),
    ];
    for (text, code) in cases {
        let mut bench = Bench::new();
        bench.receive(text.clone());
        let answer = bench.take_sent().pop().unwrap_or_else(|| panic!("no answer to {text}"));
        assert_eq!(answer.code(), Some(code), "{text}");
        assert!(header(&answer, "to").contains("tag=") || code == 400 || code == 505, "{text}");
        assert!(bench.events.is_empty(), "{text}");
    }
}

#[test]
fn refusals_say_what_would_have_been_right() {
    let mut bench = Bench::new();
    bench.receive(request("INVITE", 1, "Require: 100rel, Timer, precondition, x\r\n"));
    bench.receive(request("MESSAGE", 2, ""));
    bench.receive(request("INVITE", 3, "Content-Encoding: gzip\r\n"));
    let answers = bench.take_sent();
    assert_eq!(header(&answers[0], "unsupported"), "precondition, x");
    assert!(header(&answers[1], "allow").contains("INVITE, ACK, CANCEL, BYE"));
    assert_eq!(header(&answers[2], "accept-encoding"), "identity");
}

#[test]
fn a_malformed_ack_is_never_answered() {
    let mut bench = Bench::new();
    bench.receive(request("ACK", 1, "").replace("CSeq: 1 ACK", "CSeq: x ACK"));
    bench.receive(request("ACK", 1, ""));
    assert!(bench.sent.is_empty());
}

#[test]
fn odd_but_valid_requests_are_served() {
    let invite = request("INVITE", 1, "");
    let cases = [
        invite.replace("INVITE sip:+15551234@198.51.100.1", "INVITE tel:+1-555-1234"),
        invite.replace("<sip:bob@192.0.2.9>;tag", "<tel:+15550100>;tag"),
        invite.replace("<sip:bob@192.0.2.9>;tag", "<urn:uuid:1>;tag"),
        invite.replace("\"Bob\"", "\"Bob \\\"B\\\" <x>\""),
        invite.replace("sip:+15551234@", "sip:*31#5551234@"),
        invite.replace("192.0.2.9:5060;branch", "my_host:5060;branch"),
        invite.replace(";tag=peer", "").replace("z9hG4bK", "old"),
        invite.replace("\r\n", "\n"),
        format!("\r\n\r\n{invite}"),
        invite.replace("From:", "f :").replace("To:", "t:").replace("Call-ID:", "i\t:").replace("Via:", "v:"),
        invite.replace("Max-Forwards: 70\r\n", ""),
        invite.replace("Max-Forwards: 70", "Max-Forwards: 1"),
        invite.replace("Contact: <sip:bob@192.0.2.9:5060>", "m: <sip:bob@192.0.2.9:5060>;+g.oma=\"a,b\""),
    ];
    for text in cases {
        let mut bench = Bench::new();
        // Line feeds alone shorten the body the Content-Length counts.
        let text = if text.contains("\r\n") {
            text
        } else {
            text.split("Content-Length").next().unwrap().to_owned() + "\n"
        };
        bench.receive(text.clone());
        assert!(matches!(bench.events.as_slice(), [Event::IncomingCall(_)]), "{text}\n{:?}", bench.sent);
    }
}

#[test]
fn the_dialled_number_is_read_from_tel_and_sip_uris() {
    for (uri, dialled) in
        [("tel:+1-555-1234;phone-context=x", "+15551234"), ("sip:%2B1555;x=y@h", "+1555"), ("sip:h", "")]
    {
        let mut bench = Bench::new();
        bench.receive(
            request("INVITE", 1, "").replace("sip:+15551234@198.51.100.1 SIP", &format!("{uri} SIP")),
        );
        let Some(Event::IncomingCall(call)) = bench.events.first() else { panic!("no call to {uri}") };
        assert_eq!(call.dialled, dialled);
    }
}

#[test]
fn names_and_numbers_hold_nothing_that_steers_a_terminal() {
    let mut bench = Bench::new();
    let text = request("INVITE", 1, "")
        .replace("\"Bob\"", "\"B\u{1b}[2Job\"")
        .replace("sip:+15551234@198.51.100.1 SIP", "sip:1%0a2%1b@h SIP");
    bench.receive(text);
    let Some(Event::IncomingCall(call)) = bench.events.first() else { panic!() };
    assert_eq!((call.from.display.as_deref(), call.dialled.as_str()), (Some("B [2Job"), "1 2 "));
}

#[test]
fn the_same_branch_of_another_sender_is_another_request() {
    let mut bench = Bench::new();
    bench.receive(request("OPTIONS", 1, ""));
    bench.receive(
        request("OPTIONS", 2, "")
            .replace("192.0.2.9:5060;branch=z9hG4bK2", "192.0.2.9:5070;branch=z9hG4bK1")
            .replace("call-1", "call-2"),
    );
    let answered: Vec<String> = bench.take_sent().iter().map(|answer| header(answer, "call-id")).collect();
    assert_eq!(answered, ["call-1@192.0.2.9", "call-2@192.0.2.9"]);
}

#[test]
fn a_merged_request_is_a_loop() {
    let mut bench = Bench::new();
    bench.ring();
    bench.sent.clear();
    bench.receive(request("INVITE", 1, "").replace("z9hG4bK1INVITE", "z9hG4bKother"));
    assert_eq!(bench.sent_kinds(), ["482 INVITE"]);
    assert!(bench.events.is_empty());
}

#[test]
fn beyond_the_limit_calls_are_asked_to_come_back_later() {
    let mut bench = Bench::with(EndpointConfig { max_legs: 1, ..EndpointConfig::default() });
    bench.ring();
    bench.sent.clear();
    bench.receive(request("INVITE", 2, "").replace("call-1", "call-2"));
    let answer = bench.take_sent().pop().unwrap();
    assert_eq!((answer.code(), header(&answer, "retry-after")), (Some(503), "5".to_owned()));
    assert_eq!(bench.endpoint.counts().overloaded, 1);
    assert_eq!(bench.endpoint.counts().transactions, 1, "what is refused so is not remembered");
}

#[test]
fn what_belongs_to_no_leg_is_answered_and_not_remembered() {
    let mut bench = Bench::new();
    for text in [request("OPTIONS", 1, ""), request("BYE", 2, ""), request("MESSAGE", 3, "")] {
        bench.receive(text.clone());
        bench.receive(text);
        let tags: Vec<String> = bench.take_sent().iter().map(|answer| header(answer, "to")).collect();
        assert!(tags[0].contains(";tag=") && tags[0] == tags[1], "{tags:?}");
    }
    assert_eq!(bench.endpoint.counts().transactions, 0);
    bench.receive(request("OPTIONS", 1, "").replace("z9hG4bK1", &format!("z9hG4bK{}", "1".repeat(250))));
    assert!(bench.sent.is_empty(), "a branch of 257 bytes is not kept");
}

#[test]
fn a_full_table_turns_calls_away_and_lets_live_ones_end() {
    let mut bench = Bench::with(EndpointConfig { max_legs: 2, ..EndpointConfig::default() });
    let (_, tag) = bench.call_up();
    for cseq in 2..1_100 {
        bench.receive(within("OPTIONS", cseq, &tag, &format!("b{cseq}")));
    }
    let answered = bench.sent_kinds();
    assert!(answered.len() == 1_098 && answered.iter().all(|kind| kind == "200 OPTIONS"), "{answered:?}");
    assert_eq!(bench.endpoint.counts().transactions, 1_000);
    bench.receive(request("INVITE", 1, "").replace("call-1", "call-2").replace("z9hG4bK1", "z9hG4bKother"));
    for _ in 0..2 {
        bench.receive(within("BYE", 2_000, &tag, "bye"));
    }
    assert_eq!(
        bench.sent_kinds(),
        ["503 INVITE", "200 BYE", "200 BYE"],
        "a goodbye that is repeated as well"
    );
    assert!(matches!(bench.events[..], [Event::Ended { .. }]));
}

#[test]
fn a_carrier_may_say_as_much_inside_its_calls_as_it_likes() {
    let mut bench = Bench::new();
    let (_, tag) = bench.call_up();
    for cseq in 2..1_100 {
        bench.receive(within("OPTIONS", cseq, &tag, &format!("b{cseq}")));
    }
    bench.sent.clear();
    bench.receive(within("INVITE", 1_100, &tag, "u").replace("INVITE", "UPDATE"));
    assert!(matches!(bench.take_events()[..], [Event::ReOffer { .. }]), "{:?}", bench.sent_kinds());
    for _ in 0..2 {
        bench.receive(within("BYE", 1_101, &tag, "bye"));
    }
    assert_eq!(bench.sent_kinds(), ["200 BYE", "487 UPDATE", "200 BYE"]);
}

#[test]
fn one_source_cannot_fill_the_table_with_refusals_it_never_acknowledges() {
    let mut bench = Bench::new();
    let invite = |n: u32| {
        request("INVITE", 1, "")
            .replace("z9hG4bK1", &format!("z9hG4bK{n}-"))
            .replace("call-1", &format!("{n}"))
    };
    for n in 0..1_001 {
        bench.receive(invite(n));
        if let Some(Event::IncomingCall(call)) = bench.take_events().last() {
            bench.respond(call.leg, 404);
        }
    }
    assert_eq!(bench.sent_kinds().last().map(String::as_str), Some("503 INVITE"));
    bench.receive_from("192.0.2.10:5060".parse().unwrap(), invite(5_000));
    assert!(matches!(bench.take_events()[..], [Event::IncomingCall(_)]), "others still call");
    bench.pass(std::time::Duration::from_secs(33));
    bench.receive(invite(6_000));
    assert!(matches!(bench.take_events()[..], [Event::IncomingCall(_)]), "and so does it, later");
}

#[test]
fn whoever_asks_an_endpoint_that_drains_is_sent_elsewhere() {
    let config = EndpointConfig::default();
    let draining = std::sync::Arc::clone(&config.draining);
    let mut bench = Bench::with(config);
    bench.receive(request("OPTIONS", 1, ""));
    draining.store(true, std::sync::atomic::Ordering::Release);
    bench.receive(request("OPTIONS", 2, ""));
    assert_eq!(bench.sent_kinds(), ["200 OPTIONS", "503 OPTIONS"]);
}

#[test]
fn requests_of_one_source_are_answered_in_their_order() {
    let mut bench = Bench::new();
    let (_, tag) = bench.call_up();
    for cseq in 2..200 {
        bench.receive(within("OPTIONS", cseq, &tag, &format!("b{cseq}")));
    }
    let answered: Vec<String> = bench.take_sent().iter().map(|answer| header(answer, "cseq")).collect();
    let expected: Vec<String> = (2..200).map(|cseq| format!("{cseq} OPTIONS")).collect();
    assert_eq!(answered, expected);
}

#[test]
fn ipv6_peers_are_answered() {
    let mut bench = Bench::new();
    let source = "[2001:db8::9]:5070".parse().unwrap();
    bench.receive_from(
        source,
        request("OPTIONS", 1, "").replace("192.0.2.9:5060;branch", "[2001:db8::9]:5070;branch"),
    );
    let (_, flow, answer) = bench.sent.pop().unwrap();
    assert_eq!(flow.peer, source);
    assert!(header(&answer, "via").contains(";received=2001:db8::9"));
}

#[test]
fn the_advertised_address_stands_in_the_contact() {
    let config =
        EndpointConfig { advertise: Some("203.0.113.1".parse().unwrap()), ..EndpointConfig::default() };
    let mut bench = Bench::with(config);
    let leg = bench.ring();
    bench.respond(leg, 180);
    assert_eq!(header(&bench.sent.last().unwrap().2, "contact"), "<sip:203.0.113.1:5060>");
}

#[test]
fn a_callers_header_cannot_split_or_steer_our_message() {
    let mut bench = Bench::new();
    let leg = bench.ring();
    let headers = [("Record-Route", "<sip:evil;lr>"), ("X-A", "b\r\nContact: <sip:evil>"), ("X-B", "kept")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    bench.command(Command::Respond { leg, code: 180, reason: Some("a\r\nb".into()), headers, sdp: None });
    let answer = bench.take_sent().pop().unwrap();
    assert_eq!(
        (header(&answer, "x-b"), header(&answer, "record-route"), header(&answer, "x-a")),
        ("kept".into(), String::new(), String::new())
    );
    assert_eq!(answer.headers.all("contact").count(), 1);
}
