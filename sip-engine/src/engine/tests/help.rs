//! Calls for help: what is kept for them, and that nobody has all of it.

use super::*;
use crate::engine::reservation::Reservation;
use domain::call::EndReason;

/// The other trunk's address.
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

fn call_of(account: u128, to: &str) -> Queued {
    Queued { account: sid(Kind::Account, account), to: to.into(), ..outbound::queued("", 30) }
}

/// All the places that an account gets for such calls.
fn places(stage: &Stage, account: u128, to: &str) -> Vec<Reservation> {
    std::iter::from_fn(|| stage.engine.reserve(&call_of(account, to)).ok()).take(1_000).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_for_help_have_places_beyond_all_others_but_not_without_end() {
    let stage = Stage::with_room(1).await;
    stage.knows(|mut network| {
        network.accounts[0].limits.calls_per_second = 100;
        network
    });
    let ordinary = places(&stage, 1, "+85510000001");
    let mut helped = places(&stage, 1, "112");
    assert_eq!((ordinary.len(), helped.len()), (1, 16));
    helped.pop();
    assert_eq!(places(&stage, 1, "112").len(), 1, "whose place is free is another's");
    drop(ordinary);
    assert_eq!(places(&stage, 1, "+85510000001").len(), 1, "they are in nobody's way");
    drop(helped);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_calls_for_help_without_end_leaves_places_for_others() {
    let stage = Stage::with_room(5).await;
    stage.knows(|network| network.and_another(THERE));
    let flood = places(&stage, 1, "112");
    assert_eq!(flood.len(), 4 + 13, "four fifths of all places, and of those that are kept");
    assert!(!places(&stage, 2, "+85510000001").is_empty(), "for others' calls");
    assert!(places(&stage, 2, "112").len() > 1, "for others' calls for help");
    drop(flood);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_whose_accounts_call_for_help_without_end_leaves_places_for_anothers() {
    let stage = Stage::with_room(5).await;
    stage.knows(|network| network.and_another(THERE).and_of(2, THERE, "9012"));
    let flood = [1, 2].map(|account| places(&stage, account, "112"));
    assert_eq!(flood.each_ref().map(Vec::len), [4 + 12, 0], "its share of all places, and of those kept");
    assert!(places(&stage, 3, "112").len() > 1, "for another carrier's calls for help");
    drop(flood);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_for_help_that_nobody_takes_gives_no_other_call_the_ports_that_are_kept() {
    let one_ordinary_leg = |config: &mut EngineConfig| {
        (config.rtp_ports, config.max_legs) = (21_000..=21_063, 1);
    };
    let stage = Stage::configured(vec![SocketAddr::new(HERE, 0)], HERE, 100, one_ordinary_leg).await;
    stage.outside.serves(VOICE, "<Dial><Number>85510000001</Number><Number>119</Number></Dial>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    // Nobody rings, so the document is at its end.
    caller.hung_up().await;
    let mut endings = stage.outside.endings(3).await;
    endings.retain(|reason| [EndReason::MediaFailed, EndReason::EmergencyNotTaken].contains(reason));
    assert_eq!(endings.len(), 2, "{endings:?}");
    stage.strike().await;
}
