//! Who may have how much: places, calls at once, destinations; and that calls for help are outside of it.

use super::*;
use domain::call::{CallCommand, EndReason, Ending, Queued};

/// The other trunk's address, and a third one.
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

/// Waits for a warning of this code.
async fn warned(stage: &Stage, code: u32) {
    let warning = |fact: &CallCommand| matches!(fact, CallCommand::Warn { code: told, .. } if *told == code);
    stage.outside.fact(|_, fact| warning(fact).then_some(())).await;
}

/// Waits for a call that ended for this reason.
async fn ending(stage: &Stage, reason: EndReason) -> Ending {
    let ended = |fact: &CallCommand| match fact {
        CallCommand::End(ending) if ending.reason == reason => Some(ending.clone()),
        _ => None,
    };
    stage.outside.fact(|_, fact| ended(fact)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flooding_trunk_leaves_places_for_the_others() {
    let stage = Stage::with_room(20).await;
    stage.knows(|network| network.and_another(THERE));
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let (mut answered, mut refused) = (Vec::new(), 0);
    for _ in 0..30 {
        let mut caller = stage.caller().await;
        caller.dial("1234").await;
        let answer = caller.next(&["200", "503"]).await;
        if answer.kind() == "200" {
            caller.talk(answer, 440.0).await;
            answered.push(caller);
        } else {
            caller.acknowledge(&answer).await;
            refused += 1;
        }
    }
    assert_eq!((answered.len(), refused), (16, 14), "four fifths are theirs");
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut other = stage.caller_at(THERE).await;
        other.call("5678", 1000.0).await;
        others.push(other);
    }
    for caller in answered.iter_mut().chain(&mut others) {
        caller.hang_up().await;
    }
    stage.strike().await;
}

/// A trunk's sources.
fn comes_from(trunk: &mut TrunkEntry, sources: &[IpAddr]) {
    let sources = sources.iter().map(|source| (*source).into()).collect();
    trunk.inbound = Some(Inbound { sources, ..Inbound::default() });
}

/// Somebody calls from this address, and what becomes of it.
async fn calls(stage: &Stage, (source, number): (IpAddr, &str)) -> Result<Phone, String> {
    let mut caller = stage.caller_at(source).await;
    caller.dial(number).await;
    let answer = caller.next(&["200", "503"]).await;
    if answer.kind() == "200" {
        caller.talk(answer, 440.0).await;
        return Ok(caller);
    }
    caller.acknowledge(&answer).await;
    Err(answer.kind().to_owned())
}

/// Of five places these calls take four; the next call gets none, and the one after it does.
async fn of_five_places(
    change: impl FnOnce(Network) -> Network,
    taken: [(IpAddr, &str); 4],
    refused: (IpAddr, &str),
    let_in: (IpAddr, &str),
) {
    let stage = Stage::with_room(5).await;
    stage.knows(change);
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut callers = Vec::new();
    for call in taken {
        callers.push(calls(&stage, call).await.unwrap_or_else(|code| panic!("{call:?} gets {code}")));
    }
    assert_eq!(calls(&stage, refused).await.err().as_deref(), Some("503"), "{refused:?} is beyond a share");
    callers.push(calls(&stage, let_in).await.unwrap_or_else(|code| panic!("{let_in:?} gets {code}")));
    for caller in &mut callers {
        caller.hang_up().await;
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_has_a_share_however_many_addresses_and_accounts_its_calls_are_of() {
    let two_addresses = |network: Network| {
        let mut network = network.and_another(THERE);
        comes_from(&mut network.trunks[0], &[HERE, ELSEWHERE]);
        network
    };
    let taken = [(HERE, "1234"), (HERE, "5678"), (ELSEWHERE, "1234"), (ELSEWHERE, "5678")];
    of_five_places(two_addresses, taken, (HERE, "1234"), (THERE, "1234")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_has_a_share_however_many_trunks_and_carriers_are_called_from_it() {
    let shared = |network: Network| {
        let mut network = network.and_of(2, HERE, "5678").and_of(3, HERE, "9012");
        comes_from(&mut network.trunks[0], &[HERE]);
        comes_from(&mut network.trunks[2], &[HERE, THERE]);
        network
    };
    let taken = [(HERE, "1234"), (HERE, "5678"), (HERE, "1234"), (HERE, "5678")];
    of_five_places(shared, taken, (HERE, "9012"), (THERE, "9012")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_has_a_share_however_many_trunks_and_accounts_its_calls_are_of() {
    let two_carriers = |network: Network| {
        let mut network = network.and_of(1, ELSEWHERE, "9012").and_of(2, THERE, "5678");
        comes_from(&mut network.trunks[0], &[HERE]);
        network
    };
    let taken = [(HERE, "1234"), (ELSEWHERE, "9012"), (HERE, "1234"), (ELSEWHERE, "9012")];
    of_five_places(two_carriers, taken, (HERE, "1234"), (THERE, "5678")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_has_a_share_however_many_trunks_its_calls_come_through() {
    let taken = [(HERE, "1234"), (THERE, "1234"), (HERE, "1234"), (THERE, "1234")];
    of_five_places(|network| network.and_another(THERE), taken, (HERE, "1234"), (HERE, "5678")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_an_account_places_are_of_its_share_too() {
    let stage = Stage::with_room(5).await;
    stage.knows(|network| network.and_another(THERE));
    let asked = outbound::queued("", 30);
    let placed: Vec<_> = (0..4).map(|_| stage.engine.reserve(&asked).unwrap()).collect();
    assert_eq!(stage.engine.reserve(&asked).err(), Some(NoRoom::UntilFreed));
    let others = Queued { account: sid(Kind::Account, 2), ..asked };
    drop(stage.engine.reserve(&others).expect("the last place is for another account"));
    drop(placed);
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trunk_that_is_alone_may_have_every_place() {
    let stage = Stage::with_room(3).await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut callers = Vec::new();
    for _ in 0..3 {
        let mut caller = stage.caller().await;
        caller.call("1234", 440.0).await;
        callers.push(caller);
    }
    for caller in &mut callers {
        caller.hang_up().await;
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_forwarded_to_itself_comes_to_rest() {
    let stage = Stage::set().await;
    stage.trunk_is_at(&stage.engine.sip_addr().to_string());
    stage.outside.serves(VOICE, "<Dial>1234</Dial>");
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    let looped = ending(&stage, EndReason::LoopDetected).await;
    assert!(looped.detail.is_some_and(|detail| detail.contains("loop")));
    warned(&stage, 13225).await;
    caller.hung_up().await;
    let rounds = stage.outside.story().iter().filter(|fact| *fact == "Initiate").count();
    assert_eq!(rounds, 10, "calls of one caller to one callee");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dial_abroad_or_to_a_satellite_is_not_placed() {
    let stage = Stage::set().await;
    for number in ["+15551230000", "+870773111111"] {
        stage.outside.serves(VOICE, &format!("<Dial>{number}</Dial>"));
        let mut caller = stage.caller().await;
        caller.call("1234", 440.0).await;
        warned(&stage, 13227).await;
        caller.hung_up().await;
    }
    ending(&stage, EndReason::DestinationForbidden).await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_has_no_more_calls_at_once_than_it_may() {
    let mut stage = Stage::set().await;
    stage.knows(|mut network| {
        network.accounts[0].limits.calls_at_once = 1;
        network
    });
    let asked = outbound::queued("<Hangup/>", 30);
    stage.place(asked.clone());
    assert_eq!(stage.engine.reserve(&asked).err(), Some(NoRoom::UntilFreed));
    let mut freed = stage.engine.freed();
    let invite = stage.callee.rings().await;
    stage.callee.respond(&invite, 486, "").await;
    stage.callee.next(&["ACK"]).await;
    while let Err(no_room) = stage.engine.reserve(&asked) {
        assert_eq!(no_room, NoRoom::UntilFreed);
        tokio::time::timeout(SOON, freed.changed()).await.expect("room is told of").unwrap();
    }
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_places_no_more_calls_in_a_second_than_it_may() {
    let stage = Stage::set().await;
    stage.knows(|mut network| {
        network.accounts[0].limits.calls_per_second = 2;
        network
    });
    let asked = outbound::queued("<Hangup/>", 30);
    let (_one, _other) = (stage.engine.reserve(&asked).unwrap(), stage.engine.reserve(&asked).unwrap());
    match stage.engine.reserve(&asked) {
        Err(NoRoom::For(wait)) => {
            assert!((500..1_100).contains(&wait.as_millis()), "until the first is a second old: {wait:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stage.engine.live(), 2, "what was not kept is given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_for_help_goes_to_no_ordinary_trunk() {
    let stage = Stage::set().await;
    stage.place(Queued { to: "119".into(), ..outbound::queued("<Hangup/>", 30) });
    let ended = ending(&stage, EndReason::EmergencyNotTaken).await;
    assert!(ended.detail.is_some_and(|detail| detail.contains("emergency")));
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_for_help_has_a_place_in_a_full_engine_and_no_limit() {
    let mut stage = Stage::with_room(1).await;
    stage.knows(|mut network| {
        network.trunks[0].outbound.iter_mut().for_each(|outbound| outbound.emergency = true);
        (network.accounts[0].limits.calls_at_once, network.accounts[0].limits.calls_per_second) = (1, 1);
        network
    });
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    assert_eq!(stage.engine.reserve(&outbound::queued("", 30)).err(), Some(NoRoom::UntilFreed));
    stage.place(Queued { to: "119".into(), ..outbound::queued("<Hangup/>", 30) });
    let invite = stage.callee.rings().await;
    assert!(invite.header("To").contains("sip:119@"), "{invite:?}");
    assert_eq!(invite.header("Priority"), "emergency");
    stage.callee.respond(&invite, 486, "").await;
    stage.callee.next(&["ACK"]).await;
    caller.hang_up().await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_to_no_number_take_nobodys_place_and_are_recorded_for_what_they_are() {
    let stage = Stage::with_room(1).await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    stage.outside.takes(Duration::from_secs(1));
    let mut strays = Vec::new();
    for _ in 0..30 {
        let mut stray = stage.caller().await;
        stray.dial("9999").await;
        let answer = stray.next(&["404"]).await;
        stray.acknowledge(&answer).await;
        strays.push(stray);
    }
    let mut caller = stage.caller().await;
    caller.dial("1234").await;
    let answer = caller.next(&["200", "503"]).await;
    assert_eq!(answer.kind(), "200");
    stage.outside.takes(Duration::ZERO);
    caller.talk(answer, 440.0).await;
    caller.hang_up().await;
    stage.outside.fact(|_, fact| matches!(fact, CallCommand::Summarize(_)).then_some(())).await;
    let recorded = stage.outside.story().iter().filter(|fact| *fact == "Receive").count();
    assert!((2..28).contains(&recorded), "{recorded} of 31 are recorded");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_to_no_number_is_that_in_a_full_engine_too() {
    let stage = Stage::with_room(1).await;
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let (mut caller, mut stray) = (stage.caller().await, stage.caller().await);
    caller.call("1234", 440.0).await;
    stray.dial("9999").await;
    let answer = stray.next(&["404", "503"]).await;
    assert_eq!((answer.kind(), stage.outside.ended().await), ("404", EndReason::NumberNotFound));
    stray.acknowledge(&answer).await;
    caller.hang_up().await;
    stage.strike().await;
}

/// The trunk takes calls for help.
fn takes_calls_for_help(mut network: Network) -> Network {
    network.trunks[0].outbound.iter_mut().for_each(|outbound| outbound.emergency = true);
    network
}

/// One calls for help, and is put through.
async fn is_helped(stage: &mut Stage) {
    stage.place(Queued { to: "119".into(), ..outbound::queued("<Hangup/>", 30) });
    let invite = stage.callee.rings().await;
    assert!(invite.header("To").contains("sip:119@"), "{invite:?}");
    stage.callee.respond(&invite, 486, "").await;
    stage.callee.next(&["ACK"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_limit_stops_a_call_for_help() {
    type Change = fn(&mut Limits);
    let limits: [(&str, Change); 3] = [
        ("places", |_| {}),
        ("calls at once", |limits| (limits.calls_at_once, limits.same_pair_at_once) = (1, 1)),
        ("calls a second", |limits| limits.calls_per_second = 1),
    ];
    for (what, limit) in limits {
        let mut stage = Stage::with_room(if what == "places" { 1 } else { 100 }).await;
        stage.knows(|network| {
            let mut network = takes_calls_for_help(network);
            limit(&mut network.accounts[0].limits);
            network
        });
        let taken = stage.engine.reserve(&outbound::queued("", 30)).unwrap();
        assert!(stage.engine.reserve(&outbound::queued("", 30)).is_err(), "{what}");
        is_helped(&mut stage).await;
        // The one who dials has a place; what is dialled then is beyond the limit.
        let taken = Some(taken).filter(|_| what != "places");
        let mut freed = stage.engine.freed();
        while stage.engine.live() > taken.iter().count() {
            tokio::time::timeout(SOON, freed.changed()).await.expect("the call for help ends").unwrap();
        }
        stage.outside.serves(VOICE, "<Dial>119</Dial>");
        let mut caller = stage.caller().await;
        caller.call("1234", 440.0).await;
        let invite = stage.callee.rings().await;
        assert!(invite.header("To").contains("sip:119@"), "{what}: {invite:?}");
        stage.callee.respond(&invite, 486, "").await;
        stage.callee.next(&["ACK"]).await;
        caller.hung_up().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_for_help_leaves_a_node_that_is_about_to_stop() {
    let mut stage = Stage::set().await;
    stage.knows(takes_calls_for_help);
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut caller = stage.caller().await;
    caller.call("1234", 440.0).await;
    assert!(!stage.engine.drain(Duration::ZERO).await, "a call is live");
    assert_eq!(stage.engine.reserve(&outbound::queued("", 30)).err(), Some(NoRoom::UntilFreed));
    is_helped(&mut stage).await;
    caller.hang_up().await;
    assert!(stage.engine.drain(SOON).await);
    stage.engine.shutdown().await;
    let late = Queued { to: "119".into(), ..outbound::queued("", 30) };
    assert_eq!(stage.engine.reserve(&late).err(), Some(NoRoom::UntilFreed), "it has stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_account_calls_for_help_and_nobody_else() {
    let mut stage = Stage::set().await;
    stage.knows(|network| {
        let mut network = takes_calls_for_help(network);
        network.accounts[0].enabled = false;
        network
    });
    stage.place(outbound::queued("<Hangup/>", 30));
    ending(&stage, EndReason::AccountDisabled).await;
    is_helped(&mut stage).await;
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_number_of_the_inventory_is_answered_by_a_full_engine() {
    let stage = Stage::with_room(1).await;
    let _all_there_is = stage.engine.reserve(&outbound::queued("", 30)).unwrap();
    stage.knows(|mut network| {
        network.numbers[0].number = "119".parse().unwrap();
        network.accounts[0].enabled = false;
        network
    });
    stage.outside.serves(VOICE, r#"<Gather timeout="60"/>"#);
    let mut caller = stage.caller().await;
    caller.call("119", 440.0).await;
    caller.hang_up().await;
}
