//! The audit finds what was done to the log behind the store's back, and names the first bad position.

use domain::{Kind, Log};
use store::{
    ExecuteError, Store, StoreError, StoreOptions,
    audit::{self, AuditError, Finding, Wrong},
    testing::{self, Tally, TallyCommand as C, TestStore, meta, sid},
};

/// Twelve events of four streams: positions 1-3, 4-6, 7-9, 10-12.
async fn filled() -> Vec<TestStore> {
    let stores = vec![testing::sqlite().await, testing::on_postgres().await];
    for store in &stores {
        for _ in 0..4 {
            store.execute::<Tally>(&sid(Kind::Call), C::Count(3), &meta()).await.unwrap();
        }
    }
    stores
}

/// Does what the triggers forbid.
async fn tamper(store: &Store, statements: &str) {
    let mut tx = store.db().begin().await.unwrap();
    let guards = match tx.backend() {
        store::Backend::Sqlite => {
            "DROP TRIGGER es_events_no_update; DROP TRIGGER es_events_no_delete;
             DROP TRIGGER es_seals_no_update; DROP TRIGGER es_seals_no_delete;"
        }
        store::Backend::Postgres => "DROP FUNCTION es_refuse CASCADE;",
    };
    tx.execute_text(&format!("{guards} {statements}")).await.unwrap();
    tx.commit().await.unwrap();
}

async fn finding(store: &TestStore) -> Finding {
    match audit::verify(store, |_| ()).await {
        Err(AuditError::Found(finding)) => finding,
        other => panic!("{}: {other:?}", store.name),
    }
}

async fn found(store: &TestStore) -> (i64, Wrong) {
    let Finding { log, position, what, .. } = finding(store).await;
    assert_eq!(log, Log::Core);
    (position, what)
}

#[tokio::test]
async fn an_untouched_log_is_in_order() {
    for store in filled().await {
        let mut pages = Vec::new();
        store.seal(Log::Core).await.unwrap();
        store.execute::<Tally>(&sid(Kind::Call), C::Count(3), &meta()).await.unwrap();
        let report = audit::verify(&store, |progress| pages.push(progress.done)).await.unwrap();
        let core = &report.logs[0];
        assert_eq!((core.events, core.streams), (15, 5), "{}", store.name);
        assert!(core.seals >= 1 && core.sealed >= 12, "{}: {core:?}", store.name);
        assert_eq!(pages, [15]);
        let store = store.reopen().await;
        let core = audit::verify(&store, |_| ()).await.unwrap().logs.remove(0);
        assert_eq!(core.sealed, 15, "{}: closing seals", store.name);
    }
}

#[tokio::test]
async fn events_and_seals_cannot_be_changed_or_removed() {
    for store in filled().await {
        store.seal(Log::Core).await.unwrap();
        let statements = [
            "UPDATE es_events SET payload = '{}'",
            "DELETE FROM es_events",
            "UPDATE es_seals SET to_position = 9",
            "DELETE FROM es_seals",
        ];
        for statement in statements {
            let mut tx = store.db().begin().await.unwrap();
            let refused = tx.execute_text(statement).await.unwrap_err();
            assert!(refused.to_string().contains("append-only"), "{}: {statement}: {refused}", store.name);
        }
    }
}

#[tokio::test]
async fn an_edited_event_is_named() {
    for store in filled().await {
        tamper(&store, "UPDATE es_events SET payload = '{\"Added\":9}' WHERE position = 5").await;
        let Finding { position, stream, what, .. } = finding(&store).await;
        assert_eq!((position, what), (5, Wrong::Edited), "{}", store.name);
        assert_eq!(stream, Some(store.read(Log::Core, 4, 1).await.unwrap().remove(0).stream));
    }
}

#[tokio::test]
async fn every_column_of_an_event_is_covered() {
    let columns = [
        "account = 'AC0190c5a1e3f27a4b8d1e2f3a4b5c6d7e'",
        "carrier = 'VC0190c5a1e3f27a4b8d1e2f3a4b5c6d7e'",
        "event_type = 'Held'",
        "schema_version = 2",
        "command_id = 'x'",
        "correlation_id = ''",
        "causation_id = ''",
        "actor_type = 'part'",
        "actor_id = 'you'",
        "ip = '127.0.0.1'",
        "user_agent = ''",
        "occurred_at = 1",
        "recorded_at = 1",
        "stream_type = 'other'",
        "event_id = '0190c5a1-e3f2-7a4b-8d1e-2f3a4b5c6d7e'",
        "payload = '{\"Added\":1} '",
        "event_id = upper(event_id)",
        "event_id = '{' || event_id || '}'",
        "ip = upper(ip)",
        "ip = '2001:db8:0::f'",
    ];
    let from = domain::Meta { ip: Some("2001:db8::f".parse().unwrap()), ..meta() };
    for change in columns {
        let store = testing::sqlite().await;
        store.execute::<Tally>(&sid(Kind::Call), C::Count(2), &from).await.unwrap();
        tamper(&store, &format!("UPDATE es_events SET {change} WHERE position = 2")).await;
        let named = found(&store).await;
        let text = ["actor_type", "event_id", "ip"].iter().any(|column| change.starts_with(column));
        let known =
            matches!(named, (2, Wrong::Edited)) || (text && matches!(named, (2, Wrong::Unreadable(_))));
        assert!(known, "{change}: {named:?}");
    }
}

#[tokio::test]
async fn an_event_that_makes_no_sense_is_named() {
    for store in filled().await {
        tamper(&store, "UPDATE es_events SET event_id = 'nobody' WHERE position = 8").await;
        assert!(matches!(found(&store).await, (8, Wrong::Unreadable(_))), "{}", store.name);
    }
}

#[tokio::test]
async fn a_missing_event_is_named() {
    for store in filled().await {
        tamper(&store, "DELETE FROM es_events WHERE position = 6").await;
        assert_eq!(found(&store).await, (6, Wrong::Missing), "{}", store.name);
        // Another process: this one still has it in memory.
        let reader = Store::open_to_read(store.options.clone()).await.unwrap();
        assert!(reader.read(Log::Core, 0, 100).await.is_err(), "{}: a follower stops as well", store.name);
    }
}

#[tokio::test]
async fn events_of_one_stream_in_another_order_are_named() {
    for store in filled().await {
        tamper(&store, SWAP_4_AND_5).await;
        assert_eq!(found(&store).await, (4, Wrong::Reordered), "{}", store.name);
    }
}

#[tokio::test]
async fn sealed_events_of_two_streams_in_another_order_are_named() {
    for store in filled().await {
        store.seal(Log::Core).await.unwrap();
        tamper(&store, SWAP_6_AND_9).await;
        // Position 6 now holds the last event of the third stream, whose first two come later: that shows even sooner.
        assert_eq!(found(&store).await, (6, Wrong::Reordered), "{}", store.name);
        let whole_streams = testing::sqlite().await;
        for number in 1..=4 {
            whole_streams.execute::<Tally>(&sid(Kind::Call), C::Add(number), &meta()).await.unwrap();
        }
        whole_streams.seal(Log::Core).await.unwrap();
        tamper(&whole_streams, &SWAP_6_AND_9.replace("= 6", "= 2").replace("= 9", "= 4")).await;
        assert_eq!(found(&whole_streams).await, (2, Wrong::NotAsSealed));
    }
}

const SWAP_4_AND_5: &str = "UPDATE es_events SET position = -1 WHERE position = 4;
    UPDATE es_events SET position = 4 WHERE position = 5; UPDATE es_events SET position = 5 WHERE position = -1;";
const SWAP_6_AND_9: &str = "UPDATE es_events SET position = -1 WHERE position = 6;
    UPDATE es_events SET position = 6 WHERE position = 9; UPDATE es_events SET position = 9 WHERE position = -1;";

#[tokio::test]
async fn a_cut_tail_is_named_even_when_the_tables_were_made_to_agree() {
    let cut = "DELETE FROM es_events WHERE position > 9;";
    let head = "UPDATE es_heads SET position = 9 WHERE log = 'core';";
    let streams = "DELETE FROM es_streams WHERE position > 9;";
    for store in filled().await {
        tamper(&store, cut).await;
        assert_eq!(found(&store).await, (10, Wrong::CutOff), "{}: the head row tells", store.name);
    }
    for store in filled().await {
        tamper(&store, &[cut, head].concat()).await;
        assert_eq!(found(&store).await, (10, Wrong::CutOff), "{}: the streams tell", store.name);
    }
    for store in filled().await {
        store.seal(Log::Core).await.unwrap();
        tamper(&store, &[cut, head, streams].concat()).await;
        assert_eq!(found(&store).await, (10, Wrong::CutOff), "{}: the seal tells", store.name);
    }
}

#[tokio::test]
async fn a_seal_that_was_kept_shows_a_cut_that_nothing_else_shows() {
    for opened in [testing::sqlite().await, testing::on_postgres().await] {
        opened.close().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seals.log");
        let options = StoreOptions { seals_file: Some(file.clone()), ..opened.options.clone() };
        let store = Store::open(options).await.unwrap();
        for count in [9, 3] {
            store.execute::<Tally>(&sid(Kind::Call), C::Count(count), &meta()).await.unwrap();
            store.seal(Log::Core).await.unwrap();
        }
        let noted = std::fs::read_to_string(&file).unwrap();
        let names: Vec<String> =
            noted.lines().map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect();
        assert!(noted.starts_with("core 9 ") && names.len() == 2, "{}: {noted}", opened.name);
        assert_eq!(store.last_seal(Log::Core).await.unwrap().unwrap().name(), names[1]);
        audit::verify_with(&store, &names, |_| ()).await.unwrap();
        tamper(
            &store,
            "DELETE FROM es_events WHERE position > 9; UPDATE es_heads SET position = 9 WHERE log = 'core';
             DELETE FROM es_streams WHERE position > 9; DELETE FROM es_seals WHERE to_position > 9;",
        )
        .await;
        audit::verify_with(&store, &names[..1], |_| ()).await.unwrap();
        let gone = audit::verify_with(&store, &names, |_| ()).await;
        assert!(matches!(gone, Err(AuditError::SealGone(name)) if name == names[1]), "{}", opened.name);
        store.close().await;
    }
}

#[tokio::test]
async fn nothing_is_sealed_below_what_was_sealed_before() {
    for opened in [testing::sqlite().await, testing::on_postgres().await] {
        opened.close().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seals.log");
        let options = StoreOptions { seals_file: Some(file.clone()), ..opened.options.clone() };
        let store = Store::open(options.clone()).await.unwrap();
        store.execute::<Tally>(&sid(Kind::Call), C::Count(9), &meta()).await.unwrap();
        store.seal(Log::Core).await.unwrap();
        let kept = store.last_seal(Log::Core).await.unwrap().unwrap();
        let noted = store::noted_seals(&file).unwrap();
        assert_eq!((noted.len(), noted[0].to, &noted[0].name), (1, 9, &kept.name()), "{}", opened.name);
        tamper(&store, "DELETE FROM es_seals;").await;
        let here = store.seal(Log::Core).await;
        assert!(matches!(here, Err(StoreError::SealsGone { noted: 9, sealed: 0, .. })), "{here:?}");
        store.close().await;
        std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + "core 12").unwrap();
        let again = Store::open(options).await.unwrap();
        let later = again.seal(Log::Core).await;
        assert!(matches!(later, Err(StoreError::SealsGone { noted: 9, sealed: 0, .. })), "{later:?}");
        again.close().await;
    }
}

#[tokio::test]
async fn a_forged_seal_is_named() {
    for store in filled().await {
        store.seal(Log::Core).await.unwrap();
        tamper(&store, "UPDATE es_seals SET sealed_at = sealed_at + 1").await;
        assert_eq!(found(&store).await, (1, Wrong::ForgedSeal), "{}", store.name);
    }
}

#[tokio::test]
async fn logs_longer_than_one_seal_are_sealed_in_a_chain() {
    for store in [testing::sqlite().await, testing::on_postgres().await, testing::memory().await] {
        for _ in 0..9 {
            store.execute::<Tally>(&sid(Kind::Call), C::Count(1000), &meta()).await.unwrap();
        }
        assert_eq!(store.seal(Log::Core).await.unwrap(), 9000);
        let core = audit::verify(&store, |_| ()).await.unwrap().logs.remove(0);
        assert!(core.seals >= 3, "{}: {core:?}", store.name);
        assert_eq!((core.events, core.sealed), (9000, 9000), "{}", store.name);
    }
}

#[tokio::test]
async fn a_log_with_a_gap_is_not_sealed() {
    for store in filled().await {
        tamper(&store, "DELETE FROM es_events WHERE position = 12").await;
        let refused = store.seal(Log::Core).await;
        assert!(matches!(refused, Err(StoreError::Gap { expected: 12, .. })), "{}: {refused:?}", store.name);
        assert_eq!(store.last_seal(Log::Core).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_audit_runs_beside_the_process_that_writes() {
    for store in filled().await {
        let reading = Store::open_to_read(store.options.clone()).await.unwrap();
        let unsealed = audit::verify(&reading, |_| ()).await.unwrap();
        assert_eq!(unsealed.logs[0].events, 12, "{}", store.name);
        store.seal(Log::Core).await.unwrap();
        store.execute::<Tally>(&sid(Kind::Call), C::Count(3), &meta()).await.unwrap();
        let sealed = audit::verify(&reading, |_| ()).await.unwrap().to_string();
        assert!(
            sealed.starts_with("core: 15 events of 5 streams are as written; 1 seals up to position 12"),
            "{sealed}"
        );
        let write = reading.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await;
        assert!(matches!(write, Err(store::ExecuteError::Unavailable(_))), "{}: {write:?}", store.name);
        reading.close().await;
        store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await.unwrap();
    }
}

/// Three streams, two claims, three commands that had ids, one of them without an event.
async fn with_tables() -> Vec<TestStore> {
    vec![with_tables_on(testing::sqlite().await).await, with_tables_on(testing::on_postgres().await).await]
}

async fn with_tables_on(store: TestStore) -> TestStore {
    for (number, command) in [(1, C::Hold("a".into())), (2, C::Hold("b".into())), (3, C::Nothing)] {
        let once = meta().once(format!("id-{number}"));
        store.execute::<Tally>(&numbered(number), command, &once).await.unwrap();
    }
    store.execute::<Tally>(&numbered(1), C::Count(2), &meta()).await.unwrap();
    store.execute::<Tally>(&numbered(4), C::Add(1), &meta()).await.unwrap();
    store
}

fn numbered(number: u128) -> domain::Sid {
    domain::Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(number))
}

/// What was changed behind the store's back, and a word of what the audit says to it.
const CHANGES: [(&str, &str); 16] = [
    ("UPDATE es_heads SET position = 2 WHERE log = 'core'", "the head row says 2, and the last event is 5"),
    ("UPDATE es_heads SET position = 50 WHERE log = 'core'", "the head row says 50"),
    ("DELETE FROM es_heads WHERE log = 'core'", "the head row is missing"),
    ("UPDATE es_streams SET version = 9 WHERE version = 3", "is not where its events end"),
    ("UPDATE es_streams SET version = 2 WHERE version = 3", "is not where its events end"),
    (
        "UPDATE es_streams SET hash = prev FROM (SELECT hash AS prev FROM es_events WHERE position = 1) AS other",
        "stream",
    ),
    ("DELETE FROM es_streams WHERE version = 3", "is not where its events end"),
    ("UPDATE es_claims SET key = 'c' WHERE key = 'a'", "in tally is held by"),
    (
        "UPDATE es_claims SET stream_id = (SELECT stream_id FROM es_claims WHERE key = 'b')",
        "in tally is held by",
    ),
    ("DELETE FROM es_claims", "a in tally is held by nobody"),
    (
        "UPDATE es_commands SET position = 5 WHERE command_id LIKE '%id-1'",
        "does not say where its last event is",
    ),
    ("UPDATE es_commands SET version = 2 WHERE command_id LIKE '%id-1'", "is not as it was written"),
    (
        "UPDATE es_commands SET stream_id = (SELECT stream_id FROM es_claims WHERE key = 'b')",
        "is not as it was written",
    ),
    ("UPDATE es_commands SET expires_at = 1", "is not as it was written"),
    (
        "UPDATE es_commands SET digest = hash FROM (SELECT hash FROM es_events WHERE position = 1) AS other",
        "not as it was",
    ),
    ("DELETE FROM es_commands", "is missing"),
];

#[tokio::test]
async fn what_follows_from_the_events_is_compared_with_them_and_rebuilt() {
    for (change, word) in CHANGES {
        for store in with_tables().await {
            audit::verify(&store, |_| ()).await.unwrap();
            tamper(&store, change).await;
            let told = audit::verify(&store, |_| ()).await.expect_err(change).to_string();
            assert!(
                told.contains(word) && told.contains("`trunkline repair`"),
                "{}: {change}: {told}",
                store.name
            );
            let mended = audit::repair(&store, &[], |_| ()).await.unwrap();
            assert!(!mended.is_empty(), "{}: {change}", store.name);
            audit::verify(&store, |_| ())
                .await
                .unwrap_or_else(|left| panic!("{}: {change}: {left}", store.name));
            assert_eq!(
                audit::repair(&store, &[], |_| ()).await.unwrap(),
                [],
                "{}: nothing is left",
                store.name
            );
            let store = store.reopen().await;
            store.execute::<Tally>(&numbered(1), C::Add(1), &meta()).await.unwrap();
            let taken = store.execute::<Tally>(&numbered(2), C::Hold("a".into()), &meta()).await;
            assert!(matches!(taken, Err(ExecuteError::Taken { .. })), "{}: {change}: {taken:?}", store.name);
        }
    }
}

#[tokio::test]
async fn what_the_ledger_cannot_prove_refuses_a_repeat() {
    for change in ["digest = stream", "expires_at = 1", "version = 7", "proof = NULL"] {
        let change = change.replace("stream", "(SELECT hash FROM es_events WHERE position = 2)");
        for store in with_tables().await {
            tamper(&store, &format!("UPDATE es_commands SET {change}")).await;
            let once = meta().once("id-1");
            for _ in 0..2 {
                let again = store.execute::<Tally>(&numbered(1), C::Hold("a".into()), &once).await;
                assert!(matches!(again, Err(ExecuteError::Unproven)), "{}: {change}: {again:?}", store.name);
                audit::repair(&store, &[], |_| ()).await.unwrap();
                if change.starts_with("version") {
                    let again =
                        store.execute::<Tally>(&numbered(1), C::Hold("a".into()), &once).await.unwrap();
                    assert!(
                        again.replayed && again.version == 1,
                        "what the proof still covers is known again"
                    );
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_row_of_the_ledger_proves_that_the_tail_after_it_was_cut_off() {
    for store in with_tables().await {
        store.execute::<Tally>(&numbered(1), C::Add(1), &meta().once("id-5")).await.unwrap();
        audit::verify(&store, |_| ()).await.unwrap();
        let as_before = "UPDATE es_heads SET position = 5 WHERE log = 'core';
            UPDATE es_streams SET version = 3, position = 4,
                hash = (SELECT hash FROM es_events WHERE position = 4) WHERE version = 4;";
        tamper(&store, &format!("DELETE FROM es_events WHERE position = 6; {as_before}")).await;
        assert_eq!(found(&store).await, (6, Wrong::CutOff), "{}", store.name);
        let refused = audit::repair(&store, &[], |_| ()).await;
        assert!(matches!(refused, Err(AuditError::Found(_))), "{}: {refused:?}", store.name);
    }
}

#[tokio::test]
async fn an_append_behind_a_head_that_was_moved_on_is_refused_and_repair_takes_it_back() {
    let mut stores = with_tables().await;
    stores.push(with_tables_on(testing::on_postgres_portable().await).await);
    for store in stores {
        tamper(&store, "UPDATE es_heads SET position = 50 WHERE log = 'core'").await;
        let one = store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await.unwrap_err();
        let many = store.execute::<Tally>(&numbered(1), C::Count(20), &meta()).await.unwrap_err();
        for refused in [one, many] {
            let told = refused.to_string();
            assert!(told.contains("its head row says 50, but its last event is 5"), "{}: {told}", store.name);
        }
        assert!(matches!(store.sound(Log::Core).await, Err(StoreError::HeadMoved { head: 50, last: 5, .. })));
        audit::repair(&store, &[], |_| ()).await.unwrap();
        store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await.unwrap();
        audit::verify(&store, |_| ()).await.unwrap();
    }
}

#[tokio::test]
async fn a_moved_head_is_named_by_every_write() {
    for store in with_tables().await {
        tamper(&store, "UPDATE es_heads SET position = 2 WHERE log = 'core'").await;
        let refused = store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await.unwrap_err();
        assert!(
            refused.to_string().contains("its head row says 2, but its last event is 5"),
            "{}: {refused}",
            store.name
        );
        assert!(matches!(store.sound(Log::Core).await, Err(StoreError::HeadMoved { head: 2, last: 5, .. })));
        assert!(store.sound(Log::Calls).await.is_ok());
    }
}

#[tokio::test]
async fn a_moved_stream_is_named_by_every_write_to_it() {
    for store in with_tables().await {
        tamper(&store, "UPDATE es_streams SET version = 1 WHERE version = 3").await;
        let refusals = [
            store.execute::<Tally>(&numbered(1), C::Add(1), &meta()).await,
            store.execute_at::<Tally>(&numbered(1), 3, vec![(C::Add(1), meta())]).await,
        ];
        for refused in refusals.map(Result::unwrap_err) {
            assert!(
                refused.to_string().contains("its row says version 1, but its last event is 3"),
                "{}: {refused}",
                store.name
            );
        }
        store.execute::<Tally>(&numbered(4), C::Add(1), &meta()).await.expect("others go on");
    }
}

#[tokio::test]
async fn nothing_is_repaired_of_a_log_whose_chain_fails() {
    for damage in [
        "UPDATE es_events SET payload = '{\"Added\":9}' WHERE position = 5",
        "DELETE FROM es_events WHERE position = 5",
    ] {
        for store in with_tables().await {
            tamper(&store, &format!("{damage}; DELETE FROM es_claims;")).await;
            let refused = audit::repair(&store, &[], |_| ()).await;
            assert!(matches!(refused, Err(AuditError::Found(_))), "{}: {refused:?}", store.name);
            let claims = sea_query::Query::select().column("key").from("es_claims").to_owned();
            assert!(
                store.db().fetch_all(&claims).await.unwrap().is_empty(),
                "{}: it was not touched",
                store.name
            );
        }
    }
}

/// As a release before proofs left it.
const BEFORE_PROOFS: &str =
    "UPDATE es_commands SET proof = NULL; DELETE FROM es_migrations WHERE number = 1000;";

#[tokio::test]
async fn rows_of_a_release_before_proofs_are_proved_at_a_start_with_the_right_key() {
    for store in with_tables().await {
        store.seal(Log::Core).await.unwrap();
        tamper(&store, BEFORE_PROOFS).await;
        store.close().await;
        let wrong = StoreOptions { master_key: [8; 32], ..store.options.clone() };
        let opened = Store::open(wrong).await.unwrap();
        assert!(matches!(opened.check_key().await, Err(StoreError::Sealed)), "{}", store.name);
        opened.close().await;
        let store = store.reopen().await;
        let once = meta().once("id-1");
        let again = store.execute::<Tally>(&numbered(1), C::Hold("a".into()), &once).await.unwrap();
        assert!(again.replayed, "{}: not stamped with the wrong key", store.name);
        audit::verify(&store, |_| ()).await.unwrap();
    }
}

#[tokio::test]
async fn a_row_that_the_release_before_wrote_beside_us_is_proved_at_the_next_start() {
    for store in with_tables().await {
        tamper(&store, BEFORE_PROOFS).await;
        let store = store.reopen().await;
        let mut tx = store.db().begin().await.unwrap();
        tx.execute_text("UPDATE es_commands SET proof = NULL WHERE command_id LIKE '%id-1'").await.unwrap();
        tx.commit().await.unwrap();
        let store = store.reopen().await;
        let once = meta().once("id-1");
        let again = store.execute::<Tally>(&numbered(1), C::Hold("a".into()), &once).await.unwrap();
        assert!(again.replayed, "{}", store.name);
    }
}

#[tokio::test]
async fn a_proof_that_was_taken_away_is_not_given_again() {
    for store in with_tables().await {
        tamper(&store, "UPDATE es_commands SET proof = NULL").await;
        let store = store.reopen().await;
        let again = store.execute::<Tally>(&numbered(1), C::Hold("a".into()), &meta().once("id-1")).await;
        assert!(matches!(again, Err(ExecuteError::Unproven)), "{}: {again:?}", store.name);
    }
}
