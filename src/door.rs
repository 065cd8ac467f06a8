//! The way in for HTTP connections: how many there may be, and how long one may keep us waiting.

use ipnet::IpNet;
use poem::{
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// Most connections at once.
const MOST: usize = 1_024;
/// Most connections of one address at once, of IPv6 of one /64. This machine and our proxies are not counted.
const MOST_OF_ONE: usize = 64;
/// How long after an accept that failed the next one is tried: without descriptors it would fail again at once.
const PAUSE: Duration = Duration::from_millis(100);
/// What ends the head of a request.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

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
    crowd: Crowd,
}

impl<A> Door<A> {
    /// In front of `acceptor`; connections from `proxies` stand for any number of people.
    pub fn new(acceptor: A, patience: Patience, proxies: Vec<IpNet>) -> Door<A> {
        Door { acceptor, patience, crowd: Crowd { proxies: proxies.into(), inside: Arc::default() } }
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
                    // Whoever does not get in is hung up on.
                    if let Some(place) = self.crowd.enter(ip) {
                        return Ok((Guest::new(io, self.patience, place), local, remote, scheme));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Who is inside.
#[derive(Clone)]
struct Crowd {
    proxies: Arc<[IpNet]>,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    all: usize,
    by_address: HashMap<IpNet, usize>,
}

impl Crowd {
    /// A place inside, if there is one.
    fn enter(&self, ip: Option<IpAddr>) -> Option<Place> {
        let counted = ip.map(|ip| ip.to_canonical()).filter(|ip| !self.is_ours(ip)).and_then(subscriber);
        let mut inside = self.lock();
        let of_one = counted.and_then(|one| inside.by_address.get(&one).copied()).unwrap_or(0);
        if inside.all >= MOST || of_one >= MOST_OF_ONE {
            return None;
        }
        inside.all += 1;
        if let Some(one) = counted {
            inside.by_address.insert(one, of_one + 1);
        }
        Some(Place { crowd: self.clone(), counted })
    }

    fn is_ours(&self, ip: &IpAddr) -> bool {
        ip.is_loopback() || self.proxies.iter().any(|network| network.contains(ip))
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one subscriber has: an IPv4 address, or a /64 of IPv6.
fn subscriber(ip: IpAddr) -> Option<IpNet> {
    let length = if ip.is_ipv4() { 32 } else { 64 };
    IpNet::new(ip, length).ok().map(|network| network.trunc())
}

/// A connection's place; free again when it is dropped.
struct Place {
    crowd: Crowd,
    counted: Option<IpNet>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.crowd.lock();
        inside.all -= 1;
        let Some(one) = self.counted else { return };
        let left = inside.by_address.get(&one).copied().unwrap_or(0).saturating_sub(1);
        match left {
            0 => inside.by_address.remove(&one),
            left => inside.by_address.insert(one, left),
        };
    }
}

/// A connection that may keep us waiting only so long.
pub struct Guest<Io> {
    io: Io,
    idle: Duration,
    until: Pin<Box<Sleep>>,
    /// How much of the end of the first request's head was seen; `None` once all of it was.
    head: Option<usize>,
    _place: Place,
}

impl<Io> Guest<Io> {
    fn new(io: Io, patience: Patience, place: Place) -> Guest<Io> {
        let until = Box::pin(tokio::time::sleep(patience.head));
        Guest { io, idle: patience.idle, until, head: Some(0), _place: place }
    }

    /// Looks for the end of the first head. What drips in before it gives no more time.
    fn heard(&mut self, bytes: &[u8]) {
        if let Some(mut seen) = self.head {
            for byte in bytes {
                let expected = END_OF_HEAD.get(seen) == Some(byte);
                seen = if expected { seen + 1 } else { usize::from(*byte == b'\r') };
                if seen == END_OF_HEAD.len() {
                    self.head = None;
                    break;
                }
            }
            self.head = self.head.map(|_| seen);
        }
        self.stirred();
    }

    fn stirred(&mut self) {
        if self.head.is_none() {
            self.until.as_mut().reset(Instant::now() + self.idle);
        }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Guest<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        self.heard(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Guest<Io> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.stirred();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, slices))?;
        self.stirred();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn crowd() -> Crowd {
        Crowd { proxies: Arc::new(["10.0.0.0/8".parse().unwrap()]), inside: Arc::default() }
    }

    fn ip(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn one_address_has_so_many_places_and_all_have_so_many() {
        let crowd = crowd();
        let mut places: Vec<Place> =
            (0..MOST_OF_ONE).map(|host| crowd.enter(ip(&format!("2001:db8::{host:x}"))).unwrap()).collect();
        assert!(crowd.enter(ip("2001:db8::ffff")).is_none(), "one subscriber has the whole /64");
        assert!(crowd.enter(ip("2001:db8:0:1::1")).is_some());
        places.pop();
        assert!(crowd.enter(ip("2001:db8::ffff")).is_some(), "who leaves makes room");
        let proxied = (places.len()..MOST).map(|_| crowd.enter(ip("10.1.2.3")).unwrap());
        let proxied: Vec<Place> = proxied.collect();
        assert!(crowd.enter(ip("192.0.2.1")).is_none(), "the house is full");
        drop((places, proxied));
        let inside = crowd.lock();
        assert_eq!((inside.all, inside.by_address.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_head_that_drips_is_hung_up_on() {
        let (mut far, near) = tokio::io::duplex(64);
        let patience = Patience { head: Duration::from_millis(30), idle: Duration::from_secs(60) };
        let mut guest = Guest::new(near, patience, crowd().enter(None).unwrap());
        let drip = async {
            while far.write_all(b"X-A: b\r\n").await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        let heard = async {
            let mut bytes = [0; 16];
            loop {
                if let Err(error) = guest.read(&mut bytes).await {
                    break error.kind();
                }
            }
        };
        let kind = tokio::select! {
            () = drip => panic!("the reader ends it"),
            kind = heard => kind,
        };
        assert_eq!(kind, io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn after_its_head_a_connection_may_be_idle_for_longer() {
        let (mut far, near) = tokio::io::duplex(64);
        let patience = Patience { head: Duration::from_secs(60), idle: Duration::from_millis(30) };
        let mut guest = Guest::new(near, patience, crowd().enter(None).unwrap());
        far.write_all(b"GET / HTTP/1.1\r\n\r").await.unwrap();
        let mut bytes = [0; 64];
        assert_eq!(guest.read(&mut bytes).await.unwrap(), 17);
        assert_eq!(guest.head, Some(3));
        far.write_all(b"\n").await.unwrap();
        assert_eq!(guest.read(&mut bytes).await.unwrap(), 1);
        assert_eq!(guest.head, None);
        assert_eq!(guest.read(&mut bytes).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
