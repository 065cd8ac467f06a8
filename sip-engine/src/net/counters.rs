//! What the sockets dropped and carried.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one set of sockets. They only go up.
#[derive(Debug, Default)]
pub struct Counters {
    /// Datagrams and connections from sources the filter does not know.
    pub unknown_source: AtomicU64,
    /// Datagrams and frames handed to the endpoint.
    pub received: AtomicU64,
    /// Messages sent.
    pub sent: AtomicU64,
    /// Datagrams the kernel would not take.
    pub send_failed: AtomicU64,
    /// TCP connections refused because there were too many.
    pub connections_refused: AtomicU64,
    /// TCP connections closed because what came was not SIP, too slow or too long.
    pub connections_broken: AtomicU64,
    /// Traces dropped because nobody took them.
    pub traces_dropped: AtomicU64,
    /// Inputs on which the endpoint panicked; the rest of it went on.
    pub panics: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
