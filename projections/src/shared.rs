//! What readers and runners share.

use crate::{Change, MAX_UNSEEN_CHANGES, machine::projector::Catalogue, progress::Standing};
use domain::Log;
use store::Store;
use tokio::sync::{Notify, broadcast, watch};

/// What readers and runners share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) tables: Catalogue,
    changes: broadcast::Sender<Change>,
    core: LogState,
    calls: LogState,
}

/// One log's tables.
#[derive(Default)]
pub(crate) struct LogState {
    pub(crate) standing: watch::Sender<Standing>,
    /// Someone waits: look at once.
    pub(crate) urgent: Notify,
}

impl Shared {
    pub(crate) fn new(store: Store, tables: Catalogue) -> Shared {
        let changes = broadcast::Sender::new(MAX_UNSEEN_CHANGES);
        Shared { store, tables, changes, core: LogState::default(), calls: LogState::default() }
    }

    pub(crate) fn state(&self, log: Log) -> &LogState {
        match log {
            Log::Core => &self.core,
            Log::Calls => &self.calls,
        }
    }

    /// Tells what changed; nobody listening is fine.
    pub(crate) fn tell(&self, change: Change) {
        let _ = self.changes.send(change);
    }

    /// What changes from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}
