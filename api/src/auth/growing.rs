//! What takes longer each time it fails: guesses at one person's password or code, wherever they come from.

use super::remembered::Remembered;
use domain::Clock;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// After so long without a failure they are forgotten.
const FORGET: Duration = Duration::from_secs(24 * 3600);

/// How waiting grows: nothing for the first `free` failures, then `first`, twice as long each time, at most `most`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    pub free: u32,
    pub first: Duration,
    pub most: Duration,
}

/// Failures in a row and when the last was, as the clock's `elapsed` says, by key.
#[derive(Clone)]
pub(crate) struct Growing {
    growth: Growth,
    clock: Arc<dyn Clock>,
    failures: Arc<Mutex<Remembered<(u32, Duration)>>>,
}

impl Growing {
    pub(crate) fn new(growth: Growth, clock: Arc<dyn Clock>) -> Growing {
        Growing { growth, clock, failures: Arc::default() }
    }

    /// How long a next try takes, or has to keep off.
    pub(crate) fn penalty(&self, key: &str) -> Duration {
        let now = self.clock.elapsed();
        let failed = self.lock().find(key).filter(|(_, last)| now.saturating_sub(*last) < FORGET);
        let beyond = failed.map_or(0, |(failures, _)| failures.saturating_sub(self.growth.free));
        match beyond {
            0 => Duration::ZERO,
            beyond => self.growth.first.saturating_mul(1 << (beyond - 1).min(20)).min(self.growth.most),
        }
    }

    /// How long until a next try is let.
    pub(crate) fn keeps_off(&self, key: &str) -> Duration {
        let since = self.lock().find(key).map(|(_, last)| self.clock.elapsed().saturating_sub(last));
        since.map_or(Duration::ZERO, |since| self.penalty(key).saturating_sub(since))
    }

    pub(crate) fn failed(&self, key: &str) {
        let now = self.clock.elapsed();
        let mut failures = self.lock();
        let before = failures.find(key).filter(|(_, last)| now.saturating_sub(*last) < FORGET);
        failures.keep(key, (before.map_or(1, |(failures, _)| failures.saturating_add(1)), now));
    }

    pub(crate) fn succeeded(&self, key: &str) {
        self.lock().forget(key);
    }

    fn lock(&self) -> MutexGuard<'_, Remembered<(u32, Duration)>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    struct Hand(Mutex<Timestamp>);
    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    #[test]
    fn guessing_takes_longer_each_time_up_to_a_limit_and_is_forgotten_in_a_day() {
        let hand = Arc::new(Hand(Mutex::new(Timestamp::from_micros(0))));
        let (first, most) = (Duration::from_secs(1), Duration::from_secs(5));
        let growing = Growing::new(Growth { free: 2, first, most }, hand.clone());
        let penalties: Vec<u64> = (0..6)
            .map(|_| {
                growing.failed("a");
                growing.penalty("a").as_secs()
            })
            .collect();
        assert_eq!(penalties, [0, 0, 1, 2, 4, 5]);
        assert_eq!(growing.penalty("b"), Duration::ZERO);
        *hand.0.lock().unwrap() = Timestamp::from_micros(3_000_000);
        assert_eq!(growing.keeps_off("a"), Duration::from_secs(2));
        *hand.0.lock().unwrap() = Timestamp::from_micros(0).plus(FORGET);
        assert_eq!(growing.penalty("a"), Duration::ZERO);
        growing.failed("a");
        assert_eq!(growing.penalty("a"), Duration::ZERO, "it begins anew");
    }
}
