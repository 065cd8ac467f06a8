//! The tasks that keep the tables current: one per log, leading or standing by.
//!
//! Exactly one node leads a log: it reads pages and writes rows. The others watch how far it has come, and take over
//! when its lease runs out; its epoch then fences it, however late it wakes up.

mod announce;
mod lead;
mod stand_by;

use crate::{
    LogHealth, ReadError, Trouble,
    machine::{building, ledger, page},
    progress::Standing,
    shared::Shared,
};
use domain::{Log, Timestamp};
use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};
use store::{Backend, StoreError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The longest a runner sleeps without looking.
const POLL: Duration = Duration::from_secs(1);
/// How long a leader leads without renewing. After a crash nobody leads for so long, so it is short; fencing, not the
/// lease, is what keeps tables right.
const LEADS: Duration = Duration::from_secs(3);
/// The first pause after a failure of the database; doubled after each, up to `POLL`.
const BACK_OFF: Duration = Duration::from_millis(20);
/// How long what is being written at `stop` may take to its end. Past that it is cut off.
const LAST_PAGE: Duration = Duration::from_secs(10);

/// Why a leader stopped leading.
enum Over {
    /// Another leads now, or some table is of another release.
    Fenced,
    /// We were told to stop.
    Stopped,
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for Over {
    fn from(error: StoreError) -> Over {
        Over::Store(error)
    }
}

/// What a runner is given.
struct Runner {
    shared: Arc<Shared>,
    log: Log,
    /// Who leads, when it does: a name of this runner's own.
    owner: String,
    /// The last event whose change was told, whoever led.
    told: AtomicI64,
    stop: CancellationToken,
}

/// Builds what is missing, takes the lead where there is one process only, and starts the tasks.
pub(crate) async fn start(
    shared: &Arc<Shared>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), Trouble> {
    building::set_up(&shared.store, &shared.tables).await?;
    for log in Log::ALL {
        let owner = shared.store.ids().uuid().to_string();
        let (told, stop) = (AtomicI64::default(), stop.clone());
        let mut runner = Runner { shared: shared.clone(), log, owner, told, stop };
        // Whom another got in the way of at the same moment stands by, and takes it when it is free.
        let epoch = match runner.take_lead(runner.alone()).await {
            Err(error) if error.asks_to_retry() => None,
            taken => taken?,
        };
        let standing = runner.standing().await?;
        *runner.told.get_mut() = standing.position;
        runner.publish(standing);
        tasks.spawn(async move { runner.run(epoch).await });
    }
    Ok(())
}

impl Runner {
    /// Leads and stands by in turn until `stop`; then gives the lead up.
    async fn run(self, mut epoch: Option<i64>) {
        let mut pause = BACK_OFF;
        loop {
            let turn = self.bounded(async {
                match epoch {
                    Some(epoch) => self.lead(epoch, &mut pause).await,
                    None => self.stand_by().await,
                }
            });
            match turn.await {
                Ok(took) => epoch = Some(took),
                Err(Over::Stopped) => break,
                Err(Over::Store(_)) if self.stop.is_cancelled() => break,
                Err(Over::Fenced) => self.give_up(epoch.take()).await,
                Err(Over::Store(error)) => {
                    tracing::warn!(log = self.log.as_str(), %error, "projections wait for the database");
                    self.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                    pause = (pause * 2).min(POLL);
                }
            }
        }
        self.give_up(epoch).await;
    }

    /// A turn looks at `stop` between pages, so that no transaction is cut; one that hangs is.
    async fn bounded(&self, turn: impl Future<Output = Result<i64, Over>>) -> Result<i64, Over> {
        let late = async {
            self.stop.cancelled().await;
            tokio::time::sleep(LAST_PAGE).await;
        };
        tokio::select! {
            over = turn => over,
            () = late => Err(Over::Stopped),
        }
    }

    /// SQLite has one process, and so one leader.
    fn alone(&self) -> bool {
        self.shared.store.db().backend() == Backend::Sqlite
    }

    /// Until when a lease that begins now lasts, by the database's clock: the nodes' own may differ.
    async fn lease(&self) -> Result<i64, StoreError> {
        Ok(if self.alone() { i64::MAX } else { self.now().await?.plus(LEADS).micros() })
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.shared.store.db().now(self.shared.store.clock()).await
    }

    async fn take_lead(&self, anyway: bool) -> Result<Option<i64>, StoreError> {
        let (now, until) = (self.now().await?.micros(), self.lease().await?);
        let mut tx = self.shared.store.db().begin().await?;
        let epoch = ledger::lead(&mut tx, self.log, &self.owner, (now, until), anyway).await?;
        if epoch.is_some() && !page::ours(&mut tx, &self.shared.tables, self.log).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        tx.commit().await?;
        Ok(epoch)
    }

    /// Lets another lead at once, if we did.
    async fn give_up(&self, epoch: Option<i64>) {
        let Some(epoch) = epoch else { return };
        let given = async {
            let mut tx = self.shared.store.db().begin().await?;
            ledger::keep(&mut tx, self.log, epoch, 0).await?;
            tx.commit().await
        };
        if let Err(error) = given.await {
            tracing::debug!(log = self.log.as_str(), %error, "the lease runs out by itself");
        }
    }

    /// How far the live tables are, by the database.
    async fn standing(&self) -> Result<Standing, StoreError> {
        let (position, stopped) = ledger::standing(self.shared.store.db(), self.log).await?;
        Ok(Standing { position, stopped })
    }

    /// Wakes who waits; whether it is news.
    fn publish(&self, standing: Standing) -> bool {
        self.shared.state(self.log).standing.send_if_modified(|known| {
            let news = *known != standing;
            *known = standing;
            news
        })
    }
}

/// How the tables of each log are.
pub(crate) async fn health(shared: &Shared) -> Result<Vec<LogHealth>, ReadError> {
    let mut health = Vec::new();
    for log in Log::ALL {
        let head = shared.store.head(log).await?;
        let (position, stopped) = ledger::standing(shared.store.db(), log).await?;
        // What stops this node alone is not in the database.
        let stopped = stopped.or_else(|| shared.state(log).standing.borrow().stopped.clone());
        let parked = ledger::parked_in(shared.store.db(), log).await?;
        health.push(LogHealth { log, position, head, stopped, parked });
    }
    Ok(health)
}
