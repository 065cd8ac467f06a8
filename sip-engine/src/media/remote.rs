//! What signalling knows about the other end of a leg.

use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// Packet durations we accept; others are moved to the nearest of these bounds (RFC 3551 allows any).
pub const PTIME_RANGE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(60));

/// The two companding laws of G.711, both 8 kHz and one byte per sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// mu-law, static payload type 0.
    Pcmu,
    /// A-law, static payload type 8.
    Pcma,
}

impl Codec {
    /// The name used in SDP's rtpmap.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// The payload type RFC 3551 gives it.
    #[must_use]
    pub fn static_payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    /// The byte that decodes to silence.
    #[must_use]
    pub fn silence(self) -> u8 {
        match self {
            Codec::Pcmu => 0xff,
            Codec::Pcma => 0xd5,
        }
    }
}

/// Which way media flows, seen from us. When the peer says `sendonly` (it holds us), we are `ReceiveOnly`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendReceive,
    /// We send; what arrives is dropped.
    SendOnly,
    /// We receive and send nothing.
    ReceiveOnly,
    /// Neither; the ports stay ours.
    Inactive,
}

impl Direction {
    /// Whether we may send.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendReceive | Direction::SendOnly)
    }

    /// Whether we take in what arrives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendReceive | Direction::ReceiveOnly)
    }
}

/// The result of an offer and answer, for [`Leg::configure`](super::Leg::configure).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The RTP address in the peer's SDP. `0.0.0.0` or port 0 means nothing is sent before latching.
    pub rtp: SocketAddr,
    /// Nothing may be sent there, nor is anything believed to come from there: it leads into our own network, or to us.
    pub forbidden: bool,
    /// The RTCP address (RFC 3605); `None` means the port after RTP's.
    pub rtcp: Option<SocketAddr>,
    /// Where the peer's SIP message came from: second choice when the SDP address is a private one.
    pub sip_source: Option<IpAddr>,
    /// Networks of the trunk's gateways whose media comes from elsewhere than they say; they are heard, and sent to.
    pub media_networks: Vec<IpNet>,
    /// The peer listens where it says and sends from elsewhere: what we send never follows what it sends.
    pub asymmetric: bool,
    /// What we send, and what we expect to receive (the other law is understood as well).
    pub codec: Codec,
    /// Payload type of `codec` in what we send.
    pub payload_type: u8,
    /// Payload type of RFC 4733 telephone-event in what we send; `None` when not negotiated.
    pub telephone_event: Option<u8>,
    /// Payload type of telephone-event in our own SDP, when it differs from `telephone_event`.
    pub receive_telephone_event: Option<u8>,
    /// Audio per packet we send, 10 to 60 ms.
    pub ptime: Duration,
    /// Which way media flows.
    pub direction: Direction,
}

impl Remote {
    /// A peer at `rtp` with the static payload type, telephone-event 101, 20 ms, both ways.
    #[must_use]
    pub fn new(rtp: SocketAddr, codec: Codec) -> Self {
        Self {
            rtp,
            forbidden: false,
            rtcp: None,
            sip_source: None,
            media_networks: Vec::new(),
            asymmetric: false,
            codec,
            payload_type: codec.static_payload_type(),
            telephone_event: Some(101),
            receive_telephone_event: None,
            ptime: Duration::from_millis(20),
            direction: Direction::SendReceive,
        }
    }

    /// Milliseconds per packet, inside [`PTIME_RANGE`] and a multiple of ten.
    #[must_use]
    pub fn ptime_ms(&self) -> u64 {
        let wanted = self.ptime.clamp(PTIME_RANGE.0, PTIME_RANGE.1);
        let milliseconds = u64::try_from(wanted.as_millis()).unwrap_or(20);
        milliseconds / 10 * 10
    }
}
