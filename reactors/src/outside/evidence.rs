//! Raw evidence on its way into its table: in batches, never waited for; when too much comes, the oldest goes.

use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use store::{EvidenceItem, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// That it waits for the database.
static TOLD: crate::seldom::Seldom = crate::seldom::Seldom::new();
/// Most items that wait.
const MAX_WAITING: usize = 20_000;
/// Most items per write.
const BATCH: usize = 1_000;
/// How long items gather before they are written.
const GATHER: Duration = Duration::from_millis(250);
/// Pause after a write that failed.
const PAUSE: Duration = Duration::from_secs(2);

/// Items on their way; clones share them.
#[derive(Clone, Default)]
pub(crate) struct EvidenceQueue(Arc<Inner>);

#[derive(Default)]
struct Inner {
    waiting: Mutex<VecDeque<EvidenceItem>>,
    arrived: Notify,
    dropped: AtomicU64,
}

impl EvidenceQueue {
    /// Adds items; returns at once.
    pub fn push(&self, items: impl IntoIterator<Item = EvidenceItem>) {
        let mut waiting = self.0.waiting.lock();
        waiting.extend(items);
        let excess = waiting.len().saturating_sub(MAX_WAITING);
        waiting.drain(..excess);
        self.0.dropped.fetch_add(excess as u64, Ordering::Relaxed);
        self.0.arrived.notify_one();
    }

    /// How many items were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Writes items until it is told to stop; then writes what is left, once.
    pub async fn write(self, store: Store, stop: CancellationToken) {
        while stop.run_until_cancelled(self.gathered()).await.is_some() {
            if !self.flush(&store).await {
                let _ = stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
            }
        }
        self.flush(&store).await;
    }

    async fn gathered(&self) {
        while self.0.waiting.lock().is_empty() {
            self.0.arrived.notified().await;
        }
        tokio::time::sleep(GATHER).await;
    }

    /// Writes everything that waits; whether that worked. What could not be written waits again.
    async fn flush(&self, store: &Store) -> bool {
        loop {
            let batch: Vec<EvidenceItem> = {
                let mut waiting = self.0.waiting.lock();
                let size = waiting.len().min(BATCH);
                waiting.drain(..size).collect()
            };
            if batch.is_empty() {
                return true;
            }
            if let Err(error) = store.evidence().append(&batch).await {
                if TOLD.is_due() {
                    tracing::warn!(%error, "evidence waits for the database");
                }
                let mut waiting = self.0.waiting.lock();
                batch.into_iter().rev().for_each(|item| waiting.push_front(item));
                return false;
            }
        }
    }
}
