//! Calls the API asks for.

use super::{sound::wav, *};
use crate::outside::CallRef;
use domain::call::{CallCommand, Direction, EndReason, Program, Queued, Status};

pub(super) fn call() -> CallRef {
    CallRef { sid: sid(Kind::Call, 7), tenant: tenant() }
}

pub(super) fn queued(twiml: &str, timeout: u32) -> Queued {
    Queued {
        account: sid(Kind::Account, 1),
        direction: Direction::OutboundApi,
        parent: None,
        from: "1234".into(),
        to: "+85510000001".into(),
        caller_id: None,
        phone_number: None,
        program: Some(Program::Inline(format!("<Response>{twiml}</Response>"))),
        callback: None,
        timeout,
        time_limit: 600,
        send_digits: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_party_answers_and_hears_the_program() {
    let mut stage = Stage::set().await;
    let url = "https://app.example/tone.wav";
    stage.outside.serves_sound(url, wav(1000.0, Duration::from_secs(2)));
    stage.place(queued(&format!("<Play>{url}</Play>"), 30));
    let invite = stage.callee.rings().await;
    stage.callee.respond(&invite, 180, "").await;
    stage.outside.fact(|_, fact| matches!(fact, CallCommand::Ring { sip_code: 180, .. }).then_some(())).await;
    stage.callee.answer(&invite, 440.0).await;
    stage.callee.hears_tone(1000.0).await;
    stage.callee.hung_up().await;
    assert_eq!(stage.outside.ended().await, EndReason::ApplicationHungUp);
    let initiated = |fact: &CallCommand| match fact {
        CallCommand::Initiate { sip_call_id, request_uri, .. } => {
            Some((sip_call_id.clone(), request_uri.clone()))
        }
        _ => None,
    };
    let (call_id, uri) = stage.outside.fact(|_, fact| initiated(fact)).await;
    assert_eq!(call_id, invite.header("Call-ID"));
    assert!(uri.starts_with("sip:85510000001@127.0.0.1:"), "{uri}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_party_ends_the_call() {
    let mut stage = Stage::set().await;
    stage.place(queued("<Hangup/>", 30));
    let invite = stage.callee.rings().await;
    stage.callee.respond(&invite, 486, "").await;
    stage.callee.next(&["ACK"]).await;
    assert_eq!(stage.outside.ended().await, EndReason::Busy);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_answers_in_time() {
    let mut stage = Stage::set().await;
    stage.place(queued("<Hangup/>", 1));
    let invite = stage.callee.rings().await;
    stage.callee.respond(&invite, 180, "").await;
    let cancel = stage.callee.next(&["CANCEL"]).await;
    stage.callee.respond(&cancel, 200, "").await;
    stage.callee.respond(&invite, 487, "").await;
    stage.callee.next(&["ACK"]).await;
    assert_eq!(stage.outside.ended().await, EndReason::NoAnswer);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_cancels_a_call_that_rings() {
    let mut stage = Stage::set().await;
    stage.place(queued("<Hangup/>", 30));
    let invite = stage.callee.rings().await;
    stage.callee.respond(&invite, 180, "").await;
    stage.outside.fact(|_, fact| matches!(fact, CallCommand::Ring { sip_code: 180, .. }).then_some(())).await;
    assert!(stage.engine.end(&call().sid, Status::Canceled));
    let cancel = stage.callee.next(&["CANCEL"]).await;
    stage.callee.respond(&cancel, 200, "").await;
    stage.callee.respond(&invite, 487, "").await;
    stage.callee.next(&["ACK"]).await;
    assert_eq!(stage.outside.ended().await, EndReason::CanceledByApi);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_is_none_fails_before_anything_is_sent() {
    let stage = Stage::set().await;
    stage.place(Queued { to: "nobody".into(), ..queued("<Hangup/>", 30) });
    assert_eq!(stage.outside.ended().await, EndReason::DestinationNotFound);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_closes_takes_no_more_calls() {
    let stage = Stage::set().await;
    assert!(stage.engine.drain(SOON).await);
    assert_eq!(stage.engine.reserve(&queued("<Hangup/>", 30)).err(), Some(NoRoom::UntilFreed));
    stage.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_that_leads_inside_is_not_called() {
    for host in ["127.0.0.2:6379", "[::ffff:169.254.169.254]:5060"] {
        let stage = Stage::set().await;
        stage.trunk_is_at(host);
        stage.place(queued("<Hangup/>", 30));
        let ended = |fact: &CallCommand| match fact {
            CallCommand::End(ending) => Some((ending.reason, ending.detail.clone())),
            _ => None,
        };
        let tried = |_: &Sid, fact: &CallCommand| match fact {
            CallCommand::FailAttempt { trunk, .. } => Some(trunk.clone()),
            _ => None,
        };
        assert_eq!(
            stage.outside.fact(tried).await,
            sid(Kind::Trunk, 1),
            "the record says which trunk it was"
        );
        let (reason, detail) = stage.outside.fact(|_, fact| ended(fact)).await;
        assert_eq!(reason, EndReason::TrunkUnreachable);
        assert!(
            detail.as_ref().is_some_and(|detail| detail.contains("outbound.allow_networks")),
            "{detail:?}"
        );
        stage.strike().await;
    }
}
