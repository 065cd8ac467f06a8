//! A phone calls a number of the demo.

use crate::support::{Application, Baresip, On, Phone, Server, tone};
use serde_json::json;

#[test]
fn a_caller_hears_the_demo_and_its_digit_said_back() {
    let server = Server::start(On::Sqlite);
    let phone = Phone::calls(server.sip(), "85512000001", "1234");
    phone.ear.wait_for_tone(440.0);
    let from = phone.ear.heard();
    phone.ear.wait_for_speech(from);
    phone.ear.press(b'5');
    // The chime again is the application's answer to the digit; then it hangs up.
    let from = phone.ear.heard();
    phone.ear.wait_for_speech(from);
    phone.ends_well();
    let call = server.wait_for_call("completed call", |call| call["status"] == "completed");
    let timeline = server.timeline(call["sid"].as_str().unwrap());
    for fact in ["Received", "Answered", "Exchanged", "VerbStarted", "Pressed", "VerbEnded", "Ended"] {
        assert!(timeline.iter().any(|row| row == fact), "{fact} is missing in {timeline:?}");
    }
}

#[test]
fn the_application_gets_the_digit_with_a_valid_signature() {
    for on in [On::Sqlite, On::Postgres] {
        let server = Server::start(on);
        let application = Application::start(&server, "");
        let voice = json!({
            "voice_url": format!("{}/gather?greeting=hello&a=1&a=2", application.url),
            "status_callback_url": format!("{}/status", application.url),
        });
        server.configure("1234", voice);
        let phone = Phone::calls(server.sip(), "85512000001", "1234");
        let first = application.asked("/gather", |_| true);
        assert_eq!((&first["CallStatus"], &first["Direction"]), (&json!("ringing"), &json!("inbound")));
        assert_eq!((&first["From"], &first["To"]), (&json!("+85512000001"), &json!("1234")));
        phone.ear.wait_for_tone(440.0);
        phone.ear.press(b'5');
        let second = application.asked("/digits", |_| true);
        assert_eq!((&second["Digits"], &second["CallStatus"]), (&json!("5"), &json!("in-progress")));
        let last = application.asked("/status", |_| true);
        assert_eq!((&last["CallStatus"], &last["CallSid"]), (&json!("completed"), &first["CallSid"]));
        phone.ends_well();
    }
}

#[test]
fn an_application_behind_a_password_is_asked_with_it_and_nobody_else_learns_it() {
    let mut server = Server::start(On::Sqlite);
    let application = Application::locked(&server);
    let url = application.url.replace("://", "://bob:correct-horse@");
    let voice =
        json!({ "voice_url": format!("{url}/gather"), "status_callback_url": format!("{url}/status") });
    server.configure("1234", voice);
    let phone = Phone::calls(server.sip(), "85512000001", "1234");
    phone.ear.wait_for_tone(440.0);
    phone.ear.press(b'5');
    application.asked("/status", |_| true);
    phone.ends_well();
    server.wait_for_call("completed call", |call| call["status"] == "completed");
    let requests = application.requests();
    // base64 of bob:correct-horse
    let with_it =
        requests.iter().filter(|request| request["authorization"] == "Basic Ym9iOmNvcnJlY3QtaG9yc2U=");
    assert_eq!(
        (with_it.count(), requests.len()),
        (3, 3),
        "the document, its action and the callback: {requests:?}"
    );
    let numbers = server.get("/phone-numbers").to_string();
    assert!(numbers.contains("bob:kept-") && !numbers.contains("correct-horse"), "{numbers}");
    assert!(server.stop().success());
    for file in std::fs::read_dir(&server.data).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        let found = bytes.windows(13).any(|part| part == b"correct-horse");
        assert!(!found, "{} has the password", file.path().display());
    }
}

#[test]
fn baresip_hears_the_tone_and_its_digit_arrives() {
    let server = Server::start(On::Sqlite);
    let application = Application::start(&server, "");
    server.configure("1234", json!({ "voice_url": format!("{}/gather", application.url) }));
    let mut phone = Baresip::start();
    phone.dial(server.sip(), "1234");
    phone.wait_for("CALL_ESTABLISHED");
    phone.press('5');
    assert_eq!(application.asked("/digits", |_| true)["Digits"], json!("5"));
    phone.wait_for("CALL_CLOSED");
    // The application plays the chime in answer to the digit, one second of 440 Hz, and hangs up.
    let heard = phone.heard();
    let tones = heard.chunks_exact(1_600).filter(|part| tone::share(part, 440.0) > 0.9).count();
    assert!(tones >= 3, "{tones} times 200 ms of the tone in {} samples", heard.len());
}

#[test]
fn a_number_that_is_not_there_is_refused_and_seen() {
    let server = Server::start(On::Sqlite);
    Phone::is_told_not_found(server.sip(), "85512000001", "999999");
    let call =
        server.wait_for_call("refused call", |call| call["to"] == "999999" && !call["ended_at"].is_null());
    assert_eq!((&call["status"], &call["reason"]), (&json!("failed"), &json!("number_not_found")));
}

#[test]
fn a_failing_application_is_replaced_by_its_fallback() {
    let server = Server::start(On::Sqlite);
    let application = Application::start(&server, "");
    let voice = json!({
        "voice_url": format!("{}/broken", application.url),
        "voice_fallback_url": format!("{}/digits", application.url),
    });
    server.configure("1234", voice);
    let phone = Phone::calls(server.sip(), "85512000001", "1234");
    let fallback = application.asked("/digits", |_| true);
    assert_eq!(fallback["ErrorCode"], json!("11200"));
    assert_eq!(fallback["ErrorUrl"], json!(format!("{}/broken", application.url)));
    phone.ear.wait_for_tone(440.0);
    phone.ends_well();
}

#[test]
fn malformed_twiml_without_fallback_is_an_apology() {
    let server = Server::start(On::Sqlite);
    let application = Application::start(&server, "");
    server.configure("1234", json!({ "voice_url": format!("{}/malformed", application.url) }));
    let phone = Phone::calls(server.sip(), "85512000001", "1234");
    phone.ear.wait_for_speech(0);
    phone.ends_well();
    let call = server.wait_for_call("call", |call| call["status"] == "completed");
    assert_eq!(call["reason"], json!("application_failed"));
    let rows = server.get(&format!("/calls/{}/timeline?limit=500", call["sid"].as_str().unwrap()));
    assert!(rows.to_string().contains("12100"), "the error code is on the timeline: {rows:#}");
}

#[test]
fn the_demos_trunk_moves_with_its_machine_and_keeps_what_was_added() {
    let mut server = Server::start(On::Sqlite);
    let sources = |server: &Server| server.get("/trunks")["data"][0]["inbound"]["sources"].clone();
    let own = sources(&server);
    let with = |more: &[&str]| {
        let own = own.as_array().unwrap().iter().cloned();
        own.chain(more.iter().map(|source| json!(source))).collect::<Vec<_>>()
    };
    // As if the machine had been 198.51.100.8 at the last start, and somebody had added 198.51.100.7.
    let sid = server.get("/trunks")["data"][0]["sid"].as_str().unwrap().to_owned();
    let patch = json!({ "inbound": { "sources": with(&["198.51.100.7", "198.51.100.8"]) } });
    assert_eq!(server.carrier_api("PATCH", &format!("/trunks/{sid}"), Some(patch)).0, 200);
    let file = server.data.join("demo.json");
    let mut demo: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    demo["trunk_sources"].as_array_mut().unwrap().push(json!("198.51.100.8/32"));
    std::fs::write(&file, demo.to_string()).unwrap();
    server.kill_and_restart();
    assert_eq!(sources(&server), json!(with(&["198.51.100.7"])));
}
