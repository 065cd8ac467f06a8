use super::*;
use crate::testing::{Bench, Order, Recorder, dialog, life, new_sid, past_and_future, received};
use crate::{ledger::LEASE, nodes::Nodes, sync_directory};
use domain::{
    Kind,
    account::{Account, AccountCommand},
    call::{Call, CallEvent, CallEventKind, Direction, Program, Status},
};
use std::sync::atomic::Ordering;
use store::{Fact, SystemClock};

struct Running {
    bench: Bench,
    reactor: PlaceCalls,
    engine: Arc<Recorder>,
    orders: tokio::sync::mpsc::UnboundedReceiver<Order>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// A process that began just now.
    fn start(bench: Bench) -> Running {
        let began = bench.common.clock.now();
        Running::began(bench, began, QUEUE_LIMIT)
    }

    fn began(bench: Bench, began: Timestamp, limit: Duration) -> Running {
        bench.common.tasks.spawn(sync_directory::run(bench.common.clone()));
        Running::following(bench, began, limit)
    }

    /// Nobody keeps the directory.
    fn with_directory_at_rest(bench: Bench) -> Running {
        let began = bench.common.clock.now();
        Running::following(bench, began, QUEUE_LIMIT)
    }

    fn following(bench: Bench, began: Timestamp, limit: Duration) -> Running {
        let (engine, orders) = Recorder::new(bench.common.mirror.clone());
        let reactor = PlaceCalls::new(bench.common.clone(), Arc::clone(&engine) as _, began, limit);
        let task = bench.common.tasks.spawn(reactor.clone().run());
        Running { bench, reactor, engine, orders, task }
    }

    async fn next(&mut self) -> Order {
        self.orders.recv().await.unwrap()
    }

    /// Waits until the tables know all there is.
    async fn projected(&self) {
        for log in [domain::Log::Calls, domain::Log::Core] {
            let head = self.bench.store.head(log).await.unwrap();
            self.bench.common.projections.reached(log, head, Duration::from_secs(5)).await.unwrap();
        }
    }

    async fn ended(&self, call: &Sid) -> EndReason {
        let stream = self.bench.until(call, |stream| has(stream, CallEventKind::Ended)).await;
        let ended = stream.iter().find_map(|fact| match fact.of::<Call>() {
            Some(Ok(domain::call::CallEvent::Ended(ending))) => Some(ending.reason),
            _ => None,
        });
        ended.unwrap()
    }
}

fn has(stream: &[Fact], kind: CallEventKind) -> bool {
    stream.iter().any(|fact| fact.kind::<Call>() == Some(kind))
}

#[tokio::test]
async fn a_queued_call_is_claimed_and_placed_once() {
    let mut running = Running::start(Bench::new().await);
    let first = running.bench.queue(None).await;
    assert_eq!(running.next().await, Order::Placed(first.clone()));
    let second = running.bench.queue(None).await;
    assert_eq!(running.next().await, Order::Placed(second));
    let stream = running.bench.store.stream(&first).await.unwrap();
    assert_eq!(stream.len(), 2);
    assert!(has(&stream, CallEventKind::Claimed));
}

#[tokio::test]
async fn a_call_goes_the_way_of_the_last_change() {
    let mut running = Running::start(Bench::new().await);
    for name in ["B", "C"] {
        let Running { bench, .. } = &running;
        let rename = AccountCommand::Rename { name: name.parse().unwrap() };
        let told = bench.store.execute::<Account>(&bench.account, rename, &bench.meta()).await.unwrap();
        let call = bench.queue(None).await;
        assert_eq!(running.next().await, Order::Placed(call));
        assert!(running.engine.knew.load(Ordering::SeqCst) >= told.position);
    }
}

#[tokio::test]
async fn a_change_made_on_another_node_counts_as_well() {
    let mut running = Running::start(Bench::on(store::testing::on_postgres().await).await);
    let there = store::Store::open(running.bench.store.options.clone()).await.unwrap();
    for name in ["B", "C", "D"] {
        let Running { bench, .. } = &running;
        let rename = AccountCommand::Rename { name: name.parse().unwrap() };
        let told = there.execute::<Account>(&bench.account, rename, &bench.meta()).await.unwrap();
        let call = bench.queue(None).await;
        assert_eq!(running.next().await, Order::Placed(call));
        assert!(running.engine.knew.load(Ordering::SeqCst) >= told.position);
    }
    there.close().await;
}

#[tokio::test]
async fn a_directory_that_stands_still_is_waited_for_once() {
    let bench = Bench::new().await;
    let mut running = Running::with_directory_at_rest(bench);
    assert!(!running.reactor.stands_still());
    for _ in 0..2 {
        let call = running.bench.queue(None).await;
        assert_eq!(running.next().await, Order::Placed(call));
        assert!(running.reactor.stands_still());
    }
    running.bench.common.tasks.spawn(sync_directory::run(running.bench.common.clone()));
    let head = running.bench.store.head(domain::Log::Core).await.unwrap();
    assert!(running.bench.common.mirror.reached(head, Duration::from_secs(30)).await);
    assert!(!running.reactor.stands_still());
}

#[tokio::test]
async fn a_call_queued_while_nothing_ran_is_placed_at_the_start() {
    let bench = Bench::new().await;
    let call = bench.queue(None).await;
    let mut running = Running::start(bench);
    assert_eq!(running.next().await, Order::Placed(call));
    let later = running.bench.queue(None).await;
    assert_eq!(running.next().await, Order::Placed(later), "and none is placed twice");
}

#[tokio::test]
async fn a_call_placed_after_the_start_outlives_the_sweeps() {
    let bench = Bench::new().await;
    let call = bench.queue(None).await;
    let mut running = Running::start(bench);
    assert_eq!(running.next().await, Order::Placed(call.clone()));
    running.projected().await;
    running.reactor.sweep().await.unwrap();
    assert!(!has(&running.bench.store.stream(&call).await.unwrap(), CallEventKind::Ended));
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_made_again() {
    let mut running = Running::start(Bench::new().await);
    let first = running.bench.queue(None).await;
    assert_eq!(running.next().await, Order::Placed(first.clone()));
    // What a store that failed after the commit leaves: claimed in the log, unknown here.
    running.reactor.claimed().clear();
    running.projected().await;
    running.reactor.sweep().await.unwrap();
    assert_eq!(running.next().await, Order::Placed(first));
}

#[tokio::test]
async fn a_call_another_node_claimed_is_not_placed() {
    let bench = Bench::on(store::testing::on_postgres().await).await;
    let (call, now) = (bench.queue(None).await, bench.common.clock.now());
    assert!(
        bench.common.ledger.lease("node:there", "there", now).await.unwrap(),
        "of a release before epochs"
    );
    bench.tell(&call, vec![CallCommand::Claim { node: "there".into() }]).await;
    let mut running = Running::start(bench);
    let own = running.bench.queue(None).await;
    assert_eq!(running.next().await, Order::Placed(own));
    assert!(
        !has(&running.bench.store.stream(&call).await.unwrap(), CallEventKind::Ended),
        "it is alive there"
    );
}

#[tokio::test]
async fn a_call_that_waited_too_long_fails_visibly() {
    let bench = Bench::new().await;
    let call = bench.queue(None).await;
    let began = bench.common.clock.now();
    let running = Running::began(bench, began, Duration::ZERO);
    assert_eq!(running.ended(&call).await, EndReason::Expired);
}

#[tokio::test]
async fn what_the_engine_refuses_ends_with_its_reason() {
    let running = Running::start(Bench::new().await);
    running.engine.refuses.store(true, Ordering::SeqCst);
    let call = running.bench.queue(None).await;
    assert_eq!(running.ended(&call).await, EndReason::Overloaded);
}

#[tokio::test]
async fn a_full_node_leaves_calls_queued_until_it_has_room() {
    let mut running = Running::start(Bench::new().await);
    running.engine.full.store(true, Ordering::SeqCst);
    let call = running.bench.queue(None).await;
    let queued = running.bench.store.stream(&call).await.unwrap()[0].position;
    running.reactor.acted.calls.subscribe().wait_for(|acted| *acted >= Some(queued)).await.unwrap();
    assert!(
        !has(&running.bench.store.stream(&call).await.unwrap(), CallEventKind::Claimed),
        "others may have it"
    );
    let again = Program::Inline("<Response><Hangup/></Response>".into());
    running.bench.tell(&call, vec![CallCommand::Redirect(again.clone())]).await;
    running.projected().await;
    assert_eq!(running.reactor.queued(&call).await.unwrap().unwrap().program, Some(again));
    running.engine.full.store(false, Ordering::SeqCst);
    running.engine.freed.send_modify(|times| *times += 1);
    while running.next().await != Order::Placed(call.clone()) {}
}

#[tokio::test]
async fn calls_that_wait_are_placed_in_their_order_as_soon_as_there_is_room() {
    let mut running = Running::start(Bench::new().await);
    running.engine.full.store(true, Ordering::SeqCst);
    let mut calls = Vec::new();
    for _ in 0..5 {
        calls.push(running.bench.queue(None).await);
    }
    let last = running.bench.store.head(domain::Log::Calls).await.unwrap();
    running.reactor.acted.calls.subscribe().wait_for(|acted| *acted >= Some(last)).await.unwrap();
    // Looked at again while it is full, nothing happens, and nothing is forgotten.
    running.reactor.sweep().await.unwrap();
    running.engine.full.store(false, Ordering::SeqCst);
    // There is room before those that wait are told: whoever comes now is behind them.
    calls.push(running.bench.queue(None).await);
    let last = running.bench.store.head(domain::Log::Calls).await.unwrap();
    running.reactor.acted.calls.subscribe().wait_for(|acted| *acted >= Some(last)).await.unwrap();
    running.engine.freed.send_modify(|times| *times += 1);
    for call in calls {
        assert_eq!(running.next().await, Order::Placed(call), "each once, well before a sweep of 15 seconds");
    }
}

#[tokio::test]
async fn requests_about_a_call_reach_the_engine_after_it_was_placed() {
    let mut running = Running::start(Bench::new().await);
    let call = running.bench.queue(None).await;
    running.bench.until(&call, |stream| has(stream, CallEventKind::Claimed)).await;
    let again = CallCommand::Redirect(Program::Inline("<Response><Hangup/></Response>".into()));
    let end = CallCommand::RequestEnd { status: Status::Completed };
    running.bench.tell(&call, vec![CallCommand::Answer, again, end]).await;
    assert_eq!(running.next().await, Order::Placed(call.clone()));
    assert_eq!(running.next().await, Order::Redirected(call.clone()));
    assert_eq!(running.next().await, Order::Ended(call, Status::Completed));
}

#[tokio::test]
async fn calls_a_stopped_process_had_are_closed_with_a_reason() {
    let bench = Bench::new().await;
    let (answered, dialled, elsewhere) = (bench.queue(None).await, new_sid(Kind::Call), new_sid(Kind::Call));
    let mut alive = life();
    alive.pop();
    bench.tell(&answered, alive).await;
    let mut leg = bench.asked(None);
    (leg.direction, leg.parent) = (Direction::OutboundDial, Some(answered.clone()));
    bench.tell(&dialled, vec![CallCommand::Queue(leg)]).await;
    bench.tell(&elsewhere, vec![received("gone")]).await;
    let running = Running::start(bench.restarted().await);
    for call in [&answered, &dialled, &elsewhere] {
        assert_eq!(running.ended(call).await, EndReason::Interrupted, "{call}");
    }
}

#[tokio::test]
async fn phones_of_calls_a_stopped_process_had_are_told_where_they_were_last_talked_to() {
    let bench = Bench::new().await;
    let [caller, callee, rung, ringing, over] = std::array::from_fn(|_| new_sid(Kind::Call));
    let (first, second) = (new_sid(Kind::Trunk), new_sid(Kind::Trunk));
    let talks = |peer| CallCommand::Connect(dialog(peer));
    bench
        .tell(
            &caller,
            vec![received("gone"), talks("192.0.2.7:5060"), CallCommand::Move(dialog("192.0.2.1:5060"))],
        )
        .await;
    let mut leg = bench.asked(None);
    (leg.direction, leg.parent) = (Direction::OutboundDial, Some(caller.clone()));
    let (request_uri, sip_call_id) = ("sip:1@192.0.2.9".to_owned(), "y".to_owned());
    let address = "192.0.2.9:5060".to_owned();
    let sent = CallCommand::Initiate {
        trunk: first.clone(),
        request_uri: request_uri.clone(),
        sip_call_id: sip_call_id.clone(),
    };
    let again = CallCommand::Reroute { trunk: second.clone(), address, request_uri, sip_call_id };
    let rings = CallCommand::Ring { sip_code: 180, invite: Some(dialog("192.0.2.8:5060")) };
    bench.tell(&rung, vec![CallCommand::Queue(leg.clone()), sent.clone(), rings]).await;
    bench.tell(&callee, vec![CallCommand::Queue(leg), sent, again, talks("192.0.2.9:5060")]).await;
    bench.tell(&ringing, vec![received("gone")]).await;
    let hung_up = CallCommand::End(Ending::because(EndReason::HungUp));
    bench.tell(&over, vec![received("gone"), talks("192.0.2.3:5060"), hung_up]).await;
    let mut running = Running::start(bench.restarted().await);
    for call in [&caller, &callee, &rung, &ringing] {
        running.ended(call).await;
    }
    let mut told = Vec::new();
    while let Ok(order) = running.orders.try_recv() {
        let Order::Parted(call, trunk, peer) = order else { panic!("{order:?}") };
        told.push((call, trunk, peer.to_string()));
    }
    assert_eq!(told.len(), 3, "neither one that calls and has no answer nor one that is over: {told:?}");
    assert!(told.contains(&(rung, first, "192.0.2.8:5060".into())));
    assert!(told.iter().any(|(call, _, peer)| *call == caller && peer == "192.0.2.1:5060"));
    assert!(told.contains(&(callee, second, "192.0.2.9:5060".into())));
}

#[tokio::test]
async fn another_nodes_call_is_closed_only_after_a_lease_in_which_it_could_have_said_that_it_lives() {
    let bench = Bench::on(store::testing::on_postgres().await).await;
    let call = new_sid(Kind::Call);
    // Its lease ran out while the database was away.
    bench.tell(&call, vec![received("there/3")]).await;
    let began = tokio::time::Instant::now();
    let mut running = Running::start(bench);
    let own = running.bench.queue(None).await;
    assert_eq!(running.next().await, Order::Placed(own));
    running.projected().await;
    running.reactor.sweep().await.unwrap();
    if began.elapsed() < LEASE {
        assert!(
            !has(&running.bench.store.stream(&call).await.unwrap(), CallEventKind::Ended),
            "it may be there"
        );
    }
    while !running.reactor.alive.for_a_lease(tokio::time::Instant::now()) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    running.reactor.sweep().await.unwrap();
    assert_eq!(running.ended(&call).await, EndReason::Interrupted);
    assert!(began.elapsed() >= LEASE);
}

#[tokio::test]
async fn a_dead_nodes_calls_are_closed_within_five_seconds() {
    let bench = Bench::on(store::testing::on_postgres().await).await;
    let there =
        Nodes::join(bench.store.db().clone(), Arc::new(SystemClock), "there", "t".into()).await.unwrap();
    let running = Running::start(bench);
    let (call, older) = (new_sid(Kind::Call), new_sid(Kind::Call));
    running.bench.tell(&call, vec![received(&there.claim())]).await;
    let mut dies = tokio::time::Instant::now();
    while !running.reactor.alive.for_a_lease(dies) {
        assert!(there.renew().await.unwrap());
        tokio::time::sleep(Duration::from_millis(100)).await;
        dies = tokio::time::Instant::now();
    }
    running.bench.tell(&older, vec![received("there/0")]).await;
    running.projected().await;
    running.reactor.sweep().await.unwrap();
    assert_eq!(running.ended(&older).await, EndReason::Interrupted, "of an earlier epoch");
    assert!(!has(&running.bench.store.stream(&call).await.unwrap(), CallEventKind::Ended), "it lives");
    assert_eq!(running.ended(&call).await, EndReason::Interrupted);
    println!("a dead node's call was closed {:?} after its last renewal", dies.elapsed());
    assert!(
        dies.elapsed() < Duration::from_secs(5 + 3),
        "5 s, and what a busy machine adds: {:?}",
        dies.elapsed()
    );
}

#[tokio::test]
async fn a_call_that_died_with_its_process_is_as_long_as_that_process_proves() {
    let bench = Bench::new().await;
    let call = new_sid(Kind::Call);
    // Its process had the wall a day behind, whatever that of the one that closes it.
    let now = bench.common.clock.now();
    let own = |seconds: i64| {
        let at = Timestamp::from_micros(now.micros() - 86_400_000_000 + seconds * 1_000_000);
        Meta::new(bench.tenant.clone(), Actor::system("sip-engine"), at)
    };
    let told = [
        (received("gone/1"), own(0)),
        (CallCommand::Answer, own(2)),
        (CallCommand::Press { digits: "1".into() }, own(9)),
    ];
    for (command, meta) in told {
        bench.store.execute::<Call>(&call, command, &meta).await.unwrap();
    }
    let running = Running::start(bench);
    assert_eq!(running.ended(&call).await, EndReason::Interrupted);
    let facts = running.bench.store.stream(&call).await.unwrap();
    let length = facts.iter().find_map(|fact| match fact.of::<Call>() {
        Some(Ok(CallEvent::Ended(ending))) => ending.duration_s,
        _ => None,
    });
    assert_eq!(length, Some(7));
}

#[tokio::test]
async fn a_call_that_another_node_closed_is_hung_up_here() {
    let mut running = Running::start(Bench::new().await);
    let call = running.bench.queue(None).await;
    assert_eq!(running.next().await, Order::Placed(call.clone()));
    running.engine.holds.store(true, Ordering::SeqCst);
    let meta = Meta::new(running.bench.tenant.clone(), Actor::system(NAME), running.bench.common.clock.now());
    let end = CallCommand::End(Ending::because(EndReason::Interrupted));
    running.bench.store.execute::<Call>(&call, end, &meta).await.unwrap();
    assert_eq!(running.next().await, Order::Ended(call, Status::Completed));
}

#[tokio::test]
async fn a_call_of_ours_that_the_engine_lost_is_closed_on_request() {
    let mut running = Running::start(Bench::new().await);
    running.engine.forgets.store(true, Ordering::SeqCst);
    let call = running.bench.queue(None).await;
    assert_eq!(running.next().await, Order::Placed(call.clone()));
    running.bench.tell(&call, vec![CallCommand::RequestEnd { status: Status::Completed }]).await;
    assert_eq!(running.ended(&call).await, EndReason::CompletedByApi);
}

#[tokio::test]
async fn a_call_that_lost_its_end_is_closed_without_a_restart() {
    let bench = Bench::new().await;
    let call = new_sid(Kind::Call);
    let running = Running::start(bench);
    running.bench.tell(&call, vec![received("here")]).await;
    running.projected().await;
    running.reactor.sweep().await.unwrap();
    assert_eq!(running.bench.store.stream(&call).await.unwrap().len(), 1, "its end may be on its way");
    let long_ago = running.reactor.lost().get(&call).unwrap().checked_sub(Duration::from_secs(60)).unwrap();
    running.reactor.lost().insert(call.clone(), long_ago);
    running.reactor.sweep().await.unwrap();
    assert_eq!(running.ended(&call).await, EndReason::Interrupted);
}

#[tokio::test]
async fn a_dialled_leg_that_lost_its_end_is_closed_whether_its_parent_is_over_or_not() {
    let running = Running::start(Bench::new().await);
    let (parent, over) = (new_sid(Kind::Call), new_sid(Kind::Call));
    running.bench.tell(&parent, vec![received("here")]).await;
    let end = CallCommand::End(Ending::because(EndReason::PeerHungUp));
    running.bench.tell(&over, vec![received("here"), end]).await;
    let mut legs = Vec::new();
    for parent in [&parent, &over] {
        let (mut leg, sid) = (running.bench.asked(None), new_sid(Kind::Call));
        (leg.direction, leg.parent) = (Direction::OutboundDial, Some(parent.clone()));
        running.bench.tell(&sid, vec![CallCommand::Queue(leg)]).await;
        legs.push(sid);
    }
    running.projected().await;
    running.reactor.sweep().await.unwrap();
    for leg in &legs {
        assert_eq!(running.bench.store.stream(leg).await.unwrap().len(), 1, "its end may be on its way");
        let since = *running.reactor.lost().get(leg).unwrap();
        running.reactor.lost().insert(leg.clone(), since.checked_sub(Duration::from_secs(60)).unwrap());
    }
    running.reactor.sweep().await.unwrap();
    for leg in &legs {
        assert_eq!(running.ended(leg).await, EndReason::Interrupted);
    }
}

#[tokio::test]
async fn a_call_that_came_in_while_recovering_is_left_alone() {
    let bench = Bench::new().await;
    let call = new_sid(Kind::Call);
    bench.tell(&call, vec![received("here")]).await;
    let mut running = Running::began(bench, past_and_future().0, QUEUE_LIMIT);
    let placed = running.bench.queue(None).await;
    assert_eq!(running.next().await, Order::Placed(placed));
    assert_eq!(running.bench.store.stream(&call).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_disabled_accounts_live_calls_are_ended() {
    let mut running = Running::start(Bench::new().await);
    let call = running.bench.queue(None).await;
    assert_eq!(running.next().await, Order::Placed(call.clone()));
    running.bench.tell(&call, vec![CallCommand::Answer]).await;
    let (account, meta) = (running.bench.account.clone(), running.bench.meta());
    running.projected().await;
    running.bench.store.execute::<Account>(&account, AccountCommand::Disable, &meta).await.unwrap();
    assert_eq!(running.next().await, Order::Ended(call, Status::Completed));
}

#[tokio::test]
async fn orders_given_while_the_store_failed_are_carried_out() {
    let mut running = Running::start(Bench::new().await);
    let (talking, disabled) = (running.bench.queue(None).await, running.bench.queue(None).await);
    assert_eq!(running.next().await, Order::Placed(talking.clone()));
    assert_eq!(running.next().await, Order::Placed(disabled.clone()));
    // The work breaks off, as a failing store makes it; the tables are past the order when it begins again.
    let placed = running.bench.store.stream(&disabled).await.unwrap()[0].position;
    running.reactor.acted.calls.subscribe().wait_for(|acted| *acted >= Some(placed)).await.unwrap();
    running.task.abort();
    let end = CallCommand::RequestEnd { status: Status::Completed };
    running.bench.tell(&talking, vec![CallCommand::Answer, end]).await;
    running.bench.tell(&disabled, vec![CallCommand::Answer]).await;
    let (account, meta) = (running.bench.account.clone(), running.bench.meta());
    running.bench.store.execute::<Account>(&account, AccountCommand::Disable, &meta).await.unwrap();
    running.projected().await;
    running.bench.common.tasks.spawn(running.reactor.clone().run());
    let mut ended = std::collections::HashSet::new();
    while ended.len() < 2 {
        let Order::Ended(call, Status::Completed) = running.next().await else { panic!("another order") };
        ended.insert(call);
    }
    assert!(ended.contains(&talking) && ended.contains(&disabled));
}
