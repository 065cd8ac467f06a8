//! Following a log: pages of facts in order, none missed. Signals only shorten the wait; polling is always there.

use crate::{Fact, Store, StoreError};
use domain::Log;
use std::time::Duration;
use tokio::sync::watch;

/// The longest a follower sleeps without looking.
pub const POLL: Duration = Duration::from_secs(1);

/// Reads a log page by page, and waits at its end.
pub struct Follower {
    store: Store,
    log: Log,
    after: i64,
    limit: usize,
    committed: watch::Receiver<i64>,
}

impl Store {
    /// Follows a log from after a position, in pages of up to `limit`.
    #[must_use]
    pub fn follow(&self, log: Log, after: i64, limit: usize) -> Follower {
        Follower { store: self.clone(), log, after, limit, committed: self.watch(log) }
    }
}

impl Follower {
    /// The position everything up to which has been handed out.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.after
    }

    /// The next page, never empty: waits until there is one. Safe to drop while it waits.
    ///
    /// # Errors
    /// When the database fails or a position is missing; calling again tries the same page again.
    pub async fn next(&mut self) -> Result<Vec<Fact>, StoreError> {
        loop {
            // Seen before reading: a commit during the read wakes the wait below at once.
            self.committed.mark_unchanged();
            let page = self.store.read(self.log, self.after, self.limit).await?;
            if let Some(last) = page.last() {
                self.after = last.position;
                return Ok(page);
            }
            // Either outcome, a signal or the poll, means: look again. A closed channel leaves the poll.
            if let Ok(Err(_)) = tokio::time::timeout(POLL, self.committed.changed()).await {
                tokio::time::sleep(POLL).await;
            }
        }
    }
}
