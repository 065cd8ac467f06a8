//! Why the media plane says no.

use std::{io, ops::RangeInclusive};

/// Refusals of the media plane.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// Every pair of the range is in use or resting.
    #[error(
        "no RTP port is free in {range:?}: {in_use} pairs in use, {quarantined} resting after a call; widen rtp.ports"
    )]
    PortsExhausted {
        /// The configured range.
        range: RangeInclusive<u16>,
        /// Pairs that legs hold now.
        in_use: usize,
        /// Pairs in quarantine.
        quarantined: usize,
    },
    /// The system refused a socket.
    #[error("the RTP sockets could not be opened: {0}")]
    Socket(#[from] io::Error),
    /// The thread has more than [`INBOX_LIMIT`](super::INBOX_LIMIT) commands waiting.
    #[error("the media thread is overloaded")]
    Overloaded,
    /// The media plane was shut down.
    #[error("the media plane is shut down")]
    Stopped,
    /// Legs can be bridged only when they were opened with the same group key.
    #[error("the two legs were not opened with the same group key")]
    DifferentGroups,
}
