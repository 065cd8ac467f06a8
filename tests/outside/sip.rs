//! SIP that is odd, and peers that are not there.

use super::{STORES, phone::Phone, web::Web};
use crate::support::Server;
use serde_json::json;
use std::time::{Duration, Instant};

/// Where nobody listens: ports like this one are bound by no test and no service of a test machine.
const NOBODY: u16 = 1;
/// Longer than all attempts of one call may go without a response, and much shorter than a transaction's 32 s.
const PATIENCE: Duration = Duration::from_secs(15);

#[test]
fn a_trunk_that_is_dead_costs_a_moment() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        server.call_out_to(NOBODY);
        web.says("/voice", r#"<Dial action="/done">+85598000002</Dial>"#);
        web.says("/done", "<Hangup/>");
        server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
        let began = Instant::now();
        let mut caller = Phone::of(server.sip());
        caller.calls("+85512000001", "1234");
        assert_eq!(caller.is_answered(), "200");
        let told = web.asked("/done", |_| true);
        assert_eq!(told.parameters["DialCallStatus"], "failed");
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        caller.is_hung_up_on();
    }
}

#[test]
fn messages_of_rfc_4475_get_their_answers() {
    let rest = |id: &str, method: &str| {
        format!(
            "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{id};rport\r\nTo: <sip:1234@127.0.0.1>\r\n\
             From: <sip:phone@127.0.0.1>;tag={id}\r\nCall-ID: {id}\r\nCSeq: 8 {method}\r\n\
             Max-Forwards: 70\r\nContact: <sip:phone@127.0.0.1>\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let odd = "!interesting-Method0123456789_*+`.%indeed'~";
    let cases = [
        ("trws", format!("OPTIONS sip:1234@127.0.0.1 SIP/2.0  \r\n{}", rest("trws", "OPTIONS")), "200"),
        ("badvers", format!("OPTIONS sip:1234@127.0.0.1 SIP/7.0\r\n{}", rest("badvers", "OPTIONS")), "505"),
        (
            "badinv01",
            format!("INVITE sip:1234@127.0.0.1 SIP/2.0\r\n{}", rest("badinv01", "INVITE"))
                .replace("<sip:phone@127.0.0.1>\r\nContent", "\"Joe\" <sip:phone@127.0.0.1>;;;;\r\nContent"),
            "400",
        ),
        ("intmeth", format!("{odd} sip:1234@127.0.0.1 SIP/2.0\r\n{}", rest("intmeth", odd)), "405"),
    ];
    for on in STORES {
        let server = Server::start(on);
        for (name, text, code) in &cases {
            let answer = Phone::of(server.sip()).says(text);
            assert_eq!(answer.kind(), *code, "{name}: {}", answer.0);
            if *name == "intmeth" {
                assert!(answer.header("Allow").contains("INVITE"), "{}", answer.0);
            }
        }
    }
}
