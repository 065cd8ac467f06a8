//! What has been read and what of it is still under way: the checkpoint may only pass what is done.

use parking_lot::Mutex;
use std::collections::BTreeSet;
use tokio::sync::Notify;

/// Positions under way.
#[derive(Default)]
pub(super) struct Flight {
    inner: Mutex<Inner>,
    ended: Notify,
}

#[derive(Default)]
struct Inner {
    under_way: BTreeSet<i64>,
    read: i64,
    saved: i64,
}

impl Flight {
    /// The fact at this position is being acted on.
    pub fn begin(&self, position: i64) {
        self.inner.lock().under_way.insert(position);
    }

    /// It has been.
    pub fn end(&self, position: i64) {
        self.inner.lock().under_way.remove(&position);
        self.ended.notify_waiters();
    }

    /// Everything up to this position has been read.
    pub fn read(&self, position: i64) {
        let mut inner = self.inner.lock();
        inner.read = inner.read.max(position);
    }

    /// The position everything up to which has been read.
    pub fn position(&self) -> i64 {
        self.inner.lock().read
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.inner.lock().under_way.len()
    }

    /// Waits until none is under way.
    pub async fn landed(&self) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.len() == 0 {
                return;
            }
            ended.await;
        }
    }

    /// The position everything up to which is done, when that is news. What is left aside from `parked` on is not.
    pub fn unsaved(&self, parked: Option<i64>) -> Option<i64> {
        let inner = self.inner.lock();
        let next = inner.under_way.first().copied().into_iter().chain(parked).min();
        let done = next.map_or(inner.read, |next| next - 1);
        (done > inner.saved).then_some(done)
    }

    /// It is stored.
    pub fn saved(&self, position: i64) {
        self.inner.lock().saved = position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkpoint_waits_for_the_slowest() {
        let flight = Flight::default();
        flight.begin(3);
        flight.begin(5);
        flight.read(9);
        assert_eq!(flight.unsaved(None), Some(2));
        flight.saved(2);
        flight.end(5);
        assert_eq!(flight.unsaved(None), None);
        flight.end(3);
        assert_eq!(flight.unsaved(Some(7)), Some(6));
        assert_eq!(flight.unsaved(None), Some(9));
    }
}
