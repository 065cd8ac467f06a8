//! What a caller sees of whom the application dials, and what becomes of one party when the other is sent elsewhere.

use super::{STORES, phone::Phone, web::Web};
use crate::support::{Sdk, Server};
use serde_json::json;

/// A caller that demands this in its INVITE, whose application dials the callee and picks up when the callee does.
pub fn bridged(server: &Server, web: &Web, demands: &str) -> (Phone, Phone) {
    let callee = Phone::of(server.sip());
    server.call_out_to(callee.port());
    web.says("/voice", r#"<Dial answerOnBridge="true">+85598000002</Dial>"#);
    server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
    let mut caller = Phone::of(server.sip()).demanding(demands);
    caller.calls("+85512000001", "1234");
    (caller, callee)
}

#[test]
fn the_callees_refusal_is_the_callers() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        for (theirs, ours) in [(404, "404"), (480, "480"), (486, "486"), (503, "500")] {
            let (mut caller, callee) = bridged(&server, &web, "");
            let invite = callee.is_called();
            callee.answers(&invite, theirs);
            assert_eq!(caller.is_answered(), ours, "the callee said {theirs}");
        }
    }
}

#[test]
fn what_the_network_plays_before_the_answer_reaches_the_caller() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let (mut caller, callee) = bridged(&server, &web, "");
        let invite = callee.is_called();
        callee.answers(&invite, 183);
        caller.hears_of("183");
        callee.answers(&invite, 200);
        assert_eq!(caller.is_answered(), "200");
        caller.hangs_up();
        callee.is_hung_up_on();
    }
}

#[test]
fn the_dialled_party_is_sent_elsewhere_and_the_caller_goes_on_behind_the_dial() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let (mut caller, callee) = (Phone::of(server.sip()), Phone::of(server.sip()));
        server.call_out_to(callee.port());
        web.says("/voice", r#"<Dial action="/after">+85598000002</Dial>"#);
        web.says("/after", r#"<Pause length="60"/>"#);
        web.says("/desk", r#"<Pause length="1"/>"#);
        server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
        caller.calls("+85512000001", "1234");
        assert_eq!(caller.is_answered(), "200");
        let invite = callee.is_called();
        callee.answers(&invite, 200);
        let talks = |direction: &str| {
            server.wait_for_call(direction, |call| {
                call["direction"] == direction && call["status"] == "in-progress"
            })
        };
        let (parent, child) = (talks("inbound"), talks("outbound-dial"));
        let desk = json!({ "sid": child["sid"], "url": format!("{}/desk", web.url) });
        Sdk::python(&server).does("update", desk);
        let asked = web.asked("/desk", |_| true).parameters;
        assert_eq!((&asked["CallSid"], &asked["ParentCallSid"]), (&text(&child), &text(&parent)));
        let after = web.asked("/after", |_| true).parameters;
        assert_eq!((&after["CallSid"], &after["DialCallSid"]), (&text(&parent), &text(&child)));
        assert_eq!((after["DialCallStatus"].as_str(), after["DialBridged"].as_str()), ("completed", "true"));
        callee.is_hung_up_on();
        assert_eq!(talks("inbound")["sid"], parent["sid"], "only the dialled party's program is over");
        caller.hangs_up();
    }
}

fn text(call: &serde_json::Value) -> String {
    call["sid"].as_str().unwrap_or_default().to_owned()
}
