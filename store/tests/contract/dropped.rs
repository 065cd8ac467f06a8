//! Work that is dropped at any point, as a deadline or a client that goes away does it, leaves nothing half done.

use domain::{Kind, Log, Sid};
use sea_query::{Expr, ExprTrait, Query};
use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use store::{
    Store, StoreError,
    testing::{self, Tally, TallyCommand as C, TestStore, meta, sid},
};

/// Polls that bring any of the works below to its end.
const ENOUGH: usize = 16;

/// Polls `work` so many times at most, then drops it; at once, or when it has been woken for the next poll.
async fn cut_short(work: impl Future, times: usize, woken: bool) {
    let mut work = pin!(work);
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        match work.as_mut().poll(context) {
            Poll::Pending if left > 0 || woken => Poll::Pending,
            _ => Poll::Ready(()),
        }
    })
    .await;
}

/// Many writes beside a transaction, on every connection there is; each must be there for everyone.
async fn writes_are_durable(store: &TestStore, times: usize) {
    let carrier = sid(Kind::Carrier);
    for number in 0..20 {
        store.vault().put(&carrier, &carrier, "kind", &number.to_string(), b"x", None).await.unwrap();
    }
    let stream = sid(Kind::Call);
    let appended = store.execute::<Tally>(&stream, C::Add(1), &meta()).await.unwrap();
    let elsewhere = Store::open_to_read(store.options.clone()).await.unwrap();
    let names = elsewhere.vault().names(&carrier, "kind").await.unwrap().len();
    assert_eq!(names, 20, "{}, after {times} polls", store.name);
    assert_eq!(elsewhere.head(Log::Core).await.unwrap(), appended.position);
    assert_eq!(elsewhere.load::<Tally>(&stream).await.unwrap().aggregate.sum, 1);
    elsewhere.close().await;
}

#[tokio::test]
async fn a_dropped_begin_leaves_no_transaction_open() {
    for store in testing::durable_stores().await {
        for times in 1..ENOUGH {
            for woken in [false, true] {
                cut_short(store.db().begin(), times, woken).await;
                cut_short(store.db().snapshot(), times, woken).await;
            }
        }
        writes_are_durable(&store, ENOUGH).await;
    }
}

#[tokio::test]
async fn a_dropped_transaction_is_undone_wherever_it_was() {
    for store in testing::durable_stores().await {
        for times in 1..ENOUGH {
            let mut tx = store.db().begin().await.unwrap();
            let (half_done, whole) = (sid(Kind::Carrier), sid(Kind::Carrier));
            cut_short(tx.execute(&key(&half_done)), times, times % 2 == 0).await;
            drop(tx);
            let mut tx = store.db().begin().await.unwrap();
            tx.execute(&key(&whole)).await.unwrap();
            cut_short(tx.commit(), times, times % 2 == 0).await;
            let owned = Expr::col("carrier").eq(half_done.as_str());
            let query = Query::select().column("carrier").from("es_keys").and_where(owned).to_owned();
            assert!(store.db().fetch_optional(&query).await.unwrap().is_none(), "{}: {times}", store.name);
        }
        writes_are_durable(&store, ENOUGH).await;
    }
}

/// A row of a table without rules of its own.
fn key(carrier: &Sid) -> sea_query::InsertStatement {
    let mut insert = Query::insert().into_table("es_keys").columns(["carrier", "created_at"]).to_owned();
    insert.values_panic([carrier.as_str().into(), 1_i64.into()]).to_owned()
}

#[tokio::test]
async fn a_store_whose_last_clone_is_gone_lets_its_file_go() {
    let opened = testing::sqlite().await;
    opened.execute::<Tally>(&sid(Kind::Call), C::Add(1), &meta()).await.unwrap();
    let options = opened.options.clone();
    // Its tasks, the one that seals among them, end by themselves.
    drop(opened.store);
    let again = async {
        loop {
            match Store::open(options.clone()).await {
                Err(StoreError::Locked(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
                opened => return opened,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.unwrap().unwrap().close().await;
}
