//! How long calls are said to have lasted.

use super::{STORES, phone::Phone, web::Web};
use crate::support::{Phone as Sipp, Sdk, Server};
use serde_json::{Value, json};

#[test]
fn a_call_is_never_longer_than_the_limit_that_ended_it() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let phone = Sipp::waits("answer.xml");
        server.call_out_to(phone.port);
        web.says("/voice", r#"<Pause length="60"/>"#);
        let mut sdk = Sdk::python(&server);
        let call = json!({
            "to": "+85598000002", "from_": "+85512345678", "url": format!("{}/voice", web.url),
            "time_limit": 2, "status_callback": format!("{}/status", web.url),
        });
        let sid = sdk.does("create", call)["sid"].clone();
        let told = web.asked("/status", |_| true);
        assert_eq!((&*told.parameters["CallDuration"], &*told.parameters["Duration"]), ("2", "1"));
        assert_eq!(sdk.does("fetch", json!({ "sid": sid }))["duration"], "2");
        let call =
            server.wait_for_call("ended call", |call| call["sid"] == sid && !call["ended_at"].is_null());
        assert_eq!((&call["reason"], &call["duration_s"]), (&json!("time_limit"), &json!(2)));
        phone.ends_well();
    }
}

#[test]
fn a_caller_who_hangs_up_is_told_of_with_whole_seconds() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        web.says("/voice", r#"<Gather timeout="60"/>"#);
        let voice = json!({
            "voice_url": format!("{}/voice", web.url), "status_callback_url": format!("{}/status", web.url),
        });
        server.configure("1234", voice);
        let mut caller = Phone::of(server.sip());
        caller.calls("+85512000001", "1234");
        assert_eq!(caller.is_answered(), "200");
        caller.hangs_up();
        let told = web.asked("/status", |_| true);
        assert_eq!((&*told.method, &*told.parameters["CallStatus"]), ("POST", "completed"));
        let seconds: u32 = told.parameters["CallDuration"].parse().unwrap();
        assert!(seconds < 30, "{seconds} s");
    }
}

#[test]
fn a_dialled_call_is_never_longer_than_the_dials_limit() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        let called = Sipp::waits("answer.xml");
        server.call_out_to(called.port);
        web.says("/voice", r#"<Dial timeLimit="2" action="/done">+85598000002</Dial>"#);
        web.says("/done", "<Hangup/>");
        server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
        let mut caller = Phone::of(server.sip());
        caller.calls("+85512000001", "1234");
        assert_eq!(caller.is_answered(), "200");
        let told = web.asked("/done", |_| true).parameters;
        assert_eq!((&*told["DialCallStatus"], &*told["DialCallDuration"]), ("completed", "2"));
        caller.is_hung_up_on();
        called.ends_well();
        let is_over = |call: &Value| call["direction"] == "outbound-dial" && call["ended_at"].is_string();
        let child = server.wait_for_call("dialled call", is_over);
        assert_eq!(child["duration_s"], 2, "{child}");
    }
}
