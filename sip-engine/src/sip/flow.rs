//! Names for the two things every other type speaks of: a leg of a call, and the path its messages travel.

use std::fmt;
use std::net::SocketAddr;

/// The transports we speak (RFC 3261 section 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams: transactions repeat themselves until they are answered.
    Udp,
    /// Streams: framed by Content-Length, nothing is repeated but the 2xx.
    Tcp,
}

impl Transport {
    /// The token of a Via header.
    #[must_use]
    pub fn via_token(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        }
    }

    /// True where the transport itself repeats what is lost.
    #[must_use]
    pub fn is_reliable(self) -> bool {
        self == Transport::Tcp
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.via_token())
    }
}

/// One TCP connection of this process; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// The path a message came by or must leave by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flow {
    /// UDP or TCP.
    pub transport: Transport,
    /// The other side's address as the socket saw it.
    pub peer: SocketAddr,
    /// Our own address on this path, before `advertise` replaces its IP.
    pub local: SocketAddr,
    /// The TCP connection; `None` for UDP, and for a TCP peer still to be connected to.
    pub connection: Option<ConnectionId>,
}

const INBOUND: u64 = 1 << 63;

/// One leg of a call: an INVITE, its dialog and everything said inside it.
///
/// Legs we place are named by the caller with [`LegKey::outbound`]; legs that arrive are named by the endpoint. The two
/// never meet, and neither is used twice within a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegKey(u64);

impl LegKey {
    /// The name of a leg we place; `number` counts up from anything below 2^63.
    #[must_use]
    pub fn outbound(number: u64) -> LegKey {
        LegKey(number & !INBOUND)
    }

    pub(crate) fn inbound(number: u64) -> LegKey {
        LegKey(number | INBOUND)
    }

    /// True for a leg that arrived here.
    #[must_use]
    pub fn is_inbound(self) -> bool {
        self.0 & INBOUND != 0
    }
}

impl fmt::Display for LegKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_inbound() { "in-" } else { "out-" }, self.0 & !INBOUND)
    }
}
