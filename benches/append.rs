//! Commands per second, from load to durable, beside stock postgres-es on the same PostgreSQL: the same aggregate, the
//! same command, a fresh stream each; ours with positions, ledger, claims and hash chain on.

use crate::table::Row;
use domain::{
    Actor, Clock, Ids, Kind, Meta, Sid, Tenant,
    account::{Account, AccountCommand},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use store::{RandomIds, Store, StoreOptions, SystemClock};

/// How many ask at once.
const CLIENTS: [usize; 3] = [1, 16, 64];
/// How long each figure is measured, and in how many interleaved rounds; the median counts.
const SECONDS: u64 = 2;
const ROUNDS: usize = 3;

type Stock = cqrs_es::CqrsFramework<
    Account,
    cqrs_es::persist::PersistedEventStore<postgres_es::PostgresEventRepository, Account>,
>;

pub fn rows() -> Vec<Row> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ours = ours().await;
        let stock = stock().await;
        let mut rows = Vec::new();
        for clients in CLIENTS {
            rows.push(row(clients, &ours, &stock).await);
        }
        rows
    })
}

async fn row(clients: usize, ours: &Store, stock: &Arc<Stock>) -> Row {
    let (mut mine, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        mine.push(rate(clients, |ids| append(ours.clone(), ids)).await);
        theirs.push(rate(clients, |ids| append_stock(stock.clone(), ids)).await);
    }
    let (mine, theirs) = (median(mine), median(theirs));
    Row {
        what: format!("append, {clients} clients"),
        ours: format!("{mine:.0} commands/s"),
        peer: "stock postgres-es".into(),
        theirs: format!("{theirs:.0} commands/s"),
        ratio: format!("{:.1}x the commands", mine / theirs),
    }
}

async fn ours() -> Store {
    Store::open(StoreOptions::new(store::testing::durable_postgres().await, [7; 32])).await.unwrap()
}

async fn stock() -> Arc<Stock> {
    let url = store::testing::durable_postgres().await;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(68).connect(&url).await.unwrap();
    // postgres-es's own table, as its documentation gives it.
    sqlx::query(
        "CREATE TABLE events (aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint NOT NULL CHECK (sequence >= 0), \
         event_type text NOT NULL, event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL, \
         PRIMARY KEY (aggregate_type, aggregate_id, sequence))",
    )
    .execute(&pool)
    .await
    .unwrap();
    Arc::new(postgres_es::postgres_cqrs(pool, vec![], ()))
}

async fn append(store: Store, ids: Arc<dyn Ids>) {
    let (carrier, account) = (Sid::new(Kind::Carrier, &*ids), Sid::new(Kind::Account, &*ids));
    let meta = Meta::new(Tenant::carrier(carrier.clone()), Actor::system("bench"), SystemClock.now());
    store.execute::<Account>(&account, create(carrier), &meta.once(account.to_string())).await.unwrap();
}

async fn append_stock(stock: Arc<Stock>, ids: Arc<dyn Ids>) {
    let (carrier, account) = (Sid::new(Kind::Carrier, &*ids), Sid::new(Kind::Account, &*ids));
    stock.execute(account.as_str(), create(carrier)).await.unwrap();
}

fn create(carrier: Sid) -> AccountCommand {
    AccountCommand::create(carrier, "Rocket Rides".parse().unwrap())
}

/// Commands a second with so many clients, each asking again as soon as it has its answer.
async fn rate<F: Future<Output = ()> + Send + 'static>(
    clients: usize,
    one: impl Fn(Arc<dyn Ids>) -> F,
) -> f64 {
    use futures_util::StreamExt;
    let (done, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let until = start + Duration::from_secs(SECONDS);
    let ids: Arc<dyn Ids> = Arc::new(RandomIds::default());
    let mut running = futures_util::stream::FuturesUnordered::new();
    for _ in 0..clients {
        running.push(tokio::spawn(one(ids.clone())));
    }
    while let Some(finished) = running.next().await {
        finished.unwrap();
        done.fetch_add(1, Ordering::Relaxed);
        if Instant::now() < until {
            running.push(tokio::spawn(one(ids.clone())));
        }
    }
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
