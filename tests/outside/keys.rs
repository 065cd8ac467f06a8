//! Keys, however they are told: as events with careless timestamps, in messages, as tones.

use super::{on_both, phone::Phone, web::Web};
use crate::support::{
    Sdk, Server,
    rtp::{Key, Packet, pause, press, sound},
    tone,
};
use serde_json::json;

/// When the first key of a caller is said to have begun.
const BEGAN: u32 = 500_000;
/// What keys are asked for with.
const PROMPT: f64 = 1_000.0;
/// A key that is held says that it is this much longer every 20 ms: faster than time, so that nobody waits for 9 s.
const LEAP: u16 = 6_400;

/// A key that is down for 73,535 units, in two segments (RFC 4733 section 2.5.1.3): a duration has only 16 bits.
fn held(key: char) -> Vec<Packet> {
    let segment = |timestamp: u32, durations: Vec<u16>| {
        durations.into_iter().map(move |duration| Key { key, timestamp, duration, end: false })
    };
    let first = segment(BEGAN, (1..=10).map(|n| n * LEAP).chain([u16::MAX]).collect());
    let second = segment(BEGAN + u32::from(u16::MAX), vec![160, 4_000, 8_000]);
    let mut packets: Vec<Key> = first.chain(second).collect();
    let end = Key { end: true, ..packets[packets.len() - 1] };
    packets.extend([end; 3]);
    packets.into_iter().map(Packet::Key).collect()
}

/// These keys, each with the timestamps that `timestamp` says by the numbers of key and packet, and this between them.
fn careless(keys: &str, timestamp: impl Fn(u32, u32) -> u32, between: &[Packet]) -> Vec<Packet> {
    let mut packets = Vec::new();
    for (at, key) in (0..).zip(keys.chars()) {
        packets.extend(press(key, |number| BEGAN + timestamp(at, number)));
        packets.extend_from_slice(between);
    }
    packets
}

/// An application that asks for keys with a tone; `#` is the last one.
fn asks_for_keys(server: &Server) -> Web {
    let web = Web::start();
    let sound: Vec<u8> = tone::sine(PROMPT, 0, 8_000).into_iter().map(tone::encode).collect();
    web.serves("/prompt.ulaw", "audio/basic", &sound);
    let gather = r##"<Gather timeout="20" finishOnKey="#" action="/digits">"##;
    web.says("/voice", &format!(r#"{gather}<Play loop="0">/prompt.ulaw</Play></Gather>"#));
    web.says("/digits", "<Hangup/>");
    server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
    web
}

/// Somebody who called 1234, and hears that keys are asked for there.
fn asked_for_keys(from: &str, phone: Phone) -> Phone {
    let mut caller = phone.hearing();
    caller.calls(from, "1234");
    assert_eq!(caller.is_answered(), "200");
    caller.ear().wait_for_tone(PROMPT);
    caller
}

#[test]
fn keys_of_careless_senders_are_gathered_as_they_were_pressed() {
    on_both(|on| {
        let server = Server::start(on);
        let web = asks_for_keys(&server);
        let phone = || Phone::of(server.sip()).with_events();
        let cases = [
            ("another key at the same timestamp", "*01", careless("*01", |_, _| 0, &pause())),
            ("one frame apart", "135", careless("135", |at, _| at * 160, &[])),
            ("ends that drift", "1", careless("1", |_, number| number.saturating_sub(4) * 160, &pause())),
            ("every packet drifts", "1", careless("1", |_, number| number * 160, &pause())),
            ("held beyond 65,535 units", "8", held('8')),
        ];
        let mut callers = Vec::new();
        for (at, (_, _, packets)) in cases.iter().enumerate() {
            let caller = asked_for_keys(&format!("+8551200000{at}"), phone());
            caller.ear().sends([packets.clone(), pause()].concat());
            caller.ear().press(b'#');
            callers.push(caller);
        }
        for (at, (case, keys, _)) in cases.iter().enumerate() {
            let from = format!("+8551200000{at}");
            let told = web.asked("/digits", |asked| asked.parameters["From"] == from);
            assert_eq!(told.parameters["Digits"], *keys, "{case}");
            callers[at].is_hung_up_on();
        }
    });
}

#[test]
fn a_key_told_by_event_and_by_message_is_one_key_and_a_tone_is_one_where_no_events_were_agreed() {
    on_both(|on| {
        let server = Server::start(on);
        let web = asks_for_keys(&server);
        let both = asked_for_keys("+85512000001", Phone::of(server.sip()).with_events());
        both.ear().press(b'5');
        both.informs('5');
        // Until then the key is down.
        both.ear().wait_until_said();
        both.informs('6');
        both.ear().press(b'6');
        let tones = asked_for_keys("+85512000002", Phone::of(server.sip()));
        tones.ear().sends("*147#".chars().flat_map(sound).collect());
        both.ear().wait_until_said();
        both.informs('#');
        for (from, keys) in [("+85512000001", "56"), ("+85512000002", "*147")] {
            let told = web.asked("/digits", |asked| asked.parameters["From"] == from);
            assert_eq!(told.parameters["Digits"], keys, "{from}");
        }
        both.is_hung_up_on();
        tones.is_hung_up_on();
    });
}

#[test]
fn keys_reach_a_callee_without_events_as_tones() {
    on_both(|on| {
        let (server, web) = (Server::start(on), Web::start());
        let callee = Phone::of(server.sip()).hearing();
        server.call_out_to(callee.port());
        web.says(
            "/voice",
            r#"<Dial answerOnBridge="true"><Number sendDigits="1*3">+85598000002</Number></Dial>"#,
        );
        server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
        let mut caller = Phone::of(server.sip()).hearing().with_events();
        caller.calls("+85512000001", "1234");
        let invite = callee.is_called();
        callee.answers(&invite, 200);
        assert_eq!(caller.is_answered(), "200");
        callee.ear().wait_for_keys(0, "1*3");
        // A key of the other party's phone.
        callee.ear().sing(1_000.0);
        caller.ear().wait_for_tone(1_000.0);
        caller.ear().press(b'7');
        callee.ear().wait_for_keys(0, "1*37");
        caller.informs('8');
        callee.ear().wait_for_keys(0, "1*378");
        caller.hangs_up();
        callee.is_hung_up_on();
        // The API's own.
        let call = json!({
            "to": "+85598000002", "from_": "+85512345678", "send_digits": "ww42#",
            "twiml": "<Response><Pause length=\"20\"/></Response>",
        });
        Sdk::python(&server).does("create", call);
        let invite = callee.is_called();
        callee.answers(&invite, 200);
        callee.ear().wait_for_keys(0, "1*37842#");
    });
}

#[test]
fn tones_of_a_caller_without_events_reach_a_callee_that_has_them() {
    on_both(|on| {
        let (server, web) = (Server::start(on), Web::start());
        let callee = Phone::of(server.sip()).hearing().with_events();
        server.call_out_to(callee.port());
        web.says("/voice", r#"<Dial answerOnBridge="true">+85598000002</Dial>"#);
        server.configure("1234", json!({ "voice_url": format!("{}/voice", web.url) }));
        let mut caller = Phone::of(server.sip()).hearing();
        caller.calls("+85512000001", "1234");
        let invite = callee.is_called();
        callee.answers(&invite, 200);
        assert_eq!(caller.is_answered(), "200");
        callee.ear().sing(1_000.0);
        caller.ear().wait_for_tone(1_000.0);
        caller.ear().sends("90".chars().flat_map(sound).collect());
        callee.ear().wait_for_events("90");
        let from = caller.ear().heard();
        callee.ear().press(b'4');
        callee.ear().wait_until_said();
        caller.ear().wait_for_keys(from, "4");
        caller.hangs_up();
        callee.is_hung_up_on();
    });
}
