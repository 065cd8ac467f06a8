//! What is said of a trouble that lasts: one line in a while, instead of one for each try.

use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// How often it is said at most.
const EVERY: Duration = Duration::from_secs(10);

/// When it was said last.
pub(crate) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    /// It was not said yet.
    pub const fn new() -> Seldom {
        Seldom(Mutex::new(None))
    }

    /// Whether it is to be said now; then it is taken to be.
    pub fn is_due(&self) -> bool {
        self.is_due_at(Instant::now())
    }

    fn is_due_at(&self, now: Instant) -> bool {
        let mut said = self.0.lock();
        let is_due = said.is_none_or(|said| now.duration_since(said) >= EVERY);
        if is_due {
            *said = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_that_lasts_is_said_once_in_a_while() {
        let (seldom, began) = (Seldom::new(), Instant::now());
        let due = [0, 1, 9, 10, 11, 25].map(|second| seldom.is_due_at(began + Duration::from_secs(second)));
        assert_eq!(due, [true, false, false, true, false, true]);
    }
}
