//! The way in for HTTP connections: how many there may be, and how long one may keep us waiting.
//!
//! When the house is full, or one address has all it may have, the connection that was idle for longest goes. Health checks
//! have seats of their own, which they take with their first request.

mod guest;
mod seats;
mod serve;

use guest::Guest;
use ipnet::IpNet;
use poem::{
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use seats::Seats;
pub use serve::serve;
use std::{io, time::Duration};

/// How long after an accept that failed the next one is tried: without descriptors it would fail again at once.
const PAUSE: Duration = Duration::from_millis(100);
/// How long somebody new waits at most for the connection that goes instead to be closed.
const LEAVE: Duration = Duration::from_millis(100);

/// How long a connection may keep us waiting.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of its first request.
    pub head: Duration,
    /// For anything at all after that.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { head: Duration::from_secs(10), idle: Duration::from_secs(75) }
    }
}

/// An acceptor with a door that is open to so many.
pub struct Door<A> {
    acceptor: A,
    patience: Patience,
    seats: Seats,
}

impl<A> Door<A> {
    /// In front of `acceptor`, for `most` connections; those from `proxies` stand for any number of people.
    pub fn new(acceptor: A, patience: Patience, most: usize, proxies: Vec<IpNet>) -> Door<A> {
        Door { acceptor, patience, seats: Seats::new(most, proxies) }
    }
}

impl<A: Acceptor> Acceptor for Door<A> {
    type Io = Guest<A::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.acceptor.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Guest<A::Io>, LocalAddr, RemoteAddr, Scheme)> {
        loop {
            match self.acceptor.accept().await {
                Ok((io, local, remote, scheme)) => {
                    let ip = remote.as_socket_addr().map(std::net::SocketAddr::ip);
                    let seat = self.seats.take(ip);
                    let _ = tokio::time::timeout(LEAVE, seat.free()).await;
                    return Ok((Guest::new(io, self.patience, seat), local, remote, scheme));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
