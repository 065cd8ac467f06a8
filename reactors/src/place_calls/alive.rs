//! That this node lives: said in a task of its own, whatever else it is busy with; and since when it could say so without
//! a break. Who could not say so for a while does not judge who else is gone: after an outage of the database every
//! node's lease has run out, and every node is there.

use super::PlaceCalls;
use crate::{ledger::LEASE, nodes::CLOCKS_DIFFER};
use parking_lot::Mutex;
use std::{sync::atomic::Ordering, time::Duration};
use store::StoreError;
use tokio::time::{Instant, MissedTickBehavior};

/// How far apart renewals may be that belong to one row. Less than a lease: while the database was away for longer than a
/// lease less a renewal, another node's may have run out before this one noticed anything.
const ROW: Duration = Duration::from_secs(2);

/// How often it is said: often, so that a busy machine's delays break no row.
const SAID: Duration = Duration::from_millis(500);

/// Renewals that succeeded one soon after the other.
#[derive(Default)]
pub(super) struct Alive(Mutex<Option<Unbroken>>);

struct Unbroken {
    since: Instant,
    last: Instant,
}

impl Alive {
    /// A renewal succeeded, now.
    fn renewed(&self, now: Instant) {
        let mut unbroken = self.0.lock();
        let row = unbroken.as_ref().filter(|row| now.duration_since(row.last) <= ROW);
        let since = row.map_or(now, |row| row.since);
        *unbroken = Some(Unbroken { since, last: now });
    }

    fn broken(&self) {
        *self.0.lock() = None;
    }

    /// Whether every other node that is there has had a whole lease to renew its own.
    pub fn for_a_lease(&self, now: Instant) -> bool {
        let unbroken = self.0.lock();
        unbroken
            .as_ref()
            .is_some_and(|row| now.duration_since(row.last) <= ROW && now.duration_since(row.since) >= LEASE)
    }
}

/// Says once that the store does not answer, and once that it does again, after how long.
fn tell_of_store(away: &mut Option<Instant>, answer: Result<(), StoreError>) {
    match (answer, *away) {
        (Ok(()), None) => {}
        (Ok(()), Some(since)) => {
            *away = None;
            let seconds = since.elapsed().as_secs_f64();
            tracing::info!(seconds, "the store answers again");
        }
        (Err(error), None) => {
            *away = Some(Instant::now());
            tracing::warn!(%error, "the store does not answer; this node cannot say that it lives");
        }
        (Err(error), Some(_)) => tracing::debug!(%error, "the store still does not answer"),
    }
}

impl PlaceCalls {
    /// Says that this node lives, so that nobody closes its calls, until it is told to stop.
    pub(super) async fn keep_alive(self) {
        let mut renewal = tokio::time::interval(SAID);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let renewing = async {
            let mut away = None;
            loop {
                renewal.tick().await;
                tell_of_store(&mut away, self.renew().await);
            }
        };
        self.common.stop.run_until_cancelled(renewing).await;
    }

    /// Says so once. A process whose name another one has by now ends.
    pub(super) async fn renew(&self) -> Result<(), StoreError> {
        let renewed = self.common.nodes.renew().await;
        match renewed {
            Ok(true) => self.alive.renewed(Instant::now()),
            Ok(false) if !self.common.replaced.is_cancelled() => {
                self.alive.broken();
                tracing::error!(node = %self.common.node, "another process is this node by now: this one ends");
                self.common.replaced.cancel();
            }
            Ok(false) | Err(_) => self.alive.broken(),
        }
        self.complain_of_clocks();
        if self.engine.is_busy()
            && let Err(error) = self.common.nodes.say_life().await
        {
            tracing::debug!(%error, "a call that is cut off now would be a little short");
        }
        renewed.map(drop)
    }

    /// Once each time the difference becomes too much.
    fn complain_of_clocks(&self) {
        let ahead = self.common.nodes.clock_difference();
        let differ = ahead.abs() > CLOCKS_DIFFER.as_secs_f64();
        if self.clocks_differ.swap(differ, Ordering::Relaxed) != differ && differ {
            tracing::error!(
                seconds_ahead = ahead,
                "the database's clock and this machine's differ; set up NTP on both"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_lease_without_a_break_is_enough() {
        let (alive, began) = (Alive::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        assert!(!alive.for_a_lease(at(0)));
        for seconds in 0..4 {
            alive.renewed(at(seconds));
            assert!(!alive.for_a_lease(at(seconds)));
        }
        alive.renewed(at(4));
        assert!(alive.for_a_lease(at(4)));
    }

    #[test]
    fn a_break_begins_it_anew() {
        let (alive, began) = (Alive::default(), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        (0..=5).for_each(|turn| alive.renewed(at(turn)));
        alive.broken();
        alive.renewed(at(6));
        assert!(!alive.for_a_lease(at(6)), "a renewal failed");
        (7..=10).for_each(|turn| alive.renewed(at(turn)));
        assert!(alive.for_a_lease(at(10)));
        assert!(!alive.for_a_lease(at(13)), "none for a while");
        alive.renewed(at(13));
        assert!(!alive.for_a_lease(at(13)), "nor is the next one the end of an unbroken row");
    }

    #[test]
    fn a_store_that_is_away_is_told_of_once_and_so_is_its_return() {
        let mut away = None;
        tell_of_store(&mut away, Err(StoreError::Closed));
        let since = away.expect("told of");
        tell_of_store(&mut away, Err(StoreError::Closed));
        assert_eq!(away, Some(since), "not again");
        tell_of_store(&mut away, Ok(()));
        assert_eq!(away, None);
    }
}
