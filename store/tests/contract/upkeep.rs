//! How the databases are set, and what is removed by itself.

use domain::{Kind, Log, Timestamp};
use sea_query::{Expr, Query};
use std::{sync::Arc, time::Duration};
use store::{
    Db, EvidenceItem, Store, StoreOptions, Tx,
    testing::{self, ManualClock, Tally, TallyCommand as C, meta, sid},
};

async fn pragma(tx: &mut Tx, name: &str) -> String {
    let query = Query::select()
        .expr(Expr::cust(format!("CAST({name} AS text)")))
        .from(format!("pragma_{name}"))
        .to_owned();
    tx.fetch_optional(&query).await.unwrap().unwrap().at(0).unwrap()
}

#[tokio::test]
async fn sqlite_is_durable_and_only_one_connection_writes_or_checkpoints() {
    let store = testing::sqlite().await;
    let mut writer = store.db().begin().await.unwrap();
    assert_eq!(pragma(&mut writer, "journal_mode").await, "wal");
    assert_eq!(pragma(&mut writer, "synchronous").await, "2", "FULL");
    assert_eq!(pragma(&mut writer, "query_only").await, "0");
    let readers = [store.db().snapshot().await.unwrap(), store.db().snapshot().await.unwrap()];
    for mut reader in readers {
        assert_eq!(pragma(&mut reader, "query_only").await, "1");
        let refused = reader.execute_text("DELETE FROM es_claims").await.unwrap_err();
        assert!(refused.to_string().contains("readonly"), "{refused}");
    }
}

#[tokio::test]
async fn tables_that_a_newer_release_changed_are_left_alone() {
    for store in [testing::sqlite().await, testing::on_postgres().await] {
        store.of_this_release().await.unwrap();
        let mut newer = Query::insert();
        newer.into_table("es_migrations").columns(["number", "name", "applied_at"]);
        newer.values_panic([999_i64.into(), "from tomorrow".into(), 1_i64.into()]);
        store.db().execute(&newer).await.unwrap();
        let refused = store.of_this_release().await.unwrap_err().to_string();
        assert!(refused.contains("999") && refused.contains("from tomorrow"), "{refused}");
        store.close().await;
        let opened = Store::open(store.options.clone()).await;
        assert_eq!(opened.err().map(|error| error.to_string()), Some(refused), "{}", store.name);
    }
}

/// For the sessions after this.
const READ_ONLY: &str = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', \
    current_database()); END $$";

#[tokio::test]
async fn a_database_whose_sessions_only_read_unless_they_ask_is_told_apart() {
    let store = testing::on_postgres().await;
    assert!(!store.db().reads_only_by_default().await.unwrap());
    let mut tx = store.db().begin().await.unwrap();
    tx.execute_text(READ_ONLY).await.unwrap();
    tx.commit().await.unwrap();
    let again = Store::open(store.options.clone()).await.unwrap();
    assert!(again.db().reads_only_by_default().await.unwrap());
    assert!(!testing::sqlite().await.db().reads_only_by_default().await.unwrap());
}

#[tokio::test]
async fn a_snapshot_sees_one_moment() {
    for store in testing::stores().await {
        let before = sid(Kind::Carrier);
        let secret = |name: &'static str| (store.vault().clone(), before.clone(), name);
        let put = async |(vault, owner, name): (store::Vault, domain::Sid, &str)| {
            vault.put(&owner, &owner, "kind", name, b"x", None).await.unwrap();
        };
        put(secret("one")).await;
        let mut snapshot = store.db().snapshot().await.unwrap();
        let seen = count_in(&mut snapshot).await;
        put(secret("two")).await;
        assert_eq!(count_in(&mut snapshot).await, seen, "{}", store.name);
        assert!(count(store.db(), "es_secrets").await > seen, "{}", store.name);
    }
}

async fn count_in(tx: &mut Tx) -> i64 {
    let query = Query::select().expr(Expr::cust("count(*)")).from("es_secrets").to_owned();
    tx.fetch_optional(&query).await.unwrap().unwrap().at(0).unwrap()
}

async fn count(db: &Db, table: &'static str) -> i64 {
    let query = Query::select().expr(Expr::cust("count(*)")).from(table).to_owned();
    db.fetch_optional(&query).await.unwrap().unwrap().at(0).unwrap()
}

fn item(at: Timestamp) -> EvidenceItem {
    let text = String::new;
    let (kind, direction, peer, summary, raw) = (text(), text(), text(), text(), text());
    EvidenceItem { call: sid(Kind::Call), at, kind, direction, peer, summary, raw }
}

#[tokio::test]
async fn expired_commands_secrets_and_evidence_are_removed() {
    let opened = testing::sqlite().await;
    opened.close().await;
    let clock = ManualClock::at(1_000_000_000);
    let options = StoreOptions { clock: Arc::new(clock.clone()), ..opened.options.clone() };
    let store = Store::open(options.clone()).await.unwrap();
    store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta().once("old")).await.unwrap();
    store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta().once("changed")).await.unwrap();
    let mut tx = store.db().begin().await.unwrap();
    tx.execute_text("UPDATE es_commands SET expires_at = 1 WHERE command_id LIKE '%changed'").await.unwrap();
    tx.commit().await.unwrap();
    let (user, hour) =
        (sid(Kind::User), Timestamp::from_micros(1_000_000_000).plus(Duration::from_secs(3600)));
    store.vault().put(&sid(Kind::Carrier), &user, "session", "s", b"x", Some(hour)).await.unwrap();
    let day = |day: i64| Timestamp::from_micros(1_000_000_000 + day * 24 * 3_600_000_000);
    store.evidence().append(&[item(day(0)), item(day(5)), item(day(7))]).await.unwrap();
    store.close().await;
    clock.advance(Duration::from_secs(8 * 24 * 3600));
    let two_days = Duration::from_secs(2 * 24 * 3600);
    let store = Store::open(StoreOptions { evidence_kept: two_days, ..options }).await.unwrap();
    // What does not prove that it has expired stays; so does the seal's key.
    let expired = async || count(store.db(), "es_commands").await + count(store.db(), "es_secrets").await - 2;
    let gone = async {
        while expired().await > 0 || count(store.db(), "es_evidence").await > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .expect("only the seal's key and one command remain");
    assert_eq!(store.head(Log::Core).await.unwrap(), 2);
}
