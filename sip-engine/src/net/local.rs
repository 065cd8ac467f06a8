//! Which of our addresses a peer sees, and whose bytes are read at all.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, RwLock};

use tokio::time::Instant;

use super::config::CALLED;
use crate::sip::endpoint::SourceFilter;

/// Most peers remembered.
const MAX_PEERS: usize = 4_096;

/// Finds the local address towards a peer when the socket is bound to all of them.
#[derive(Debug, Default)]
pub(super) struct LocalAddresses {
    found: HashMap<IpAddr, IpAddr>,
}

impl LocalAddresses {
    /// `bound` with an unspecified IP replaced by the one the kernel would send from.
    pub fn towards(&mut self, peer: SocketAddr, bound: SocketAddr) -> SocketAddr {
        if !bound.ip().is_unspecified() {
            return bound;
        }
        if self.found.len() >= MAX_PEERS {
            self.found.clear();
        }
        let ip = *self.found.entry(peer.ip()).or_insert_with(|| route(peer, bound).unwrap_or(bound.ip()));
        SocketAddr::new(ip, bound.port())
    }
}

/// Connecting a UDP socket sends nothing and tells the kernel's choice of source address.
fn route(peer: SocketAddr, bound: SocketAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind(SocketAddr::new(bound.ip(), 0)).ok()?;
    socket.connect(peer).ok()?;
    socket.local_addr().ok().map(|addr| addr.ip())
}

/// Who is read: the sources the caller knows, and whoever we have called lately.
#[derive(Clone)]
pub(super) struct Gate {
    known: SourceFilter,
    called: Arc<RwLock<HashMap<IpAddr, Instant>>>,
}

impl Gate {
    pub fn new(known: SourceFilter) -> Gate {
        Gate { known, called: Arc::default() }
    }

    /// True if bytes of this source are read.
    pub fn admits(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let lately =
            |called: &HashMap<IpAddr, Instant>| called.get(&ip).is_some_and(|last| last.elapsed() < CALLED);
        (self.known)(ip) || self.called.read().is_ok_and(|called| lately(&called))
    }

    /// Lets an address we call answer.
    pub fn open(&self, ip: IpAddr, now: Instant) {
        let Ok(mut called) = self.called.write() else { return };
        if called.len() >= MAX_PEERS {
            called.retain(|_, last| now.duration_since(*last) < CALLED);
        }
        if called.len() < MAX_PEERS || called.contains_key(&ip) {
            called.insert(ip, now);
        }
    }
}
