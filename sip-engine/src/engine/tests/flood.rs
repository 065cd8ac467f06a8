//! A flood: one trunk takes all it can get, and another one calls as if nothing were.

use super::*;
use std::sync::atomic::AtomicUsize;
use tokio::{sync::watch, task::JoinSet, time::Instant};

/// The other trunk's address.
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Places of the engine.
const PLACES: usize = 500;
/// Calls of the flood a second.
const RATE: u32 = 150;
/// Calls of the other trunk that are timed, one after the other.
const TIMED: usize = 200;

/// How many of the flood's calls were answered, and how many refused.
#[derive(Default)]
struct Tally {
    answered: AtomicUsize,
    refused: watch::Sender<usize>,
}

/// One call of the flood: it stays until the flood ends.
async fn stays(mut caller: Phone, tally: Arc<Tally>, mut over: watch::Receiver<bool>) {
    caller.dial("1234").await;
    let answer = caller.next(&["200", "503"]).await;
    if answer.kind() == "503" {
        tally.refused.send_modify(|refused| *refused += 1);
        return caller.acknowledge(&answer).await;
    }
    tally.answered.fetch_add(1, Ordering::Relaxed);
    caller.is_answered(&answer).await;
    over.wait_for(|over| *over).await.unwrap();
    caller.hang_up().await;
}

/// Calls until it is told to stop, and hangs up.
async fn flood(stage: &Stage, tally: &Arc<Tally>, over: &watch::Receiver<bool>) {
    let mut calls = JoinSet::new();
    let mut every = tokio::time::interval(Duration::from_secs(1) / RATE);
    while !*over.borrow() {
        every.tick().await;
        let caller = stage.caller().await;
        calls.spawn(stays(caller, Arc::clone(tally), over.clone()));
        while calls.try_join_next().is_some() {}
    }
    while calls.join_next().await.is_some() {}
}

/// How long calls of the other trunk wait for their answer, in order of length.
async fn answers(stage: &Stage) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..TIMED {
        let mut caller = stage.caller_at(THERE).await;
        let began = Instant::now();
        caller.dial("5678").await;
        let answer = caller.next(&["200", "503"]).await;
        assert_eq!(answer.kind(), "200", "the other trunk is not shut out");
        times.push(began.elapsed());
        caller.is_answered(&answer).await;
        caller.hang_up().await;
    }
    times.sort();
    times
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "half a minute of load; tests/faults/flood runs it"]
async fn another_trunks_calls_are_answered_during_a_flood_as_without_it() {
    let stage = Stage::with_room(PLACES).await;
    stage.knows(|network| network.and_another(THERE));
    stage.outside.serves(VOICE, r#"<Gather timeout="600"/>"#);
    let alone = answers(&stage).await;
    let (tally, (stop, over)) = (Arc::new(Tally::default()), watch::channel(false));
    let victim = async {
        // The flood has what it can have.
        tally.refused.subscribe().wait_for(|refused| *refused > 0).await.unwrap();
        let flooded = answers(&stage).await;
        stop.send_replace(true);
        flooded
    };
    let (flooded, ()) = tokio::join!(victim, flood(&stage, &tally, &over));
    let (answered, refused) = (tally.answered.load(Ordering::Relaxed), *tally.refused.borrow());
    println!("{PLACES} places, a flood of {RATE} calls/s: {answered} answered, {refused} refused");
    for (when, times) in [("alone", &alone), ("during the flood", &flooded)] {
        let [half, most] = [50, 99].map(|percent| percentile(times, percent));
        println!("{when}: {TIMED} of {TIMED} calls answered, p50 {half:?}, p99 {most:?}");
    }
    // Of the slowest two calls, less than 10 ms is the machine's other work.
    let bound = |percent| percentile(&alone, percent) * 3;
    assert!(percentile(&flooded, 50) <= bound(50), "p50 within three times");
    assert!(percentile(&flooded, 99) <= bound(99).max(Duration::from_millis(10)), "p99 within three times");
    stage.strike().await;
}
