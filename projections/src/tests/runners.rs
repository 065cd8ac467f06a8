//! The runners: writes are read, changes are told, a stop is clean.

use super::support::{PATIENCE, World, built, on_each, parsed, received, second};
use crate::{AccountRow, Change, ChangeKind, Page, Topic, machine::ledger};
use domain::{
    Actor, Kind, Log, Meta, Tenant,
    account::{Account, AccountCommand},
    call::{Call, CallCommand},
};
use store::testing::{self, sid};
use tokio::sync::broadcast::error::RecvError;

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
async fn stopping_cuts_no_page_short() {
    let world = World::of(testing::on_postgres().await).await;
    world.caught_up().await;
    // The page waits for this row.
    let mut held = world.store.db().begin().await.unwrap();
    ledger::hold(&mut held, &built::<AccountRow>(1)).await.unwrap();
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
