//! Messages in the manner of RFC 4475 and RFC 5118, written for this product: valid ones are served however odd they
//! look, broken ones get their answer, and what cannot be answered is dropped.

use super::bench::Bench;
use crate::sip::Event;
use Class::{Answer, Call, Drop};

/// What must become of a message.
#[derive(Debug, PartialEq, Eq)]
enum Class {
    /// An INVITE becomes a call.
    Call,
    /// Answered with this code, and nothing else happens.
    Answer(u16),
    /// No answer at all.
    Drop,
}

const BASE: &str = "Max-Forwards: 68\r\nFrom: <sip:caller@example.net>;tag=8814\r\nTo: <sip:vivekg@example.com>\r\nCall-ID: t1@192.0.2.9\r\nContact: <sip:caller@192.0.2.9>\r\n";
const VIA: &str = "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKkdjuw\r\n";

fn table() -> Vec<(&'static str, Class, String)> {
    let invite =
        |uri: &str, rest: &str| format!("INVITE {uri} SIP/2.0\r\n{VIA}{BASE}CSeq: 9 INVITE\r\n{rest}\r\n");
    let options =
        |uri: &str, rest: &str| format!("OPTIONS {uri} SIP/2.0\r\n{VIA}{BASE}CSeq: 9 OPTIONS\r\n{rest}\r\n");
    let plain = invite("sip:a@example.com", "");
    let with = |from: &str, to: &str| plain.replace(from, to);
    vec![
        ("a short tortuous INVITE", Call, "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\nTO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = \r\nfrom   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\nMaX-fOrWaRdS: 068\r\nCall-ID: wsinv.ndaksdj@192.0.2.1\r\nContent-Length   : 0\r\ncseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=z9hG4bK390skdjuw\r\ns :\r\nNewFangledHeader:   newfangled value\r\n continued newfangled value\r\nUnknownHeaderWithUnusualValue: ;;,,;;,;\r\nm:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33\r\n\r\n".to_owned()),
        ("every token character in a method", Answer(405), "!i-M0_*+`.%indeed'~ sip:a@h SIP/2.0\r\n".to_owned() + VIA + BASE + "CSeq: 9 !i-M0_*+`.%indeed'~\r\n\r\n"),
        ("escapes in a user", Call, invite("sip:sips%3Auser%40example.com@example.net", "")),
        ("an escaped NUL in a user", Call, invite("sip:null-%00-null@example.com", "")),
        ("a percent sign that escapes nothing", Call, invite("sip:%%%@example.com", "")),
        ("no blank between name and angle bracket", Call, with("From: <sip", "From: caller<sip")),
        ("long values", Call, invite("sip:a@example.com", &format!("Subject: {}\r\n", "very ".repeat(1_000)))),
        ("a value beyond the limit", Answer(400), invite("sip:a@example.com", &format!("Subject: {}\r\n", "very ".repeat(2_000)))),
        ("bytes behind the message", Answer(200), options("sip:a@h", "l: 0\r\n") + "INVITE sip:b@h SIP/2.0\r\n"),
        ("semicolons in a user", Answer(200), options("sip:user;par=u%40example.net@example.com", "")),
        ("many Vias of many transports", Answer(200), options("sip:a@h", "v: SIP/2.0/TLS t5;branch=1, SIP/2.0/SCTP t4\r\nVia: SIP/2.0/UNKNOWN t3;branch=z9hG4bK-\r\n")),
        ("an unknown transport in the top Via", Answer(200), options("sip:a@h", "").replace("SIP/2.0/UDP", "SIP/2.0/UNKNOWN")),
        ("a multipart body with a description", Call, invite("sip:a@h", "Content-Type: multipart/mixed;boundary=7a\r\n").trim_end_matches("\r\n").to_owned() + "\r\n\r\n--7a\r\nContent-Type: application/isup\r\n\r\n\x01\x02\r\n--7a\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--7a--\r\n"),
        ("a multipart body without one", Answer(415), invite("sip:a@h", "Content-Type: multipart/mixed;boundary=7a\r\n") + "--7a\r\nContent-Type: text/plain\r\n\r\nhi\r\n--7a--\r\n"),
        ("a reason with other alphabets in a response of nobody", Drop, format!("SIP/2.0 200 = 2**3 * 5**2 но сто\r\n{VIA}{BASE}CSeq: 9 INVITE\r\n\r\n")),
        ("a response with an impossible code", Drop, format!("SIP/2.0 4294967301 x\r\n{VIA}{BASE}CSeq: 9 INVITE\r\n\r\n")),
        ("extraneous separators", Answer(400), with("To: <sip:vivekg@example.com>", "To: ;,;<>")),
        ("a Content-Length beyond the bytes", Answer(400), invite("sip:a@h", "Content-Length: 9999\r\n") + "v=0\r\n"),
        ("a negative Content-Length", Answer(400), invite("sip:a@h", "Content-Length: -999\r\n")),
        ("numbers beyond their ranges", Answer(400), with("CSeq: 9 ", "CSeq: 36893488147419103232 ")),
        ("a CSeq of 2^31", Answer(400), with("CSeq: 9 ", "CSeq: 2147483648 ")),
        ("the largest CSeq", Call, with("CSeq: 9 ", "CSeq: 2147483647 ")),
        ("a display name without its closing quote", Answer(400), with("To: <sip", "To: \"Mr. J. User <sip")),
        ("the Request-URI in brackets", Answer(400), invite("<sip:user@example.com>", "")),
        ("white space within the Request-URI", Answer(400), invite("sip:user@example.com; lr", "")),
        ("two blanks in the request line", Answer(400), with("INVITE sip", "INVITE  sip")),
        ("blanks at the end of the request line", Call, with("SIP/2.0\r\nVia", "SIP/2.0  \r\nVia")),
        ("trws: blanks at the end of the request line", Answer(200), "OPTIONS sip:remote-target@example.com SIP/2.0  \r\nVia: SIP/2.0/TCP host1.example.com;branch=z9hG4bK299342093\r\nTo: <sip:remote-target@example.com>\r\nFrom: <sip:local-resource@example.com>;tag=329429089\r\nCall-ID: trws.oicu34958239neffasdhr2345r\r\nAccept: application/sdp\r\nCSeq: 238923 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("badvers: another version, in the Via as well", Answer(505), "OPTIONS sip:t.watson@example.org SIP/7.0\r\nVia:     SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw\r\nMax-Forwards:     70\r\nFrom:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe\r\nTo:      T. Watson <sip:t.watson@example.org>\r\nCall-ID: badvers.31417@c.example.com\r\nCSeq:    1 OPTIONS\r\nl: 0\r\n\r\n".to_owned()),
        ("another version in the Via alone", Answer(400), with("SIP/2.0/UDP", "SIP/3.0/UDP")),
        ("badinv01: extraneous separators", Answer(400), "INVITE sip:user@example.com SIP/2.0\r\nTo: sip:j.user@example.com\r\nFrom: sip:caller@example.net;tag=134161461246\r\nMax-Forwards: 7\r\nCall-ID: badinv01.0ha0isndaksdjasdf3234nas\r\nCSeq: 8 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.15;;,;,,\r\nContact: \"Joe\" <sip:joe@example.org>;;;;\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("extraneous separators in the Contact alone", Answer(400), with("Contact: <sip:caller@192.0.2.9>", "Contact: <sip:caller@192.0.2.9>;;")),
        ("one separator too many at the end", Call, with("Contact: <sip:caller@192.0.2.9>", "Contact: <sip:caller@192.0.2.9>;")),
        ("intmeth: every character a request may have", Answer(405), "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\r\nVia: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\r\nTo: \"BEL:\\\x07 NUL:\\\0 DEL:\\\x7F\" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>\r\nFrom: token1~` token2'+_ token3*%!.- <sip:mundane@example.com> ;fromParam''~+*_!.-%=\"работающий\";tag=_token~1'+`*%!-.\r\nCall-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\nCSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\nMax-Forwards: 255\r\nextensionHeader-!.%*+_`'~:\u{feff}大停電\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("escaped headers in the Request-URI", Call, invite("sip:user@example.com?Route=%3Csip:example.com%3E", "")),
        ("an unknown scheme", Answer(416), options("nobodyKnowsThisScheme:totallyopaquecontent", "")),
        ("an HTTP address", Answer(416), options("http://example.com/", "")),
        ("an unknown scheme in To", Answer(200), options("sip:a@h", "").replace("<sip:vivekg@", "<isbn:vivekg@")),
        ("an unknown option in Require", Answer(420), invite("sip:a@h", "Require: nothingSupportsThis, nothingSupportsThisEither\r\n")),
        ("Proxy-Require is for proxies", Call, invite("sip:a@h", "Proxy-Require: noProxiesSupportThis\r\n")),
        ("an unknown Content-Type", Answer(415), invite("sip:a@h", "Content-Type: application/unknownformat\r\n") + "<audio>"),
        ("an unknown authorization scheme", Call, invite("sip:a@h", "Authorization: NoOneKnows opaque-data=here\r\n")),
        ("two values where one belongs", Answer(400), with("CSeq: 9 INVITE", "CSeq: 5 INVITE\r\nCSeq: 9 INVITE")),
        ("no From", Answer(400), with("From: <sip:caller@example.net>;tag=8814\r\n", "")),
        ("no Call-ID", Answer(400), with("Call-ID: t1@192.0.2.9\r\n", "")),
        ("no Via", Drop, with(VIA, "")),
        ("hops used up, at the end of the way", Answer(200), options("sip:a@h", "").replace("Max-Forwards: 68", "Max-Forwards: 0")),
        ("a Max-Forwards beyond its range", Answer(400), with("Max-Forwards: 68", "Max-Forwards: 300")),
        ("another version", Answer(505), plain.replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia")),
        ("another method in the CSeq", Answer(400), with("CSeq: 9 INVITE", "CSeq: 9 OPTIONS")),
        ("another method in the CSeq of an unknown one", Answer(400), with("INVITE sip", "NEWMETHOD sip")),
        ("an INVITE of RFC 2543", Call, "INVITE sip:UserB@example.com SIP/2.0\r\nVia: SIP/2.0/UDP iftgw.example.com\r\nFrom: <sip:+13035551111@ift.example.net;user=phone>\r\nTo: sip:+16505552222@ss1.example.net;user=phone\r\nCall-ID: 1717@ift.client.example.net\r\nCSeq: 56 INVITE\r\n\r\n".to_owned()),
        ("an IPv6 address in the Request-URI", Answer(200), options("sip:[2001:db8::10]", "")),
        ("an IPv6 address with a port", Answer(200), options("sip:[2001:db8::10]:5070", "")),
        ("an IPv6 address without brackets", Answer(400), options("sip:2001:db8::10", "")),
        ("an IPv6 Via with a received parameter in brackets", Answer(200), options("sip:a@h", "").replace("192.0.2.9;branch", "[2001:db8::9:1];received=[2001:db8::9:255];branch")),
        ("an IPv6 sent-by without brackets", Drop, options("sip:a@h", "").replace("192.0.2.9;branch", "2001:db8::9;branch")),
        ("an IPv4-mapped address in a description's neighbour", Answer(200), options("sip:[::ffff:192.0.2.10]", "")),
        ("a port of zero", Answer(400), options("sip:a@h:0", "")),
        ("a port beyond its range", Answer(400), options("sip:a@h:65536", "")),
        ("a header name with a control character", Answer(400), options("sip:a@h", "X\x01Y: z\r\n")),
        ("a line that is no header", Answer(400), options("sip:a@h", "just words\r\n")),
        ("a NUL in a value", Answer(400), options("sip:a@h", "X: a\0b\r\n")),
        ("a bare CR in a value", Answer(400), options("sip:a@h", "X: a\rContact: <sip:evil@h>\r\n")),
        ("a compact and a long name for one thing", Answer(400), options("sip:a@h", "i: other\r\n")),
("a folded start line", Drop, with("\r\nVia", "\r\n : x\r\nVia")),
        ("an HTTP request", Drop, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n".to_owned()),
        ("a STUN-like packet", Drop, "\0\x01\0\0!\x12\u{a4}B".to_owned()),
    ]
}

#[test]
fn badbranch_a_bare_cookie_names_no_transaction() {
    let options = |call_id: &str, cseq: u32| {
        format!(
            "OPTIONS sip:user@example.com SIP/2.0\r\nTo: sip:user@example.com\r\nFrom: sip:caller@example.org;tag=33242\r\nMax-Forwards: 3\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\r\nAccept: application/sdp\r\nCall-ID: {call_id}\r\nCSeq: {cseq} OPTIONS\r\nl: 0\r\n\r\n"
        )
    };
    let invite = |call_id: &str| options(call_id, 9).replace("OPTIONS", "INVITE");
    let mut bench = Bench::new();
    bench.receive(options("badbranch.one", 8));
    bench.receive(invite("badbranch.two"));
    bench.receive(invite("badbranch.three"));
    assert_eq!(bench.sent_kinds(), ["200 OPTIONS", "100 INVITE", "100 INVITE"]);
    assert_eq!(bench.take_events().len(), 2, "two calls, and none a repetition of the other");
}

#[test]
fn an_unknown_method_is_told_what_is_allowed_and_gets_its_own_headers_back() {
    let (_, _, text) = table().into_iter().find(|(name, ..)| name.starts_with("intmeth")).unwrap();
    let mut bench = Bench::new();
    bench.receive(text.clone());
    let answer = bench.take_sent().pop().unwrap();
    assert!(answer.headers.text("allow").unwrap().contains("INVITE"));
    let to = answer.headers.get("to").unwrap();
    assert!(to.value.starts_with(b"\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\" <sip:1_unusual"), "{to:?}");
}

#[test]
fn every_torture_message_meets_its_class() {
    let mut wrong = Vec::new();
    for (name, expected, text) in table() {
        let mut bench = Bench::new();
        bench.receive(text);
        let call = matches!(bench.events.as_slice(), [Event::IncomingCall(_)]);
        let class = match bench.take_sent().pop().and_then(|answer| answer.code()) {
            Some(100) if call => Call,
            Some(code) if !call => Answer(code),
            None => Drop,
            Some(code) => panic!("{name}: a call and {code}"),
        };
        if class != expected {
            wrong.push(format!("{name}: {class:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
