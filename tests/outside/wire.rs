//! Twilio's API as its own SDKs meet it.

use super::{STORES, phone, sdks, web::Web};
use crate::support::{Phone, Sdk, Server};
use serde_json::{Value, json};

const OURS: &str = "+85512345678";
const THEIRS: &str = "+85598000002";
const HANG_UP: &str = "<Response><Hangup/></Response>";

/// A call by the API that is over, because who was called is busy.
fn a_call_that_is_over(server: &Server, sdk: &mut Sdk, more: Value) -> Value {
    let busy = Phone::waits("busy.xml");
    server.call_out_to(busy.port);
    let mut given = json!({ "to": THEIRS, "from_": OURS, "twiml": HANG_UP });
    given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let sid = sdk.does("create", given)["sid"].clone();
    server.wait_for_call("call that is over", |call| call["sid"] == sid && !call["ended_at"].is_null());
    busy.ends_well();
    sid
}

#[test]
fn a_hang_up_on_a_call_that_is_over_is_404_and_another_program_is_400() {
    for on in STORES {
        let server = Server::start(on);
        for (name, mut sdk) in sdks(&server) {
            let sid = a_call_that_is_over(&server, &mut sdk, json!({}));
            for status in ["completed", "canceled"] {
                let told = sdk.fails("update", json!({ "sid": sid, "status": status }));
                assert_eq!(told, (20404, 404), "{name}: {status}");
            }
            let url = "https://example.com/next";
            assert_eq!(sdk.fails("update", json!({ "sid": sid, "url": url })), (21220, 400), "{name}");
        }
    }
}

#[test]
fn a_day_as_the_sdks_send_it_is_that_day() {
    for on in STORES {
        let server = Server::start(on);
        for (name, mut sdk) in sdks(&server) {
            let sid = a_call_that_is_over(&server, &mut sdk, json!({}));
            let fetched = sdk.does("fetch", json!({ "sid": sid }));
            for field in ["start", "end"] {
                let day = &fetched[field].as_str().unwrap()[..10];
                let listed = |sdk: &mut Sdk, field: &str, day: &str| {
                    let found = sdk.does("on_day", json!({ "field": field, "day": day }));
                    found.as_array().unwrap().contains(&sid)
                };
                assert!(listed(&mut sdk, &format!("{field}_time"), day), "{name}: on {day}");
                assert!(!listed(&mut sdk, &format!("{field}_time"), "2020-02-29"), "{name}: on another day");
                assert!(listed(&mut sdk, &format!("{field}_time_after"), day), "{name}: from {day} on");
                assert!(!listed(&mut sdk, &format!("{field}_time_before"), day), "{name}: before {day}");
                assert!(listed(&mut sdk, &format!("{field}_time_before"), "2096-01-01"), "{name}: before");
            }
        }
    }
}

/// Some frameworks look a header up as it is written, and Twilio writes them like this.
#[test]
fn webhook_headers_are_named_as_twilio_writes_them() {
    const NAMES: [&str; 7] = [
        "Accept",
        "Content-Length",
        "Content-Type",
        "Host",
        "I-Twilio-Idempotency-Token",
        "User-Agent",
        "X-Twilio-Signature",
    ];
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        web.says("/voice", "<Hangup/>");
        let voice = json!({
            "voice_url": format!("{}/voice", web.url), "status_callback_url": format!("{}/status", web.url),
        });
        server.configure("1234", voice);
        let mut phone = phone::Phone::of(server.sip());
        phone.calls("+85512000001", "1234");
        assert_eq!(phone.is_answered(), "200");
        phone.is_hung_up_on();
        for path in ["/voice", "/status"] {
            let asked = web.asked(path, |_| true);
            let mut names: Vec<&str> = asked.headers.iter().map(|(name, _)| &**name).collect();
            names.sort_unstable();
            assert_eq!(names, NAMES, "{path}");
        }
    }
}

#[test]
fn an_address_of_4000_characters_is_asked() {
    for on in STORES {
        let (server, web) = (Server::start(on), Web::start());
        web.says("/voice", "<Hangup/>");
        let base = format!("{}/voice?long=", web.url);
        let url = format!("{base}{}", "x".repeat(4_000 - base.len()));
        server.configure("1234", json!({ "voice_url": url }));
        let mut phone = phone::Phone::of(server.sip());
        phone.calls("+85512000001", "1234");
        assert_eq!(phone.is_answered(), "200");
        phone.is_hung_up_on();
        let asked = web.asked("/voice", |_| true);
        assert_eq!(asked.target.len(), url.len() - web.url.len());
        for (name, mut sdk) in sdks(&server) {
            let call = json!({ "to": THEIRS, "from_": OURS, "url": format!("{url}x") });
            assert_eq!(sdk.fails("create", call), (21205, 400), "{name}");
        }
    }
}

#[test]
fn a_parameter_that_does_nothing_is_told_on_the_calls_timeline() {
    for on in STORES {
        let server = Server::start(on);
        for (name, mut sdk) in sdks(&server) {
            let idle = json!({ "call_reason": "Your parcel", "trim": "trim-silence", "call_token": "x" });
            let sid = a_call_that_is_over(&server, &mut sdk, idle);
            let rows =
                server.get(&format!("/calls/{}/timeline?limit=500", sid.as_str().unwrap())).to_string();
            for parameter in ["CallReason", "Trim", "CallToken"] {
                assert!(rows.contains(&format!("{parameter} is not supported yet")), "{name}: {rows}");
            }
            for (given, value) in [
                ("machine_detection", json!("Enable")),
                ("record", json!(true)),
                ("byoc", json!("BY00000000000000000000000000000000")),
                ("sip_auth_username", json!("bob")),
            ] {
                let call = json!({ "to": THEIRS, "from_": OURS, "twiml": HANG_UP, given: value });
                assert_eq!(sdk.fails("create", call), (20001, 400), "{name}: {given}");
            }
        }
    }
}

#[test]
fn what_does_not_exist_yet_is_read_as_an_empty_list() {
    for on in STORES {
        let server = Server::start(on);
        for (name, mut sdk) in sdks(&server) {
            for list in [
                "short_codes",
                "recordings",
                "notifications",
                "outgoing_caller_ids",
                "conferences",
                "queues",
                "applications",
                "messages",
            ] {
                assert_eq!(sdk.does("count", json!({ "list": list })), json!(0), "{name}: {list}");
            }
            let sid = a_call_that_is_over(&server, &mut sdk, json!({}));
            for list in ["recordings", "notifications", "events"] {
                let given = json!({ "sid": sid, "list": list });
                assert_eq!(sdk.does("count_of_call", given), json!(0), "{name}: {list}");
            }
            let below = sdk.does("below", json!({ "sid": sid }));
            assert!(below["recordings"].is_string() && below["streams"].is_string(), "{name}: {below}");
        }
    }
}
