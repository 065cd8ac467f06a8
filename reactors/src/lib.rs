//! Facts to effects: placing calls, status callbacks, the engine's picture of trunks and numbers, and the one HTTP
//! client that talks to customers' applications.
//!
//! An effect can repeat (a crash between effect and checkpoint), so each carries what lets the receiver tell.
//! [`Reactors::open`] comes before the engine, [`Reactors::start`] after it.

mod geo;
pub mod http;
mod ledger;
mod nodes;
pub mod outside;
mod place_calls;
mod process;
mod seldom;
pub mod signature;
mod status_callbacks;
mod switchboard;
mod sync_directory;
#[cfg(test)]
mod testing;

pub use nodes::{CLOCKS_DIFFER, JoinError, living};
pub use outside::World;
pub use place_calls::QUEUE_LIMIT;
pub use status_callbacks::STOP_TIME;
pub use switchboard::{Room, Switchboard};
pub use sync_directory::DirectoryMirror;

use domain::{
    Clock, Ids, Log, Meta, Sid, Timestamp,
    call::{Call, CallCommand, CallError},
};
use http::{Http, HttpOptions};
use ledger::Ledger;
use nodes::Nodes;
use outside::tokens::Tokens;
use place_calls::PlaceCalls;
use projections::{Projections, ReadError};
use status_callbacks::StatusCallbacks;
use std::{collections::HashSet, io, path::PathBuf, sync::Arc, time::Duration};
use store::{Appended, ExecuteError, Store, StoreError};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a start waits for what an earlier process left in the spool.
const SPOOL_WAIT: Duration = Duration::from_secs(2);

/// What reactors are handed.
pub struct Options {
    /// The log and the vault.
    pub store: Store,
    /// The read side.
    pub projections: Projections,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub ids: Arc<dyn Ids>,
    /// This node's name; the same after a restart, different from every other node's. What it claims, it claims as this
    /// process: see [`Reactors::node`].
    pub node: String,
    /// Where facts are kept while the store does not answer.
    pub spool: PathBuf,
    /// Which addresses customers' URLs may lead to, and the like.
    pub http: HttpOptions,
    /// How long a call may wait to be placed; [`QUEUE_LIMIT`] usually.
    pub queue_limit: Duration,
    /// Trunks inside our trust domain (RFC 3325), as the operator names them.
    pub trusted_trunks: HashSet<Sid>,
    /// Where their tasks run.
    pub tasks: TaskTracker,
    /// Cancelled when they shall end. The engine ends first: its last facts and callbacks still leave through them.
    pub stop: CancellationToken,
}

/// Everything between the log and the world; clones share it.
#[derive(Clone)]
pub struct Reactors {
    common: Common,
    world: World,
    began: Timestamp,
    queue_limit: Duration,
}

/// Why reactors could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The projections could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Another process is this node.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The spool's folder cannot be used.
    #[error("the spool cannot be opened: {0}")]
    Spool(#[from] io::Error),
}

/// Whether facts of a call are on their way into the log.
pub(crate) type Behind = Arc<dyn Fn(&Sid) -> bool + Send + Sync>;

/// What every reactor is handed; cheap to clone.
#[derive(Clone)]
pub(crate) struct Common {
    pub store: Store,
    pub projections: Projections,
    /// What the engine routes by.
    pub mirror: DirectoryMirror,
    /// For status callbacks.
    pub callbacks: Http,
    pub tokens: Tokens,
    pub ledger: Ledger,
    pub clock: Arc<dyn Clock>,
    /// What this process claims by: the node's name and the epoch.
    pub node: Arc<str>,
    /// The processes that share the database.
    pub nodes: Nodes,
    /// Cancelled when another process has this node's name.
    pub replaced: CancellationToken,
    /// Whether facts of a call are on their way into the log.
    pub behind: Behind,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
}

impl Common {
    /// Puts a fact about a call into the log.
    pub async fn tell(
        &self,
        call: &Sid,
        command: CallCommand,
        meta: &Meta,
    ) -> Result<Appended, ExecuteError<CallError>> {
        self.store.execute::<Call>(call, command, meta).await
    }
}

/// How the reactors are, for health and metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// The database's clock less this machine's, in seconds.
    pub clock_difference: f64,
    /// Entries in the spool that have not reached the log.
    pub spooled: usize,
    /// Neither log nor spool takes facts.
    pub keeps_nothing: bool,
    /// Pieces of evidence that were dropped since the start.
    pub evidence_dropped: u64,
    /// The position of the core log that calls are routed by.
    pub directory_position: i64,
    /// How many events of the core log it does not know of yet.
    pub directory_lag: i64,
}

impl Reactors {
    /// Takes the node's name, opens the spool (what an earlier process left in it goes to the log first) and reads the
    /// directory.
    ///
    /// # Errors
    /// When store or spool cannot be used, or another process is this node.
    pub async fn open(options: Options) -> Result<Reactors, OpenError> {
        let Options { store, projections, clock, ids, node, spool, http, queue_limit, .. } = options;
        let (trusted_trunks, tasks, stop) = (options.trusted_trunks, options.tasks, options.stop);
        let nodes = Nodes::join(store.db().clone(), clock.clone(), &node, ids.token()).await?;
        let ledger = Ledger::new(store.db().clone());
        ledger.release_of(&node).await?;
        let mirror = DirectoryMirror::new(trusted_trunks);
        let [http, callbacks] = Http::two(&http, &mirror.directory());
        let (began, node) = (clock.now(), nodes.claim());
        let world = World::open(&store, http, ids, &spool, &tasks, &stop)?;
        if !world.drained(SPOOL_WAIT).await {
            tracing::warn!(spooled = world.spooled(), "facts of an earlier process are still on their way");
        }
        let head = store.head(Log::Core).await?;
        if let Err(behind) = projections.reached(Log::Core, head, SPOOL_WAIT).await {
            tracing::warn!(%behind, "the directory follows as far as the projections have come");
        }
        mirror.load(&projections, store.vault()).await?;
        let (tokens, node) = (Tokens::new(store.clone()), node.into());
        let behind = world.clone();
        let behind: Behind = Arc::new(move |call| behind.is_behind(call));
        let replaced = CancellationToken::new();
        let common = Common {
            store,
            projections,
            mirror,
            callbacks,
            tokens,
            ledger,
            clock,
            node,
            nodes,
            replaced,
            behind,
            tasks,
            stop,
        };
        Ok(Reactors { common, world, began, queue_limit })
    }

    /// What the engine is started with, as its way out.
    #[must_use]
    pub fn world(&self) -> World {
        self.world.clone()
    }

    /// What this process claims calls by: the node's name and the process's epoch. The engine is started with it.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.common.node
    }

    /// Waits until another process has this node's name: then this one is to end.
    pub async fn replaced(&self) {
        self.common.replaced.cancelled().await;
    }

    /// Gives the node's name up, so that the next process need not wait for it. For the very end.
    pub async fn leave(&self) {
        if let Err(error) = self.common.nodes.leave().await {
            tracing::debug!(%error, "the node's lease runs out by itself");
        }
    }

    /// What the engine routes by.
    #[must_use]
    pub fn directory(&self) -> DirectoryMirror {
        self.common.mirror.clone()
    }

    /// Starts the reactors; their tasks run until `stop`.
    pub fn start(&self, engine: Arc<dyn Switchboard>) {
        let Reactors { common, began, queue_limit, .. } = self;
        let place_calls = PlaceCalls::new(common.clone(), engine, *began, *queue_limit);
        common.tasks.spawn(place_calls.run());
        common.tasks.spawn(StatusCallbacks::new(common.clone()).run());
        common.tasks.spawn(sync_directory::run(common.clone()));
        let (ledger, node, clock) = (common.ledger.clone(), common.node.clone(), common.clock.clone());
        let (room, stop) = (self.world.clone().look_for_room(ledger, node, clock), common.stop.clone());
        common.tasks.spawn(async move { stop.run_until_cancelled(room).await });
    }

    /// How they are.
    #[must_use]
    pub fn state(&self) -> State {
        let directory_position = self.common.mirror.position();
        let head = *self.common.store.watch(Log::Core).borrow();
        State {
            clock_difference: self.common.nodes.clock_difference(),
            spooled: self.world.spooled(),
            keeps_nothing: self.world.keeps_nothing(),
            evidence_dropped: self.world.evidence_dropped(),
            directory_position,
            directory_lag: head.saturating_sub(directory_position).max(0),
        }
    }
}
