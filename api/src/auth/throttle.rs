//! Token buckets: how often someone may try. Per process; several nodes allow as many times more.

use super::remembered::Remembered;
use domain::Clock;
use parking_lot::Mutex;
use std::{net::IpAddr, sync::Arc, time::Duration};

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
    buckets: Arc<Mutex<Remembered<Bucket>>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    /// As the clock's `elapsed` says.
    seen: Duration,
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
        let now = self.clock.elapsed();
        let mut buckets = self.buckets.lock();
        let tokens =
            buckets.find(key).map_or(f64::from(self.rate.burst), |bucket| self.refilled(bucket, now));
        let verdict = if tokens >= 1.0 { Ok(()) } else { Err(self.rate.refill.mul_f64(1.0 - tokens)) };
        let left = if verdict.is_ok() { tokens - 1.0 } else { tokens };
        buckets.keep(key, Bucket { tokens: left, seen: now });
        verdict
    }

    fn refilled(&self, bucket: Bucket, now: Duration) -> f64 {
        let more = now.saturating_sub(bucket.seen).as_secs_f64() / self.rate.refill.as_secs_f64();
        (bucket.tokens + more).min(f64::from(self.rate.burst))
    }
}

/// What tells addresses apart: the whole of IPv4, of IPv6 the /64, which one subscriber has whole.
pub(crate) fn by_address(ip: Option<IpAddr>) -> String {
    match ip.map(|ip| ip.to_canonical()) {
        Some(IpAddr::V6(ip)) => ip.segments().iter().take(4).map(|segment| format!("{segment:x}:")).collect(),
        Some(ip) => ip.to_string(),
        None => "unknown".to_owned(),
    }
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

    #[test]
    fn tokens_come_back_with_time_and_belong_to_one_key() {
        let hand = Arc::new(Hand(Mutex::new(Timestamp::from_micros(0))));
        let throttle = Throttle::new(Rate { burst: 2, refill: Duration::from_secs(10) }, hand.clone());
        assert!(throttle.take("a").is_ok() && throttle.take("a").is_ok());
        assert_eq!(throttle.take("a"), Err(Duration::from_secs(10)));
        assert!(throttle.take("b").is_ok());
        *hand.0.lock() = Timestamp::from_micros(10_000_000);
        assert!(throttle.take("a").is_ok());
        assert!(throttle.take("a").is_err());
    }

    #[test]
    fn an_ipv6_subscriber_is_one_address() {
        let name = |text: &str| by_address(text.parse().ok());
        assert_eq!(name("2001:db8:1:2::1"), name("2001:db8:1:2:ffff::9"));
        assert_ne!(name("2001:db8:1:2::1"), name("2001:db8:1:3::1"));
        assert_eq!(name("::ffff:192.0.2.1"), name("192.0.2.1"));
    }
}
