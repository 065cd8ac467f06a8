//! What changed, told once each and in order, whoever leads and however often the lead changes hands.

use super::Runner;
use crate::Change;
use std::sync::atomic::Ordering;
use store::{Fact, StoreError};

/// Facts read at once to say what changed.
const PAGE: usize = 500;

impl Runner {
    /// Says what these facts changed; not again what was told before. No fact between the last one told and these may be
    /// missing: `catch_up_telling` sees to that.
    pub(super) fn announce(&self, facts: &[Fact]) {
        let Some(last) = facts.last() else { return };
        let told = self.told.fetch_max(last.position, Ordering::Relaxed);
        let news = facts.iter().filter(|fact| fact.position > told).filter_map(Change::of);
        news.for_each(|change| self.shared.tell(change));
    }

    /// Says what changed up to where the tables have come, under whomever.
    pub(super) async fn catch_up_telling(&self, reached: i64) -> Result<(), StoreError> {
        loop {
            let told = self.told.load(Ordering::Relaxed);
            let missing = usize::try_from(reached - told).unwrap_or(0).min(PAGE);
            let facts = match missing {
                0 => return Ok(()),
                missing => self.shared.store.read(self.log, told, missing).await,
            };
            match facts {
                Ok(facts) if facts.is_empty() => return Ok(()),
                Ok(facts) => self.announce(&facts),
                // The tables have been past it: they go on, and so does the telling.
                Err(error) if error.is_damage() => {
                    tracing::error!(log = self.log.as_str(), %error, told, reached, "changes are not told");
                    self.told.fetch_max(reached, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            }
        }
    }
}
