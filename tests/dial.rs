//! An application connects two phones.

use crate::support::{Application, On, Phone, Server};
use serde_json::{Value, json};

#[test]
fn both_parties_hear_each_other_and_nothing_else() {
    let server = Server::start(On::Sqlite);
    let called = Phone::waits("answer.xml");
    server.call_out_to(called.port);
    let application = Application::start(&server, "+85598000002");
    server.configure("1234", json!({ "voice_url": format!("{}/dial", application.url) }));
    let caller = Phone::calls(server.sip(), "85512000001", "1234");
    caller.ear.sing(700.0);
    called.ear.sing(1_100.0);
    caller.ear.wait_for_tone(1_100.0);
    called.ear.wait_for_tone(700.0);
    assert!(caller.ear.most_of(700.0) < 0.05, "the caller hears an echo");
    assert!(called.ear.most_of(1_100.0) < 0.05, "the called party hears an echo");
    let parent = server.wait_for_call("inbound call", |call| call["direction"] == "inbound");
    let child = server.wait_for_call("dialled call", |call| call["direction"] == "outbound-dial");
    assert_eq!(child["parent_call_sid"], parent["sid"]);
    let (status, body) =
        server.carrier_api("POST", &format!("/calls/{}/hang-up", child["sid"].as_str().unwrap()), None);
    assert_eq!(status, 202, "{body}");
    let dialled = application.asked("/dialled", |_| true);
    assert_eq!((&dialled["DialCallStatus"], &dialled["DialCallSid"]), (&json!("completed"), &child["sid"]));
    caller.ends_well();
    called.ends_well();
    callbacks_came_in_order(&application);
}

fn callbacks_came_in_order(application: &Application) {
    application.asked("/status", |parameters| parameters["CallStatus"] == "completed");
    let requests = application.requests();
    let callbacks: Vec<(&Value, &Value)> = requests
        .iter()
        .filter(|request| request["path"] == "/status")
        .map(|request| (&request["parameters"]["CallStatus"], &request["parameters"]["SequenceNumber"]))
        .collect();
    let expected = [("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3")];
    assert_eq!(callbacks.len(), expected.len(), "{callbacks:?}");
    for ((status, number), (wanted, position)) in callbacks.into_iter().zip(expected) {
        assert_eq!((status, number), (&json!(wanted), &json!(position)));
    }
    assert!(requests.iter().all(|request| request["valid"] == true), "{requests:#?}");
}

#[test]
fn a_busy_party_leads_on_to_the_action() {
    let server = Server::start(On::Sqlite);
    let called = Phone::waits("busy.xml");
    server.call_out_to(called.port);
    let application = Application::start(&server, "+85598000002");
    server.configure("1234", json!({ "voice_url": format!("{}/dial", application.url) }));
    let caller = Phone::calls(server.sip(), "85512000001", "1234");
    assert_eq!(application.asked("/dialled", |_| true)["DialCallStatus"], json!("busy"));
    caller.ends_well();
    called.ends_well();
}
