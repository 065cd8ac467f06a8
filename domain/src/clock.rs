//! Time and chance, handed in: the only two things a rule may not come up with by itself.

use crate::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// Tells the time. The composition root hands in the system's; tests hand in one they move.
pub trait Clock: Send + Sync {
    /// The time now, in UTC, to the microsecond.
    fn now(&self) -> Timestamp;

    /// What has passed since a moment of the clock's own that never moves: no step of the wall clock changes it. Whatever
    /// is billed, timed out or waited for is measured by this. By itself it follows `now`, as for clocks moved by hand.
    fn elapsed(&self) -> Duration {
        self.now().since(Timestamp::from_micros(0))
    }
}

/// A time of one's own: set by the wall clock once, and carried on by what has passed. Moments told by it lie as far apart
/// as they really did. Each call has one.
#[derive(Clone, Copy, Debug)]
pub struct Steady {
    began: Timestamp,
    at: Duration,
}

impl Steady {
    /// A time that begins with the clock's.
    #[must_use]
    pub fn begin(clock: &dyn Clock) -> Steady {
        Steady { began: clock.now(), at: clock.elapsed() }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self, clock: &dyn Clock) -> Timestamp {
        self.began.plus(clock.elapsed().saturating_sub(self.at))
    }
}

/// Makes identifiers and secrets. The composition root hands in the operating system's generator.
pub trait Ids: Send + Sync {
    /// A new UUIDv7 (RFC 9562 section 5.7): unique, and ordered by the time it was made.
    fn uuid(&self) -> Uuid;

    /// Fills `bytes` with cryptographically random ones.
    fn fill(&self, bytes: &mut [u8]);

    /// A random token of 32 lower-case hex digits (128 bits), the format of Twilio's auth tokens.
    fn token(&self) -> String {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wall clock beside what has passed.
    struct Two(Timestamp, Duration);

    impl Clock for Two {
        fn now(&self) -> Timestamp {
            self.0
        }

        fn elapsed(&self) -> Duration {
            self.1
        }
    }

    #[test]
    fn a_step_of_the_wall_clock_moves_no_time_of_ones_own() {
        let noon = Timestamp::from_micros(43_200_000_000);
        let steady = Steady::begin(&Two(noon, Duration::from_secs(7)));
        for wall in [noon.plus(Duration::from_secs(3_602)), Timestamp::from_micros(0)] {
            let later = Two(wall, Duration::from_secs(9));
            assert_eq!(steady.now(&later), noon.plus(Duration::from_secs(2)));
        }
    }
}
