//! The pool of port pairs: RTP on an even port, RTCP on the odd one after it, chosen at random and
//! rested after use.

use super::{MediaError, clock};
use parking_lot::Mutex;
use ring::rand::{SecureRandom, SystemRandom};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, Instant},
};

/// Pairs tried before giving up when other programs hold ports of our range.
const BIND_ATTEMPTS: usize = 32;
/// When no other port is free, one is used again after this part of the quarantine: 15 s of two minutes.
const SHORTEST_REST: u32 = 8;
/// One pair of this many is kept for calls for help, and this many at most.
const KEPT_OF: usize = 8;
const KEPT: usize = 16;
/// Room for a second of packets, so a short stall of the thread loses nothing.
const SOCKET_BUFFER: usize = 64 * 1024;

/// Which even ports are free, taken or resting. Pure: the time is handed in.
#[derive(Debug)]
pub(super) struct PortPool {
    range: RangeInclusive<u16>,
    free: Vec<u16>,
    resting: VecDeque<(Instant, u16)>,
    /// The last pairs of the range: for calls for help only, and woken as soon as one needs them.
    kept: VecDeque<u16>,
    kept_from: u16,
    in_use: usize,
    /// Pairs that ordinary calls may have at once: the open files they were promised.
    most: usize,
    quarantine: Duration,
}

impl PortPool {
    pub(super) fn new(range: RangeInclusive<u16>, quarantine: Duration, most: usize) -> Self {
        let mut free: Vec<u16> = even(&range).collect();
        let kept: VecDeque<u16> = free.split_off(ordinary(free.len())).into();
        let kept_from = kept.front().copied().unwrap_or(u16::MAX);
        Self { range, free, resting: VecDeque::new(), kept, kept_from, in_use: 0, most, quarantine }
    }

    /// A free even port for a call for help: one that is kept for them where no other is left.
    pub(super) fn take_urgently(&mut self, now: Instant, chance: usize) -> Result<u16, MediaError> {
        let refused = match self.take_any(now, chance) {
            Ok(port) => return Ok(port),
            Err(refused) => refused,
        };
        let port = self.kept.pop_front().or_else(|| self.resting.pop_front().map(|(_, port)| port));
        self.in_use += usize::from(port.is_some());
        port.ok_or(refused)
    }

    /// A free even port. `chance` picks which.
    pub(super) fn take(&mut self, now: Instant, chance: usize) -> Result<u16, MediaError> {
        if self.in_use >= self.most { Err(self.exhausted()) } else { self.take_any(now, chance) }
    }

    fn take_any(&mut self, now: Instant, chance: usize) -> Result<u16, MediaError> {
        while let Some(&(until, port)) = self.resting.front() {
            if until > now {
                break;
            }
            self.resting.pop_front();
            self.free.push(port);
        }
        let port = match self.free.len() {
            0 => self.take_resting(now)?,
            free => self.free.swap_remove(chance % free),
        };
        self.in_use += 1;
        Ok(port)
    }

    /// Rather than refuse a call, the port that has rested longest is woken early.
    fn take_resting(&mut self, now: Instant) -> Result<u16, MediaError> {
        let early = self.quarantine - self.quarantine / SHORTEST_REST;
        match self.resting.front() {
            Some(&(until, port)) if until <= now + early => {
                self.resting.pop_front();
                Ok(port)
            }
            _ => Err(self.exhausted()),
        }
    }

    fn exhausted(&self) -> MediaError {
        let (range, in_use, quarantined) = (self.range.clone(), self.in_use, self.resting.len());
        MediaError::PortsExhausted { range, in_use, quarantined }
    }

    /// Gives a port back; it rests first.
    pub(super) fn release(&mut self, now: Instant, port: u16) {
        self.in_use = self.in_use.saturating_sub(1);
        if port >= self.kept_from {
            self.kept.push_back(port);
        } else {
            self.resting.push_back((now + self.quarantine, port));
        }
    }

    /// `0..=0`: the system chooses.
    fn system_chooses(&self) -> bool {
        *self.range.end() == 0
    }
}

/// The ports of a range that RTP may be on.
fn even(range: &RangeInclusive<u16>) -> impl Iterator<Item = u16> {
    let last = *range.end();
    range.clone().filter(move |port| port % 2 == 0 && *port > 0 && *port < last)
}

/// How many of so many pairs are not kept for calls for help.
fn ordinary(pairs: usize) -> usize {
    pairs - (pairs / KEPT_OF).min(KEPT)
}

/// Pairs of a range that ordinary calls may have at once; without end where the system chooses.
pub(super) fn ordinary_pairs(range: &RangeInclusive<u16>) -> usize {
    if *range.end() == 0 { usize::MAX } else { ordinary(even(range).count()) }
}

/// The pool as legs share it.
pub(super) type SharedPool = Arc<Mutex<PortPool>>;

/// A pair of bound sockets. Dropping the lease, which must outlive them, puts the port to rest.
#[derive(Debug)]
pub(super) struct PortPair {
    pub(super) rtp: std::net::UdpSocket,
    pub(super) rtcp: std::net::UdpSocket,
    pub(super) lease: PortLease,
}

/// Keeps a port out of the pool.
#[derive(Debug)]
pub(super) struct PortLease {
    pool: SharedPool,
    pub(super) port: u16,
    pooled: bool,
}

impl Drop for PortLease {
    fn drop(&mut self) {
        if self.pooled {
            self.pool.lock().release(clock::now(), self.port);
        }
    }
}

/// Takes a pair from the pool and binds it at `local`.
pub(super) fn bind_pair(
    pool: &SharedPool,
    random: &SystemRandom,
    local: IpAddr,
    urgent: bool,
) -> Result<PortPair, MediaError> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..BIND_ATTEMPTS {
        let mut lease = lease(pool, random, urgent)?;
        match bind_both(local, &lease) {
            Ok((rtp, rtcp)) => {
                lease.port = rtp.local_addr()?.port();
                return Ok(PortPair { rtp, rtcp, lease });
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            Err(error) => return Err(error.into()),
        }
    }
    Err(last.into())
}

fn lease(pool: &SharedPool, random: &SystemRandom, urgent: bool) -> Result<PortLease, MediaError> {
    let mut guard = pool.lock();
    if guard.system_chooses() {
        return Ok(PortLease { pool: Arc::clone(pool), port: 0, pooled: false });
    }
    let (now, chance) = (clock::now(), random_usize(random));
    let port = if urgent { guard.take_urgently(now, chance)? } else { guard.take(now, chance)? };
    Ok(PortLease { pool: Arc::clone(pool), port, pooled: true })
}

fn bind_both(local: IpAddr, lease: &PortLease) -> io::Result<(std::net::UdpSocket, std::net::UdpSocket)> {
    let rtp = if lease.pooled { bind(SocketAddr::new(local, lease.port))? } else { any_even(local)? };
    let rtp = std::net::UdpSocket::from(rtp);
    let port = rtp.local_addr()?.port();
    Ok((rtp, bind(SocketAddr::new(local, port + 1))?.into()))
}

/// A socket on an even port that the system finds free. A socket keeps its port through a disconnect only when it asked
/// for that port, so a second one asks for it, and both hold it until it is the second's: nobody else gets it meanwhile.
fn any_even(local: IpAddr) -> io::Result<Socket> {
    let found = bind(SocketAddr::new(local, 0))?;
    let address = found.local_addr()?;
    if address.as_socket().is_none_or(|address| address.port() % 2 != 0) {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    let asks = unbound(local)?;
    found.set_reuse_port(true)?;
    asks.set_reuse_port(true)?;
    asks.bind(&address)?;
    asks.set_reuse_port(false)?;
    Ok(asks)
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = unbound(address.ip())?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn unbound(local: IpAddr) -> io::Result<Socket> {
    let socket =
        Socket::new(Domain::for_address(SocketAddr::new(local, 0)), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    Ok(socket)
}

/// A random number from the system's generator; ports and SSRCs must not be guessable.
pub(super) fn random_bytes<const N: usize>(random: &SystemRandom) -> [u8; N] {
    let mut bytes = [0; N];
    if random.fill(&mut bytes).is_err() {
        tracing::error!("the system's random generator failed; media identifiers are predictable");
    }
    bytes
}

fn random_usize(random: &SystemRandom) -> usize {
    usize::from_ne_bytes(random_bytes(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(120);

    #[test]
    fn ports_are_even_and_leave_room_for_rtcp() {
        let mut pool = PortPool::new(1001..=1010, REST, usize::MAX);
        let mut taken: Vec<u16> = (0..4).map(|chance| pool.take(clock::now(), chance).unwrap()).collect();
        taken.sort_unstable();
        assert_eq!(taken, [1002, 1004, 1006, 1008]);
    }

    #[test]
    fn a_port_that_the_system_chose_is_ours_alone_and_stays_ours_through_a_disconnect() {
        let local = IpAddr::from([127, 0, 0, 1]);
        let ours = (0..BIND_ATTEMPTS).find_map(|_| any_even(local).ok()).expect("an even port");
        let address = ours.local_addr().unwrap();
        for shares in [false, true] {
            let other = unbound(local).unwrap();
            other.set_reuse_port(shares).unwrap();
            assert_eq!(other.bind(&address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        }
        ours.connect(&address).unwrap();
        rustix::net::connect_unspec(&ours).unwrap();
        assert_eq!(ours.local_addr().unwrap().as_socket(), address.as_socket());
    }

    #[test]
    fn an_empty_pool_says_what_is_used_and_what_rests() {
        let now = clock::now();
        let mut pool = PortPool::new(1000..=1005, REST, usize::MAX);
        let first = pool.take(now, 7).unwrap();
        pool.take(now, 7).unwrap();
        pool.take(now, 7).unwrap();
        pool.release(now, first);
        let refusal = pool.take(now, 7).unwrap_err();
        assert!(matches!(refusal, MediaError::PortsExhausted { in_use: 2, quarantined: 1, .. }), "{refusal}");
        assert!(refusal.to_string().contains("1000..=1005"));
    }

    #[test]
    fn a_released_port_rests_for_the_quarantine_while_others_are_free() {
        let now = clock::now();
        let mut pool = PortPool::new(1000..=1005, REST, usize::MAX);
        let released = pool.take(now, 0).unwrap();
        pool.release(now, released);
        let just_before = now + REST - Duration::from_millis(1);
        let others = [pool.take(just_before, 0).unwrap(), pool.take(just_before, 0).unwrap()];
        assert!(!others.contains(&released));
        pool.release(now, others[0]);
        pool.free.push(2000);
        assert_eq!(pool.take(now + REST, 1).unwrap(), released, "now it is one of the free again");
    }

    #[test]
    fn in_need_the_longest_rested_port_is_woken_after_an_eighth() {
        let now = clock::now();
        let mut pool = PortPool::new(1000..=1003, REST, usize::MAX);
        let (first, second) = (pool.take(now, 0).unwrap(), pool.take(now, 0).unwrap());
        pool.release(now, first);
        pool.release(now + Duration::from_secs(1), second);
        assert!(pool.take(now + REST / 8 - Duration::from_millis(1), 0).is_err());
        assert_eq!(pool.take(now + REST / 8, 0).unwrap(), first);
        assert!(pool.take(now + REST / 8, 0).is_err());
    }

    #[test]
    fn the_order_of_ports_is_not_the_order_of_numbers() {
        let pool = Arc::new(Mutex::new(PortPool::new(20_000..=29_999, REST, usize::MAX)));
        let random = SystemRandom::new();
        let ports: Vec<u16> = (0..50).map(|_| lease(&pool, &random, false).unwrap().port).collect();
        let ascending = ports.windows(2).filter(|pair| pair[1] > pair[0]).count();
        assert!((5..45).contains(&ascending), "{ports:?}");
    }

    #[test]
    fn a_dropped_lease_puts_its_port_to_rest() {
        let pool = Arc::new(Mutex::new(PortPool::new(1000..=1001, REST, usize::MAX)));
        drop(lease(&pool, &SystemRandom::new(), false).unwrap());
        assert!(matches!(
            lease(&pool, &SystemRandom::new(), false),
            Err(MediaError::PortsExhausted { in_use: 0, quarantined: 1, .. })
        ));
    }

    #[test]
    fn the_last_pairs_are_kept_for_calls_for_help() {
        let now = clock::now();
        let mut pool = PortPool::new(1000..=1031, REST, usize::MAX);
        let ordinary: Vec<u16> = std::iter::from_fn(|| pool.take(now, 0).ok()).collect();
        assert_eq!((ordinary.len(), ordinary.iter().max()), (14, Some(&1026)));
        let urgent: Vec<u16> = std::iter::from_fn(|| pool.take_urgently(now, 0).ok()).collect();
        assert_eq!(urgent, [1028, 1030]);
        pool.release(now, 1030);
        assert!(pool.take(now + REST, 0).is_err(), "it is for those who call for help");
        assert_eq!(pool.take_urgently(now, 0).unwrap(), 1030, "at once");
        pool.release(now, ordinary[0]);
        assert!(pool.take(now, 0).is_err(), "it rests");
        assert_eq!(
            pool.take_urgently(now, 0).unwrap(),
            ordinary[0],
            "nobody who calls for help waits for that"
        );
    }

    #[test]
    fn ordinary_calls_have_no_more_pairs_than_open_files_were_promised_for() {
        let now = clock::now();
        let mut pool = PortPool::new(1000..=1031, REST, 3);
        assert_eq!(std::iter::from_fn(|| pool.take(now, 0).ok()).count(), 3);
        assert!(pool.take_urgently(now, 0).is_ok());
    }
}
