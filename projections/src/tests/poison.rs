//! What cannot be told: a table stops loudly, a call is left out; nothing is skipped in silence.

use super::support::{Following, PATIENCE, World, built, on_each, received, second, unattended};
use crate::{AccountRow, Page, TimelineRow};
use cqrs_es::event_sink::EventSink;
use domain::{
    Actor, Kind, Log, Meta, Stream, Tenant,
    account::{Account, AccountCommand},
    call::{Call, CallCommand},
};
use serde::{Deserialize, Serialize};
use store::{
    Store,
    testing::{self, NoKind, sid},
};

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
            type Kind = NoKind;

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
            sea_query::Query::update().table(built::<TimelineRow>(1)).value("sequence", 2_i64).to_owned();
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
        let delete = sea_query::Query::delete().from_table(built::<AccountRow>(1)).to_owned();
        world.store.db().execute(&delete).await.unwrap();
        world.tell::<Account>(&account, 4, AccountCommand::Disable).await;
        let head = world.store.head(Log::Core).await.unwrap();
        let behind = world.projections().reached(Log::Core, head, PATIENCE).await.unwrap_err();
        assert!(behind.stopped.unwrap().contains("can't follow"));
    })
    .await;
}
