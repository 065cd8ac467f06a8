//! The one-call append against its oracle: after the same commands every table holds the same rows.

use domain::{Ids, Kind, Meta, Sid};
use sqlx::{PgPool, Row};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use store::{
    Store, StoreOptions,
    testing::{self, ManualClock, Tally, TallyCommand as C, meta},
};
use uuid::Uuid;

/// The same identifiers on every run.
#[derive(Default)]
struct Counting(AtomicU64);

impl Ids for Counting {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::SeqCst)))
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(9);
    }
}

fn stream(number: u128) -> Sid {
    Sid::from_uuid(Kind::Call, Uuid::from_u128(number))
}

/// A bit of everything, one command after the other; returns what each came to.
async fn script(store: &Store, elsewhere: &Store, clock: &ManualClock) -> Vec<String> {
    let mut told = meta();
    told.at = domain::Timestamp::from_micros(5);
    let mut answers = Vec::new();
    let key = |text: &str| C::Hold(text.to_owned());
    for round in 0..3 {
        for (number, command) in [
            (1, C::Count(3)),
            (2, key("a")),
            (1, key("a")),
            (2, key("b")),
            (3, key("a")),
            (3, key("b")),
            (2, C::LetGo),
            (3, key("b")),
            (4, C::Nothing),
            (5, C::AddUpTo { add: 9, limit: 1 }),
        ] {
            let id =
                if number == 4 || round == 2 { told.clone().once(format!("{number}")) } else { told.clone() };
            let answer = store.execute::<Tally>(&stream(number), command, &id).await;
            answers.push(format!("{answer:?}"));
        }
        clock.advance(std::time::Duration::from_secs(5 * 24 * 3600));
    }
    answers.extend(together(store, elsewhere, &told).await);
    answers
}

/// One batch, for all of it waits before the writer looks: more events than go one by one, a stream that moved unnoticed, a
/// command that acted before, a key that is taken.
async fn together(store: &Store, elsewhere: &Store, told: &Meta) -> Vec<String> {
    elsewhere.execute::<Tally>(&stream(1), C::Add(1), told).await.unwrap();
    let again = told.clone().once("again");
    store.execute::<Tally>(&stream(7), C::Add(1), &again).await.unwrap();
    let [s1, s2, s7, s8, s9] = [1, 2, 7, 8, 9].map(stream);
    let (one, two, seven, eight, nine) = tokio::join!(
        store.execute::<Tally>(&s1, C::Add(1), told),
        store.execute::<Tally>(&s2, C::Count(12), told),
        store.execute::<Tally>(&s7, C::Add(1), &again),
        store.execute::<Tally>(&s8, C::Hold("b".to_owned()), told),
        store.execute::<Tally>(&s9, C::Count(9), told),
    );
    let alone = elsewhere.execute::<Tally>(&stream(2), C::Count(12), told).await;
    [one, two, seven, eight, nine, alone].map(|answer| format!("{answer:?}")).to_vec()
}

async fn tables(url: &str) -> Vec<String> {
    let pool = PgPool::connect(url).await.unwrap();
    let mut rows = Vec::new();
    for table in ["es_heads", "es_events", "es_streams", "es_commands", "es_claims"] {
        let query = format!("SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1");
        for row in sqlx::query(&query).fetch_all(&pool).await.unwrap() {
            rows.push(format!("{table} {}", row.get::<String, _>(0)));
        }
    }
    rows
}

#[tokio::test]
async fn one_call_and_portable_statements_leave_the_same_rows() {
    let mut results = Vec::new();
    for portable in [false, true] {
        let clock = ManualClock::at(1_000_000);
        let url = testing::postgres().await;
        let ids = Arc::new(Counting::default());
        let options = StoreOptions { clock: Arc::new(clock.clone()), ids, ..testing::options(&url) };
        let open = async || {
            let options = options.clone();
            if portable { Store::open_portable(options).await } else { Store::open(options).await }
        };
        let (opened, elsewhere) = (open().await.unwrap(), open().await.unwrap());
        let answers = script(&opened, &elsewhere, &clock).await;
        results.push((answers, tables(&url).await));
    }
    let [(call, call_rows), (portable, portable_rows)] = &results[..] else { panic!("two runs") };
    assert_eq!(call, portable);
    assert_eq!(call_rows, portable_rows);
    assert!(call_rows.len() > 20, "{call_rows:?}");
    for expected in ["Taken", "Refused", "replayed: true", "Reused"] {
        assert!(call.iter().any(|answer| answer.contains(expected)), "{expected}: {call:#?}");
    }
}
