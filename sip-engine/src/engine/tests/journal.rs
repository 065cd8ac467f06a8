//! How a call's facts reach the log: together where they can wait, at once where a phase cannot.

use super::*;
use crate::{
    engine::journal::{Fact, Journal},
    outside::CallRef,
};
use domain::call::CallCommand;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

fn of(call: u128, fact: CallCommand) -> Fact {
    (CallRef { sid: sid(Kind::Call, call), tenant: tenant() }, Timestamp::from_micros(0), fact)
}

fn pressed(call: u128) -> Fact {
    of(call, CallCommand::Press { digits: "1".into() })
}

#[tokio::test(start_paused = true)]
async fn facts_wait_for_others_and_phases_for_nothing() {
    let (outside, tracker) = (Arc::new(Memory::default()), TaskTracker::new());
    let journal = Journal::start(outside.clone(), &tracker);
    journal.record(vec![pressed(1), pressed(1)]).await;
    journal.record(vec![pressed(1)]).await;
    outside.fact(|_, _| Some(())).await;
    assert_eq!(outside.appends(), [3], "by itself, after a while");
    let began = Instant::now();
    journal.record(vec![pressed(1)]).await;
    journal.record(vec![of(1, CallCommand::Answer)]).await;
    assert_eq!((outside.appends(), began.elapsed()), (vec![3, 2], Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_over_leaves_nothing_behind_and_nothing_out_of_order() {
    let (outside, tracker) = (Arc::new(Memory::default()), TaskTracker::new());
    let journal = Journal::start(outside.clone(), &tracker);
    journal.record(vec![pressed(1), pressed(2), pressed(1)]).await;
    drop(journal);
    tracker.close();
    tracker.wait().await;
    assert_eq!(outside.appends(), [1, 1, 1], "one stream at a time, in the order things happened");
}

fn arrival(call: u128) -> Fact {
    of(call, CallCommand::Receive(outside::arrival()))
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_arrival_is_kept_nowhere_is_void() {
    for (takes, fails, waits, void) in
        [(0, true, 0, true), (9_000, false, 3_000, true), (1_000, false, 1_000, false)]
    {
        let (outside, tracker) = (Arc::new(Memory::default()), TaskTracker::new());
        outside.takes(Duration::from_millis(takes));
        outside.keeps_nothing(fails);
        let journal = Journal::start(outside.clone(), &tracker);
        let began = Instant::now();
        journal.record(vec![arrival(1)]).await;
        assert_eq!((journal.is_void(), began.elapsed()), (void, Duration::from_millis(waits)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_arrival_that_is_kept_too_late_is_followed_by_its_end() {
    let (outside, tracker) = (Arc::new(Memory::default()), TaskTracker::new());
    outside.takes(Duration::from_secs(9));
    let journal = Journal::start(outside.clone(), &tracker);
    journal.record(vec![arrival(1)]).await;
    let began = Instant::now();
    let end = CallCommand::End(domain::call::Ending::because(domain::call::EndReason::Overloaded));
    journal.record(vec![pressed(1), of(1, end)]).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "nobody waits for it");
    drop(journal);
    tracker.close();
    tracker.wait().await;
    assert_eq!(outside.story(), ["Receive", "End"]);
}

#[tokio::test(start_paused = true)]
async fn a_phase_waits_for_the_spool_but_not_for_ever() {
    for (takes, held_up) in [(120, 120), (9_000, 250)] {
        let (outside, tracker) = (Arc::new(Memory::default()), TaskTracker::new());
        outside.takes(Duration::from_millis(takes));
        let journal = Journal::start(outside, &tracker);
        let began = Instant::now();
        journal.record(vec![of(1, CallCommand::Answer)]).await;
        assert_eq!(began.elapsed(), Duration::from_millis(held_up));
    }
}
