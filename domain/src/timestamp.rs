//! A moment in UTC, to the microsecond, in the two spellings our surfaces use.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A moment in UTC. In events and the Carrier API RFC 3339, on Twilio's surface RFC 2822.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z; out-of-range values are clamped.
    #[must_use]
    pub fn from_micros(micros: i64) -> Timestamp {
        let clamped = jiff::Timestamp::from_microsecond(micros);
        Timestamp(clamped.unwrap_or(if micros < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX }))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// `Tue, 31 Aug 2010 20:36:28 +0000`, as Twilio's 2010-04-01 API writes dates.
    #[must_use]
    pub fn rfc2822(self) -> String {
        self.0.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
    }

    /// `2010-08-31`, the UTC day.
    #[must_use]
    pub fn date(self) -> String {
        self.0.strftime("%Y-%m-%d").to_string()
    }

    /// Whether a day in UTC begins at this moment.
    #[must_use]
    pub fn is_midnight(self) -> bool {
        self.micros().rem_euclid(24 * 3600 * 1_000_000) == 0
    }

    /// This moment moved by `by`; clamped at the ends of time.
    #[must_use]
    pub fn plus(self, by: std::time::Duration) -> Timestamp {
        Timestamp::from_micros(
            self.micros().saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// Time from `earlier` to this moment; zero when it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> std::time::Duration {
        let micros = self.micros().saturating_sub(earlier.micros());
        std::time::Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;
    fn from_str(text: &str) -> Result<Timestamp, jiff::Error> {
        text.parse().map(Timestamp)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_the_vendors() {
        let moment: Timestamp = "2010-08-31T20:36:28Z".parse().unwrap();
        assert_eq!(moment.rfc2822(), "Tue, 31 Aug 2010 20:36:28 +0000");
        assert_eq!(moment.to_string(), "2010-08-31T20:36:28Z");
        assert_eq!(moment.date(), "2010-08-31");
    }

    #[test]
    fn durations_are_never_negative() {
        let (early, late) = (Timestamp::from_micros(1), Timestamp::from_micros(5));
        assert_eq!(late.since(early).as_micros(), 4);
        assert_eq!(early.since(late).as_micros(), 0);
    }
}
