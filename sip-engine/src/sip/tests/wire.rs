//! The parser: odd but valid messages are read, broken ones are refused with the right answer, nothing panics.

use crate::sip::message::{Message, Start};
use crate::sip::parse::{Malformed, parse_datagram};
use crate::sip::uri::Uri;
use crate::sip::values::{self, CSeq, Via};
use bytes::Bytes;

fn read(text: &str) -> Result<Message, Malformed> {
    parse_datagram(&Bytes::copy_from_slice(text.as_bytes()))
}

fn refused(text: &str) -> u16 {
    match read(text) {
        Err(Malformed::Refuse { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}

const HEAD: &str = "INVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\n";

#[test]
fn a_content_length_of_u64_max_is_refused_and_nothing_wraps() {
    assert_eq!(refused(&format!("{HEAD}Content-Length: 18446744073709551615\r\n\r\n")), 400);
}

#[test]
fn impossible_content_lengths_are_refused() {
    for length in ["-1", "4294967296", "9223372036854775808", "1e3", "0x10", "", "5 5", "٣"] {
        assert_eq!(refused(&format!("{HEAD}Content-Length: {length}\r\n\r\nhello")), 400, "{length}");
    }
}

#[test]
fn a_content_length_beyond_the_datagram_is_refused() {
    assert_eq!(refused(&format!("{HEAD}Content-Length: 6\r\n\r\nhello")), 400);
}

#[test]
fn bytes_behind_the_content_length_are_ignored() {
    let message = read(&format!("{HEAD}Content-Length: 5\r\n\r\nhelloINVITE")).unwrap();
    assert_eq!(message.body, "hello");
}

#[test]
fn without_a_content_length_a_datagram_is_its_body() {
    assert_eq!(read(&format!("{HEAD}\r\nhello")).unwrap().body, "hello");
}

#[test]
fn two_content_lengths_are_refused_even_when_one_is_compact() {
    assert_eq!(refused(&format!("{HEAD}Content-Length: 5\r\nl : 5\r\n\r\nhello")), 400);
}

#[test]
fn line_ends_before_the_start_line_are_skipped() {
    assert_eq!(read(&format!("\r\n\r\n{HEAD}\r\n")).unwrap().method(), Some("INVITE"));
}

#[test]
fn line_ends_alone_are_a_keep_alive() {
    assert_eq!(read("\r\n\r\n"), Err(Malformed::KeepAlive));
    assert_eq!(read(""), Err(Malformed::KeepAlive));
}

#[test]
fn bare_line_feeds_end_lines_too() {
    let message = read(&format!("{HEAD}\r\n").replace("\r\n", "\n")).unwrap();
    assert_eq!(message.headers.len(), 1);
}

#[test]
fn folded_headers_are_one_line() {
    let message =
        read("OPTIONS sip:h SIP/2.0\r\nSubject: one\r\n  two\r\n\tthree\r\nTo: <sip:h>\r\n\r\n").unwrap();
    assert_eq!(message.headers.text("subject").unwrap(), "one two three");
    assert_eq!(message.headers.len(), 2);
}

#[test]
fn white_space_before_the_colon_belongs_to_no_name() {
    let message = read("OPTIONS sip:h SIP/2.0\r\nX-Account \t : v\r\n\r\n").unwrap();
    assert_eq!(message.headers.text("x-account").unwrap(), "v");
}

#[test]
fn bytes_that_are_not_utf8_survive_in_a_header() {
    let raw = Bytes::from_static(b"OPTIONS sip:h SIP/2.0\r\nSubject: \xff\xfe caf\xe9\r\n\r\n");
    let message = parse_datagram(&raw).unwrap();
    assert_eq!(message.headers.get("subject").unwrap().value.as_ref(), b"\xff\xfe caf\xe9");
    let again = parse_datagram(&message.to_bytes()).unwrap();
    assert_eq!(again.headers.get("subject"), message.headers.get("subject"));
}

#[test]
fn headers_keep_their_bytes_when_printed() {
    let via = "SIP/2.0/UDP my_host:5060;branch=z9hG4bK%2B=a|b;x=\"q;uoted\"";
    let message = read(&format!("OPTIONS sip:h SIP/2.0\r\nv:  {via} \r\n\r\n")).unwrap();
    let printed = String::from_utf8(message.to_bytes().to_vec()).unwrap();
    assert!(printed.contains(&format!("v: {via}\r\n")), "{printed}");
}

#[test]
fn unknown_methods_are_read_as_requests() {
    let message =
        read("!interesting-Method0123456789_*+`.%indeed'~ sip:h SIP/2.0\r\nTo: <sip:h>\r\n\r\n").unwrap();
    assert_eq!(message.method(), Some("!interesting-Method0123456789_*+`.%indeed'~"));
}

#[test]
fn another_version_is_answered_with_505() {
    assert_eq!(refused("OPTIONS sip:h SIP/7.0\r\nTo: <sip:h>\r\n\r\n"), 505);
}

#[test]
fn a_request_uri_in_brackets_or_with_blanks_is_refused() {
    assert_eq!(refused("INVITE <sip:h> SIP/2.0\r\nTo: <sip:h>\r\n\r\n"), 400);
    assert_eq!(refused("INVITE sip:h; lr SIP/2.0\r\nTo: <sip:h>\r\n\r\n"), 400);
    assert_eq!(refused("INVITE  sip:h SIP/2.0\r\nTo: <sip:h>\r\n\r\n"), 400);
}

#[test]
fn what_is_not_sip_gets_no_answer() {
    for text in [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "hello",
        "INVITE sip:h SIP/2.0\r\nTo: <sip:h>\r\n",
        "SIP/2.0 99 x\r\n\r\n",
        "SIP/2.0 4294967301 x\r\n\r\n",
    ] {
        assert_eq!(read(text), Err(Malformed::NotSip), "{text}");
    }
}

#[test]
fn a_response_without_a_reason_is_read() {
    let message = read("SIP/2.0 200 \r\nTo: <sip:h>\r\n\r\n").unwrap();
    assert_eq!(message.start, Start::Response { code: 200, reason: String::new() });
    assert_eq!(read("SIP/2.0 200\r\nTo: <sip:h>\r\n\r\n").unwrap().code(), Some(200));
}

#[test]
fn headers_beyond_the_limits_are_refused() {
    let many = "X: y\r\n".repeat(300);
    assert_eq!(refused(&format!("{HEAD}{many}\r\n")), 400);
    let long = "y".repeat(9000);
    assert_eq!(refused(&format!("{HEAD}X: {long}\r\n\r\n")), 400);
    assert_eq!(refused(&format!("{HEAD}{}\r\n", "X: yyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(2100))), 513);
}

#[test]
fn a_via_is_read_in_every_legal_shape() {
    let via = |text: &str| Via::of(&read(&format!("OPTIONS sip:h SIP/2.0\r\nVia: {text}\r\n\r\n")).unwrap());
    let odd = via("SIP / 2.0 / UDP 192.0.2.2 : 5070 ; branch = z9hG4bKx").unwrap();
    assert_eq!((odd.sent_by.as_str(), odd.port), ("192.0.2.2:5070", Some(5070)));
    assert_eq!(via("SIP/2.0/TCP [2001:db8::9]:5061;branch=z9hG4bKy").unwrap().host, "2001:db8::9");
    assert_eq!(via("SIP/2.0/UDP my_host:5060;branch=a=b|c").unwrap().branch.as_deref(), Some("a=b|c"));
    assert_eq!(
        via("SIP/2.0/UDP a;branch=one, SIP/2.0/UDP b;branch=two").unwrap().branch.as_deref(),
        Some("one")
    );
    assert!(via("SIP/2.0/UDP").is_none());
    assert!(via("SIP/2.0/UDP h:99999").is_none());
}

#[test]
fn cseq_numbers_end_at_two_to_the_31() {
    let cseq =
        |text: &str| CSeq::of(&read(&format!("OPTIONS sip:h SIP/2.0\r\nCSeq: {text}\r\n\r\n")).unwrap());
    assert_eq!(cseq("0009  INVITE").unwrap().number, 9);
    assert_eq!(cseq("2147483647 INVITE").unwrap().number, 2_147_483_647);
    for wrong in
        ["2147483648 INVITE", "36893488147419103232 INVITE", "-1 INVITE", "INVITE", "1", "1 INVITE x"]
    {
        assert_eq!(cseq(wrong), None, "{wrong}");
    }
}

#[test]
fn callers_with_odd_names_and_numbers_are_read() {
    let party = |text: &str| values::party(text).unwrap();
    let quoted = party(r#""Joe \"Jr\" <x>, Ltd" <sip:+1555@my_host:5070;x=1>;tag=a"#);
    assert_eq!(quoted.display.as_deref(), Some(r#"Joe "Jr" <x>, Ltd"#));
    assert_eq!((quoted.user.as_str(), quoted.host.as_str()), ("+1555", "my_host"));
    assert_eq!(party("tel:+1-555-0100;phone-context=x;tag=a").user, "+15550100");
    assert_eq!(party("<sip:*31#5551@h>").user, "*31#5551");
    assert_eq!(party("<sip:%2B1555;npdi@h;user=phone>").user, "+1555");
    assert_eq!(
        party("Anonymous <sip:anonymous@anonymous.invalid>;tag=1").display.as_deref(),
        Some("Anonymous")
    );
    assert_eq!(values::party("<sip:a@h"), None);
}

#[test]
fn a_caller_hidden_by_a_remote_party_id_is_hidden() {
    let hidden = |header: &str| {
        let rest = "From: <sip:+15551230000@h>;tag=a\r\nTo: <sip:1@h>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n";
        values::wants_privacy(&read(&format!("{HEAD}{rest}{header}Content-Length: 0\r\n\r\n")).unwrap())
    };
    for said in [
        "party=calling;privacy=full",
        "party=calling;screen=yes;PRIVACY=Full",
        "privacy=full",
        "party=calling;privacy=full-network",
        r#"party="calling";privacy="name,uri""#,
        "party=calling;id-type=subscriber;privacy=uri",
    ] {
        assert!(hidden(&format!("Remote-Party-ID: \"A, B\" <sip:+15551230000@h>;{said}\r\n")), "{said}");
    }
    for said in ["party=calling;privacy=off", "party=calling", "party=called;privacy=full"] {
        assert!(!hidden(&format!("Remote-Party-ID: <sip:+15551230000@h>;{said}\r\n")), "{said}");
    }
    let two = "Remote-Party-ID: <sip:1@h>;party=called, <sip:2@h>;party=calling;privacy=full\r\n";
    assert!(hidden(two));
    assert!(!hidden(""));
}

#[test]
fn schemes_we_do_not_speak_are_still_read() {
    assert!(!Uri::parse("urn:service:sos").unwrap().is_sip());
    assert!(Uri::parse("nothing").is_none());
    assert!(Uri::parse("sip:").is_none());
    assert!(Uri::parse("sip:a@h:0").is_none());
}
