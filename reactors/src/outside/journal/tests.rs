//! Facts reach the log whatever the store does.

use super::{super::spool::Limits, *};
use crate::testing::received;
use domain::{
    Kind,
    call::{CallEvent, EndReason, Ending},
};
use store::{RandomIds, StoreOptions};

struct Bench {
    folder: tempfile::TempDir,
    store: Store,
    ids: Arc<dyn Ids>,
    tenant: Tenant,
}

impl Bench {
    async fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/log.sqlite", folder.path().display());
        let store = Store::open(StoreOptions::new(url, [7; 32])).await.unwrap();
        let ids: Arc<dyn Ids> = Arc::new(RandomIds::default());
        let tenant = Tenant::carrier(Sid::new(Kind::Carrier, &*ids));
        Bench { folder, store, ids, tenant }
    }

    /// One that spools soon.
    fn journal(&self) -> Journal {
        self.journal_within(BUDGET)
    }

    /// One that waits for a busy machine.
    fn patient(&self) -> Journal {
        self.journal_within(Duration::from_secs(60))
    }

    fn journal_within(&self, budget: Duration) -> Journal {
        let (store, ids) = (self.store.clone(), Arc::clone(&self.ids));
        let folder = self.folder.path().join("spool");
        Journal::over(Spool::open(&folder, LIMITS).unwrap(), budget, store, ids, TaskTracker::new())
    }

    fn call(&self) -> Sid {
        Sid::new(Kind::Call, &*self.ids)
    }

    async fn record(&self, journal: &Journal, call: &Sid, commands: Vec<CallCommand>) -> Result<(), NotKept> {
        let at = Timestamp::from_micros(1_700_000_000_000_000);
        let facts = commands.into_iter().map(|command| (at, command)).collect();
        journal.record(call.clone(), self.tenant.clone(), facts).await
    }

    /// Whether log and disk refuse whatever is written, as a full disk does.
    async fn takes_nothing(&self, nothing: bool) {
        let mut tx = self.store.db().begin().await.unwrap();
        let on = if nothing { "on" } else { "off" };
        tx.execute_text(&format!("PRAGMA query_only = {on}")).await.unwrap();
        tx.commit().await.unwrap();
        let spool = self.folder.path().join("spool");
        match nothing {
            true => std::fs::remove_dir_all(spool).unwrap(),
            false => std::fs::create_dir(spool).unwrap(),
        }
    }

    async fn types(&self, call: &Sid) -> Vec<String> {
        self.store.stream(call).await.unwrap().into_iter().map(|fact| fact.event_type).collect()
    }
}

fn press(digits: &str) -> CallCommand {
    CallCommand::Press { digits: digits.into() }
}

async fn drained(journal: &Journal) {
    let mut waiting = journal.waiting();
    waiting.wait_for(|waiting| *waiting == 0).await.unwrap();
}

#[tokio::test]
async fn facts_reach_the_log_in_order() {
    let bench = Bench::new().await;
    let (journal, call) = (bench.patient(), bench.call());
    bench.record(&journal, &call, vec![received("a"), CallCommand::Answer]).await.unwrap();
    bench.record(&journal, &call, vec![CallCommand::End(Ending::because(EndReason::HungUp))]).await.unwrap();
    assert_eq!(bench.types(&call).await, ["Received", "Answered", "Ended"]);
}

#[tokio::test]
async fn a_busy_store_keeps_nobody_waiting_and_loses_nothing() {
    let bench = Bench::new().await;
    let (journal, call) = (bench.journal(), bench.call());
    let busy = bench.store.db().begin().await.unwrap();
    bench.record(&journal, &call, vec![received("a")]).await.unwrap();
    bench.record(&journal, &call, vec![press("1")]).await.unwrap();
    bench.record(&journal, &call, vec![press("2")]).await.unwrap();
    assert_eq!(*journal.waiting().borrow(), 3);
    assert!(bench.types(&call).await.is_empty());
    journal.caught_up(&call, Duration::from_millis(50)).await;
    assert!(journal.is_behind(&call), "an application is asked all the same");
    busy.rollback().await.unwrap();
    journal.caught_up(&call, Duration::from_secs(60)).await;
    assert_eq!(bench.types(&call).await, ["Received", "Pressed", "Pressed"]);
    let digits = bench.store.stream(&call).await.unwrap();
    assert_eq!(digits[2].of::<Call>().unwrap().unwrap(), CallEvent::Pressed { digits: "2".into() });
    bench.record(&journal, &call, vec![press("3")]).await.unwrap();
    drained(&journal).await;
    assert_eq!(bench.types(&call).await.len(), 4);
}

#[tokio::test]
async fn a_spool_left_behind_is_drained_once_by_the_next_process() {
    let bench = Bench::new().await;
    let call = bench.call();
    let entry = |id: &str, command| Entry {
        id: id.into(),
        call: call.clone(),
        tenant: bench.tenant.clone(),
        facts: vec![(Timestamp::from_micros(1), command)],
    };
    let (spool, _) = Spool::open(&bench.folder.path().join("spool"), LIMITS).unwrap();
    spool.keep(&entry("first", received("a"))).unwrap();
    spool.keep(&entry("second", press("7"))).unwrap();
    drop(spool);
    for _ in 0..2 {
        let journal = bench.journal();
        drained(&journal).await;
        assert_eq!(bench.types(&call).await, ["Received", "Pressed"]);
    }
}

#[tokio::test]
async fn what_reached_the_log_before_the_crash_is_not_repeated() {
    let bench = Bench::new().await;
    let call = bench.call();
    let journal = bench.patient();
    bench.record(&journal, &call, vec![received("a"), press("7")]).await.unwrap();
    let id = bench.store.stream(&call).await.unwrap()[1].correlation.clone().unwrap();
    let facts = vec![(Timestamp::from_micros(1), received("a")), (Timestamp::from_micros(1), press("7"))];
    let (spool, _) = Spool::open(&bench.folder.path().join("spool"), LIMITS).unwrap();
    spool.keep(&Entry { id, call: call.clone(), tenant: bench.tenant.clone(), facts }).unwrap();
    drained(&bench.journal()).await;
    assert_eq!(bench.types(&call).await, ["Received", "Pressed"]);
}

#[tokio::test]
async fn a_full_spool_is_waited_for() {
    let (bench, limits) = (Bench::new().await, Limits { total: 1_200, segment: 600 });
    let spool = Spool::open(&bench.folder.path().join("spool"), limits).unwrap();
    let (store, ids) = (bench.store.clone(), Arc::clone(&bench.ids));
    let journal = Journal::over(spool, Duration::ZERO, store, ids, TaskTracker::new());
    let busy = bench.store.db().begin().await.unwrap();
    let call = bench.call();
    bench.record(&journal, &call, vec![received("a")]).await.unwrap();
    let more = vec![press("1"); 18];
    let recording = bench.record(&journal, &call, more);
    tokio::pin!(recording);
    assert!(timeout(Duration::from_millis(100), &mut recording).await.is_err(), "there is no room");
    busy.rollback().await.unwrap();
    recording.await.unwrap();
    drained(&journal).await;
    assert_eq!(bench.types(&call).await.len(), 19);
}

#[tokio::test]
async fn a_call_that_neither_log_nor_disk_takes_is_refused_and_one_that_is_known_is_remembered() {
    let bench = Bench::new().await;
    let (journal, call) = (bench.patient(), bench.call());
    bench.record(&journal, &call, vec![received("a")]).await.unwrap();
    bench.takes_nothing(true).await;
    let other = bench.call();
    assert!(matches!(bench.record(&journal, &other, vec![received("a")]).await, Err(NotKept::Lost(_))));
    bench.record(&journal, &call, vec![CallCommand::Answer]).await.unwrap();
    bench.record(&journal, &call, vec![CallCommand::End(Ending::because(EndReason::HungUp))]).await.unwrap();
    assert!(journal.keeps_nothing() && journal.is_behind(&call) && !journal.is_behind(&other));
    journal.find_room(async { false }).await;
    assert!(journal.keeps_nothing(), "there is none");
    bench.takes_nothing(false).await;
    journal.find_room(async { false }).await;
    assert!(!journal.keeps_nothing());
    drained(&journal).await;
    assert_eq!(bench.types(&call).await, ["Received", "Answered", "Ended"]);
    assert!(bench.types(&other).await.is_empty());
    bench.record(&journal, &other, vec![received("a")]).await.unwrap();
}

#[tokio::test]
async fn an_attempt_that_lands_after_all_is_not_made_twice() {
    let bench = Bench::new().await;
    let (journal, call) = (bench.patient(), bench.call());
    bench.record(&journal, &call, vec![received("a")]).await.unwrap();
    let facts = vec![(Timestamp::from_micros(1), press("7"))];
    let entry = Entry { id: "late".into(), call: call.clone(), tenant: bench.tenant.clone(), facts };
    let Ok(Some(version)) = journal.absent_at(&entry).await else { panic!("it is not in the log yet") };
    // What was given up without an answer lands between the look and the append.
    assert!(journal.append(&entry).await.is_ok());
    assert!(matches!(journal.append_at(version, &entry).await, Err(Setback::Moved)));
    journal.bring(&entry).await;
    assert_eq!(bench.types(&call).await, ["Received", "Pressed"]);
}

#[tokio::test]
async fn spooled_facts_get_their_turn_while_others_keep_changing_the_call() {
    let bench = Bench::new().await;
    let (journal, call) = (bench.patient(), bench.call());
    bench.record(&journal, &call, vec![received("a")]).await.unwrap();
    let facts = vec![(Timestamp::from_micros(1), press("7"))];
    let entry = Entry { id: "spooled".into(), call: call.clone(), tenant: bench.tenant.clone(), facts };
    let meta = Meta::new(bench.tenant.clone(), Actor::system("test"), Timestamp::from_micros(1));
    let others = async {
        let change = || async {
            for _ in 0..100 {
                bench.store.execute::<Call>(&call, press("1"), &meta).await.unwrap();
            }
        };
        tokio::join!(change(), change(), change(), change())
    };
    tokio::select! {
        () = journal.bring(&entry) => {}
        _ = others => panic!("they waited until the call rested"),
    }
    let facts = bench.store.stream(&call).await.unwrap();
    assert_eq!(facts.iter().filter(|fact| fact.correlation.as_deref() == Some("spooled")).count(), 1);
}

#[tokio::test]
async fn what_a_rule_refuses_is_an_error() {
    let bench = Bench::new().await;
    let (journal, call) = (bench.patient(), bench.call());
    assert!(matches!(bench.record(&journal, &call, vec![press("1")]).await, Err(NotKept::Refused(_))));
}
