//! One UDP socket of a leg, connected to its peer once that is certain.

use super::{latch::canonical, readiness::Readiness};
use std::{
    io,
    net::{SocketAddr, UdpSocket},
};

/// A socket that the kernel filters for us while it is connected.
#[derive(Debug)]
pub(super) struct Channel {
    socket: UdpSocket,
    ipv6: bool,
    connected: Option<SocketAddr>,
}

impl Channel {
    /// Takes a non-blocking socket and has it watched.
    pub(super) fn watched(socket: UdpSocket, readiness: &Readiness, token: usize) -> io::Result<Self> {
        let ipv6 = socket.local_addr()?.is_ipv6();
        readiness.add(&socket, token)?;
        Ok(Self { socket, ipv6, connected: None })
    }

    pub(super) fn unwatch(&self, readiness: &Readiness) {
        readiness.remove(&self.socket);
    }

    /// The next datagram and where it came from. The source is asked for even while connected: what was
    /// queued before `connect` is still delivered after it.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (length, source) = self.socket.recv_from(buffer)?;
        Ok((length, canonical(source)))
    }

    /// Sends, and lets go of what the system won't take: RTP has no use for it a moment later.
    pub(super) fn send(&self, packet: &[u8], target: SocketAddr) -> bool {
        let sent = if self.connected == Some(target) {
            self.socket.send(packet)
        } else {
            self.socket.send_to(packet, self.native(target))
        };
        sent.is_ok()
    }

    pub(super) fn connect(&mut self, peer: SocketAddr) {
        match self.socket.connect(self.native(peer)) {
            Ok(()) => self.connected = Some(peer),
            Err(error) => tracing::debug!(%peer, %error, "not connected; filtering by hand"),
        }
    }

    pub(super) fn disconnect(&mut self) {
        if self.connected.take().is_some()
            && let Err(error) = rustix::net::connect_unspec(&self.socket)
        {
            tracing::warn!(%error, "a socket stays connected to the former peer");
        }
    }

    /// An IPv4 peer as a dual-stack socket wants it.
    fn native(&self, address: SocketAddr) -> SocketAddr {
        match address {
            SocketAddr::V4(v4) if self.ipv6 => (v4.ip().to_ipv6_mapped(), v4.port()).into(),
            other => other,
        }
    }
}
