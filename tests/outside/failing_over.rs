//! Trunks that are silent, full or busy: the call goes elsewhere, or ends, and stays one call.

use super::{on_both, phone::Phone, web::Web};
use crate::support::Server;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const FROM: &str = "+85512000001";
/// Where nobody listens: ports like this one are bound by no test and no service of a test machine.
const NOBODY: u16 = 1;
/// How long nobody may say anything before somebody else is asked.
const SILENCE: Duration = Duration::from_secs(4);
/// What a machine that is busy with other tests may add.
const BUSY: Duration = Duration::from_secs(4);

/// Two trunks, and who is at each: what the first one does not take is the second one's.
fn trunks(server: &Server) -> (Phone, Phone) {
    let (first, second) = (Phone::of(server.sip()), Phone::of(server.sip()));
    server.call_out_to(first.port());
    let outbound = json!({ "host": format!("127.0.0.1:{}", second.port()) });
    let trunk = json!({ "name": "Second way", "outbound": outbound });
    let (status, body) = server.carrier_api("POST", "/trunks", Some(trunk));
    assert_eq!(status, 201, "{body}");
    (first, second)
}

/// This caller of 1234, whose application dials.
fn dials(server: &Server, web: &Web, from: &str) -> Phone {
    web.says("/voice", r#"<Dial answerOnBridge="true">+85598000002</Dial>"#);
    server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
    let mut caller = Phone::of(server.sip());
    caller.calls(from, "1234");
    caller
}

/// The timeline of the call dialled for this caller, once it is over.
fn timeline(server: &Server, from: &str) -> Vec<Value> {
    let over = |call: &Value| {
        call["direction"] == "outbound-dial" && call["from"] == from && !call["ended_at"].is_null()
    };
    let call = server.wait_for_call("dialled call that is over", over);
    let rows = server.get(&format!("/calls/{}/timeline?limit=500", call["sid"].as_str().unwrap()));
    rows["data"].as_array().unwrap().clone()
}

/// What it says of the ways out: the events, and why each attempt failed.
fn ways(timeline: &[Value]) -> (Vec<&str>, Vec<&Value>) {
    let of_ways = ["AttemptFailed", "Rerouted", "Answered", "Ended"];
    let events = timeline.iter().filter_map(|row| row["event_type"].as_str());
    let failed = timeline.iter().filter(|row| row["event_type"] == "AttemptFailed");
    (events.filter(|event| of_ways.contains(event)).collect(), failed.map(|row| &row["detail"]).collect())
}

/// How long only the first way was tried, by the server's own clock: how busy a test's phones are is not in it.
fn first_tried(timeline: &[Value]) -> Duration {
    let second_of_day = |event: &str| {
        let row = timeline.iter().find(|row| row["event_type"] == event).unwrap();
        let (_, time) = row["at"].as_str().unwrap().trim_end_matches('Z').split_once('T').unwrap();
        time.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap())
    };
    let took: f64 = second_of_day("Rerouted") - second_of_day("Initiated");
    Duration::from_secs_f64(took.rem_euclid(86_400.0))
}

#[test]
fn a_trunk_that_is_silent_for_4_seconds_leads_to_the_next_and_its_late_answer_is_hung_up() {
    on_both(|on| {
        let (server, web) = (Server::start(on), Web::start());
        let (silent, other) = trunks(&server);
        let before = Instant::now();
        let mut caller = dials(&server, &web, FROM);
        let late = silent.is_called();
        let called = Instant::now();
        let invite = other.is_called();
        assert!(before.elapsed() >= SILENCE, "not before: {:?}", before.elapsed());
        assert!(called.elapsed() < SILENCE + BUSY, "and soon then: {:?}", called.elapsed());
        other.answers(&invite, 200);
        assert_eq!(caller.is_answered(), "200");
        // The answer is acknowledged, and the call ended.
        silent.answers(&late, 200);
        silent.is_hung_up_on();
        caller.hangs_up();
        other.is_hung_up_on();
        let timeline = timeline(&server, FROM);
        let (events, failed) = ways(&timeline);
        assert_eq!(events, ["AttemptFailed", "Rerouted", "Answered", "Ended"]);
        assert!(failed[0].to_string().contains("No response"), "{failed:?}");
    });
}

#[test]
fn a_trunk_that_is_full_or_dead_leads_to_the_next() {
    on_both(|on| {
        let (server, web) = (Server::start(on), Web::start());
        let (full, other) = trunks(&server);
        for (is_there, from) in [(true, FROM), (false, "+85512000002")] {
            server.call_out_to(if is_there { full.port() } else { NOBODY });
            let mut caller = dials(&server, &web, from);
            if is_there {
                let invite = full.is_called();
                full.answers(&invite, 503);
            }
            let invite = other.is_called();
            other.answers(&invite, 200);
            assert_eq!(caller.is_answered(), "200");
            caller.hangs_up();
            other.is_hung_up_on();
            let timeline = timeline(&server, from);
            assert!(first_tried(&timeline) < SILENCE, "nobody waits: {:?}", first_tried(&timeline));
            let (events, failed) = ways(&timeline);
            assert_eq!(events, ["AttemptFailed", "Rerouted", "Answered", "Ended"]);
            let why = if is_there { "503" } else { "cannot reach" };
            assert!(failed[0].to_string().contains(why), "{failed:?}");
        }
    });
}

#[test]
fn a_callee_who_refuses_or_whose_phone_rang_is_called_nowhere_else() {
    on_both(|on| {
        let (server, web) = (Server::start(on), Web::start());
        let (first, other) = trunks(&server);
        let cases = [(false, 403, "403"), (false, 486, "486"), (false, 603, "603"), (true, 503, "500")];
        for (at, (rings, code, ours)) in cases.into_iter().enumerate() {
            let from = format!("+8551200000{at}");
            let mut caller = dials(&server, &web, &from);
            let invite = first.is_called();
            if rings {
                first.answers(&invite, 180);
                caller.hears_of("180");
            }
            first.answers(&invite, code);
            assert_eq!(caller.is_answered(), ours, "the callee said {code}");
            assert_eq!(ways(&timeline(&server, &from)).0, ["Ended"], "the callee said {code}");
        }
        assert!(!other.was_called(), "nobody else is tried");
    });
}
