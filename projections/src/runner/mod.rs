//! The tasks that keep the tables current: one per log, leading or standing by.
//!
//! Exactly one node leads a log: it reads pages and writes rows. The others watch how far it has come, and take over
//! when its lease runs out; its epoch then fences it, however late it wakes up.

mod lead;
mod stand_by;

use crate::{LogHealth, ReadError, Trouble, building, ledger, progress::Standing, projections::Shared};
use domain::Log;
use std::{sync::Arc, time::Duration};
use store::{Backend, StoreError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The longest a runner sleeps without looking.
const POLL: Duration = Duration::from_secs(1);
/// How long a leader leads without renewing. After a crash nobody leads for so long, so it is short; fencing, not the
/// lease, is what keeps tables right.
const LEASE: Duration = Duration::from_secs(3);
/// The first pause after a failure of the database; doubled after each, up to `POLL`.
const BACK_OFF: Duration = Duration::from_millis(20);

/// Why a leader stopped leading.
enum Over {
    /// Another leads now.
    Fenced,
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
}

/// Builds what is missing, takes the lead where there is one process only, and starts the tasks.
pub(crate) async fn start(
    shared: &Arc<Shared>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), Trouble> {
    building::set_up(&shared.store).await?;
    for log in Log::ALL {
        let owner = shared.store.ids().uuid().to_string();
        let runner = Runner { shared: shared.clone(), log, owner };
        let epoch = runner.take_lead(runner.alone()).await?;
        runner.publish(runner.standing().await?);
        let stop = stop.clone();
        tasks.spawn(async move { runner.run(epoch, stop).await });
    }
    Ok(())
}

impl Runner {
    /// Leads and stands by in turn until `stop`; then gives the lead up.
    async fn run(self, mut epoch: Option<i64>, stop: CancellationToken) {
        let mut pause = BACK_OFF;
        loop {
            let turn = stop.run_until_cancelled(async {
                match epoch {
                    Some(epoch) => self.lead(epoch, &mut pause).await.map(|never| match never {}),
                    None => self.stand_by().await,
                }
            });
            let Some(over) = turn.await else { break };
            match over {
                Ok(took) => epoch = Some(took),
                Err(Over::Fenced) => epoch = None,
                Err(Over::Store(error)) => {
                    tracing::warn!(log = self.log.as_str(), %error, "projections wait for the database");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(POLL);
                }
            }
        }
        if let Some(epoch) = epoch {
            self.give_up(epoch).await;
        }
    }

    /// SQLite has one process, and so one leader.
    fn alone(&self) -> bool {
        self.shared.store.db().backend() == Backend::Sqlite
    }

    async fn take_lead(&self, anyway: bool) -> Result<Option<i64>, StoreError> {
        let now = self.shared.store.clock().now();
        let until = if self.alone() { i64::MAX } else { now.plus(LEASE).micros() };
        let mut tx = self.shared.store.db().begin().await?;
        let epoch = ledger::lead(&mut tx, self.log, &self.owner, (now.micros(), until), anyway).await?;
        tx.commit().await?;
        Ok(epoch)
    }

    async fn give_up(&self, epoch: i64) {
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
        let mut tx = self.shared.store.db().snapshot().await?;
        let position = ledger::reached(&mut tx, self.log).await?;
        let stopped = ledger::stopped(&mut tx, self.log).await?;
        tx.rollback().await?;
        Ok(Standing { position, stopped })
    }

    fn publish(&self, standing: Standing) {
        self.shared.lane(self.log).standing.send_if_modified(|known| {
            let news = *known != standing;
            *known = standing;
            news
        });
    }
}

/// How the tables of each log are.
pub(crate) async fn health(shared: &Shared) -> Result<Vec<LogHealth>, ReadError> {
    let mut health = Vec::new();
    for log in Log::ALL {
        let head = shared.store.head(log).await?;
        let mut tx = shared.store.db().snapshot().await?;
        let position = ledger::reached(&mut tx, log).await?;
        let stopped = ledger::stopped(&mut tx, log).await?;
        let parked = ledger::parked_in(&mut tx, log).await?;
        tx.rollback().await?;
        health.push(LogHealth { log, position, head, stopped, parked });
    }
    Ok(health)
}
