//! Reads datagrams in their order and hands on those of known sources, and which of ours did not arrive.

use super::driver::Arrival;
use super::icmp::{self, Undelivered};
use super::local::Gate;
use crate::sip::parse::MAX_DATAGRAM;
use bytes::{Bytes, BytesMut};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// Reads until the driver is gone.
pub(super) async fn read(
    socket: Arc<UdpSocket>,
    bound: SocketAddr,
    gate: Gate,
    arrivals: mpsc::Sender<Arrival>,
) {
    let mut buffer = BytesMut::zeroed(MAX_DATAGRAM);
    loop {
        if socket.ready(Interest::READABLE | Interest::ERROR).await.is_ok_and(tokio::io::Ready::is_error) {
            for Undelivered { peer, start } in icmp::drain(&socket) {
                if arrivals.send(Arrival::Undelivered { peer, start }).await.is_err() {
                    return;
                }
            }
        }
        let (length, peer) = match socket.try_recv_from(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => {
                // ICMP errors of earlier datagrams show up here as well; the socket itself stays good.
                tracing::debug!(%error, "receiving a datagram failed");
                tokio::task::yield_now().await;
                continue;
            }
        };
        if !gate.admits(peer.ip()) {
            continue;
        }
        let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
        if arrivals.send(Arrival::Datagram { peer, bound, bytes }).await.is_err() {
            return;
        }
    }
}
