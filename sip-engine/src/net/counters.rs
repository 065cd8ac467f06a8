//! What the sockets dropped and carried.

use crate::sip::Counts;
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
    /// TCP connections refused because there were too many, of their peer or in all.
    pub connections_refused: AtomicU64,
    /// Those of them whose peer had too many.
    pub connections_over_peer: AtomicU64,
    /// TCP connections closed because what came was not SIP, too slow or too long.
    pub connections_broken: AtomicU64,
    /// Traces dropped because nobody took them.
    pub traces_dropped: AtomicU64,
    /// Inputs on which the endpoint panicked; the rest of it went on.
    pub panics: AtomicU64,
    /// Messages that were not SIP, or could not be answered.
    pub malformed: AtomicU64,
    /// Responses of no transaction of ours.
    pub stray_responses: AtomicU64,
    /// Requests outside a call from somebody we only talk to because we called them.
    pub unknown_callers: AtomicU64,
    /// Requests refused with 503.
    pub overloaded: AtomicU64,
}

impl Counters {
    /// What the endpoint has dropped so far.
    pub(super) fn dropped(&self, counts: &Counts) {
        self.malformed.store(counts.malformed, Ordering::Relaxed);
        self.stray_responses.store(counts.stray_responses, Ordering::Relaxed);
        self.unknown_callers.store(counts.unknown_callers, Ordering::Relaxed);
        self.overloaded.store(counts.overloaded, Ordering::Relaxed);
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
