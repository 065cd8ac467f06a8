//! Tables from the log anew: the same rows, while everything goes on.

use super::support::{Following, PATIENCE, World, built, on_each, parsed, received};
use crate::{AccountRow, CallRow, Page, Projections, Trouble, replay};
use domain::{
    Kind, Log,
    account::{Account, AccountCommand},
    call::{Call, CallCommand, EndReason, Ending},
};
use sea_query::{Expr, ExprTrait, Query};
use std::time::Duration;
use store::{
    Store,
    testing::{self, sid},
};

/// Some of everything.
async fn lived_in(world: &World, number: &str) {
    let account = world.account(&world.carrier, "A").await;
    world.number(&world.carrier, number, Some(&account)).await;
    for at in 0..5 {
        let (call, trunk) = (sid(Kind::Call), sid(Kind::Trunk));
        world.tell::<Call>(&call, at, CallCommand::Receive(received(Some(&account), &trunk))).await;
        world.tell::<Call>(&call, at + 1, CallCommand::Answer).await;
        world.tell::<Call>(&call, at + 9, CallCommand::End(Ending::because(EndReason::HungUp))).await;
    }
    world.caught_up().await;
}

#[tokio::test]
async fn every_table_is_rebuilt_to_the_same_rows() {
    on_each(async |world: &World| {
        lived_in(world, "+85512345678").await;
        let before = world.projections().system().directory().await.unwrap();
        for name in replay::names() {
            let mut seen = Vec::new();
            replay::rebuild(&world.store, name, |progress| seen.push(progress)).await.unwrap();
            assert!(
                seen.last().is_some_and(|last| last.done == last.total && last.projection == name),
                "{seen:?}"
            );
        }
        assert_eq!(replay::verify(&world.store, |_| ()).await.unwrap(), []);
        let after = world.projections().system().directory().await.unwrap();
        assert_eq!(before, after);
        // And the runner goes on with the new tables.
        lived_in(world, "1234").await;
        assert_eq!(replay::verify(&world.store, |_| ()).await.unwrap(), []);
        let rows = world.projections().calls(world.own()).list(&Default::default(), &Page::default()).await;
        assert_eq!(rows.unwrap().items.len(), 10);
    })
    .await;
}

#[tokio::test]
async fn the_old_table_is_gone_after_the_switch() {
    on_each(async |world: &World| {
        lived_in(world, "+85512345678").await;
        replay::rebuild(&world.store, "accounts", |_| ()).await.unwrap();
        let count = |table: String| {
            let query = Query::select().expr(Expr::col("sid").count()).from(table).to_owned();
            let db = world.store.db().clone();
            async move { db.fetch_optional(&query).await.map(|row| row.unwrap().at::<i64>(0).unwrap()) }
        };
        assert!(count(built::<AccountRow>(1)).await.is_err());
        assert_eq!(count(built::<AccountRow>(2)).await.unwrap(), 1);
        assert_eq!(count("accounts".into()).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn writers_and_readers_notice_nothing_of_a_rebuild() {
    on_each(async |world: &World| {
        let account = world.account(&world.carrier, "0").await;
        let rebuilds = async {
            for _ in 0..4 {
                replay::rebuild(&world.store, "accounts", |_| ()).await.unwrap();
            }
        };
        let writes = async {
            for turn in 1..=60 {
                let rename = AccountCommand::Rename { name: parsed(&turn.to_string()) };
                let appended = world.tell::<Account>(&account, turn, rename).await;
                world.projections().reached(Log::Core, appended.position, PATIENCE).await.unwrap();
                let row = world.projections().accounts(world.own()).get(&account).await.unwrap().unwrap();
                assert_eq!(row.name.as_str(), turn.to_string());
            }
        };
        tokio::join!(rebuilds, writes);
        assert_eq!(replay::verify(&world.store, |_| ()).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn verifying_finds_what_another_hand_has_changed() {
    on_each(async |world: &World| {
        lived_in(world, "+85512345678").await;
        let account = world.account(&world.carrier, "Honest").await;
        let removed = world.account(&world.carrier, "Gone").await;
        world.caught_up().await;
        let db = world.store.db();
        let of = |sid: &domain::Sid| Expr::col("sid").eq(sid.as_str());
        let table = built::<AccountRow>(1);
        let update =
            Query::update().table(table.clone()).value("name", "Forged").and_where(of(&account)).to_owned();
        assert_eq!(db.execute(&update).await.unwrap(), 1);
        let delete = Query::delete().from_table(table).and_where(of(&removed)).to_owned();
        assert_eq!(db.execute(&delete).await.unwrap(), 1);
        let found = replay::verify(&world.store, |_| ()).await.unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        let forged = found.iter().find(|difference| difference.key == account.to_string()).unwrap();
        assert_eq!((forged.projection, forged.column), ("accounts", Some("name")));
        assert_eq!((forged.live.as_deref(), forged.rebuilt.as_deref()), (Some("Forged"), Some("Honest")));
        let missing = found.iter().find(|difference| difference.key == removed.to_string()).unwrap();
        assert_eq!((missing.column, &missing.live), (None, &None));
        replay::rebuild(&world.store, "accounts", |_| ()).await.unwrap();
        assert_eq!(replay::verify(&world.store, |_| ()).await.unwrap(), []);
    })
    .await;
}

/// A table without the row that an event changes, so that it stops there; returns where.
async fn stopped(world: &World) -> i64 {
    let account = world.account(&world.carrier, "A").await;
    world.caught_up().await;
    let delete = Query::delete().from_table(built::<AccountRow>(1)).to_owned();
    world.store.db().execute(&delete).await.unwrap();
    let disabled = world.tell::<Account>(&account, 4, AccountCommand::Disable).await.position;
    let behind = world.projections().reached(Log::Core, disabled, PATIENCE).await;
    assert!(behind.unwrap_err().stopped.is_some());
    disabled
}

#[tokio::test]
async fn a_table_that_stopped_is_led_again_once_it_is_rebuilt() {
    on_each(async |world: &World| {
        stopped(world).await;
        replay::rebuild(&world.store, "accounts", |_| ()).await.unwrap();
        let account = world.account(&world.carrier, "B").await;
        let head = world.store.head(Log::Core).await.unwrap();
        tokio::time::timeout(PATIENCE, async {
            while world.projections().reached(Log::Core, head, PATIENCE).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .expect("the new table is told");
        assert!(world.projections().accounts(world.own()).get(&account).await.unwrap().is_some());
        assert_eq!(world.projections().health().await.unwrap()[0].stopped, None);
    })
    .await;
}

#[tokio::test]
async fn a_table_that_stopped_is_not_what_a_rebuild_makes() {
    on_each(async |world: &World| {
        let disabled = stopped(world).await;
        let whole = |difference: &&replay::Difference| difference.key == "as a whole";
        let found = replay::verify(&world.store, |_| ()).await.unwrap();
        let told = found.iter().find(whole).map(ToString::to_string).unwrap_or_default();
        let why = format!("accounts as a whole: the table has stopped at position {disabled}: ");
        assert!(told.starts_with(&why) && told.ends_with(&format!("up to position {disabled}")), "{found:?}");
        replay::rebuild(&world.store, "accounts", |_| ()).await.unwrap();
        assert_eq!(replay::verify(&world.store, |_| ()).await.unwrap(), []);
    })
    .await;
}

async fn pretend_version(world: &World, version: i64) {
    let update = Query::update()
        .table("projection_versions")
        .value("version", version)
        .and_where(Expr::col("name").eq("calls"))
        .to_owned();
    assert_eq!(world.store.db().execute(&update).await.unwrap(), 1);
}

#[tokio::test]
async fn a_table_of_an_older_release_is_built_anew_at_the_start() {
    on_each(async |world: &World| {
        lived_in(world, "1234").await;
        pretend_version(world, 0).await;
        let again = Following::start(&world.store).await;
        let head = world.store.head(Log::Calls).await.unwrap();
        again.projections.reached(Log::Calls, head, PATIENCE).await.unwrap();
        let query = Query::select().expr(Expr::col("sid").count()).from(built::<CallRow>(2)).to_owned();
        let rows: i64 = world.store.db().fetch_optional(&query).await.unwrap().unwrap().at(0).unwrap();
        assert_eq!(rows, 5);
        assert_eq!(replay::verify(&world.store, |_| ()).await.unwrap(), []);
        again.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_table_of_a_newer_release_is_left_alone() {
    on_each(async |world: &World| {
        replay::of_this_release(&world.store.store).await.unwrap();
        pretend_version(world, 99).await;
        let looked = replay::of_this_release(&world.store.store).await;
        assert!(matches!(looked, Err(Trouble::Newer { projection: "calls", version: 99 })));
        let (tasks, stop) = Default::default();
        let started = Projections::start(world.store.store.clone(), tasks, stop).await;
        assert!(matches!(started.err(), Some(Trouble::Newer { projection: "calls", version: 99 })));
    })
    .await;
}

#[tokio::test]
async fn verifying_needs_no_more_than_to_read_beside_a_server() {
    for store in [testing::sqlite().await, testing::on_postgres().await] {
        let world = World::of(store).await;
        lived_in(&world, "1234").await;
        let reading = Store::open_to_read(world.store.options.clone()).await.unwrap();
        let mut last = None;
        assert_eq!(replay::verify(&reading, |at| last = Some((at.done, at.total))).await.unwrap(), []);
        let (core, calls) = (world.store.head(Log::Core).await, world.store.head(Log::Calls).await);
        let told = u64::try_from(core.unwrap() * 7 + calls.unwrap() * 2).unwrap();
        assert_eq!(last, Some((told, told)));
        world.following.end().await;
    }
}

#[tokio::test]
async fn a_table_that_is_no_projection_is_not_rebuilt() {
    on_each(async |world: &World| {
        let unknown = replay::rebuild(&world.store, "es_events", |_| ()).await;
        assert!(matches!(unknown, Err(Trouble::Unknown { .. })));
    })
    .await;
}
