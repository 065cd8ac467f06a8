//! Following: nothing is missed while many write. The control reader shows what the head row is for.

use domain::{Kind, Log};
use sqlx::{Executor, PgPool, Row, postgres::PgPoolOptions};
use std::collections::{HashMap, HashSet};
use store::{
    Fact,
    testing::{self, Tally, TallyCommand as C, TestStore, meta, sid},
};
use tokio::{sync::watch, task::JoinSet};

/// Callers that write at once.
const WRITERS: usize = 16;
/// Events that are written, at least.
const EVENTS: usize = 50_000;
/// Events of one command, and commands to one stream.
const PER_COMMAND: usize = 4;
const PER_STREAM: usize = 4;

/// Writes from many tasks while a follower reads; compares what it got with what was acknowledged.
async fn nothing_is_missed(store: &TestStore, events: usize) {
    let streams = events.div_ceil(WRITERS * PER_COMMAND * PER_STREAM);
    let total = streams * WRITERS * PER_COMMAND * PER_STREAM;
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let store = store.store.clone();
        writers.spawn(async move {
            for _ in 0..streams {
                let stream = sid(Kind::Call);
                for _ in 0..PER_STREAM {
                    store.execute::<Tally>(&stream, C::Count(PER_COMMAND as i64), &meta()).await.unwrap();
                }
            }
        });
    }
    let mut follower = store.follow(Log::Core, 0, 1000);
    let mut facts: Vec<Fact> = Vec::with_capacity(total);
    while facts.len() < total {
        facts.extend(follower.next().await.unwrap());
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    assert!((1..).zip(&facts).all(|(position, fact)| fact.position == position), "{}: a gap", store.name);
    let ids: HashSet<_> = facts.iter().map(|fact| fact.event_id).collect();
    assert_eq!((facts.len(), ids.len()), (total, total), "{}", store.name);
    assert_eq!(store.head(Log::Core).await.unwrap(), total as i64, "{}", store.name);
    let mut sequences = HashMap::new();
    for fact in &facts {
        let last = sequences.entry(fact.stream.clone()).or_insert(0);
        assert_eq!(fact.sequence, *last + 1, "{}: a stream out of order", store.name);
        *last = fact.sequence;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_misses_nothing_of_sixteen_writers_on_sqlite() {
    nothing_is_missed(&testing::sqlite().await, EVENTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_misses_nothing_of_sixteen_writers_on_postgres() {
    nothing_is_missed(&testing::on_postgres().await, EVENTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_misses_nothing_of_sixteen_writers_on_postgres_by_portable_statements() {
    nothing_is_missed(&testing::on_postgres_portable().await, EVENTS / 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_misses_nothing_of_sixteen_writers_in_memory() {
    nothing_is_missed(&testing::memory().await, EVENTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_one_database_share_one_gapless_log() {
    let ours = testing::on_postgres().await;
    let theirs = store::Store::open(ours.options.clone()).await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = if writer % 2 == 0 { ours.store.clone() } else { theirs.clone() };
        writers.spawn(async move {
            for _ in 0..50 {
                store.execute::<Tally>(&sid(Kind::Call), C::Count(2), &meta()).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let facts = ours.read(Log::Core, 0, 5_000).await.unwrap();
    assert_eq!(facts.len(), WRITERS * 100);
    store::audit::verify(&ours, |_| ()).await.unwrap();
}

#[tokio::test]
async fn another_nodes_commit_wakes_a_follower_before_its_poll() {
    let ours = testing::on_postgres().await;
    let theirs = store::Store::open(ours.options.clone()).await.unwrap();
    let mut signal = ours.watch(Log::Calls);
    // Nothing is committed to this log by us: the signal can only come over the wire.
    assert_eq!(*signal.borrow_and_update(), 0);
    let mut core = ours.watch(Log::Core);
    let wait = async {
        loop {
            theirs.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await.unwrap();
            if tokio::time::timeout(std::time::Duration::from_millis(200), core.changed()).await.is_ok() {
                return *core.borrow_and_update();
            }
        }
    };
    let heard =
        tokio::time::timeout(std::time::Duration::from_secs(20), wait).await.expect("the node is heard");
    assert!(heard >= 1);
}

#[tokio::test]
async fn a_follower_without_any_signal_finds_events_by_polling() {
    for store in testing::durable_stores().await {
        let reading = store::Store::open_to_read(store.options.clone()).await.unwrap();
        let mut follower = reading.follow(Log::Core, 0, 10);
        let (stream, meta) = (sid(Kind::Call), meta());
        let (page, _) = tokio::join!(follower.next(), store.execute::<Tally>(&stream, C::Count(2), &meta));
        let mut seen = page.unwrap().len();
        store.execute::<Tally>(&stream, C::Count(2), &meta).await.unwrap();
        while seen < 4 {
            seen += follower.next().await.unwrap().len();
        }
        assert_eq!(
            (seen, follower.position(), *reading.watch(Log::Core).borrow()),
            (4, 4, 0),
            "{}",
            store.name
        );
    }
}

/// The control: an identity column and `id > last`, read while transactions commit.
#[tokio::test(flavor = "multi_thread")]
async fn a_naive_reader_of_an_identity_column_misses_events() {
    let pool = PgPoolOptions::new()
        .max_connections(WRITERS as u32 + 1)
        .connect(&testing::postgres().await)
        .await
        .unwrap();
    pool.execute("CREATE TABLE naive (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n bigint)")
        .await
        .unwrap();
    let (stop, stopped) = watch::channel(false);
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        writers.spawn(write_naively(pool.clone(), stopped.clone()));
    }
    let missed = tokio::time::timeout(std::time::Duration::from_secs(60), read_naively(&pool)).await;
    stop.send(true).unwrap();
    writers.join_all().await;
    assert!(missed.expect("a miss within a minute") > 0);
}

async fn write_naively(pool: PgPool, stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let mut tx = pool.begin().await.unwrap();
        for n in 0..3i64 {
            sqlx::query("INSERT INTO naive (n) VALUES ($1)").bind(n).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// Reads on from the last id until rows have turned up behind it; returns how many.
async fn read_naively(pool: &PgPool) -> i64 {
    let (mut last, mut seen) = (0i64, 0i64);
    loop {
        for row in sqlx::query("SELECT id FROM naive WHERE id > $1 ORDER BY id")
            .bind(last)
            .fetch_all(pool)
            .await
            .unwrap()
        {
            last = row.get(0);
            seen += 1;
        }
        let there: i64 = sqlx::query("SELECT count(*) FROM naive WHERE id <= $1")
            .bind(last)
            .fetch_one(pool)
            .await
            .unwrap()
            .get(0);
        if there > seen {
            return there - seen;
        }
    }
}
