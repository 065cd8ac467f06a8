//! What a document does to its call.

use super::{STORES, on_both, phone::Phone, web::Web};
use crate::support::Server;
use serde_json::json;

/// A caller of 1234 whose application says this; what its call came to, and whether anybody was called for it.
fn called(server: &Server, web: &Web, twiml: &str) -> (serde_json::Value, bool) {
    let callee = Phone::of(server.sip());
    server.call_out_to(callee.port());
    web.says("/voice", twiml);
    server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
    let mut caller = Phone::of(server.sip());
    caller.calls("+85512000001", "1234");
    assert_eq!(caller.is_answered(), "200", "{twiml}");
    caller.is_hung_up_on();
    let ended = |call: &serde_json::Value| call["direction"] == "inbound" && !call["ended_at"].is_null();
    let before: Vec<_> = server.get("/calls")["data"].as_array().unwrap().clone();
    let live = before.iter().any(|call| call["direction"] == "inbound" && call["ended_at"].is_null());
    let call = if live { server.wait_for_call("ended call", ended) } else { newest(&before) };
    (call, callee.was_called())
}

fn newest(calls: &[serde_json::Value]) -> serde_json::Value {
    calls.iter().find(|call| call["direction"] == "inbound").expect("a call").clone()
}

#[test]
fn nothing_that_decides_who_hears_whom_is_stepped_over() {
    let never = r#"<Redirect>/never</Redirect>"#;
    let verbs = [
        "<Record/>",
        r#"<Connect><Stream url="wss://example.com/"/></Connect>"#,
        "<Enqueue>support</Enqueue>",
        r#"<Start><Stream url="wss://example.com/"/></Start>"#,
        "<Dial><Number url=\"/whisper\">+85598000002</Number></Dial>",
        "<Dial record=\"record-from-answer\">+85598000002</Dial>",
        "<Dial><Conference>Room</Conference></Dial>",
        "<Dial><Client>joe</Client></Dial>",
        "<Dial><Sip>sip:joe@example.com</Sip></Dial>",
        "<Dial><Queue>support</Queue></Dial>",
    ];
    let from = |at: usize| format!("+8551200000{at}");
    on_both(|on| {
        let (server, web) = (Server::start(on), Web::start());
        let callee = Phone::of(server.sip());
        server.call_out_to(callee.port());
        // All at once: each hears its apology for some seconds.
        let mut callers = Vec::new();
        for (at, verb) in verbs.iter().enumerate() {
            web.says(&format!("/voice/{at}"), &format!("{verb}{never}"));
            server.configure("1234", json!({ "voice_url": format!("{}/voice/{at}", web.url) }));
            let mut caller = Phone::of(server.sip());
            caller.calls(&from(at), "1234");
            assert_eq!(caller.is_answered(), "200", "{verb}");
            callers.push(caller);
        }
        for (at, (verb, caller)) in verbs.iter().zip(&mut callers).enumerate() {
            caller.is_hung_up_on();
            let ended = |call: &serde_json::Value| call["from"] == from(at) && !call["ended_at"].is_null();
            let call = server.wait_for_call("ended call", ended);
            assert_eq!(call["reason"], "application_failed", "{verb}: {call}");
            let sid = call["sid"].as_str().unwrap();
            let rows = server.get(&format!("/calls/{sid}/timeline?limit=500")).to_string();
            assert!(rows.contains("12200"), "{verb}: its error is on the timeline: {rows}");
        }
        assert!(!callee.was_called(), "nobody is called");
        assert_eq!((web.times("/never"), web.times("/whisper")), (0, 0));
    });
}

#[test]
fn a_dial_that_cannot_be_done_tells_its_action() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        web.says("/done", "<Hangup/>");
        let twiml = r#"<Dial action="/done"><Number url="/whisper">+85598000002</Number></Dial>"#;
        let (call, anybody) = called(&server, &web, twiml);
        assert!(!anybody);
        let told = web.asked("/done", |_| true);
        assert_eq!(told.parameters["DialCallStatus"], "failed");
        assert_eq!(call["status"], "completed", "{call}");
    }
}

#[test]
fn what_cannot_be_done_goes_to_the_fallback_address() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        web.says("/voice", "<Record/><Redirect>/never</Redirect>");
        web.says("/fallback", "<Hangup/>");
        let voice = json!({
            "voice_url": format!("{}/voice", web.url), "voice_fallback_url": format!("{}/fallback", web.url),
        });
        server.configure("1234", voice);
        let mut caller = Phone::of(server.sip());
        caller.calls("+85512000001", "1234");
        caller.is_answered();
        caller.is_hung_up_on();
        let told = web.asked("/fallback", |_| true);
        assert_eq!(told.parameters["ErrorCode"], "12200");
        assert_eq!(told.parameters["ErrorUrl"], format!("{}/voice", web.url));
        assert_eq!(web.times("/never"), 0);
    }
}
