//! Keys survive every change of method: telephone-event, INFO, tones.

use super::{sound::wav, *};

const DIGITS: &str = "https://app.example/digits";
const TONE: &str = "https://app.example/tone.wav";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_told_by_event_and_by_info_is_gathered_once() {
    let stage = Stage::set().await;
    let play = format!(r#"<Play loop="0">{TONE}</Play>"#);
    stage.outside.serves(VOICE, &format!(r#"<Gather numDigits="3" action="/digits">{play}</Gather>"#));
    stage.outside.serves(DIGITS, "<Hangup/>");
    stage.outside.serves_sound(TONE, wav(1000.0, Duration::from_secs(2)));
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hears_tone(1000.0).await;
    caller.press(5).await;
    caller.inform('5').await;
    caller.inform('6').await;
    caller.press(6).await;
    caller.inform('#').await;
    caller.hung_up().await;
    assert_eq!(stage.outside.param(DIGITS, "Digits"), "56");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_held_for_longer_than_the_timeout_is_gathered() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="1" numDigits="1" action="/digits"/>"#);
    stage.outside.serves(DIGITS, "<Hangup/>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hold(5, Duration::from_millis(1_500)).await;
    caller.hung_up().await;
    assert_eq!(stage.outside.param(DIGITS, "Digits"), "5");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_no_key_leaves_the_timeout_as_it_is() {
    const FLASH: u8 = 16;
    let stage = Stage::set().await;
    let twice = r#"<Gather timeout="1" action="/digits"/><Gather timeout="1" action="/digits"/>"#;
    stage.outside.serves(VOICE, twice);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    // Each would wait for a minute if it took that for a key.
    caller.hold(FLASH, Duration::from_millis(500)).await;
    caller.hung_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_a_call_we_place_and_of_its_caller_reach_a_party_without_events_as_tones() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Dial><Number sendDigits="1*3">85510000001</Number></Dial>"#);
    stage.callee.know_no_events();
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.answer(&invite, 1000.0).await;
    assert_eq!(stage.callee.hears_keys(3).await, "1*3");
    caller.hears_tone(1000.0).await;
    caller.press(7).await;
    assert_eq!(stage.callee.hears_keys(1).await, "7");
    // The rest of that tone.
    stage.callee.hears(Duration::from_millis(400)).await;
    caller.inform('8').await;
    assert_eq!(stage.callee.hears_keys(1).await, "8");
    caller.hang_up().await;
    stage.callee.hung_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_party_that_tells_its_keys_by_info_is_told_so() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, "<Dial>85510000001</Dial>");
    stage.callee.know_no_events();
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.answer(&invite, 1000.0).await;
    caller.hears_tone(1000.0).await;
    stage.callee.inform('1').await;
    caller.press(9).await;
    let info = stage.callee.next(&["INFO"]).await;
    stage.callee.respond(&info, 200, "").await;
    assert_eq!(info.body(), "Signal=9\r\nDuration=160\r\n");
    caller.hang_up().await;
    stage.callee.hung_up().await;
    stage.strike().await;
}
