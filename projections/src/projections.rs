//! The way in: started once, handed around by clone; reads, waiting, changes.

use crate::{
    AccountRow, ApiKeyRow, AuditRow, Behind, CallRow, CarrierRow, Change, Counts, LogHealth, PhoneNumberRow,
    ReadError, Reads, Scope, System, TimelineRow, Trouble, TrunkRow, UserRow, overview, progress, runner,
    shared::Shared, tables,
};
use domain::{Log, Sid, Timestamp};
use std::{sync::Arc, time::Duration};
use store::Store;
use tokio::sync::broadcast;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Every table computed from the log. Clones share it.
#[derive(Clone)]
pub struct Projections(Arc<Shared>);

impl Projections {
    /// Makes missing tables, builds tables of an older version anew, and starts to follow the log: one task per log,
    /// until `stop`.
    ///
    /// # Errors
    /// When the database fails, or holds tables of a newer release.
    pub async fn start(
        store: Store,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Result<Projections, Trouble> {
        let shared = Arc::new(Shared::new(store, tables::all()));
        runner::start(&shared, &tasks, &stop).await?;
        Ok(Projections(shared))
    }

    /// Waits until every table of `log` has passed `position`, at most `within`: a read after it sees what was written.
    ///
    /// # Errors
    /// When the time is over, or at once when a table has stopped.
    pub async fn reached(&self, log: Log, position: i64, within: Duration) -> Result<(), Behind> {
        let state = self.0.state(log);
        if state.standing.borrow().position < position {
            state.urgent.notify_one();
        }
        self.passed(log, position, within).await
    }

    /// The same without hurrying them: what comes within 20 ms is still written together.
    ///
    /// # Errors
    /// As [`Projections::reached`].
    pub async fn passed(&self, log: Log, position: i64, within: Duration) -> Result<(), Behind> {
        progress::reached(self.0.state(log).standing.subscribe(), log, position, within).await
    }

    /// The position every table of `log` has passed.
    #[must_use]
    pub fn position(&self, log: Log) -> i64 {
        self.0.state(log).standing.borrow().position
    }

    /// What changes from now on, told once it can be read. A receiver that falls more than [`MAX_UNSEEN_CHANGES`] behind
    /// gets `Lagged`: it must read everything anew.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.0.changes()
    }

    /// Accounts.
    #[must_use]
    pub fn accounts(&self, scope: impl Into<Scope>) -> Reads<AccountRow> {
        self.reads(scope)
    }

    /// SIP trunks.
    #[must_use]
    pub fn trunks(&self, scope: impl Into<Scope>) -> Reads<TrunkRow> {
        self.reads(scope)
    }

    /// Phone numbers.
    #[must_use]
    pub fn phone_numbers(&self, scope: impl Into<Scope>) -> Reads<PhoneNumberRow> {
        self.reads(scope)
    }

    /// Users of the dashboard.
    #[must_use]
    pub fn users(&self, scope: impl Into<Scope>) -> Reads<UserRow> {
        self.reads(scope)
    }

    /// Calls.
    #[must_use]
    pub fn calls(&self, scope: impl Into<Scope>) -> Reads<CallRow> {
        self.reads(scope)
    }

    /// What happened to calls.
    #[must_use]
    pub fn call_timeline(&self, scope: impl Into<Scope>) -> Reads<TimelineRow> {
        self.reads(scope)
    }

    /// Carrier API keys.
    #[must_use]
    pub fn api_keys(&self, scope: impl Into<Scope>) -> Reads<ApiKeyRow> {
        self.reads(scope)
    }

    /// Who changed what.
    #[must_use]
    pub fn audit(&self, scope: impl Into<Scope>) -> Reads<AuditRow> {
        self.reads(scope)
    }

    /// The carrier itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn carrier(&self, carrier: &Sid) -> Result<Option<CarrierRow>, ReadError> {
        self.system().carrier(carrier).await
    }

    /// How many of each a carrier has; calls are counted from `since` on (the beginning of its day).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counts(&self, carrier: &Sid, since: Timestamp) -> Result<Counts, ReadError> {
        overview::counts(self.0.store.db(), carrier, since).await
    }

    /// Reads across tenants: sign-in, the SIP directory, recovery.
    #[must_use]
    pub fn system(&self) -> System {
        System { db: self.0.store.db().clone() }
    }

    /// How the tables of each log are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn health(&self) -> Result<Vec<LogHealth>, ReadError> {
        runner::health(&self.0).await
    }

    fn reads<R>(&self, scope: impl Into<Scope>) -> Reads<R> {
        Reads::new(self.0.store.db(), scope)
    }
}
