//! Session descriptions (RFC 4566/8866, RFC 3264): what the peer can hear and speak, and what we answer.
//!
//! A pre-filter keeps only lines we understand and sets foreign media aside (answered with port 0), so that a fax or
//! video line, or one odd attribute, never costs the call. ezk-sdp-types reads what is left.

mod parse;
mod prefilter;
mod print;
mod words;

use std::net::SocketAddr;

pub use parse::{RemoteSession, parse};
pub use print::LocalSession;
pub use words::words;

/// Why a session description cannot be used. The SIP answer is 488, except for `TooLarge` and `Malformed` (400).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdpRefusal {
    /// More than [`MAX_BODY`] bytes, [`MAX_LINES`] lines or [`MAX_MEDIA`] media lines.
    #[error("the session description is too large")]
    TooLarge,
    /// Not a session description.
    #[error("the session description cannot be read")]
    Malformed,
    /// No audio line over RTP/AVP with an address and PCMU or PCMA.
    #[error("nothing in the session description fits")]
    NothingFits,
    /// The one that would fit has a host name for an address (RFC 8866 section 5.7), which is not looked up: whoever is called
    /// could have this machine send to anybody.
    #[error("the media address (c=) is a host name, which is not looked up: an IP address would do")]
    HostName,
}

impl SdpRefusal {
    /// The SIP answer to an offer refused so.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            SdpRefusal::TooLarge | SdpRefusal::Malformed => 400,
            SdpRefusal::NothingFits | SdpRefusal::HostName => 488,
        }
    }
}

/// Longest description read, bytes.
pub const MAX_BODY: usize = 16 * 1024;
/// Most lines read.
pub const MAX_LINES: usize = 400;
/// Most m= lines read; each is answered.
pub const MAX_MEDIA: usize = 16;

/// An audio coding both sides may use, 8 kHz mono.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodecName {
    /// G.711 mu-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
}

impl CodecName {
    /// The encoding name of an rtpmap.
    #[must_use]
    pub fn encoding(self) -> &'static str {
        match self {
            CodecName::Pcmu => "PCMU",
            CodecName::Pcma => "PCMA",
        }
    }

    /// The static payload type (RFC 3551).
    #[must_use]
    pub fn static_payload_type(self) -> u8 {
        match self {
            CodecName::Pcmu => 0,
            CodecName::Pcma => 8,
        }
    }
}

/// A coding and the payload type it goes by in this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Codec {
    /// Which coding.
    pub name: CodecName,
    /// Its RTP payload type, 0 to 127.
    pub pt: u8,
}

/// Who may send, seen from the side that wrote the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MediaDirection {
    /// Both.
    #[default]
    SendRecv,
    /// The writer only: the other side is on hold.
    SendOnly,
    /// The other side only.
    RecvOnly,
    /// Nobody.
    Inactive,
}

impl MediaDirection {
    /// True if the writer wants to receive.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, MediaDirection::SendRecv | MediaDirection::RecvOnly)
    }

    /// True if the writer may send.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, MediaDirection::SendRecv | MediaDirection::SendOnly)
    }

    /// What an answerer who is willing to do `self` says to an offer of `offered` (RFC 3264 section 6.1).
    #[must_use]
    pub fn answering(self, offered: MediaDirection) -> MediaDirection {
        match (self.sends() && offered.receives(), self.receives() && offered.sends()) {
            (true, true) => MediaDirection::SendRecv,
            (true, false) => MediaDirection::SendOnly,
            (false, true) => MediaDirection::RecvOnly,
            (false, false) => MediaDirection::Inactive,
        }
    }
}

/// The one audio stream of a peer's offer or answer that we use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaOffer {
    /// Where the peer says it listens. It may be behind NAT: media latches on what really arrives. The IP is
    /// unspecified (0.0.0.0) for an old-style hold.
    pub addr: SocketAddr,
    /// Where the peer wants RTCP, if it said so; otherwise `addr`'s port plus one.
    pub rtcp: Option<SocketAddr>,
    /// Codings we share, in the peer's order of preference; never empty.
    pub codecs: Vec<Codec>,
    /// Payload type of telephone-event/8000 (RFC 4733), if it offers that.
    pub telephone_event: Option<u8>,
    /// Milliseconds of audio per packet, if it said so, 10 to 60.
    pub ptime: Option<u8>,
    /// Who may send, as the peer sees it. `c=0.0.0.0` turns sendrecv into sendonly.
    pub direction: MediaDirection,
}

impl MediaOffer {
    /// True if the peer wants to hear us.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.direction.receives() && !self.addr.ip().is_unspecified()
    }
}
