//! Customers' programs on the official SDKs place and steer calls.

use crate::support::{Application, On, Phone, Sdk, Server};
use serde_json::{Value, json};

fn every_sdk(server: &Server) -> [(&'static str, Sdk); 2] {
    [("python", Sdk::python(server)), ("node", Sdk::node(server))]
}

#[test]
fn both_sdks_place_redirect_and_complete_calls() {
    let server = Server::start(On::Sqlite);
    let application = Application::start(&server, "");
    for (name, mut sdk) in every_sdk(&server) {
        let phone = Phone::waits("answer.xml");
        server.call_out_to(phone.port);
        let call = sdk.does(
            "create",
            json!({
                "to": "+85598000002", "from_": "+85512345678", "url": format!("{}/speak", application.url),
                "status_callback": format!("{}/status/{name}", application.url),
                "status_callback_event": ["initiated", "ringing", "answered", "completed"],
            }),
        );
        assert_eq!(
            (&call["status"], &call["direction"]),
            (&json!("queued"), &json!("outbound-api")),
            "{name}"
        );
        let sid = call["sid"].clone();
        phone.ear.wait_for_speech(0);
        assert_eq!(sdk.does("fetch", json!({ "sid": sid }))["status"], "in-progress");
        sdk.does("update", json!({ "sid": sid, "url": format!("{}/gather", application.url) }));
        phone.ear.wait_for_tone(440.0);
        sdk.does("update", json!({ "sid": sid, "status": "completed" }));
        phone.ends_well();
        let path = format!("/status/{name}");
        let last = application.asked(&path, |parameters| parameters["CallStatus"] == "completed");
        assert_eq!(last["CallSid"], sid);
        let done = sdk.does("fetch", json!({ "sid": sid }));
        assert_eq!(done["status"], "completed");
        assert!(done["duration"].as_str().is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{done}");
        let again = sdk.fails("update", json!({ "sid": sid, "status": "completed" }));
        assert_eq!(again, (20404, 404), "{name}");
        sdk.does("delete", json!({ "sid": sid }));
        assert_eq!(sdk.fails("fetch", json!({ "sid": sid })), (20404, 404), "{name}");
    }
}

#[test]
fn a_list_goes_on_over_pages() {
    let server = Server::start(On::Sqlite);
    // Somebody who never says anything.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    server.call_out_to(silent.local_addr().unwrap().port());
    for (name, mut sdk) in every_sdk(&server) {
        let twiml = "<Response><Hangup/></Response>";
        let to = if name == "python" { "+85598000011" } else { "+85598000012" };
        let mut placed: Vec<Value> = (0..5)
            .map(|_| {
                sdk.does("create", json!({ "to": to, "from_": "+85512345678", "twiml": twiml }))["sid"]
                    .clone()
            })
            .collect();
        placed.reverse();
        let listed = sdk.does("list", json!({ "to": to, "page_size": 2 }));
        assert_eq!(listed, Value::Array(placed), "{name}");
        assert_eq!(sdk.does("list", json!({ "to": "+85598999999" })), json!([]));
    }
}

#[test]
fn what_is_wrong_is_the_sdks_own_exception() {
    let server = Server::start(On::Sqlite);
    for (name, mut sdk) in every_sdk(&server) {
        let twiml = "<Response/>";
        for (given, code) in [
            (json!({ "to": "nobody", "from_": "+85512345678", "twiml": twiml }), 21211),
            (json!({ "to": "+85598000002", "from_": "+85599999999", "twiml": twiml }), 21210),
            (json!({ "to": "+85598000002", "from_": "+85512345678", "url": "not a url" }), 21205),
        ] {
            assert_eq!(sdk.fails("create", given.clone()), (code, 400), "{name} {given}");
        }
        let unknown = "CA00000000000000000000000000000000";
        assert_eq!(sdk.fails("fetch", json!({ "sid": unknown })), (20404, 404), "{name}");
        assert_eq!(sdk.does("account", json!({})), "Demo Account");
        assert_eq!(sdk.does("numbers", json!({})).as_array().unwrap().len(), 2, "{name}");
    }
}

#[test]
fn a_ringing_call_is_cancelled() {
    let server = Server::start(On::Sqlite);
    let phone = Phone::waits("ring.xml");
    server.call_out_to(phone.port);
    let mut sdk = Sdk::python(&server);
    let twiml = "<Response><Hangup/></Response>";
    let call = sdk.does("create", json!({ "to": "+85598000002", "from_": "+85512345678", "twiml": twiml }));
    server.wait_for_call("ringing call", |other| other["sid"] == call["sid"] && other["status"] == "ringing");
    sdk.does("update", json!({ "sid": call["sid"], "status": "canceled" }));
    phone.ends_well();
    server
        .wait_for_call("canceled call", |other| other["sid"] == call["sid"] && other["status"] == "canceled");
}
