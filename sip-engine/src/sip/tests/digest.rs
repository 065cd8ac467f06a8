//! Digest answers, checked against RFC examples and a second computation with ring.

use crate::sip::Credentials;
use crate::sip::digest::{Answer, answer, is_stale};
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
    let Answer { name, value: text, .. } = answer(&response, &request, &credentials(), None).unwrap();
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
    let text = answer(&response, &request, &credentials(), None).unwrap().value;
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
        assert_eq!(
            answer(&challenge(&[("WWW-Authenticate", odd)]), &request, &credentials(), None),
            None,
            "{odd}"
        );
    }
}

#[test]
fn two_challenges_may_share_a_line() {
    let request = Message::request("INVITE", "sip:a@h");
    let response = challenge(&[(
        "Proxy-Authenticate",
        "Digest realm=\"a, b\", nonce=\"1\", algorithm=MD5, Digest realm=\"c\", nonce=\"2\", algorithm=SHA-256, stale=true",
    )]);
    let Answer { name, value: text, .. } = answer(&response, &request, &credentials(), None).unwrap();
    assert_eq!((name, value(&text, "realm")), ("Proxy-Authorization", "c".to_owned()));
    assert!(is_stale(&response, None) && !is_stale(&response, Some("a, b")));
    let of_the_first = answer(&response, &request, &credentials(), Some("a, b")).unwrap();
    assert_eq!(
        (value(&of_the_first.value, "nonce"), of_the_first.realm),
        ("1".to_owned(), "a, b".to_owned())
    );
    assert_eq!(answer(&response, &request, &credentials(), Some("d")), None);
}

#[test]
fn a_number_with_a_hash_is_signed_as_it_is_sent() {
    let request = Message::request("INVITE", "sip:%2A31%23555@192.0.2.9");
    let response = challenge(&[("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\"")]);
    let signed = answer(&response, &request, &credentials(), None).unwrap();
    assert_eq!(
        (value(&signed.value, "uri").as_str(), signed.uri.as_str()),
        ("sip:*31%23555@192.0.2.9", "sip:*31%23555@192.0.2.9")
    );
}
