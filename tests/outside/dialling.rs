//! What a caller who is not picked up sees of whom the application dials.

use super::{STORES, phone::Phone, web::Web};
use crate::support::Server;
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
