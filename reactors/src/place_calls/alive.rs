//! That this node lives: said in a task of its own, whatever else it is busy with; and since when it could say so without
//! a break. Who could not say so for a while does not judge who else is gone: after an outage of the database every
//! node's lease has run out, and every node is there.

use super::{PlaceCalls, recover::node_lease};
use crate::ledger::{LEASE, RENEWAL};
use domain::Timestamp;
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::StoreError;
use tokio::time::MissedTickBehavior;

/// Renewals that succeeded one after the other, none later than the lease of the one before.
#[derive(Default)]
pub(super) struct Alive(Mutex<Option<Unbroken>>);

struct Unbroken {
    since: Timestamp,
    last: Timestamp,
}

impl Alive {
    /// A renewal that was asked for at `now` succeeded.
    fn renewed(&self, now: Timestamp) {
        let mut unbroken = self.lock();
        let since = unbroken.as_ref().filter(|row| now.since(row.last) <= LEASE).map_or(now, |row| row.since);
        *unbroken = Some(Unbroken { since, last: now });
    }

    fn broken(&self) {
        *self.lock() = None;
    }

    /// Whether every other node that is there has had a whole lease to renew its own.
    pub fn for_a_lease(&self, now: Timestamp) -> bool {
        self.lock().as_ref().is_some_and(|row| now.since(row.last) <= LEASE && now.since(row.since) >= LEASE)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Unbroken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PlaceCalls {
    /// Says that this node lives, so that nobody closes its calls, until it is told to stop.
    pub(super) async fn keep_alive(self) {
        let mut renewal = tokio::time::interval(RENEWAL);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let renewing = async {
            loop {
                renewal.tick().await;
                if let Err(error) = self.renew().await {
                    tracing::warn!(%error, "this node cannot say that it lives");
                }
            }
        };
        self.common.stop.run_until_cancelled(renewing).await;
    }

    /// Says so once.
    pub(super) async fn renew(&self) -> Result<(), StoreError> {
        let (ledger, node, now) = (&self.common.ledger, &self.common.node, self.common.clock.now());
        let renewed = ledger.lease(&node_lease(node), node, now).await;
        match renewed {
            Ok(_) => self.alive.renewed(now),
            Err(_) => self.alive.broken(),
        }
        renewed.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_000_000).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_whole_lease_without_a_break_is_enough() {
        let alive = Alive::default();
        assert!(!alive.for_a_lease(at(0)));
        for seconds in [0, 5, 10] {
            alive.renewed(at(seconds));
            assert!(!alive.for_a_lease(at(seconds)));
        }
        alive.renewed(at(15));
        assert!(alive.for_a_lease(at(15)));
    }

    #[test]
    fn a_break_begins_it_anew() {
        let alive = Alive::default();
        (0..=4).for_each(|turn| alive.renewed(at(turn * 5)));
        alive.broken();
        alive.renewed(at(25));
        assert!(!alive.for_a_lease(at(25)), "a renewal failed");
        (6..=8).for_each(|turn| alive.renewed(at(turn * 5)));
        assert!(alive.for_a_lease(at(40)));
        assert!(!alive.for_a_lease(at(60)), "none for longer than a lease");
        alive.renewed(at(60));
        assert!(!alive.for_a_lease(at(60)), "nor is the next one the end of an unbroken row");
    }
}
