//! Digest answers, checked against RFC examples and a second computation with ring.

use crate::sip::Credentials;
use crate::sip::digest::{self, Answers, Uses};
use crate::sip::message::{Message, Start};

fn challenge(values: &[(&str, &str)]) -> Message {
    let mut message = Message::request("X", "x");
    message.start = Start::Response { code: 401, reason: String::new() };
    for (name, value) in values {
        message.headers.push((*name).to_owned(), (*value).to_owned());
    }
    message
}

fn credentials() -> Credentials {
    Credentials { username: "Mufasa".into(), password: "Circle of Life".into() }
}

fn answers(response: &Message, request: &Message) -> Option<Answers> {
    digest::answers(response, request, &credentials(), &mut Uses::default(), |_| true)
}

/// The only answer: its header, its value, and the Request-URI.
fn answer(response: &Message, request: &Message) -> Option<(&'static str, String, String)> {
    let mut answers = answers(response, request)?;
    assert_eq!(answers.headers.len(), 1);
    let (name, value) = answers.headers.remove(0);
    Some((name, value, answers.uri))
}

fn value(text: &str, name: &str) -> String {
    let marker = format!("{name}=");
    let at = text
        .find(&format!(" {marker}"))
        .map(|at| at + 1)
        .or_else(|| text.find(&format!(",{marker}")).map(|at| at + 1))
        .unwrap();
    let rest = &text[at + marker.len()..];
    rest.trim_start_matches('"').chars().take_while(|c| !matches!(c, '"' | ',')).collect()
}

fn sha256(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn sha256_is_preferred_and_computed_as_rfc_7616_says() {
    let request = Message::request("INVITE", "sip:+15550100@192.0.2.9:5070");
    let response = challenge(&[
        ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"m\", algorithm=MD5, qop=\"auth\""),
        (
            "WWW-Authenticate",
            "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\", opaque=\"o\"",
        ),
    ]);
    let (name, text, _) = answer(&response, &request).unwrap();
    assert_eq!(name, "Authorization");
    assert_eq!(
        (value(&text, "algorithm"), value(&text, "opaque"), value(&text, "uri")),
        ("SHA-256".into(), "o".into(), request.uri().to_owned())
    );
    let ha1 = sha256("Mufasa:r:Circle of Life");
    let ha2 = sha256(&format!("INVITE:{}", request.uri()));
    let expected = sha256(&format!("{ha1}:n:{}:{}:auth:{ha2}", value(&text, "nc"), value(&text, "cnonce")));
    assert_eq!(value(&text, "response"), expected, "{text}");
}

#[test]
fn md5_without_qop_is_computed_as_rfc_2617_says() {
    // MD5("Mufasa:testrealm@host.com:Circle of Life") and so on, computed elsewhere.
    let request = Message::request("REGISTER", "sip:host.com");
    let response = challenge(&[(
        "WWW-Authenticate",
        "digest REALM=\"testrealm@host.com\" , Nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
    )]);
    let (_, text, _) = answer(&response, &request).unwrap();
    assert_eq!(value(&text, "response"), "c02fefe6338497d37ab3d097d8d33459", "{text}");
    assert!(!text.contains("qop="));
}

#[test]
fn what_we_cannot_compute_is_not_answered() {
    let request = Message::request("INVITE", "sip:a@h");
    for odd in [
        "Basic realm=\"r\"",
        "Digest realm=\"r\"",
        "Digest nonce=\"n\"",
        "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"",
        "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess",
        "Digest realm=\"r\", nonce=\"n\", algorithm=AKAv1-MD5",
        "",
        "Digest",
        ",,,=",
    ] {
        assert_eq!(answer(&challenge(&[("WWW-Authenticate", odd)]), &request), None, "{odd}");
    }
}

#[test]
fn two_challenges_may_share_a_line() {
    let request = Message::request("INVITE", "sip:a@h");
    let response = challenge(&[(
        "Proxy-Authenticate",
        "Digest realm=\"a, b\", nonce=\"1\", algorithm=MD5, Digest realm=\"c\", nonce=\"2\", algorithm=SHA-256, stale=true",
    )]);
    let answers = answers(&response, &request).unwrap();
    let nonces: Vec<_> = answers.headers.iter().map(|(name, text)| (*name, value(text, "nonce"))).collect();
    assert_eq!(nonces, ["2", "1"].map(|nonce| ("Proxy-Authorization", nonce.to_owned())));
    assert!(!answers.stale, "nobody had an answer");
}

/// The request, and what it carries after one more answer.
fn again(request: &Message, response: &Message, uses: &mut Uses) -> Option<Message> {
    let mut again = Message::request("INVITE", request.uri());
    for (name, value) in digest::answers(response, request, &credentials(), uses, |_| true)?.headers {
        again.headers.push(name, value);
    }
    Some(again)
}

fn carried(request: &Message, name: &str) -> Vec<String> {
    let values = request.headers.all(name).map(|header| header.text().into_owned());
    values.map(|text| format!("{} {}", value(&text, "nonce"), value(&text, "nc"))).collect()
}

#[test]
fn who_had_an_answer_gets_it_again_with_the_next_count_when_another_realm_asks() {
    let asks = |name: &'static str, rest: &str| {
        let text = format!("Digest qop=\"auth\", {rest}");
        challenge(&[(name, text.as_str())])
    };
    let mut uses = Uses::default();
    let first = again(
        &Message::request("INVITE", "sip:a@h"),
        &asks("Proxy-Authenticate", "realm=\"p, q\", nonce=\"1\", opaque=\"a=b\""),
        &mut uses,
    );
    let second =
        again(&first.unwrap(), &asks("WWW-Authenticate", "realm=\"p, q\", nonce=\"2\""), &mut uses).unwrap();
    assert_eq!(carried(&second, "proxy-authorization"), ["1 00000002"]);
    assert_eq!(carried(&second, "authorization"), ["2 00000001"]);
    assert!(second.headers.text("proxy-authorization").unwrap().contains("opaque=\"a=b\""));
    let fresh = asks("Proxy-Authenticate", "realm=\"p, q\", nonce=\"3\", stale=true");
    let third = again(&second, &fresh, &mut uses).unwrap();
    assert_eq!(carried(&third, "proxy-authorization"), ["3 00000001"]);
    assert_eq!(carried(&third, "authorization"), ["2 00000002"]);
    assert_eq!(
        again(&third, &asks("WWW-Authenticate", "realm=\"p, q\", nonce=\"4\""), &mut uses),
        None,
        "refused"
    );
}

#[test]
fn a_nonce_that_comes_again_in_a_call_is_counted_on() {
    let (invite, bye) = (Message::request("INVITE", "sip:a@h"), Message::request("BYE", "sip:a@h"));
    let asks = challenge(&[("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"")]);
    let mut uses = Uses::default();
    for (request, count) in [(&invite, "00000001"), (&bye, "00000002"), (&bye, "00000003")] {
        let again = again(request, &asks, &mut uses).unwrap();
        assert_eq!(carried(&again, "authorization"), [format!("n {count}")]);
    }
}

#[test]
fn a_request_that_many_realms_challenge_is_not_answered_without_end() {
    let realms = |count: u8| {
        let each: Vec<_> = (0..count).map(|n| format!("Digest realm=\"{n}\", nonce=\"n\"")).collect();
        challenge(&[("Proxy-Authenticate", each.join(", ").as_str())])
    };
    let request = Message::request("INVITE", "sip:a@h");
    assert_eq!(answers(&realms(4), &request).unwrap().headers.len(), 4);
    assert_eq!(answers(&realms(5), &request), None);
}

#[test]
fn a_number_with_a_hash_is_signed_as_it_is_sent() {
    let request = Message::request("INVITE", "sip:%2A31%23555@192.0.2.9");
    let response = challenge(&[("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\"")]);
    let (_, text, uri) = answer(&response, &request).unwrap();
    assert_eq!(
        (value(&text, "uri").as_str(), uri.as_str()),
        ("sip:*31%23555@192.0.2.9", "sip:*31%23555@192.0.2.9")
    );
}
