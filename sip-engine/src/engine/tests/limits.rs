//! What a call may not do to the others: fill the engine, break it, outlive it.

use super::*;
use domain::call::{CallCommand, EndReason};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_engine_refuses_and_says_so() {
    let stage = Stage::with_room(1).await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut first = stage.caller().await;
    assert!(stage.engine.has_room());
    first.call("1234", 440.0).await;
    assert!(!stage.engine.has_room());
    let mut second = stage.caller().await;
    second.dial("1234").await;
    let answer = second.next(&["503"]).await;
    second.acknowledge(&answer).await;
    assert_eq!(stage.outside.ended().await, EndReason::Overloaded);
    first.hang_up().await;
    stage.outside.endings(2).await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_makes_no_more_work() {
    let stage = Stage::with_room(1).await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut first = stage.caller().await;
    first.call("1234", 440.0).await;
    let mut callers = Vec::new();
    for _ in 0..100 {
        let mut caller = stage.caller().await;
        caller.dial("1234").await;
        callers.push(caller);
    }
    for caller in &callers {
        let answer = caller.next(&["503"]).await;
        caller.acknowledge(&answer).await;
        assert!(!answer.header("Retry-After").is_empty(), "{answer:?}");
    }
    first.hang_up().await;
    stage.outside.fact(|_, fact| matches!(fact, CallCommand::Summarize(_)).then_some(())).await;
    let recorded = stage.outside.story().iter().filter(|fact| *fact == "Receive").count();
    assert!((2..60).contains(&recorded), "{recorded} of 101 are recorded");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_can_be_kept_nowhere_is_turned_away_unanswered() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    stage.outside.keeps_nothing(true);
    let mut caller = stage.caller().await;
    caller.dial("1234").await;
    let answer = caller.next(&["503"]).await;
    caller.acknowledge(&answer).await;
    assert!(!answer.header("Retry-After").is_empty(), "{answer:?}");
    stage.outside.keeps_nothing(false);
    let mut next = stage.caller().await;
    next.call("1234", 440.0).await;
    next.hang_up().await;
    stage.outside.ended().await;
    let story = stage.outside.story();
    let arrived = story.iter().filter(|fact| *fact == "Receive").count();
    assert_eq!(arrived, 1, "an end at most is tried of the first: {story:?}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_disabled_during_its_call_dials_nobody() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60" numDigits="1"/>"#);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let begun = |fact: &CallCommand| matches!(fact, CallCommand::StartVerb { .. }).then_some(());
    stage.outside.fact(|_, fact| begun(fact)).await;
    stage.outside.serves(VOICE, "<Dial>85510000001</Dial>");
    stage.engine.shared.directory.store(Arc::new(Directory::new(vec![], vec![], vec![])));
    caller.press(1).await;
    let warned = |fact: &CallCommand| matches!(fact, CallCommand::Warn { code: 10001 | 13224, .. });
    stage.outside.fact(|_, fact| warned(fact).then_some(())).await;
    caller.hung_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_defect_ends_its_own_call_and_no_other() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60" action="https://app.example/panic"/>"#);
    let (mut first, mut second) = (stage.caller().await, stage.caller().await);
    first.call("1234", 440.0).await;
    second.call("1234", 440.0).await;
    first.press(1).await;
    first.press(11).await;
    first.hung_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::InternalError);
    second.hears_silence().await;
    second.hang_up().await;
    assert_eq!(stage.outside.endings(2).await[1], EndReason::HungUp);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_that_panics_takes_only_its_call_along() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60" numDigits="1"/>"#);
    let (mut first, mut second) = (stage.caller().await, stage.caller().await);
    first.call("1234", 440.0).await;
    second.call("1234", 440.0).await;
    stage.ids.break_down();
    stage.outside.serves(VOICE, "<Dial>85510000001</Dial>");
    first.press(1).await;
    first.hung_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::InternalError);
    second.hears_silence().await;
    second.hang_up().await;
    assert_eq!(stage.outside.endings(2).await[1], EndReason::HungUp);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutting_down_ends_live_calls_with_a_reason() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let engine = stage.engine.clone();
    let ((), ()) = tokio::join!(engine.shutdown(), caller.hung_up());
    assert!(engine.is_draining() && !engine.has_room());
    assert_eq!(stage.outside.ended().await, EndReason::ShutDown);
    assert_eq!(engine.live(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_goodbye_that_is_lost_is_said_again_before_the_engine_stops() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let goodbyes = async {
        caller.next(&["BYE"]).await;
        caller.next(&["BYE"]).await;
        caller.hung_up().await;
    };
    tokio::join!(stage.engine.shutdown(), goodbyes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_nobody_heard_of_when_the_engine_stops_is_cancelled_when_it_rings() {
    let mut stage = Stage::set().await;
    stage.place(outbound::queued("<Hangup/>", 30));
    let invite = stage.callee.rings().await;
    let rings = async {
        assert_eq!(stage.outside.ended().await, EndReason::ShutDown);
        stage.callee.next(&["INVITE"]).await;
        stage.callee.next(&["INVITE"]).await;
        stage.callee.respond(&invite, 180, "").await;
        let cancel = stage.callee.next(&["CANCEL"]).await;
        stage.callee.respond(&cancel, 200, "").await;
        stage.callee.respond(&invite, 487, "").await;
        stage.callee.next(&["ACK"]).await;
    };
    tokio::join!(stage.engine.shutdown(), rings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_calls_at_once_are_answered() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut callers = Vec::new();
    for _ in 0..100 {
        let mut caller = stage.caller().await;
        caller.dial("1234").await;
        callers.push(caller);
    }
    for caller in &mut callers {
        let answer = caller.next(&["200"]).await;
        caller.talk(answer, 440.0).await;
    }
    assert_eq!(stage.engine.live(), 100);
    for caller in &mut callers {
        caller.hang_up().await;
    }
    let ends = stage.outside.endings(100).await;
    assert!(ends.iter().all(|reason| *reason == EndReason::HungUp), "{ends:?}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_peer_is_asked_whether_it_is_there() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hears_silence().await;
    caller.fall_silent();
    let question = caller.next(&["INVITE"]).await;
    caller.respond(&question, 200, &caller.sdp("sendrecv")).await;
    // One answer is no answer for ever.
    let question = caller.next(&["INVITE"]).await;
    caller.respond(&question, 481, "").await;
    assert_eq!(stage.outside.ended().await, EndReason::ConnectionLost);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_ends_when_its_media_does() {
    let stage = Stage::set().await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    caller.hears_silence().await;
    stage.engine.shared.media.shutdown();
    caller.hung_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::MediaFailed);
    stage.strike().await;
}
