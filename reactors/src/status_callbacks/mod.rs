//! `status_callbacks`: tells applications how their calls go on. Follows `calls`; per call in order, each once; a slow
//! application delays nobody else.
//!
//! A callback that was made is a fact on its call's timeline. A stop waits for those under way, so they are made once
//! across a restart. After a crash the facts say which ones were, so at worst the one that was under way is made again,
//! with the same sequence number and the same idempotency token.

mod accounts;
mod asked;
mod flight;
mod lanes;
mod story;
#[cfg(test)]
mod tests;

use crate::{
    Common, http,
    ledger::{LEASE, RENEWAL},
    seldom::Seldom,
};
use domain::Log;
use lanes::Lanes;
use std::time::Duration;
use store::StoreError;

/// This reactor's name: its checkpoint, its lease, and who it is in the log.
pub const NAME: &str = "status_callbacks";
/// Facts per page.
const PAGE: usize = 500;
/// How long callbacks are still begun after the stop.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long those begun may take after that: a whole request, and the way into the log.
const SEEN_THROUGH: Duration = http::MAX_TIME.saturating_add(Duration::from_secs(2));
/// The longest this goes on after the stop.
pub const STOP_TIME: Duration = LAST_WORDS.saturating_add(SEEN_THROUGH);
/// Pause after the store failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The reactor.
pub(crate) struct StatusCallbacks {
    common: Common,
    lanes: Lanes,
    last_words: Duration,
}

impl StatusCallbacks {
    pub fn new(common: Common) -> StatusCallbacks {
        StatusCallbacks { lanes: Lanes::new(common.clone()), common, last_words: LAST_WORDS }
    }

    /// Runs until it is told to stop, and a little longer: the engine has ended by then, and its last calls' callbacks
    /// are made, as far as that takes [`LAST_WORDS`] at most. While another node has the lease, it waits.
    pub async fn run(mut self) {
        let stop = self.common.stop.clone();
        stop.run_until_cancelled(self.lead_or_wait()).await;
        if tokio::time::timeout(self.last_words, self.last_words()).await.is_err() {
            let left = self.lanes.flight().len();
            tracing::info!(left, "status callbacks go on after the next start");
        }
        self.lanes.close();
        if tokio::time::timeout(SEEN_THROUGH, self.lanes.seen_through()).await.is_err() {
            tracing::warn!("status callbacks under way are made again after the next start");
        }
        if let Err(error) = self.save().await {
            tracing::warn!(%error, "the checkpoint of the status callbacks stays behind");
        }
    }

    async fn lead_or_wait(&mut self) {
        let told = Seldom::new();
        loop {
            match self.lead().await {
                Ok(()) => tracing::debug!("another node makes the status callbacks"),
                Err(error) if told.is_due() => tracing::warn!(%error, "status callbacks wait for the store"),
                Err(error) => tracing::debug!(%error, "status callbacks still wait for the store"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn last_words(&mut self) {
        while let Err(error) = self.finish().await {
            tracing::warn!(%error, "the last status callbacks wait for the store");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads what is left in the log and waits until its callbacks are made.
    async fn finish(&mut self) -> Result<(), StoreError> {
        if !self.renew().await? {
            return Ok(());
        }
        let store = &self.common.store;
        loop {
            let page = store.read(Log::Calls, self.resume().await?, PAGE).await?;
            let Some(last) = page.last() else { break };
            self.lanes.take(&page).await?;
            self.lanes.flight().read(last.position);
        }
        while self.lanes.flight().len() > 0 {
            self.lanes.flight().landed().await;
            self.lanes.catch_up().await?;
        }
        Ok(())
    }

    /// Follows the log for as long as the lease is ours.
    async fn lead(&mut self) -> Result<(), StoreError> {
        if !self.renew().await? {
            return Ok(());
        }
        let mut follower = self.common.store.follow(Log::Calls, self.resume().await?, PAGE);
        let mut renewal = tokio::time::interval(RENEWAL);
        let mut saving = tokio::time::interval(PAUSE);
        loop {
            tokio::select! {
                page = follower.next() => {
                    let page = page?;
                    self.lanes.take(&page).await?;
                    self.lanes.flight().read(follower.position());
                }
                _ = saving.tick() => {
                    self.lanes.catch_up().await?;
                    self.save().await?;
                }
                _ = renewal.tick() => if !self.renew().await? { return Ok(()) },
            }
        }
    }

    /// Takes or renews the lease. Whoever loses it begins nothing more of what it has read: the other node reads that
    /// again.
    async fn renew(&mut self) -> Result<bool, StoreError> {
        let Common { ledger, node, clock, store, .. } = &self.common;
        let asked = clock.elapsed();
        let now = store.db().now(&**clock).await?;
        let held = ledger.lease(NAME, node, now).await?;
        if held {
            self.lanes.hold(asked + LEASE);
        } else {
            std::mem::replace(&mut self.lanes, Lanes::new(self.common.clone())).close();
        }
        Ok(held)
    }

    /// Where to read on: after a failure that is where this process was.
    async fn resume(&self) -> Result<i64, StoreError> {
        let stored = self.common.ledger.position(NAME).await?;
        self.lanes.flight().read(stored);
        Ok(self.lanes.flight().position())
    }

    async fn save(&self) -> Result<(), StoreError> {
        let Some(position) = self.lanes.unsaved() else { return Ok(()) };
        let Common { ledger, node, .. } = &self.common;
        ledger.advance(NAME, node, position).await?;
        self.lanes.flight().saved(position);
        Ok(())
    }
}
