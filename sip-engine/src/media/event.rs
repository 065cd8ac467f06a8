//! What a leg reports while it lives.

use super::LegStatistics;
use std::net::SocketAddr;

/// One leg, unique for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(pub(super) u64);

impl std::fmt::Display for LegId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "leg-{}", self.0)
    }
}

/// Chosen by the caller of `play` or `send_digits` and given back when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlayToken(pub u64);

/// How a prompt or a string of digits ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayOutcome {
    /// Sent to its end.
    Completed,
    /// `stop_playing` ended it.
    Stopped,
    /// Another `play` or `send_digits` took its place.
    Replaced,
    /// The leg was closed first.
    LegClosed,
    /// The string is too long or holds something other than `0-9*#A-D`, `w` and `W`.
    Refused,
}

/// A fact about a leg. Each carries the leg, because the legs of a call may share a channel.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaEvent {
    /// The peer's real address is known; from now on only it is heard.
    Latched {
        /// Which leg.
        leg: LegId,
        /// The source we lock to and send to.
        address: SocketAddr,
    },
    /// A key went down that is told as telephone-event; its [`MediaEvent::Digit`] follows when it is let go, or no more is
    /// heard of it.
    KeyDown {
        /// Which leg.
        leg: LegId,
    },
    /// A key pressed by the peer, once per press, whether it came as telephone-event, as tones or by
    /// [`Leg::pressed`](super::Leg::pressed).
    Digit {
        /// Which leg.
        leg: LegId,
        /// `0-9`, `*`, `#`, `A-D`.
        digit: char,
        /// How long the key was down, as far as we heard it.
        duration_ms: u32,
    },
    /// A key is to be told to the peer by signalling, because that is how it tells its own.
    ToSignal {
        /// Which leg.
        leg: LegId,
        /// `0-9`, `*`, `#`, `A-D`.
        digit: char,
    },
    /// What `play` started is over.
    PlayFinished {
        /// Which leg.
        leg: LegId,
        /// As given to `play`.
        token: PlayToken,
        /// How it ended.
        outcome: PlayOutcome,
    },
    /// What `send_digits` started is over.
    DigitsSent {
        /// Which leg.
        leg: LegId,
        /// As given to `send_digits`.
        token: PlayToken,
        /// How it ended.
        outcome: PlayOutcome,
    },
    /// No RTP arrived for `MediaConfig::rtp_timeout`, or ten times that where none is expected. Said again after every
    /// such time without any.
    Silent {
        /// Which leg.
        leg: LegId,
    },
    /// The leg is gone and its ports are resting. Always the last event of a leg.
    Closed {
        /// Which leg.
        leg: LegId,
        /// Its final figures.
        statistics: LegStatistics,
    },
}
