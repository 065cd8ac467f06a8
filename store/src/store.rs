//! The store: opened once, handed around by clone, closed at the end.

use crate::{
    Db, Evidence, Fact, Seal, StoreError, StoreOptions, Vault,
    append::{Submission, Verdict},
    connect::{self, Connected, Folder},
    db::Pools,
    engine::{Engine, Kind},
    known::Known,
    ledger, migrate, notify,
    recent::Recent,
    seal::{self, Sealer},
    sweep,
    turns::{Turn, Turns},
    writer::Writer,
};
use domain::{Clock, Ids, Log, Sid};
use futures_util::future::BoxFuture;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Facts read at once, at most.
pub const PAGE: usize = 5_000;

/// The event log and what lives beside it. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    engine: Arc<Engine>,
    core: Lane,
    calls: Lane,
    known: Known,
    turns: Turns,
    vault: Vault,
    evidence: Evidence,
    evidence_kept: Duration,
    ids: Arc<dyn Ids>,
    /// Not when it was opened to be read.
    writes: bool,
    tasks: TaskTracker,
    stop: CancellationToken,
    _stop_with_the_last_clone: DropGuard,
    /// The memory store's side tables; removed with it.
    _folder: Option<Folder>,
}

/// One log's writer, signal and sealer.
struct Lane {
    writer: Writer,
    recent: Arc<Recent>,
    committed: watch::Sender<i64>,
    sealer: Arc<Sealer>,
}

impl Store {
    /// Opens the store, making or migrating its tables.
    ///
    /// # Errors
    /// When the address is not one we know, the database cannot be reached, or another process writes to the file.
    pub async fn open(options: StoreOptions) -> Result<Store, StoreError> {
        Store::open_as(options, false).await
    }

    /// The same with portable statements on PostgreSQL too: the oracle of the one-call append, and the way for engines
    /// without plpgsql.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open_portable(options: StoreOptions) -> Result<Store, StoreError> {
        Store::open_as(options, true).await
    }

    /// Opens a store that is there to read it, beside a process that writes it if need be: for the audit. Appends and
    /// anything else that writes fail.
    ///
    /// # Errors
    /// As `open`; and when there is no store yet.
    pub async fn open_to_read(options: StoreOptions) -> Result<Store, StoreError> {
        let (pools, kind) = connect::to_read(&options).await?;
        Store::start(options, pools, kind, false, None).await
    }

    async fn open_as(options: StoreOptions, portable: bool) -> Result<Store, StoreError> {
        let (store, following) = Store::prepare(options, portable).await?;
        store.start_tasks();
        if let Some(following) = following {
            store.spawn(following);
        }
        Ok(store)
    }

    /// Opens the store to mend it: nothing of its own begins.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open_to_repair(options: StoreOptions) -> Result<Store, StoreError> {
        Ok(Store::prepare(options, true).await?.0)
    }

    async fn prepare(
        options: StoreOptions,
        portable: bool,
    ) -> Result<(Store, Option<BoxFuture<'static, ()>>), StoreError> {
        let Connected { pools, kind, folder, following } = connect::to_write(&options, portable).await?;
        let db = Db::new(pools.clone(), options.deadline);
        let applied = migrate::migrate(&db, options.clock.now()).await?;
        let store = Store::start(options, pools, kind, true, folder).await?;
        store.prove_ledger(applied.first() == Some(&1)).await?;
        Ok((store, following))
    }

    /// Proves what releases before proofs wrote into the ledger, with the right key only. Again at each start, until none of
    /// their processes that still ran beside us can have left a row that counts.
    async fn prove_ledger(&self, is_new: bool) -> Result<(), StoreError> {
        let (db, now) = (self.db(), self.clock().now());
        if migrate::noted(db, schema::PROVED.0).await?.is_some() {
            return Ok(());
        }
        if !is_new {
            match self.check_key().await {
                // Whoever opened it says so.
                Err(StoreError::Sealed) => return Ok(()),
                checked => checked?,
            }
            ledger::adopt(db, self.vault()).await?;
        }
        let began = migrate::noted(db, schema::PROOFS).await?;
        let is_over = began.is_some_and(|began| began.plus(ledger::REMEMBERED) <= now);
        if is_new || is_over { migrate::note(db, schema::PROVED, now).await } else { Ok(()) }
    }

    /// Whether appends can follow the log's last event.
    ///
    /// # Errors
    /// `HeadMoved` when its head row is not where its events end; else when the database fails.
    pub async fn sound(&self, log: Log) -> Result<(), StoreError> {
        self.0.engine.sound(log).await
    }

    async fn start(
        options: StoreOptions,
        pools: Pools,
        kind: Kind,
        writes: bool,
        folder: Option<Folder>,
    ) -> Result<Store, StoreError> {
        let db = Db::new(pools, options.deadline);
        let engine = Arc::new(Engine { kind, db: db.clone(), clock: options.clock.clone() });
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let vault = Vault::new(db.clone(), &options);
        let lane = async |log| {
            let sealer = Sealer::new(log, &engine, &vault, &options);
            Lane::start(log, &engine, sealer, &tasks).await
        };
        let (core, calls) = (lane(Log::Core).await?, lane(Log::Calls).await?);
        let evidence = Evidence::new(db, options.ids.clone());
        let _stop_with_the_last_clone = stop.clone().drop_guard();
        let (ids, _folder) = (options.ids, folder);
        let inner = Inner {
            engine,
            core,
            calls,
            known: Known::default(),
            turns: Turns::default(),
            vault,
            evidence,
            evidence_kept: options.evidence_kept,
            ids,
            writes,
            tasks,
            stop,
            _stop_with_the_last_clone,
            _folder,
        };
        Ok(Store(Arc::new(inner)))
    }

    /// Between nodes: signals. Always: removal of what has expired.
    fn start_tasks(&self) {
        let Inner { engine, core, calls, .. } = &*self.0;
        let db = &engine.db;
        for (log, lane) in [(Log::Core, core), (Log::Calls, calls)] {
            self.spawn(notify::tell(db.clone(), log, lane.committed.subscribe()));
        }
        let signals = vec![(Log::Core, core.committed.clone()), (Log::Calls, calls.committed.clone())];
        self.spawn(notify::hear(db.clone(), signals));
        for lane in [core, calls] {
            self.spawn(lane.sealer.clone().keep_sealing(lane.committed.subscribe()));
        }
        let Inner { vault, evidence, evidence_kept, .. } = &*self.0;
        self.spawn(sweep::sweep(engine.clone(), vault.clone(), evidence.clone(), *evidence_kept));
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.0.stop.clone();
        self.0.tasks.spawn(async move { stop.run_until_cancelled(work).await });
    }

    /// Up to `limit` (at most 5,000) facts after a position, in order and without gaps.
    ///
    /// # Errors
    /// When the database fails, or a position is missing.
    pub async fn read(&self, log: Log, after: i64, limit: usize) -> Result<Vec<Fact>, StoreError> {
        let limit = limit.min(PAGE);
        match self.lane(log).recent.after(after, limit) {
            Some(facts) => Ok(facts),
            None => self.0.engine.read(log, after, limit).await,
        }
    }

    /// Wakes up with the last position this process knows to be committed. A hint: positions may be skipped, and
    /// another node's may come late or never, so poll as well (`Follower` does both).
    #[must_use]
    pub fn watch(&self, log: Log) -> watch::Receiver<i64> {
        self.lane(log).committed.subscribe()
    }

    /// Every fact of a stream.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stream(&self, stream: &Sid) -> Result<Vec<Fact>, StoreError> {
        self.0.engine.stream(stream).await
    }

    /// The position of a log's last fact; 0 when it has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&self, log: Log) -> Result<i64, StoreError> {
        self.0.engine.head(log).await
    }

    /// Seals a log up to its head now, rather than within 5 s; returns the last position under a seal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seal(&self, log: Log) -> Result<i64, StoreError> {
        self.lane(log).sealer.seal().await
    }

    /// The newest seal of a log: kept elsewhere, it shows later that the log was cut off before it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_seal(&self, log: Log) -> Result<Option<Seal>, StoreError> {
        seal::last(self.db(), log).await
    }

    /// Whether the vault opens with the key this store was given. Until something was sealed, every key will do.
    ///
    /// # Errors
    /// `Sealed` with another key; else when the database fails.
    pub async fn check_key(&self) -> Result<(), StoreError> {
        self.vault().check().await?;
        seal::Signer::stored(self.vault()).await.map(drop)
    }

    /// Whether no newer release has changed the tables; `open` refuses them by itself, `open_to_read` does not.
    ///
    /// # Errors
    /// `Newer` when one has; else when the database fails.
    pub async fn of_this_release(&self) -> Result<(), StoreError> {
        migrate::not_newer(self.db()).await
    }

    /// The vault for secrets.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The database, for projections.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.engine.db
    }

    /// Raw evidence.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.0.evidence
    }

    /// Seals what is not sealed yet, stops the tasks and closes the connections; what has been acknowledged is durable
    /// already. Nothing works on any clone afterwards.
    pub async fn close(&self) {
        for log in Log::ALL.into_iter().filter(|_| self.0.writes) {
            if let Err(error) = self.seal(log).await {
                tracing::warn!(%error, log = log.as_str(), "the newest events stay unsealed");
            }
        }
        self.0.stop.cancel();
        self.0.engine.db.close().await;
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn known(&self) -> &Known {
        &self.0.known
    }

    /// The clock it was opened with.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.0.engine.clock
    }

    /// The generator it was opened with.
    #[must_use]
    pub fn ids(&self) -> &dyn Ids {
        &*self.0.ids
    }

    fn lane(&self, log: Log) -> &Lane {
        match log {
            Log::Core => &self.0.core,
            Log::Calls => &self.0.calls,
        }
    }

    /// Waits until no other command to the stream is under way in this process, and keeps others waiting until it is given
    /// back: for whoever reads the stream and then appends by `execute_at`. (`execute` takes its turn by itself: within one,
    /// it would wait for ever.)
    pub async fn turn(&self, stream: &Sid) -> Turn<'_> {
        self.0.turns.take(stream).await
    }

    /// Hands a submission to its log's writer, and returns its answer.
    pub(crate) async fn submit(&self, log: Log, submission: Submission) -> Result<Verdict, StoreError> {
        self.lane(log).writer.append(submission).await
    }
}

impl Lane {
    async fn start(
        log: Log,
        engine: &Arc<Engine>,
        sealer: Sealer,
        tasks: &TaskTracker,
    ) -> Result<Lane, StoreError> {
        let committed = watch::Sender::new(engine.head(log).await?);
        let recent = Arc::new(Recent::default());
        let (writer, batches) = Writer::new(log, engine.clone(), committed.clone(), recent.clone());
        tasks.spawn(batches);
        Ok(Lane { writer, recent, committed, sealer: Arc::new(sealer) })
    }
}
