//! One node leads: nothing lost, nothing twice, stale leaders fenced, every change told once.

use super::support::{
    Following, PATIENCE, World, members_under, parsed, set_up, unattended, unattended_facts,
};
use crate::machine::{
    ledger,
    page::{self, Member, Refused},
};
use domain::{
    Actor, Kind, Log, Meta, Tenant,
    account::{Account, AccountCommand},
};
use sea_query::{Expr, Query};
use store::{
    Store,
    testing::{self, sid},
};

async fn lead(store: &Store) -> i64 {
    let mut tx = store.db().begin().await.unwrap();
    let epoch = ledger::lead(&mut tx, Log::Core, "test", (0, 0), true).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    epoch
}

async fn members(store: &Store, epoch: i64) -> Vec<Member> {
    members_under(store, (epoch, 0)).await.expect("nobody else leads")
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
        assert!(members_under(&store, (stale, 0)).await.is_none(), "{}", store.name);
        let group: Vec<usize> = (0..leading.len()).collect();
        page::tell(&store, &leading, &group, epoch, &facts).await.unwrap();
    }
}

/// Makes it look as if another release had built this table.
async fn of_another_release(store: &Store, name: &str) {
    let newer = sea_query::Query::update()
        .table("projection_versions")
        .value("version", 99_i64)
        .and_where(crate::machine::record::is("name", name))
        .to_owned();
    assert_eq!(store.db().execute(&newer).await.unwrap(), 1);
}

#[tokio::test]
async fn tables_of_another_release_are_not_written_to() {
    let store = testing::on_postgres().await;
    unattended(&store).await;
    let epoch = lead(&store).await;
    of_another_release(&store, "accounts").await;
    assert!(members_under(&store, (epoch, 0)).await.is_none());
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
    set_up(&store).await;
    let soon = store.clock().now().plus(std::time::Duration::from_millis(700)).micros();
    let mut tx = store.db().begin().await.unwrap();
    let epoch = ledger::lead(&mut tx, Log::Core, "dead", (0, soon), true).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let following = Following::start(&store).await;
    let mut changes = following.projections.changes();
    unattended_facts(&store).await;
    let facts = store.read(Log::Core, 0, 10).await.unwrap();
    let members = members_under(&store, (epoch, soon)).await.unwrap();
    let ahead = members.iter().position(|member| member.projector.name() == "accounts").unwrap();
    page::tell(&store, &members, &[ahead], epoch, &facts).await.unwrap();
    following.projections.reached(Log::Core, 30, PATIENCE).await.unwrap();
    for position in 1..=30 {
        assert_eq!(changes.recv().await.unwrap().position, position);
    }
    following.end().await;
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
    let create = AccountCommand::create(carrier.clone(), parsed("B"));
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

/// Returns when a transaction in the store's database waits for another's rows.
async fn waits(store: &Store) {
    let waiting = Query::select()
        .expr(Expr::cust("COUNT(*)"))
        .from("pg_stat_activity")
        .and_where(Expr::cust("datname = current_database() AND wait_event_type = 'Lock'"))
        .to_owned();
    let look = async {
        while store.db().fetch_optional(&waiting).await.unwrap().unwrap().at::<i64>(0).unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("it waits");
}

#[tokio::test]
async fn whoever_moves_several_tables_waits_for_one_without_holding_a_later_one() {
    let store = testing::on_postgres().await;
    unattended(&store).await;
    let epoch = lead(&store).await;
    let members = members(&store, epoch).await;
    let mut tables: Vec<&str> = members.iter().map(|member| member.table.as_str()).collect();
    tables.sort_unstable();
    let (first, last) = (tables[0], tables[tables.len() - 1]);
    for statement in ["stamp", "lead", "fence"] {
        let mut held = store.db().begin().await.unwrap();
        // Its newest version is the last in the table's file from now on.
        ledger::hold(&mut held, first).await.unwrap();
        let other = async {
            let mut tx = store.db().begin().await.unwrap();
            match statement {
                "stamp" => ledger::stamp(&mut tx, Log::Core, epoch).await.unwrap(),
                "lead" => drop(ledger::lead(&mut tx, Log::Core, "other", (0, 0), true).await.unwrap()),
                _ => assert!(ledger::fence(&mut tx, &tables, epoch, (0, 1)).await.unwrap()),
            }
            tx.rollback().await.unwrap();
        };
        let meanwhile = async {
            waits(&store).await;
            let hold = ledger::hold(&mut held, last);
            let kept = tokio::time::timeout(PATIENCE, hold).await.expect("the later one is free").unwrap();
            held.commit().await.unwrap();
            kept
        };
        assert_eq!(tokio::join!(other, meanwhile).1, Some(0), "{statement}");
    }
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
