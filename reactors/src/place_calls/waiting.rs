//! How long queued calls have waited: by when they were queued at first sight, and from there on by what has passed. A clock
//! that is set makes no call wait longer.

use domain::{Clock, Sid, Timestamp};
use parking_lot::Mutex;
use std::{collections::HashMap, time::Duration};

/// Most calls remembered; further ones wait by the wall clock.
const MAX_REMEMBERED: usize = 50_000;

/// The calls that were seen waiting and not placed.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<Sid, Seen>>);

/// When a call was first seen, as the clock's `elapsed` says, and how long it had waited then.
#[derive(Clone, Copy)]
struct Seen {
    at: Duration,
    age: Duration,
}

impl Waiting {
    /// How long the call has waited that was queued at `since`.
    pub fn age(&self, call: &Sid, since: Timestamp, clock: &dyn Clock) -> Duration {
        let seen = Seen { at: clock.elapsed(), age: clock.now().since(since) };
        let mut waiting = self.0.lock();
        let first = match waiting.get(call) {
            Some(first) => *first,
            None if waiting.len() < MAX_REMEMBERED => *waiting.entry(call.clone()).or_insert(seen),
            None => seen,
        };
        first.age + seen.at.saturating_sub(first.at)
    }

    /// The call waits no more.
    pub fn over(&self, call: &Sid) {
        self.0.lock().remove(call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::new_sid;
    use domain::Kind;

    /// A wall clock beside what has passed, both in seconds.
    struct Two(u64, u64);

    impl Clock for Two {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(0).plus(Duration::from_secs(self.0))
        }

        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.1)
        }
    }

    #[test]
    fn a_clock_that_is_set_makes_no_call_wait_longer() {
        let (waiting, call) = (Waiting::default(), new_sid(Kind::Call));
        let queued = Timestamp::from_micros(0).plus(Duration::from_secs(1_000));
        let age = |clock| waiting.age(&call, queued, &clock).as_secs();
        assert_eq!(age(Two(1_003, 50)), 3, "by when it was queued, were it by another process");
        assert_eq!(age(Two(4_600, 57)), 10);
        assert_eq!(age(Two(0, 60)), 13);
        waiting.over(&call);
        assert_eq!(age(Two(1_020, 67)), 20);
    }
}
