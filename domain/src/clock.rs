//! Time and chance, handed in: the only two things a rule may not come up with by itself.

use crate::Timestamp;
use uuid::Uuid;

/// Tells the time. The composition root hands in the system's; tests hand in one they move.
pub trait Clock: Send + Sync {
    /// The time now, in UTC, to the microsecond.
    fn now(&self) -> Timestamp;
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
