//! What takes longer each time it fails: guesses at one person's password or code, wherever they come from.

use super::remembered::Remembered;
use domain::Clock;
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// After so long without a failure they are forgotten.
const FORGET: Duration = Duration::from_secs(24 * 3600);
/// Longest anybody waits for a turn; a request may take longer.
const LONGEST: Duration = Duration::from_secs(20);

/// How waiting grows: nothing for the first `free` failures, then `first`, twice as long each time, at most `most`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    pub free: u32,
    pub first: Duration,
    pub most: Duration,
}

/// Tries by key, each of which counts as failed from its beginning: of many at once each finds those before it counted.
#[derive(Clone)]
pub(crate) struct Growing {
    growth: Growth,
    clock: Arc<dyn Clock>,
    tries: Arc<Mutex<Remembered<Tries>>>,
}

/// What there was of one key; times as the clock's `elapsed` says.
#[derive(Clone, Copy)]
struct Tries {
    /// Failures in a row, and those of which nobody knows yet.
    failed: u32,
    last: Duration,
    /// When the last that had to wait had its turn.
    turn: Duration,
}

impl Growing {
    pub(crate) fn new(growth: Growth, clock: Arc<dyn Clock>) -> Growing {
        Growing { growth, clock, tries: Arc::default() }
    }

    /// Leave for a try right now.
    ///
    /// # Errors
    /// How long until one is let; this one does not count.
    pub(crate) fn begin(&self, key: &str) -> Result<(), Duration> {
        let (now, mut tries) = (self.clock.elapsed(), self.tries.lock());
        let before = find(&tries, key, now);
        let wait = self.penalty(before.failed).saturating_sub(now.saturating_sub(before.last));
        if !wait.is_zero() {
            return Err(wait);
        }
        tries.keep(key, Tries { failed: before.failed.saturating_add(1), last: now, ..before });
        Ok(())
    }

    /// Leave for a try after this time. Those that wait come one after the other, as far apart as the shortest wait.
    ///
    /// # Errors
    /// How long it would be, when that is more than [`LONGEST`]; this one does not count.
    pub(crate) fn queue(&self, key: &str) -> Result<Duration, Duration> {
        let (now, mut tries) = (self.clock.elapsed(), self.tries.lock());
        let before = find(&tries, key, now);
        let penalty = self.penalty(before.failed);
        let behind = (now + penalty).max(before.turn + self.growth.first);
        let turn = if penalty.is_zero() { now } else { behind };
        let wait = turn.saturating_sub(now);
        if wait > LONGEST {
            return Err(wait);
        }
        tries.keep(key, Tries { failed: before.failed.saturating_add(1), last: now, turn });
        Ok(wait)
    }

    /// A try was right: all is forgotten.
    pub(crate) fn succeeded(&self, key: &str) {
        self.tries.lock().forget(key);
    }

    /// How long it takes after so many failures.
    fn penalty(&self, failed: u32) -> Duration {
        match failed.saturating_sub(self.growth.free) {
            0 => Duration::ZERO,
            beyond => self.growth.first.saturating_mul(1 << (beyond - 1).min(20)).min(self.growth.most),
        }
    }
}

/// What there was by now.
fn find(tries: &Remembered<Tries>, key: &str, now: Duration) -> Tries {
    let known = tries.find(key).filter(|known| now.saturating_sub(known.last) < FORGET);
    known.unwrap_or(Tries { failed: 0, last: now, turn: Duration::ZERO })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    struct Hand(Mutex<Timestamp>);
    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            *self.0.lock()
        }
    }

    fn seconds(seconds: u64) -> Timestamp {
        Timestamp::from_micros(0).plus(Duration::from_secs(seconds))
    }

    fn growing() -> (Arc<Hand>, Growing) {
        let hand = Arc::new(Hand(Mutex::new(seconds(0))));
        let (first, most) = (Duration::from_secs(1), Duration::from_secs(5));
        (hand.clone(), Growing::new(Growth { free: 2, first, most }, hand))
    }

    #[test]
    fn guessing_takes_longer_each_time_up_to_a_limit_and_is_forgotten_in_a_day() {
        let (hand, growing) = growing();
        let (mut at, mut waits) = (0, Vec::new());
        for _ in 0..6 {
            let wait = growing.begin("a").err().unwrap_or_default().as_secs();
            at += wait;
            *hand.0.lock() = seconds(at);
            waits.push(wait);
            if wait > 0 {
                growing.begin("a").unwrap();
            }
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4]);
        assert_eq!(growing.begin("b"), Ok(()), "others wait for nobody");
        assert_eq!(growing.begin("a"), Err(Duration::from_secs(5)));
        *hand.0.lock() = seconds(at + 2);
        assert_eq!(growing.begin("a"), Err(Duration::from_secs(3)));
        *hand.0.lock() = seconds(at).plus(FORGET);
        assert_eq!([growing.begin("a"), growing.begin("a")], [Ok(()), Ok(())], "it begins anew");
        growing.succeeded("a");
        assert_eq!(growing.begin("a"), Ok(()));
    }

    #[test]
    fn of_guesses_that_come_all_at_once_no_more_are_let_than_one_by_one() {
        let (_, growing) = growing();
        let let_in = (0..1_000).filter(|_| growing.begin("a").is_ok()).count();
        assert_eq!(let_in, 3);
    }

    #[test]
    fn tries_that_have_to_wait_come_one_after_the_other_and_only_so_many_wait() {
        let (hand, growing) = growing();
        let queue = || growing.queue("a").map(|wait| wait.as_secs()).map_err(|wait| wait.as_secs());
        let waits: Vec<_> = (0..30).map(|_| queue()).collect();
        let turns: Vec<u64> = waits.iter().filter_map(|wait| wait.ok()).collect();
        assert_eq!(turns, [[0, 0, 0, 1, 2, 4].as_slice(), &(5..=20).collect::<Vec<_>>()].concat());
        assert_eq!(waits.last(), Some(&Err(21)), "what is not let does not count");
        *hand.0.lock() = seconds(10);
        assert_eq!(queue(), Ok(11));
    }
}
