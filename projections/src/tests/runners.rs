//! The runners: nothing lost, nothing twice, stale leaders fenced, poison never skipped silently.

use super::support::{Following, PATIENCE, World, on_each, parsed, received, second};
use crate::{
    Change, ChangeKind, Page, Topic, building, ledger,
    page::{self, Member, Refused},
};
use cqrs_es::event_sink::EventSink;
use domain::{
    Actor, Kind, Log, Meta, Sid, Stream, Tenant,
    account::{Account, AccountCommand},
    call::{Call, CallCommand},
};
use serde::{Deserialize, Serialize};
use store::{
    Store,
    testing::{self, TestStore, sid},
};
use tokio::sync::broadcast::error::RecvError;

/// Events that no biography understands, under a known name.
macro_rules! impostor {
    ($name:ident, $type:literal, $log:ident) => {
        #[derive(Clone, Default, Serialize, Deserialize)]
        struct $name;

        impl cqrs_es::Aggregate for $name {
            const TYPE: &'static str = $type;
            type Command = Poison;
            type Event = Poison;
            type Error = Never;
            type Services = ();

            async fn handle(&mut self, poison: Poison, (): &(), sink: &EventSink<Self>) -> Result<(), Never> {
                sink.write(poison, self).await;
                Ok(())
            }

            fn apply(&mut self, _: Poison) {}
        }

        impl Stream for $name {
            const LOG: Log = Log::$log;
        }
    };
}
impostor!(FalseAccount, "account", Core);
impostor!(FalseCall, "call", Calls);
impostor!(FalseCarrier, "carrier", Core);

/// Reads as anything, so that an impostor can load a real stream; tells nothing a biography knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Poison(serde_json::Value);

#[derive(Debug, thiserror::Error)]
enum Never {}

impl cqrs_es::DomainEvent for Poison {
    fn event_type(&self) -> String {
        let name = self.0.as_object().and_then(|event| event.keys().next());
        name.cloned().unwrap_or_default()
    }
    fn event_version(&self) -> String {
        "1".into()
    }
}

fn poison() -> Poison {
    Poison(serde_json::json!({ "Poisoned": { "never": "heard of" } }))
}

#[tokio::test]
async fn a_read_after_a_write_sees_it() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "0").await;
        let accounts = world.projections().accounts(world.own());
        for turn in 1..=40 {
            let rename = AccountCommand::Rename { name: parsed(&turn.to_string()) };
            let appended = world.tell::<Account>(&account, turn, rename).await;
            world.projections().reached(Log::Core, appended.position, PATIENCE).await.unwrap();
            assert_eq!(accounts.get(&account).await.unwrap().unwrap().name.as_str(), turn.to_string());
        }
    })
    .await;
}

#[tokio::test]
async fn waiting_for_what_never_comes_ends() {
    on_each(async |world: &World| {
        world.caught_up().await;
        let behind = world.projections().reached(Log::Core, 99, std::time::Duration::from_millis(30)).await;
        let behind = behind.unwrap_err();
        assert_eq!((behind.wanted, behind.at, behind.stopped), (99, 1, None));
    })
    .await;
}

#[tokio::test]
async fn a_change_is_told_once_it_can_be_read() {
    on_each(async |world: &World| {
        world.caught_up().await;
        let mut changes = world.projections().changes();
        let account = world.account(&world.carrier, "A").await;
        let call = world.queue(&world.carrier, &account, "1234", 5).await;
        let mut told = [changes.recv().await.unwrap(), changes.recv().await.unwrap()];
        assert!(world.projections().accounts(world.own()).get(&account).await.unwrap().is_some());
        assert!(world.projections().calls(world.own()).get(&call).await.unwrap().is_some());
        told.sort_by_key(|change| change.log);
        let Change { topic, id, kind, account: by, .. } = &told[0];
        assert_eq!(
            (topic, id, kind, by),
            (&Topic::Accounts, &account, &ChangeKind::Created, &Some(account.clone()))
        );
        assert_eq!(
            (told[1].topic, &told[1].event, told[1].sequence),
            (Topic::Calls, &"Queued".to_owned(), 1)
        );
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_sleeps_is_told_to_read_everything_anew() {
    on_each(async |world: &World| {
        let (call, trunk) = (sid(Kind::Call), sid(Kind::Trunk));
        let mut changes = world.projections().changes();
        let meta = Meta::new(Tenant::carrier(world.carrier.clone()), Actor::system("test"), second(1));
        let mut commands = vec![(CallCommand::Receive(received(None, &trunk)), meta.clone())];
        commands.resize(crate::MAX_UNSEEN_CHANGES + 10, (CallCommand::Press { digits: "1".into() }, meta));
        world.store.execute_all::<Call>(&call, commands).await.unwrap();
        world.caught_up().await;
        assert!(matches!(changes.recv().await, Err(RecvError::Lagged(_))));
        let timeline = world.projections().call_timeline(world.own());
        let page = timeline.list(&call, &Page::after((crate::MAX_UNSEEN_CHANGES + 8).to_string(), 10)).await;
        assert_eq!(page.unwrap().items.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_key_born_twice_is_the_second_one() {
    on_each(async |world: &World| {
        let key = sid(Kind::ApiKey);
        let born = |name: &str| {
            Poison(serde_json::json!({ "ApiKeyCreated": { "key": key, "name": name, "last_four": "beef" } }))
        };
        let revoked = Poison(serde_json::json!({ "ApiKeyRevoked": { "key": key } }));
        for told in [born("first"), revoked, born("second")] {
            world.tell::<FalseCarrier>(&world.carrier, 5, told).await;
        }
        world.caught_up().await;
        let row = world.projections().system().api_key(&key).await.unwrap().unwrap();
        assert_eq!((row.name.as_str(), row.revoked_at), ("second", None));
    })
    .await;
}

#[tokio::test]
async fn the_directory_follows_while_another_table_has_stopped() {
    let world = World::of(testing::sqlite().await).await;
    let orphan = Poison(serde_json::json!({ "ApiKeyRevoked": { "key": sid(Kind::ApiKey) } }));
    world.tell::<FalseCarrier>(&world.carrier, 5, orphan).await;
    let account = world.account(&world.carrier, "A").await;
    let head = world.store.head(Log::Core).await.unwrap();
    let behind = world.projections().reached(Log::Core, head, PATIENCE).await.unwrap_err();
    assert!(behind.stopped.is_some_and(|reason| reason.starts_with("api_keys")));
    let system = world.projections().system();
    tokio::time::timeout(PATIENCE, async {
        while system.directory_position().await.unwrap() < head {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the directory's tables go on");
    let rows = system.directory().await.unwrap();
    assert_eq!((rows.position, rows.accounts.len()), (head, 1));
    assert_eq!(rows.accounts[0].sid, account);
    world.following.end().await;
}

/// A store with tables nobody fills, and 30 accounts to tell.
async fn unattended(store: &TestStore) -> Vec<Sid> {
    building::set_up(store).await.unwrap();
    unattended_facts(store).await
}

async fn unattended_facts(store: &TestStore) -> Vec<Sid> {
    let carrier = sid(Kind::Carrier);
    let mut accounts = Vec::new();
    for serial in 0..30 {
        let account = sid(Kind::Account);
        let create = AccountCommand::Create { carrier: carrier.clone(), name: parsed(&format!("{serial}")) };
        let meta = Meta::new(Tenant::carrier(carrier.clone()), Actor::system("test"), second(serial));
        store.execute::<Account>(&account, create, &meta).await.unwrap();
        accounts.push(account);
    }
    accounts
}

async fn lead(store: &Store) -> i64 {
    let mut tx = store.db().begin().await.unwrap();
    let epoch = ledger::lead(&mut tx, Log::Core, "test", (0, 0), true).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    epoch
}

async fn members(store: &Store, epoch: i64) -> Vec<Member> {
    page::members(store, Log::Core, (epoch, 0)).await.unwrap().expect("nobody else leads")
}

#[tokio::test]
async fn a_leader_killed_before_its_checkpoint_loses_and_doubles_nothing() {
    for store in [testing::sqlite().await, testing::on_postgres().await] {
        let accounts = unattended(&store).await;
        let facts = store.read(Log::Core, 0, 100).await.unwrap();
        for killed_after in [1, 7, 30] {
            let epoch = lead(&store).await;
            let members = members(&store, epoch).await;
            let group: Vec<usize> = (0..members.len()).collect();
            let mut tx = store.db().begin().await.unwrap();
            page::tell_within(&mut tx, &members, &group, epoch, &facts[..killed_after]).await.unwrap();
            drop(tx);
            assert!(members.iter().all(|member| member.position == 0));
        }
        let following = Following::start(&store).await;
        following.projections.reached(Log::Core, 30, PATIENCE).await.unwrap();
        let system = following.projections.system();
        assert_eq!(system.directory().await.unwrap().accounts.len(), accounts.len());
        let differences = crate::replay::verify(&store, |_| ()).await.unwrap();
        assert_eq!(differences, []);
        following.end().await;
    }
}

#[tokio::test]
async fn a_stale_leader_is_fenced() {
    for store in [testing::sqlite().await, testing::on_postgres().await] {
        unattended(&store).await;
        let facts = store.read(Log::Core, 0, 10).await.unwrap();
        let stale = lead(&store).await;
        let members = members(&store, stale).await;
        let group: Vec<usize> = (0..members.len()).collect();
        let epoch = lead(&store).await;
        let refused = page::tell(&store, &members, &group, stale, &facts).await;
        assert!(matches!(refused, Err(Refused::Fenced)), "{refused:?}");
        let mut tx = store.db().snapshot().await.unwrap();
        let checkpoints = ledger::checkpoints(&mut tx, Log::Core).await.unwrap();
        assert_eq!(checkpoints.iter().map(|checkpoint| checkpoint.position).min(), Some(0));
        drop(tx);
        page::tell(&store, &members, &group, epoch, &facts).await.unwrap();
        let again = page::tell(&store, &members, &group, epoch, &facts).await;
        assert!(matches!(again, Err(Refused::Fenced)), "the same page twice: {again:?}");
    }
}

#[tokio::test]
async fn a_stale_leader_does_not_take_the_tables_back() {
    for store in [testing::sqlite().await, testing::on_postgres().await] {
        unattended(&store).await;
        let facts = store.read(Log::Core, 0, 10).await.unwrap();
        let stale = lead(&store).await;
        let epoch = lead(&store).await;
        let leading = members(&store, epoch).await;
        assert!(page::members(&store, Log::Core, (stale, 0)).await.unwrap().is_none(), "{}", store.name);
        let group: Vec<usize> = (0..leading.len()).collect();
        page::tell(&store, &leading, &group, epoch, &facts).await.unwrap();
    }
}

/// Makes it look as if another release had built this table.
async fn of_another_release(store: &Store, name: &str) {
    let newer = sea_query::Query::update()
        .table("projection_versions")
        .value("version", 99_i64)
        .and_where(crate::record::is("name", name))
        .to_owned();
    assert_eq!(store.db().execute(&newer).await.unwrap(), 1);
}

#[tokio::test]
async fn tables_of_another_release_are_not_written_to() {
    let store = testing::on_postgres().await;
    unattended(&store).await;
    let epoch = lead(&store).await;
    of_another_release(&store, "accounts").await;
    assert!(page::members(&store, Log::Core, (epoch, 0)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_node_stands_by_while_another_release_has_the_tables() {
    let world = World::of(testing::on_postgres().await).await;
    let account = world.account(&world.carrier, "A").await;
    world.caught_up().await;
    let store = Store::open(world.store.options.clone()).await.unwrap();
    of_another_release(&store, "accounts").await;
    // What the other release does once its table is live: the checkpoint is under another epoch, the old leader is fenced.
    lead(&store).await;
    let renamed = world.tell::<Account>(&account, 3, AccountCommand::Rename { name: parsed("B") }).await;
    let behind = world.projections().reached(Log::Core, renamed.position, std::time::Duration::from_secs(1));
    assert_eq!(behind.await.unwrap_err().at, renamed.position - 1);
    // The lease is there for the taking, for whoever tells these tables.
    let mut tx = store.db().begin().await.unwrap();
    let now = store.clock().now().micros();
    let epoch = ledger::lead(&mut tx, Log::Core, "newer", (now, now), false).await.unwrap();
    assert!(epoch.is_some());
    drop(tx);
    world.following.end().await;
}

#[tokio::test]
async fn every_change_is_told_once_however_often_the_lead_changes_hands() {
    let first = World::of(testing::on_postgres().await).await;
    let store = Store::open(first.store.options.clone()).await.unwrap();
    let other = Following::start(&store).await;
    let (mut here, mut there) = (first.projections().changes(), other.projections.changes());
    let mut accounts = Vec::new();
    for turn in 0..6 {
        accounts.push(first.account(&first.carrier, &turn.to_string()).await);
        // Whoever leads is fenced; both stand by, and one takes over while the log goes on.
        lead(&store).await;
        accounts.push(first.account(&first.carrier, &turn.to_string()).await);
        let head = first.store.head(Log::Core).await.unwrap();
        first.projections().reached(Log::Core, head, PATIENCE).await.unwrap();
    }
    for changes in [&mut here, &mut there] {
        for account in &accounts {
            assert_eq!(changes.recv().await.unwrap().id, *account);
        }
        assert!(changes.try_recv().is_err());
    }
    other.end().await;
    first.following.end().await;
}

#[tokio::test]
async fn changes_are_told_once_every_table_has_them_though_one_was_ahead() {
    let store = testing::on_postgres().await;
    building::set_up(&store).await.unwrap();
    let soon = store.clock().now().plus(std::time::Duration::from_millis(700)).micros();
    let mut tx = store.db().begin().await.unwrap();
    let epoch = ledger::lead(&mut tx, Log::Core, "dead", (0, soon), true).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let following = Following::start(&store).await;
    let mut changes = following.projections.changes();
    unattended_facts(&store).await;
    let facts = store.read(Log::Core, 0, 10).await.unwrap();
    let members = page::members(&store, Log::Core, (epoch, soon)).await.unwrap().unwrap();
    let ahead = members.iter().position(|member| member.projector.name() == "accounts").unwrap();
    page::tell(&store, &members, &[ahead], epoch, &facts).await.unwrap();
    following.projections.reached(Log::Core, 30, PATIENCE).await.unwrap();
    for position in 1..=30 {
        assert_eq!(changes.recv().await.unwrap().position, position);
    }
    following.end().await;
}

#[tokio::test]
async fn stopping_cuts_no_page_short() {
    let world = World::of(testing::on_postgres().await).await;
    world.caught_up().await;
    // The page waits for this row.
    let mut held = world.store.db().begin().await.unwrap();
    ledger::hold(&mut held, "accounts_v2_g1").await.unwrap();
    let account = world.account(&world.carrier, "A").await;
    let blocked = sea_query::Query::select()
        .column("pid")
        .from("pg_stat_activity")
        .and_where(sea_query::Expr::cust("datname = current_database() AND wait_event_type = 'Lock'"))
        .to_owned();
    while world.store.db().fetch_all(&blocked).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let World { store, following, carrier } = world;
    following.stop.cancel();
    tokio::task::yield_now().await;
    held.rollback().await.unwrap();
    let accounts = following.projections.accounts(crate::Scope::Carrier(carrier));
    following.end().await;
    assert!(accounts.get(&account).await.unwrap().is_some(), "the page was told to its end");
    drop(store);
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_said_to_be_damaged() {
    for store in [testing::sqlite().await, testing::on_postgres().await] {
        let accounts = unattended(&store).await;
        let mut tx = store.db().begin().await.unwrap();
        let guard = match tx.backend() {
            store::Backend::Sqlite => "DROP TRIGGER es_events_no_delete;",
            store::Backend::Postgres => "DROP FUNCTION es_refuse CASCADE;",
        };
        tx.execute_text(&format!("{guard} DELETE FROM es_events WHERE position = 7")).await.unwrap();
        tx.commit().await.unwrap();
        // Another process: this one still has it in memory.
        store.close().await;
        let store = Store::open(store.options.clone()).await.unwrap();
        let following = Following::start(&store).await;
        let behind = following.projections.reached(Log::Core, accounts.len() as i64, PATIENCE).await;
        let why = behind.unwrap_err().stopped.unwrap();
        assert!(why.contains("position 7 is missing"), "{why}");
        let health = following.projections.health().await.unwrap();
        assert_eq!(health[0].stopped.as_deref(), Some(why.as_str()));
        following.end().await;
    }
}

#[tokio::test]
async fn another_node_takes_over_and_hears_every_change_meanwhile() {
    let world = World::of(testing::on_postgres().await).await;
    world.caught_up().await;
    let store = Store::open(world.store.options.clone()).await.unwrap();
    let second = Following::start(&store).await;
    let mut changes = second.projections.changes();
    let first_account = world.account(&world.carrier, "A").await;
    let told = changes.recv().await.unwrap();
    assert_eq!(told.id, first_account);
    second.projections.reached(Log::Core, told.position, PATIENCE).await.unwrap();
    let World { store: own, following, carrier } = world;
    following.end().await;
    let account = sid(Kind::Account);
    let create = AccountCommand::Create { carrier: carrier.clone(), name: parsed("B") };
    let meta = Meta::new(Tenant::carrier(carrier), Actor::system("test"), super::support::second(9));
    let appended = own.execute::<Account>(&account, create, &meta).await.unwrap();
    second.projections.reached(Log::Core, appended.position, PATIENCE).await.unwrap();
    assert!(second.projections.system().account(&account).await.unwrap().is_some());
    assert_eq!(changes.recv().await.unwrap().id, account);
    second.end().await;
}

#[tokio::test]
async fn nodes_may_start_at_the_same_time() {
    let store = testing::on_postgres().await;
    unattended_facts(&store).await;
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(Store::open(store.options.clone()).await.unwrap());
    }
    let [a, b, c, d] = &stores[..] else { panic!("four nodes") };
    let nodes =
        tokio::join!(Following::start(a), Following::start(b), Following::start(c), Following::start(d));
    for node in [nodes.0, nodes.1, nodes.2, nodes.3] {
        node.projections.reached(Log::Core, 30, PATIENCE).await.unwrap();
        assert_eq!(node.projections.system().directory().await.unwrap().accounts.len(), 30);
        node.end().await;
    }
    assert_eq!(crate::replay::verify(&store, |_| ()).await.unwrap(), []);
}

#[tokio::test]
async fn a_leader_that_died_is_followed_by_another() {
    let world = World::of(testing::on_postgres().await).await;
    let store = Store::open(world.store.options.clone()).await.unwrap();
    // Dropping the runtime's task without giving up the lead is what a crash leaves behind.
    let mut tx = store.db().begin().await.unwrap();
    let soon = store.clock().now().plus(std::time::Duration::from_millis(700)).micros();
    ledger::lead(&mut tx, Log::Core, "dead", (0, soon), true).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let account = world.account(&world.carrier, "A").await;
    world.caught_up().await;
    assert!(world.projections().accounts(world.own()).get(&account).await.unwrap().is_some());
    world.following.end().await;
}

#[tokio::test]
async fn a_core_event_nobody_understands_stops_its_table_loudly() {
    on_each(async |world: &World| {
        let known = world.account(&world.carrier, "A").await;
        world.caught_up().await;
        let poisoned = world.tell::<FalseAccount>(&sid(Kind::Account), 5, poison()).await;
        let number = world.number(&world.carrier, "1234", None).await;
        let behind =
            world.projections().reached(Log::Core, poisoned.position + 1, PATIENCE).await.unwrap_err();
        let why = behind.stopped.unwrap();
        assert!(why.contains("accounts stopped at position 3"), "{why}");
        assert!(world.projections().accounts(world.own()).get(&known).await.unwrap().is_some());
        let health = world.projections().health().await.unwrap();
        assert_eq!(health[0].stopped.as_deref(), Some(why.as_str()));
        assert_eq!(health[1].stopped, None);
        // The other tables go on.
        let mut numbers = world.projections().phone_numbers(world.own()).get(&number).await.unwrap();
        let mut changes = world.projections().changes();
        while numbers.is_none() {
            world.account(&world.carrier, "B").await;
            changes.recv().await.unwrap();
            numbers = world.projections().phone_numbers(world.own()).get(&number).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_call_event_nobody_understands_parks_that_call_only() {
    on_each(async |world: &World| {
        let (call, trunk) = (sid(Kind::Call), sid(Kind::Trunk));
        world.tell::<Call>(&call, 1, CallCommand::Receive(received(None, &trunk))).await;
        world.tell::<FalseCall>(&call, 2, poison()).await;
        let meta = Meta::new(Tenant::carrier(world.carrier.clone()), Actor::system("test"), second(3));
        world.store.execute::<FalseCall>(&call, poison(), &meta).await.unwrap();
        let account = world.account(&world.carrier, "A").await;
        let healthy = world.queue(&world.carrier, &account, "1234", 3).await;
        world.caught_up().await;
        let calls = world.projections().calls(world.own());
        assert!(calls.get(&healthy).await.unwrap().is_some());
        assert!(calls.get(&call).await.unwrap().is_some(), "what was told before stays");
        let health = world.projections().health().await.unwrap();
        assert_eq!((health[1].parked, &health[1].stopped), (2, &None), "in calls and call_timeline");
        let differences = crate::replay::verify(&world.store, |_| ()).await.unwrap();
        assert_eq!(differences.len(), 2, "{differences:?}");
        assert!(differences.iter().all(|difference| difference.key == call.to_string()));
    })
    .await;
}

#[tokio::test]
async fn a_row_the_database_refuses_parks_its_call_and_no_other() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "A").await;
        let odd = world.queue(&world.carrier, &account, "1234", 1).await;
        world.caught_up().await;
        let occupied =
            sea_query::Query::update().table("call_timeline_v1_g1").value("sequence", 2_i64).to_owned();
        assert_eq!(world.store.db().execute(&occupied).await.unwrap(), 1);
        let mut healthy = Vec::new();
        for at in 0..20 {
            healthy.push(world.queue(&world.carrier, &account, "1234", at).await);
            if at == 9 {
                world.tell::<Call>(&odd, 2, CallCommand::Claim { node: "a".into() }).await;
            }
        }
        world.caught_up().await;
        let timeline = world.projections().call_timeline(world.own());
        for call in &healthy {
            assert_eq!(timeline.list(call, &Page::default()).await.unwrap().items.len(), 1);
        }
        let row = world.projections().calls(world.own()).get(&odd).await.unwrap().unwrap();
        assert_eq!(row.claimed_by.as_deref(), Some("a"), "the other table goes on with it");
        assert_eq!(world.projections().health().await.unwrap()[1].parked, 1);
    })
    .await;
}

#[tokio::test]
async fn an_event_without_a_row_to_change_is_poison_too() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "A").await;
        world.caught_up().await;
        let delete = sea_query::Query::delete().from_table("accounts_v2_g1").to_owned();
        world.store.db().execute(&delete).await.unwrap();
        world.tell::<Account>(&account, 4, AccountCommand::Disable).await;
        let head = world.store.head(Log::Core).await.unwrap();
        let behind = world.projections().reached(Log::Core, head, PATIENCE).await.unwrap_err();
        assert!(behind.stopped.unwrap().contains("can't follow"));
    })
    .await;
}
