//! A call's timers: a handful, so a sorted walk beats a wheel.

use crate::call::TimerKey;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// At most one timer per key.
#[derive(Default)]
pub(super) struct Timers(BTreeMap<TimerKey, Instant>);

impl Timers {
    pub(super) fn set(&mut self, key: TimerKey, now: Instant, after: Duration) {
        self.0.insert(key, now + after);
    }

    pub(super) fn cancel(&mut self, key: TimerKey) {
        self.0.remove(&key);
    }

    /// Waits for the earliest and takes it; for ever when there is none. Dropping the wait loses nothing.
    pub(super) async fn next(&mut self) -> TimerKey {
        let earliest = self.0.iter().min_by_key(|(_, at)| **at).map(|(key, at)| (*key, *at));
        let Some((key, at)) = earliest else { return std::future::pending().await };
        tokio::time::sleep_until(at).await;
        self.0.remove(&key);
        key
    }
}
