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

    /// A moment as somebody asks for it: RFC 3339; without a zone, which is UTC then; or a day, which is its beginning. What is
    /// past the ends of time (`9999-12-31` is, and stands for no end) is the end. None when it is nothing of that.
    #[must_use]
    pub fn asked(text: &str) -> Option<Timestamp> {
        if let Ok(exact) = text.parse() {
            return Some(exact);
        }
        // What is read from here on has no named zone (RFC 9557): it would be passed over.
        if text.contains('[') {
            return None;
        }
        let civil = text.strip_suffix(['Z', 'z']).unwrap_or(text);
        let civil: jiff::civil::DateTime = civil.parse().ok()?;
        let end = if civil.year() > 0 { jiff::Timestamp::MAX } else { jiff::Timestamp::MIN };
        Some(Timestamp(jiff::tz::Offset::UTC.to_timestamp(civil).unwrap_or(end)))
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
    fn a_moment_is_asked_for_with_a_zone_or_without_and_to_the_ends_of_time() {
        let asked = |text| Timestamp::asked(text).map(|asked| asked.to_string());
        for (text, meant) in [
            ("2026-11-30T04:10:00Z", "2026-11-30T04:10:00Z"),
            ("2026-11-30T04:10:00+07:00", "2026-11-29T21:10:00Z"),
            ("2026-11-30T04:10:00", "2026-11-30T04:10:00Z"),
            ("2026-11-30", "2026-11-30T00:00:00Z"),
            ("0001-01-01", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(asked(text).as_deref(), Some(meant), "{text}");
        }
        let latest = Timestamp(jiff::Timestamp::MAX);
        for far in ["9999-12-31", "9999-12-31T23:59:59", "9999-12-31T23:59:59.999999Z"] {
            assert_eq!(Timestamp::asked(far), Some(latest), "{far}");
        }
        for no in
            ["", "yesterday", "2026-13-01", "2026-11-30T25:00:00", "2026-11-30T04:10:00[Asia/Phnom_Penh]"]
        {
            assert_eq!(Timestamp::asked(no), None, "{no}");
        }
    }

    #[test]
    fn durations_are_never_negative() {
        let (early, late) = (Timestamp::from_micros(1), Timestamp::from_micros(5));
        assert_eq!(late.since(early).as_micros(), 4);
        assert_eq!(early.since(late).as_micros(), 0);
    }
}
