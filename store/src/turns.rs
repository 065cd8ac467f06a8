//! Who may change a stream next: in this process one command after another, in the order they came, so that none is
//! decided on what another is about to change.

use domain::Sid;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

type Gates = HashMap<Sid, Arc<Gate<()>>>;

/// The streams that somebody changes, or waits to change.
#[derive(Default)]
pub(crate) struct Turns(Mutex<Gates>);

/// The turn at one stream, until it is dropped.
pub struct Turn<'t> {
    // Given up in this order: the gate is open before its place is taken away.
    _open: OwnedMutexGuard<()>,
    _place: Place<'t>,
}

/// A place in a stream's line; the last one to leave takes the gate away.
struct Place<'t> {
    turns: &'t Turns,
    stream: Sid,
    gate: Option<Arc<Gate<()>>>,
}

impl Turns {
    /// Waits for its turn at the stream.
    pub async fn take(&self, stream: &Sid) -> Turn<'_> {
        let gate = self.0.lock().entry(stream.clone()).or_default().clone();
        let _place = Place { turns: self, stream: stream.clone(), gate: Some(gate.clone()) };
        let _open = gate.lock_owned().await;
        Turn { _open, _place }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut gates = self.turns.0.lock();
        drop(self.gate.take());
        if gates.get(&self.stream).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            gates.remove(&self.stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;
    use futures_util::FutureExt;

    fn stream(number: u128) -> Sid {
        Sid::from_uuid(Kind::Call, uuid::Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn a_stream_has_one_turn_at_a_time_and_others_do_not_wait_for_it() {
        let turns = Turns::default();
        let first = turns.take(&stream(1)).await;
        assert!(turns.take(&stream(1)).now_or_never().is_none());
        assert!(turns.take(&stream(2)).now_or_never().is_some());
        drop(first);
        assert!(turns.take(&stream(1)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_waited_first_is_next_and_nothing_stays_behind() {
        let (turns, stream) = (Turns::default(), stream(1));
        let first = turns.take(&stream).await;
        let (mut second, mut third) = (Box::pin(turns.take(&stream)), Box::pin(turns.take(&stream)));
        assert!(second.as_mut().now_or_never().is_none() && third.as_mut().now_or_never().is_none());
        drop(first);
        assert!(third.as_mut().now_or_never().is_none());
        // Who goes away without having had its turn leaves its place to the next.
        drop(second);
        drop(third.await);
        assert!(turns.0.lock().is_empty());
    }
}
