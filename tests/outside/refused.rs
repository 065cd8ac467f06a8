//! What is turned away before there is a call, and what the trunk's page says of it.

use super::{STORES, phone::Phone};
use crate::support::Server;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// An INVITE of 1234 by this phone, with these header lines and this body besides.
fn invite(id: &str, extras: &str, body: &str) -> String {
    format!(
        "INVITE sip:1234@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{id};rport\r\n\
         From: <sip:+85512000001@127.0.0.1>;tag={id}\r\nTo: <sip:1234@127.0.0.1>\r\nCall-ID: {id}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:phone@127.0.0.1>\r\nMax-Forwards: 70\r\n{extras}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Waits until the trunk's page has something turned away that is as wanted.
fn shown(server: &Server, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let (limit, path) = (Instant::now() + Duration::from_secs(10), format!("{}/turned-away", server.trunk()));
    loop {
        let told = server.get(&path);
        if let Some(row) = told["data"].as_array().unwrap().iter().find(|row| wanted(row)) {
            return row.clone();
        }
        assert!(Instant::now() < limit, "{what} is not among {told:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The code of a refusal, the INVITE that meets it (made of its Call-ID), and what the reason says.
type Refusal = (&'static str, fn(&str) -> String, &'static str);

#[test]
fn what_is_refused_before_there_is_a_call_is_shown_at_its_trunk_with_the_reason() {
    for on in STORES {
        let server = Server::start(on);
        server.change_trunk(json!({ "inbound": { "sources": ["127.0.0.1"] } }));
        let cases: [Refusal; 3] = [
            ("420", |id| invite(id, "Require: precondition\r\n", ""), "precondition"),
            ("415", |id| invite(id, "Content-Type: text/plain\r\n", "Hello"), "application/sdp"),
            ("400", |id| invite(id, "", "").replace("CSeq: 1 INVITE", "CSeq: 1 OPTIONS"), ""),
        ];
        for (code, text, why) in cases {
            for time in 1..=2 {
                let answer = Phone::of(server.sip()).says(&text(&format!("{code}-{time}")));
                assert_eq!(answer.kind(), code, "{}", answer.0);
            }
            let twice = |row: &Value| row["code"].as_u64() == code.parse().ok() && row["count"] == 2;
            let row = shown(&server, &format!("{code}, twice,"), twice);
            assert_eq!((&row["source"], &row["method"]), (&json!("127.0.0.1"), &json!("INVITE")), "{row}");
            assert!(row["reason"].as_str().unwrap().contains(why), "{row}");
        }
        // Its address was mistyped: nothing is answered, and it is found beside the trunk.
        let stranger = Phone::at("127.0.0.2".parse().unwrap(), server.sip());
        stranger.says_in_vain(&invite("stranger", "", ""));
        let row = shown(&server, "an unknown source", |row| row["source"] == "127.0.0.2");
        assert!(row["code"].is_null(), "{row}");
        assert!(server.metric("trunkline_sip_unknown_source_total") >= 1.0);
    }
}

#[test]
fn an_offer_we_cannot_take_is_refused_with_a_warning_and_the_call_says_what_was_offered() {
    for on in STORES {
        let server = Server::start(on);
        let phone = Phone::of(server.sip());
        let offer = phone.described("18", "127.0.0.1".parse().unwrap());
        let mut caller = phone.offering(&offer);
        caller.calls("+85512000001", "1234");
        let answer = caller.is_answered_so();
        assert_eq!(answer.kind(), "488", "{}", answer.0);
        assert!(answer.header("Warning").starts_with("305 "), "{}", answer.0);
        let call = server.wait_for_call("refused call", |call| !call["ended_at"].is_null());
        let rows = server.get(&format!("/calls/{}/timeline?limit=500", call["sid"].as_str().unwrap()));
        assert!(rows.to_string().contains("G729"), "{rows:#}");
    }
}
