//! The one place of the media plane that reads the clock. Everything below takes the time as an argument.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The monotonic time.
#[expect(
    clippy::disallowed_methods,
    reason = "the media threads are drivers: time enters here and is handed on"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Seconds from 1900 to 1970, where NTP and Unix count from.
const NTP_OFFSET: u64 = 2_208_988_800;

/// Wall time as RTCP's 64-bit NTP timestamp (RFC 3550 section 4), read once per thread and carried on
/// monotonically, so that a moved clock never spoils a round-trip time.
#[expect(clippy::disallowed_methods, reason = "sender reports carry wall time; read once at thread start")]
pub(super) fn ntp_now() -> u64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
    (unix.as_secs().wrapping_add(NTP_OFFSET) << 32) | fraction
}
