//! Token buckets: how often someone may try. Per process; several nodes allow as many times more.

use domain::{Clock, Timestamp};
use std::{collections::HashMap, sync::Arc, sync::Mutex, time::Duration};

/// Most buckets kept; past it the fullest ones, whose owners lose nothing, are forgotten.
const MOST_BUCKETS: usize = 100_000;

/// How often: `burst` at once, then one more each `refill`.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// Time until one more.
    pub refill: Duration,
}

/// Buckets of one kind, by whatever tells callers apart.
#[derive(Clone)]
pub struct Throttle {
    rate: Rate,
    clock: Arc<dyn Clock>,
    buckets: Arc<Mutex<HashMap<String, Bucket>>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    seen: Timestamp,
}

impl Throttle {
    /// Buckets of this rate.
    #[must_use]
    pub fn new(rate: Rate, clock: Arc<dyn Clock>) -> Throttle {
        Throttle { rate, clock, buckets: Arc::default() }
    }

    /// Takes one token of `key`.
    ///
    /// # Errors
    /// When there is none; how long until there is.
    pub fn take(&self, key: &str) -> Result<(), Duration> {
        let now = self.clock.now();
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() >= MOST_BUCKETS && !buckets.contains_key(key) {
            self.forget(&mut buckets, now);
        }
        let tokens =
            buckets.get(key).map_or(f64::from(self.rate.burst), |bucket| self.refilled(*bucket, now));
        let verdict = if tokens >= 1.0 { Ok(()) } else { Err(self.rate.refill.mul_f64(1.0 - tokens)) };
        let left = if verdict.is_ok() { tokens - 1.0 } else { tokens };
        buckets.insert(key.to_owned(), Bucket { tokens: left, seen: now });
        verdict
    }

    fn refilled(&self, bucket: Bucket, now: Timestamp) -> f64 {
        let more = now.since(bucket.seen).as_secs_f64() / self.rate.refill.as_secs_f64();
        (bucket.tokens + more).min(f64::from(self.rate.burst))
    }

    fn forget(&self, buckets: &mut HashMap<String, Bucket>, now: Timestamp) {
        let full = f64::from(self.rate.burst);
        buckets.retain(|_, bucket| self.refilled(*bucket, now) < full);
        if buckets.len() >= MOST_BUCKETS {
            let fullest = full - 1.0;
            buckets.retain(|_, bucket| bucket.tokens < fullest);
        }
        if buckets.len() >= MOST_BUCKETS {
            buckets.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hand(Mutex<Timestamp>);
    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    #[test]
    fn tokens_come_back_with_time_and_belong_to_one_key() {
        let hand = Arc::new(Hand(Mutex::new(Timestamp::from_micros(0))));
        let throttle = Throttle::new(Rate { burst: 2, refill: Duration::from_secs(10) }, hand.clone());
        assert!(throttle.take("a").is_ok() && throttle.take("a").is_ok());
        assert_eq!(throttle.take("a"), Err(Duration::from_secs(10)));
        assert!(throttle.take("b").is_ok());
        *hand.0.lock().unwrap() = Timestamp::from_micros(10_000_000);
        assert!(throttle.take("a").is_ok());
        assert!(throttle.take("a").is_err());
    }
}
