//! Opens the sockets: UDP and TCP on one port per address.

use super::config::RECEIVE_BUFFER;
use super::icmp;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, UdpSocket};

/// Tries for a port that is free for UDP and TCP, when any will do.
const TRIES: usize = 20;
/// Connections the kernel holds for us before they are accepted.
const BACKLOG: i32 = 128;

/// The two sockets of one address.
#[derive(Debug)]
pub(super) struct Pair {
    pub udp: UdpSocket,
    pub tcp: TcpListener,
    pub addr: SocketAddr,
}

/// Opens both sockets of each address. Port 0 is any port, the same one for all of them that have it.
pub(super) fn open_all(listen: &[SocketAddr]) -> io::Result<Vec<Pair>> {
    let any = listen.iter().filter(|addr| addr.port() == 0).count() > 1;
    let mut last = io::Error::other("no port");
    for _ in 0..if any { TRIES } else { 1 } {
        match open_alike(listen) {
            Ok(pairs) => return Ok(pairs),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn open_alike(listen: &[SocketAddr]) -> io::Result<Vec<Pair>> {
    let mut pairs: Vec<Pair> = Vec::with_capacity(listen.len());
    let mut any = 0;
    for addr in listen {
        let port = if addr.port() == 0 { any } else { addr.port() };
        let pair = open(SocketAddr::new(addr.ip(), port))?;
        if addr.port() == 0 {
            any = pair.addr.port();
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

/// Opens both sockets of an address.
fn open(listen: SocketAddr) -> io::Result<Pair> {
    let mut last = io::Error::other("no port");
    for _ in 0..if listen.port() == 0 { TRIES } else { 1 } {
        let udp = udp(listen)?;
        let addr = udp.local_addr()?;
        match tcp(addr) {
            Ok(tcp) => return Ok(Pair { udp, tcp, addr }),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn udp(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The kernel gives as much of it as its limits allow.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    if let Err(error) = icmp::ask_for(&socket, addr) {
        tracing::info!(%error, "who cannot be reached is found out by waiting");
    }
    UdpSocket::from_std(socket.into())
}

fn tcp(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart must not wait for old connections to time out.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
