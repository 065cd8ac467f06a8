//! kill -9, between and during commits: nothing acknowledged is lost, nothing takes effect twice.
//!
//! The child is this test program again, running `writer` alone: it prints each command id once the store has
//! acknowledged it, and is killed at a random moment. The next child repeats the ids that were not acknowledged.

use domain::{Kind, Log, Sid};
use std::{
    collections::{BTreeSet, HashMap},
    process::Stdio,
    time::Duration,
};
use store::{
    Store,
    testing::{self, Tally, TallyCommand as C, TestStore, meta, token},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    task::JoinSet,
};

const KILLS: u64 = 30;
/// Callers within the child; each has one command under way.
const LANES: u64 = 8;

/// The child: writes until it is killed. Lane `n` repeats from the first id that was not acknowledged.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by its parent"]
async fn writer() {
    let url = std::env::var("TRUNKLINE_CRASH_URL").unwrap();
    let starts: Vec<u64> = std::env::var("TRUNKLINE_CRASH_FROM")
        .unwrap()
        .split(',')
        .map(|start| start.parse().unwrap())
        .collect();
    let store = Store::open(testing::options(url)).await.unwrap();
    let mut lanes = JoinSet::new();
    for (lane, start) in starts.into_iter().enumerate() {
        let store = store.clone();
        lanes.spawn(async move {
            for number in start.. {
                let id = format!("{lane}-{number}");
                store
                    .execute::<Tally>(&stream(lane as u64, number), C::Count(3), &meta().once(&id))
                    .await
                    .unwrap();
                println!("ack {id}");
            }
        });
    }
    lanes.join_all().await;
}

/// Ten commands of a lane go to one stream.
fn stream(lane: u64, number: u64) -> Sid {
    Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(u128::from(lane) << 64 | u128::from(number / 10)))
}

/// Starts a child, lets it acknowledge `enough` commands, kills it, and returns everything it acknowledged.
async fn one_life(url: &str, next: &[u64], enough: usize) -> Vec<(u64, u64)> {
    let from = next.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::writer", "--ignored", "--nocapture"])
        .env("TRUNKLINE_CRASH_URL", url)
        .env("TRUNKLINE_CRASH_FROM", from)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    let deadline = Duration::from_secs(60);
    while let Ok(Some(line)) =
        tokio::time::timeout(deadline, lines.next_line()).await.expect("the child writes")
    {
        // libtest prints "test … " before the first line without a line break.
        if let Some(id) = line.rsplit_once("ack ").map(|(_, id)| id) {
            let (lane, number) = id.split_once('-').unwrap();
            acknowledged.push((lane.parse().unwrap(), number.parse().unwrap()));
        }
        if acknowledged.len() == enough {
            child.start_kill().unwrap();
        }
    }
    child.wait().await.unwrap();
    assert!(acknowledged.len() >= enough, "the child ended by itself after {}", acknowledged.len());
    acknowledged
}

async fn nothing_is_lost_or_doubled(store: TestStore) {
    let (url, name) = (store.options.url.clone(), store.name);
    store.close().await;
    let mut next = vec![0; LANES as usize];
    let mut acknowledged = BTreeSet::new();
    for kill in 0..KILLS {
        // A different moment each time: sometimes within the first batch, sometimes well under way.
        for (lane, number) in one_life(&url, &next, 1 + (kill * 37 % 101) as usize).await {
            next[lane as usize] = number + 1;
            acknowledged.insert(format!("{lane}-{number}"));
        }
    }
    let store = store.reopen().await;
    let mut events: HashMap<String, usize> = HashMap::new();
    let mut follower = store.follow(Log::Core, 0, 5_000);
    let head = store.head(Log::Core).await.unwrap();
    while follower.position() < head {
        for fact in follower.next().await.unwrap() {
            *events.entry(fact.command_id.unwrap()).or_default() += 1;
        }
    }
    for id in &acknowledged {
        assert_eq!(events.get(id), Some(&3), "{name}: {id} was acknowledged");
    }
    assert!(events.values().all(|count| *count == 3), "{name}: whole commands, once each");
    store::audit::verify(&store, |_| ()).await.unwrap();
    assert!(acknowledged.len() > KILLS as usize, "{name}: {} acknowledged", acknowledged.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_kills_on_sqlite_lose_nothing_acknowledged_and_double_nothing() {
    nothing_is_lost_or_doubled(testing::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_kills_on_postgres_lose_nothing_acknowledged_and_double_nothing() {
    nothing_is_lost_or_doubled(testing::on_postgres().await).await;
}

#[tokio::test]
async fn a_second_process_cannot_open_the_same_file() {
    let store = testing::sqlite().await;
    let second = Store::open(store.options.clone()).await;
    assert!(matches!(second, Err(store::StoreError::Locked(_))));
    let store = store.reopen().await;
    store.execute::<Tally>(&testing::sid(Kind::Call), C::Add(1), &meta().once(token())).await.unwrap();
}
