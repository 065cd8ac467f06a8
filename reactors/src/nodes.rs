//! The processes that share a database: which name each has, and until when it surely lives. A name is one process's at a
//! time, and each process that has it is another epoch of it: what the log says a node has, it says of one epoch.
//!
//! A process that has calls also says by its own time, which no step of the wall clock moves, that it lives: the facts about
//! its calls are told by the same time, so that a call it took down with it has a length.
//!
//! Leases are kept by the database's clock. A SQLite file is one process's, which has its lock.

use crate::{ledger::LEASE, process};
use domain::{Clock, Steady, Timestamp};
use parking_lot::Mutex;
use sea_query::{Expr, ExprTrait, OnConflict, Query, SimpleExpr};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use store::{Backend, Db, StoreError};
use tokio::time::Instant;

const TABLE: &str = "nodes";
const LIVES: &str = "node_lives";
/// How often a process with calls says that it lives: twice a lease.
const SAYS: Duration = Duration::from_millis(LEASE.as_secs() * 500);
/// A wall clock that is so far from where it was when the process began has been stepped.
const STEPPED: Duration = Duration::from_secs(1);
/// How long it is remembered when a process lived.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How often a start looks again whether an earlier process of its name is gone.
const AGAIN: Duration = Duration::from_millis(250);
/// How long it looks: a lease, and a little.
const PATIENCE: Duration = LEASE.saturating_add(Duration::from_secs(1));
/// Clocks that differ by more are complained about.
pub const CLOCKS_DIFFER: Duration = Duration::from_secs(2);

/// This process among them; clones share it.
#[derive(Clone)]
pub(crate) struct Nodes(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Arc<dyn Clock>,
    name: String,
    token: String,
    epoch: i64,
    /// The database's clock less ours, in microseconds, when last looked.
    ahead: AtomicI64,
    /// The process's own time.
    time: Steady,
    /// The wall clock was stepped since: calls after that are told by another time.
    stepped: AtomicBool,
    /// When it was last said that it lives.
    said: Mutex<Option<Instant>>,
}

/// Why a process cannot be this node.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Another process is it.
    #[error(
        "node {node} runs already, {theirs}; this is {ours}. Two processes need a data_dir each: one that was copied has the \
         other's name in its file `node`; remove that file from the copy"
    )]
    Twin {
        /// The name both have.
        node: String,
        /// Where the other one is.
        theirs: String,
        /// Where this one is.
        ours: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The processes there are, at one moment.
pub(crate) struct Roster(HashMap<String, (i64, bool)>);

impl Roster {
    /// Whether the process that a claim names has a lease. (`name/epoch`; of a release before epochs, only `name`.)
    pub fn has(&self, claim: &str) -> bool {
        let (name, epoch) = parse(claim);
        self.0.get(name).is_some_and(|(current, lives)| *lives && epoch == Some(*current))
    }

    /// The processes whose lease has run out.
    pub fn gone(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().filter(|(_, (_, lives))| !lives).map(|(name, (epoch, _))| (name.as_str(), *epoch))
    }
}

/// The name and the epoch that a claim says.
pub(crate) fn parse(claim: &str) -> (&str, Option<i64>) {
    match claim.rsplit_once('/') {
        Some((name, epoch)) => (name, epoch.parse().ok()),
        None => (claim, None),
    }
}

impl Nodes {
    /// Takes the name for this process. One that an earlier process had is waited for until its lease is over, unless that
    /// process was on this machine and is not any more.
    ///
    /// # Errors
    /// `Twin` when another process keeps the name.
    pub async fn join(db: Db, clock: Arc<dyn Clock>, name: &str, token: String) -> Result<Nodes, JoinError> {
        let mut forget = Query::delete();
        let long_ago = clock.now().micros() - i64::try_from(REMEMBERED.as_micros()).unwrap_or(i64::MAX);
        forget.from_table(LIVES).and_where(Expr::col("lived").lt(long_ago));
        db.execute(&forget).await?;
        let (began, ours) = (Instant::now(), process::own());
        loop {
            let now = db.now(&*clock).await?;
            if let Some(epoch) = take(&db, now, (name, &token), &ours).await? {
                let ahead = AtomicI64::new(now.micros() - clock.now().micros());
                let (time, stepped, said) =
                    (Steady::begin(&*clock), AtomicBool::new(false), Mutex::new(None));
                let name = name.to_owned();
                let inner = Inner { db, clock, name, token, epoch, ahead, time, stepped, said };
                return Ok(Nodes(Arc::new(inner)));
            }
            let theirs = place(&db, name).await?;
            if process::is_gone(&theirs) {
                end(&db, name, Some(&theirs)).await?;
                continue;
            }
            if began.elapsed() > PATIENCE {
                let (node, theirs, ours) = (name.to_owned(), process::told(&theirs), process::told(&ours));
                return Err(JoinError::Twin { node, theirs, ours });
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// What this process claims calls by.
    pub fn claim(&self) -> String {
        format!("{}/{}", self.0.name, self.0.epoch)
    }

    /// Whether a claim is one of this name, by whichever process.
    pub fn is_namesake(&self, claim: &str) -> bool {
        parse(claim).0 == self.0.name
    }

    /// Whether other processes may use this database.
    pub fn is_shared(&self) -> bool {
        self.0.db.backend() == Backend::Postgres
    }

    /// Renews the lease; false when another process has the name by now.
    pub async fn renew(&self) -> Result<bool, StoreError> {
        let Inner { db, clock, name, token, ahead, .. } = &*self.0;
        if !self.is_shared() {
            return Ok(true);
        }
        let lease = i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX);
        let until = format!("CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) + {lease}");
        let mut renew = Query::update();
        renew.table(TABLE).value("lease_until", Expr::cust(until)).returning_col("lease_until");
        renew.and_where(is(name)).and_where(Expr::col("token").eq(token.as_str()));
        let asked = clock.now().micros();
        let Some(row) = db.fetch_optional(&renew).await? else { return Ok(false) };
        let halfway = (asked + clock.now().micros()) / 2;
        ahead.store(row.at::<i64>(0)? - lease - halfway, Ordering::Relaxed);
        Ok(true)
    }

    /// Says that this process lives, every now and then.
    pub async fn say_life(&self) -> Result<(), StoreError> {
        if !self.is_to_say() {
            return Ok(());
        }
        let Inner { db, clock, time, stepped, .. } = &*self.0;
        let (wall, own) = (clock.now(), time.now(&**clock));
        if wall.since(own).max(own.since(wall)) > STEPPED {
            stepped.store(true, Ordering::Relaxed);
        }
        let lived = if stepped.load(Ordering::Relaxed) { 0 } else { own.micros() };
        let mut say = Query::insert();
        say.into_table(LIVES).columns(["claim", "lived"]).values_panic([self.claim().into(), lived.into()]);
        say.on_conflict(OnConflict::column("claim").update_column("lived").to_owned());
        db.execute(&say).await.map(drop)
    }

    fn is_to_say(&self) -> bool {
        let mut said = self.0.said.lock();
        let now = Instant::now();
        let is_due = said.is_none_or(|said| now.duration_since(said) >= SAYS);
        if is_due {
            *said = Some(now);
        }
        is_due
    }

    /// When a process last said that it lives, by the time its calls are told by; nothing where that is not known, or its
    /// wall clock was stepped.
    pub async fn lived(&self, claim: &str) -> Result<Option<Timestamp>, StoreError> {
        let mut lived = Query::select();
        lived.column("lived").from(LIVES).and_where(Expr::col("claim").eq(claim));
        let row = self.0.db.fetch_optional(&lived).await?;
        let micros = row.map(|row| row.at::<i64>(0)).transpose()?;
        Ok(micros.filter(|micros| *micros > 0).map(Timestamp::from_micros))
    }

    /// Gives the name up.
    pub async fn leave(&self) -> Result<(), StoreError> {
        let mut leave = Query::update();
        leave.table(TABLE).value("lease_until", 0_i64).and_where(is(&self.0.name));
        leave.and_where(Expr::col("token").eq(self.0.token.as_str()));
        self.0.db.execute(&leave).await.map(drop)
    }

    /// The database's clock less ours, in seconds, when it was last looked at.
    pub fn clock_difference(&self) -> f64 {
        self.0.ahead.load(Ordering::Relaxed) as f64 / 1e6
    }

    /// Every process there is or was.
    pub async fn roster(&self) -> Result<Roster, StoreError> {
        let now = self.0.db.now(&*self.0.clock).await?.micros();
        let all = Query::select().columns(["name", "epoch", "lease_until"]).from(TABLE).to_owned();
        let mut roster = HashMap::new();
        for row in self.0.db.fetch_all(&all).await? {
            roster.insert(row.at(0)?, (row.at(1)?, row.at::<i64>(2)? >= now));
        }
        Ok(Roster(roster))
    }
}

fn is(name: &str) -> SimpleExpr {
    Expr::col("name").eq(name)
}

/// The processes that have this database now: each one's node, and where it runs. None of a SQLite file, which has a lock.
///
/// # Errors
/// When the database fails.
pub async fn living(db: &Db, clock: &dyn Clock) -> Result<Vec<(String, String)>, StoreError> {
    if db.backend() == Backend::Sqlite || !has_table(db).await? {
        return Ok(Vec::new());
    }
    let now = db.now(clock).await?.micros();
    let mut living = Query::select();
    living.columns(["name", "process"]).from(TABLE).and_where(Expr::col("lease_until").gte(now));
    let mut found = Vec::new();
    for row in db.fetch_all(&living).await? {
        let (name, process): (String, String) = (row.at(0)?, row.at(1)?);
        if !process::is_gone(&process) {
            found.push((name, process::told(&process)));
        }
    }
    Ok(found)
}

/// Whether PostgreSQL has the table of nodes.
async fn has_table(db: &Db) -> Result<bool, StoreError> {
    let there =
        Expr::cust(format!("CAST(CASE WHEN to_regclass('{TABLE}') IS NULL THEN 0 ELSE 1 END AS bigint)"));
    let row = db.fetch_optional(&Query::select().expr(there).to_owned()).await?;
    Ok(row.map_or(Ok(0), |row| row.at::<i64>(0))? == 1)
}

/// Takes the name if nobody has it; the new epoch.
async fn take(
    db: &Db,
    now: Timestamp,
    (name, token): (&str, &str),
    process: &str,
) -> Result<Option<i64>, StoreError> {
    let mut first = Query::insert();
    first.into_table(TABLE).columns(["name", "token", "process", "epoch", "lease_until"]);
    first.values_panic([name.into(), "".into(), "".into(), 0_i64.into(), 0_i64.into()]);
    first.on_conflict(OnConflict::column("name").do_nothing().to_owned());
    let mut take = Query::update();
    take.table(TABLE).value("epoch", Expr::col("epoch").add(1_i64));
    take.values([
        ("token", token.into()),
        ("process", process.into()),
        ("lease_until", now.plus(LEASE).micros().into()),
    ]);
    take.and_where(is(name));
    if db.backend() == Backend::Postgres {
        take.and_where(Expr::col("lease_until").lt(now.micros()));
    }
    let mut tx = db.begin().await?;
    tx.execute(&first).await?;
    let taken = tx.execute(&take).await? > 0;
    let epoch = Query::select().column("epoch").from(TABLE).and_where(is(name)).to_owned();
    let epoch = tx.fetch_optional(&epoch).await?.map_or(Ok(0), |row| row.at(0))?;
    tx.commit().await?;
    Ok(taken.then_some(epoch))
}

async fn place(db: &Db, name: &str) -> Result<String, StoreError> {
    let place = Query::select().column("process").from(TABLE).and_where(is(name)).to_owned();
    db.fetch_optional(&place).await?.map_or(Ok(String::new()), |row| row.at(0))
}

/// Ends the lease of a process that is known to be gone.
async fn end(db: &Db, name: &str, process: Option<&str>) -> Result<(), StoreError> {
    let mut end = Query::update();
    end.table(TABLE).value("lease_until", 0_i64).and_where(is(name));
    if let Some(process) = process {
        end.and_where(Expr::col("process").eq(process));
    }
    db.execute(&end).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::{
        SystemClock,
        testing::{on_postgres, sqlite},
    };

    async fn join(db: &Db, token: &str) -> Result<Nodes, JoinError> {
        Nodes::join(db.clone(), Arc::new(SystemClock), "here", token.into()).await
    }

    #[tokio::test]
    async fn a_twin_is_refused_and_told_where_the_other_one_is() {
        let store = on_postgres().await;
        assert!(living(store.db(), store.clock()).await.unwrap().is_empty(), "nobody was here yet");
        let first = join(store.db(), "one").await.unwrap();
        let there = living(store.db(), store.clock()).await.unwrap();
        assert_eq!(there.iter().map(|(node, _)| node.as_str()).collect::<Vec<_>>(), ["here"]);
        assert_eq!(first.claim(), "here/1");
        let renewing = async {
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                assert!(first.renew().await.unwrap());
            }
        };
        let refused =
            tokio::select! { () = renewing => None, joined = join(store.db(), "two") => joined.err() };
        let said = refused.expect("there is one").to_string();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(said.matches(host.trim()).count(), 2, "both are named: {said}");
        assert!(first.roster().await.unwrap().has("here/1"));
        first.leave().await.unwrap();
        let second = join(store.db(), "three").await.unwrap();
        assert_eq!(second.claim(), "here/2");
        assert!(!first.renew().await.unwrap(), "it has been replaced");
        let roster = second.roster().await.unwrap();
        assert!(roster.has("here/2") && !roster.has("here/1") && !roster.has("here"));
        assert!(second.is_namesake("here") && second.is_namesake("here/1") && !second.is_namesake("there/2"));
        assert!(second.clock_difference().abs() < 1.0, "one machine, one clock");
    }

    #[tokio::test]
    async fn a_process_of_this_machine_that_is_gone_is_not_waited_for() {
        let store = on_postgres().await;
        drop(join(store.db(), "one").await.unwrap());
        let gone = process::own().replace(&format!("\"pid\":{}", std::process::id()), "\"pid\":4194304");
        let mut old = Query::update();
        old.table(TABLE).value("process", gone);
        store.db().execute(&old).await.unwrap();
        let began = Instant::now();
        assert_eq!(join(store.db(), "two").await.unwrap().claim(), "here/2");
        assert!(began.elapsed() < LEASE / 2, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_clock_that_is_behind_the_databases_takes_no_lease_and_is_told() {
        let store = on_postgres().await;
        let there = join(store.db(), "one").await.unwrap();
        let hour_ago = SystemClock.now().micros() - 3_600_000_000;
        let behind: Arc<dyn Clock> = Arc::new(store::testing::ManualClock::at(hour_ago));
        let here = Nodes::join(store.db().clone(), behind, "behind", "two".into()).await.unwrap();
        assert!(here.renew().await.unwrap() && there.renew().await.unwrap());
        assert!((3_599.0..3_660.0).contains(&here.clock_difference()), "{}", here.clock_difference());
        let roster = here.roster().await.unwrap();
        assert!(roster.has("here/1") && roster.has("behind/1"), "both live, whatever a clock says");
    }

    #[tokio::test]
    async fn a_process_says_that_it_lives_by_a_time_that_no_step_moves() {
        /// A wall clock beside what has passed.
        struct Two(AtomicI64, AtomicI64);
        impl Clock for Two {
            fn now(&self) -> Timestamp {
                Timestamp::from_micros(self.0.load(Ordering::Relaxed))
            }
            fn elapsed(&self) -> Duration {
                Duration::from_micros(self.1.load(Ordering::Relaxed).unsigned_abs())
            }
        }
        for store in [sqlite().await, on_postgres().await] {
            let began = SystemClock.now();
            let clock = Arc::new(Two(AtomicI64::new(began.micros()), AtomicI64::new(0)));
            let nodes = Nodes::join(store.db().clone(), clock.clone(), "here", "one".into()).await.unwrap();
            assert_eq!(nodes.lived("here/1").await.unwrap(), None);
            let say = async |wall: i64, passed: i64| {
                clock.0.store(began.micros() + wall, Ordering::Relaxed);
                clock.1.store(passed, Ordering::Relaxed);
                nodes.0.said.lock().take();
                nodes.say_life().await.unwrap();
                nodes.lived("here/1").await.unwrap().map(|lived| lived.since(began))
            };
            assert_eq!(say(5_000_000, 5_000_000).await, Some(Duration::from_secs(5)));
            assert_eq!(say(7_300_000, 7_000_000).await, Some(Duration::from_secs(7)), "a slow wall clock");
            assert_eq!(
                say(3_609_000_000, 9_000_000).await,
                None,
                "which of its calls it is true for is not known"
            );
            assert_eq!(say(9_000_000, 9_000_000).await, None);
        }
    }

    #[tokio::test]
    async fn a_file_is_one_processs_and_each_start_is_another_epoch() {
        let store = sqlite().await;
        assert_eq!(join(store.db(), "one").await.unwrap().claim(), "here/1");
        let second = join(store.db(), "two").await.unwrap();
        assert_eq!(second.claim(), "here/2");
        assert!(second.renew().await.unwrap() && !second.is_shared());
    }
}
