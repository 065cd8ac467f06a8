//! Time and chance for production: the system's clock and the operating system's generator.

use domain::{Clock, Ids, Timestamp};
use ring::rand::{SecureRandom, SystemRandom};
use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time enters the product")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_micros(
            since_epoch.map_or(0, |past| i64::try_from(past.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    #[expect(clippy::disallowed_methods, reason = "this is where time enters the product")]
    fn elapsed(&self) -> Duration {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        FIRST.get_or_init(Instant::now).elapsed()
    }
}

/// The operating system's generator.
#[derive(Clone, Debug)]
pub struct RandomIds(SystemRandom);

impl Default for RandomIds {
    fn default() -> RandomIds {
        RandomIds(SystemRandom::new())
    }
}

impl Ids for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "this is where chance enters the product")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    /// # Panics
    /// When the operating system has no randomness to give: nothing safe can be done then.
    #[expect(clippy::expect_used, reason = "continuing with predictable keys would be worse than stopping")]
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("the operating system gives random bytes");
    }
}
