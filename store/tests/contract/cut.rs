//! A database that goes away or falls silent: an error in time, never a short answer.

use domain::{Kind, Log};
use sqlx::{Connection, Executor, PgConnection};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use store::{
    Store, StoreError, StoreOptions,
    testing::{self, Tally, TallyCommand as C, meta, sid},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A wire to the database that can be cut.
#[derive(Clone)]
struct Wire {
    /// Bytes that still come back from the server before every connection is cut.
    left: Arc<AtomicI64>,
    /// At the limit, fall silent instead.
    silent: bool,
}

impl Wire {
    /// The address of the wire's near end.
    async fn to(url: &str, silent: bool) -> (Wire, String) {
        let near = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = url.rsplit_once('@').unwrap().1.split_once('/').unwrap().0.to_owned();
        let through = url.replace(&host, &near.local_addr().unwrap().to_string());
        let wire = Wire { left: Arc::new(AtomicI64::new(i64::MAX)), silent };
        let accepting = wire.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = near.accept().await {
                let server = TcpStream::connect(&host).await.unwrap();
                tokio::spawn(accepting.clone().carry(client, server));
            }
        });
        (wire, through)
    }

    async fn carry(self, client: TcpStream, server: TcpStream) {
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
            (client.into_split(), server.into_split());
        let there = async move { tokio::io::copy(&mut from_client, &mut to_server).await.map(drop) };
        let back = async move {
            let mut chunk = [0; 4096];
            loop {
                let length = from_server.read(&mut chunk).await?;
                let spent = self.left.fetch_sub(length as i64, Ordering::SeqCst) < length as i64;
                if spent && self.silent {
                    std::future::pending::<()>().await;
                }
                if spent || length == 0 {
                    return Ok(());
                }
                to_client.write_all(&chunk[..length]).await?;
            }
        };
        tokio::select! {
            _ = there => (),
            _ = async { let done: std::io::Result<()> = back.await; done } => (),
        }
    }
}

async fn filled() -> testing::TestStore {
    let store = testing::on_postgres().await;
    for _ in 0..4 {
        store.execute::<Tally>(&sid(Kind::Call), C::Count(1000), &meta()).await.unwrap();
    }
    store
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_a_read_is_an_error() {
    let direct = filled().await;
    let (wire, url) = Wire::to(&direct.options.url, false).await;
    let store = Store::open(StoreOptions { url, ..direct.options.clone() }).await.unwrap();
    assert_eq!(store.read(Log::Core, 0, 5_000).await.unwrap().len(), 4_000);
    for left in [10_000, 100_000, 1_000_000] {
        wire.left.store(left, Ordering::SeqCst);
        let cut = store.read(Log::Core, 0, 5_000).await;
        assert!(
            matches!(cut, Err(StoreError::Database(_))),
            "after {left} bytes: {:?}",
            cut.map(|facts| facts.len())
        );
        wire.left.store(i64::MAX, Ordering::SeqCst);
    }
    // And it mends itself: the pool replaces what broke.
    let mut follower = store.follow(Log::Core, 0, 5_000);
    let page = loop {
        if let Ok(page) = follower.next().await {
            break page;
        }
    };
    assert_eq!(page.len(), 4_000);
}

/// Opens several connections to the store's database, gives them back, and has the server end all of them.
async fn cut_while_resting(store: &testing::TestStore) {
    let opened = futures_util::future::join_all((0..8).map(|_| store.db().snapshot())).await;
    for tx in opened {
        tx.unwrap().rollback().await.unwrap();
    }
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut server = PgConnection::connect(&store.options.url).await.unwrap();
    assert!(server.fetch_all(cut).await.unwrap().len() >= 8);
    server.close().await.unwrap();
}

#[tokio::test]
async fn what_is_asked_first_after_the_server_cut_all_resting_connections_is_answered() {
    let store = filled().await;
    cut_while_resting(&store).await;
    assert_eq!(store.read(Log::Core, 0, 5_000).await.unwrap().len(), 4_000);
    cut_while_resting(&store).await;
    store.db().snapshot().await.unwrap().rollback().await.unwrap();
    cut_while_resting(&store).await;
    store.db().begin().await.unwrap().rollback().await.unwrap();
    cut_while_resting(&store).await;
    let carrier = sid(Kind::Carrier);
    store.vault().put(&carrier, &carrier, "kind", "name", b"x", None).await.unwrap();
}

#[tokio::test]
async fn a_command_that_comes_a_while_after_the_cut_takes_effect_at_once() {
    let store = filled().await;
    cut_while_resting(&store).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await.unwrap();
}

#[tokio::test]
async fn a_database_that_falls_silent_is_an_error_at_the_deadline() {
    let direct = filled().await;
    let (wire, url) = Wire::to(&direct.options.url, true).await;
    let deadline = Duration::from_millis(500);
    let store = Store::open(StoreOptions { url, deadline, ..direct.options.clone() }).await.unwrap();
    wire.left.store(50_000, Ordering::SeqCst);
    let asked = Instant::now();
    let silent = store.read(Log::Core, 0, 5_000).await;
    assert!(matches!(silent, Err(StoreError::Deadline(_))));
    assert!(asked.elapsed() < deadline * 4, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn an_append_that_cannot_get_the_writing_connection_is_an_error_at_the_deadline() {
    let opened = testing::sqlite().await;
    opened.close().await;
    let deadline = Duration::from_millis(300);
    let store = Store::open(StoreOptions { deadline, ..opened.options.clone() }).await.unwrap();
    let held = store.db().begin().await.unwrap();
    let stuck = store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await;
    assert!(matches!(stuck, Err(store::ExecuteError::Unavailable(StoreError::Deadline(_)))), "{stuck:?}");
    held.rollback().await.unwrap();
    store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await.unwrap();
}

#[tokio::test]
async fn appends_of_a_log_go_over_one_connection() {
    let store = testing::on_postgres().await;
    for _ in 0..20 {
        store.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await.unwrap();
    }
    let pool = sqlx::PgPool::connect(&store.options.url).await.unwrap();
    let appended = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%es_append%' \
                    AND pid <> pg_backend_pid()";
    assert_eq!(sqlx::query_scalar::<_, i64>(appended).fetch_one(&pool).await.unwrap(), 1);
}

#[tokio::test]
async fn an_append_whose_answer_never_came_acts_once_when_it_is_repeated() {
    for silent in [false, true] {
        let direct = testing::on_postgres().await;
        let (wire, url) = Wire::to(&direct.options.url, silent).await;
        let deadline = Duration::from_millis(500);
        let store = Store::open(StoreOptions { url, deadline, ..direct.options.clone() }).await.unwrap();
        let stream = sid(Kind::Call);
        let add = |id: &str| (C::Add(1), meta().once(id));
        let (first, told) = add("first");
        store.execute::<Tally>(&stream, first, &told).await.unwrap();
        wire.left.store(0, Ordering::SeqCst);
        let (second, told) = add("second");
        let unknown = store.execute::<Tally>(&stream, second.clone(), &told).await;
        assert!(matches!(unknown, Err(store::ExecuteError::Unavailable(_))), "{unknown:?}");
        wire.left.store(i64::MAX, Ordering::SeqCst);
        store.execute::<Tally>(&stream, second, &told).await.unwrap();
        assert_eq!(direct.load::<Tally>(&stream).await.unwrap().version, 2);
    }
}
