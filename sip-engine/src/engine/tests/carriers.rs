//! That no carrier has everything, however many accounts it makes.

use super::*;
use crate::engine::reservation::Reservation;
use domain::call::EndReason;

/// The other carriers' address.
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Accounts of these carriers, each with a trunk and a number; they may call as often as they like.
fn accounts_of(mut network: Network, others: &[(u128, &str)]) -> Network {
    network.accounts[0].limits.calls_per_second = 1_000;
    network.trunks[0].inbound = Some(Inbound { sources: vec![HERE.into()], ..Inbound::default() });
    others.iter().fold(network, |network, (carrier, number)| network.and_of(*carrier, THERE, number))
}

/// All the places that these accounts get for calls of the API, one account after the other.
fn places<const N: usize>(stage: &Stage, accounts: [u128; N]) -> [Vec<Reservation>; N] {
    accounts.map(|account| {
        let asked = Queued { account: sid(Kind::Account, account), ..outbound::queued("", 30) };
        std::iter::from_fn(|| stage.engine.reserve(&asked).ok()).collect()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_of_many_accounts_and_one_that_signs_up_again_leave_places_for_another() {
    let stage = Stage::with_room(60).await;
    stage.knows(|network| accounts_of(network, &[(1, "5678"), (2, "9012"), (3, "3456")]));
    let taken = places(&stage, [1, 2, 3, 4]);
    assert_eq!(taken.each_ref().map(Vec::len), [42, 0, 8, 2]);
    drop(taken);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_accounts_of_the_only_carrier_have_all_places_together() {
    let stage = Stage::with_room(60).await;
    stage.knows(|network| accounts_of(network, &[(1, "5678"), (1, "9012")]));
    let taken = places(&stage, [1, 2, 3]);
    assert_eq!(taken.each_ref().map(Vec::len), [48, 10, 2]);
    drop(taken);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_that_dials_all_it_can_leaves_sound_for_anothers_calls() {
    let few_legs = |config: &mut EngineConfig| config.max_legs = 8;
    let stage = Stage::configured(vec![SocketAddr::new(HERE, 0)], HERE, 100, few_legs).await;
    stage.knows(|network| accounts_of(network, &[(2, "5678")]));
    let numbers: String = (0..10).map(|last| format!("<Number>8551000000{last}</Number>")).collect();
    stage.outside.serves(VOICE, &format!("<Dial>{numbers}</Dial>"));
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    assert_eq!(
        stage.outside.endings(5).await,
        [EndReason::MediaFailed; 5],
        "beside its own, five have sound"
    );
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut other = stage.caller_at(THERE).await;
    other.call("5678", 1000.0).await;
    other.hang_up().await;
    // None of the five is there.
    caller.hung_up().await;
    stage.strike().await;
}
