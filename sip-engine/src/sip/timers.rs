//! The timers of RFC 3261 section 17, and a queue that says which key is due next.

use crate::relax::relax;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Round-trip estimate: the first retransmission comes after this.
pub const T1: Duration = Duration::from_millis(500);
/// Longest pause between retransmissions of anything but an INVITE.
pub const T2: Duration = Duration::from_secs(4);
/// How long a message can stay in the network.
pub const T4: Duration = Duration::from_secs(5);
/// 64 * T1: timers B, D, F, H, J, L, M, and how long an unacknowledged 2xx is repeated.
pub const GIVE_UP: Duration = Duration::from_secs(32);

/// Keys with at most one due time each.
#[derive(Debug)]
pub(crate) struct Wheel<K> {
    order: BTreeSet<(Instant, K)>,
    due: HashMap<K, Instant>,
}

impl<K> Default for Wheel<K> {
    fn default() -> Wheel<K> {
        Wheel { order: BTreeSet::new(), due: HashMap::new() }
    }
}

impl<K: Clone + Ord + Hash> Wheel<K> {
    /// Sets or clears the due time of a key.
    pub fn set(&mut self, key: &K, at: Option<Instant>) {
        if let Some(old) = self.due.remove(key) {
            self.order.remove(&(old, key.clone()));
        }
        if let Some(at) = at {
            self.due.insert(key.clone(), at);
            self.order.insert((at, key.clone()));
        }
    }

    /// The earliest due time.
    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes out one key that is due.
    pub fn pop(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        self.due.remove(&key);
        relax(&mut self.due);
        Some(key)
    }
}

/// The earlier of two times that may not be set.
pub(crate) fn earliest(times: impl IntoIterator<Item = Option<Instant>>) -> Option<Instant> {
    times.into_iter().flatten().min()
}
