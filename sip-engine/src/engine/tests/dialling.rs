//! `<Dial>`: two people hear each other and nothing else.

use super::*;
use domain::call::{CallCommand, EndReason};

const DONE: &str = "https://app.example/done";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_parties_hear_each_other_and_nothing_else() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Dial action="/done"><Number>85510000001</Number></Dial>"#);
    stage.outside.serves(DONE, "<Hangup/>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    assert!(
        invite.header("From").contains("15551230000") && invite.header("To").contains("85510000001"),
        "{invite:?}"
    );
    stage.callee.respond(&invite, 180, "").await;
    stage.callee.answer(&invite, 1000.0).await;
    caller.hears_tone(1000.0).await;
    stage.callee.hears_tone(440.0).await;
    stage.callee.hang_up().await;
    caller.hung_up().await;
    let told = ["DialCallStatus", "DialBridged", "CallStatus"].map(|name| stage.outside.param(DONE, name));
    assert_eq!(told, ["completed", "true", "in-progress"]);
    assert_eq!(stage.outside.endings(2).await, [EndReason::HungUp, EndReason::ApplicationHungUp]);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_network_plays_before_the_answer_is_heard_and_its_session_stays() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, "<Pause/><Dial>85510000001</Dial>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.progress(&invite).await;
    stage.callee.hum_early(&invite, 1000.0);
    caller.hears_tone(1000.0).await;
    stage.callee.respond(&invite, 200, "").await;
    stage.callee.next(&["ACK"]).await;
    stage.outside.fact(|_, fact| matches!(fact, CallCommand::Bridge { .. }).then_some(())).await;
    caller.hears_tone(1000.0).await;
    stage.callee.hears_tone(440.0).await;
    caller.hang_up().await;
    stage.callee.hung_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_before_the_answer_in_which_nothing_comes_leaves_the_ringback() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, "<Dial>85510000001</Dial>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.progress(&invite).await;
    stage.outside.fact(|_, fact| matches!(fact, CallCommand::Ring { sip_code: 183, .. }).then_some(())).await;
    caller.hears_something().await;
    stage.callee.hum_early(&invite, 1000.0);
    caller.hears_tone(1000.0).await;
    caller.hang_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_takes_the_other_party_along() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, "<Dial>85510000001</Dial>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.answer(&invite, 1000.0).await;
    caller.hears_tone(1000.0).await;
    caller.hang_up().await;
    stage.callee.hung_up().await;
    let ends = stage.outside.endings(2).await;
    assert!(ends.contains(&EndReason::PeerHungUp) && ends.contains(&EndReason::HungUp), "{ends:?}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_party_is_told_to_the_action() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Dial action="/done">85510000001</Dial>"#);
    stage.outside.serves(DONE, "<Hangup/>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.respond(&invite, 486, "").await;
    caller.hung_up().await;
    assert_eq!(stage.outside.param(DONE, "DialCallStatus"), "busy");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answer_on_bridge_picks_up_when_somebody_answers() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Dial answerOnBridge="true">85510000001</Dial>"#);
    let mut caller = stage.caller().await;
    caller.dial("1234").await;
    let invite = stage.callee.rings().await;
    assert!(!stage.outside.story().contains(&"Connect".to_owned()));
    let (callee, caller_rings) = (&mut stage.callee, async { caller.next(&["200"]).await });
    let (answer, ()) = tokio::join!(caller_rings, callee.answer(&invite, 1000.0));
    caller.talk(answer, 440.0).await;
    caller.hears_tone(1000.0).await;
    stage.callee.hears_tone(440.0).await;
    caller.hang_up().await;
    stage.callee.hung_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answer_on_bridge_lets_the_caller_hear_what_comes_before_the_answer() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Dial answerOnBridge="true">85510000001</Dial>"#);
    let mut caller = stage.caller().await;
    caller.dial("1234").await;
    let invite = stage.callee.rings().await;
    stage.callee.progress(&invite).await;
    let progress = caller.next(&["183"]).await;
    assert!(progress.body().contains("m=audio"), "{progress:?}");
    stage.callee.hum_early(&invite, 1000.0);
    caller.hum_early(&progress, 440.0);
    caller.hears_tone(1000.0).await;
    stage.callee.hears_silence().await;
    stage.callee.respond(&invite, 200, &stage.callee.sdp("sendrecv")).await;
    stage.callee.next(&["ACK"]).await;
    let answer = caller.next(&["200"]).await;
    assert_eq!(answer.body(), progress.body());
    caller.is_answered(&answer).await;
    caller.hears_tone(1000.0).await;
    stage.callee.hears_tone(440.0).await;
    caller.hang_up().await;
    stage.callee.hung_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_was_not_picked_up_is_told_what_the_callee_said() {
    for (said, told) in [(404, "404"), (480, "480"), (503, "500")] {
        let mut stage = Stage::set().await;
        stage.outside.serves(VOICE, r#"<Dial answerOnBridge="true">85510000001</Dial>"#);
        let mut caller = stage.caller().await;
        caller.dial("1234").await;
        let invite = stage.callee.rings().await;
        stage.callee.respond(&invite, said, "").await;
        let refusal = caller.next(&["404", "480", "500", "503", "603"]).await;
        assert_eq!(refusal.kind(), told);
        caller.acknowledge(&refusal).await;
        stage.strike().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn star_hangs_up_the_other_party_and_the_program_goes_on() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Dial hangupOnStar="true">85510000001</Dial><Gather timeout="60"/>"#);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.answer(&invite, 1000.0).await;
    caller.hears_tone(1000.0).await;
    caller.press(10).await;
    stage.callee.hung_up().await;
    let gather = |fact: &CallCommand| {
        matches!(fact, CallCommand::StartVerb { verb, .. } if verb == "Gather").then_some(())
    };
    stage.outside.fact(|_, fact| gather(fact)).await;
    caller.hears_silence().await;
    caller.hang_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_of_different_laws_hear_each_other() {
    let mut stage = Stage::set().await;
    stage.outside.serves(VOICE, "<Dial>85510000001</Dial>");
    stage.callee.speak_a_law();
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    stage.callee.answer(&invite, 1000.0).await;
    caller.hears_tone(1000.0).await;
    stage.callee.hears_tone(440.0).await;
    caller.hang_up().await;
    stage.callee.hung_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_party_is_told_our_address_on_its_own_side() {
    let mut stage = Stage::between_families().await;
    stage.outside.serves(VOICE, "<Dial>85510000001</Dial>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let invite = stage.callee.rings().await;
    assert!(invite.body().contains("c=IN IP6 ::1\r\n"), "{invite:?}");
    stage.callee.answer(&invite, 1000.0).await;
    caller.hears_tone(1000.0).await;
    stage.callee.hears_tone(440.0).await;
    caller.hang_up().await;
    stage.callee.hung_up().await;
    stage.strike().await;
}
