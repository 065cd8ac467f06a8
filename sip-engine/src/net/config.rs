//! What the sockets are told once, and their limits.

use crate::sip::EndpointConfig;
use std::net::SocketAddr;
use std::time::Duration;

/// What the sockets are told once.
#[derive(Debug, Clone)]
pub struct NetConfig {
    /// Addresses to listen on, each for UDP and TCP. Port 0 picks one that is free for both.
    pub listen: Vec<SocketAddr>,
    /// TCP connections one address, or one /64 of IPv6, may have.
    pub connections_per_peer: usize,
    /// TCP connections in all, at most.
    pub connections: usize,
    /// The endpoint's part. Its `known` is asked about every source before a byte is read.
    pub endpoint: EndpointConfig,
    /// 32 random bytes for branches, tags and Call-IDs.
    pub seed: [u8; 32],
}

/// Receive buffer asked of the kernel for each UDP socket, bytes.
pub(super) const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;
/// Messages read and not yet dealt with; readers wait beyond it, and the kernel drops.
pub(super) const ARRIVALS: usize = 1_024;
/// Events not yet taken by the caller beyond which traces are dropped.
pub(super) const TRACES: usize = 2_048;
/// Events not yet taken by the caller beyond which nothing more is read from the network.
pub(super) const EVENTS: usize = 8_192;
/// Messages waiting to be written on one TCP connection; beyond it the connection is given up.
pub(super) const WRITES: usize = 256;
/// TCP connections in all that are of use.
pub const CONNECTIONS: usize = 1_024;
/// How long connecting may take.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// How long a new connection may stay without its first whole message.
pub(super) const FIRST_MESSAGE: Duration = Duration::from_secs(10);
/// How long a message may take from its first byte to its last.
pub(super) const WHOLE_MESSAGE: Duration = Duration::from_secs(10);
/// How long a connection may be silent.
pub(super) const IDLE: Duration = Duration::from_secs(30 * 60);
/// How often a connection that a call needs is kept alive (RFC 5626 section 4.4.1), so that no NAT forgets it.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long after a stop requests of ours may wait for their answers: a BYE is said three times more.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(4);
/// How long one write may take.
pub(super) const WRITE: Duration = Duration::from_secs(10);
/// How long an address we called may answer and send requests inside its dialogs, after the last message to it.
pub(super) const CALLED: Duration = Duration::from_secs(5 * 60 * 60);
