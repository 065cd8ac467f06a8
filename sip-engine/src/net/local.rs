//! Which of our addresses a peer sees, and whose bytes are read at all.

use super::config::CALLED;
use super::counters::{Counters, count};
use crate::sip::endpoint::{NO_SOURCE, Notice, SourceFilter, TurnedAway};
use parking_lot::{Mutex, RwLock};
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Most peers remembered.
const MAX_PEERS: usize = 4_096;
/// How long an address found for a peer is used: a laptop moves, and a machine gets another lease.
const LIFE: Duration = Duration::from_secs(30);
/// Strangers are told of no more often than this.
const NEWS: Duration = Duration::from_secs(1);

/// Finds the local address towards a peer when the socket is bound to all of them.
#[derive(Debug, Default)]
pub(super) struct LocalAddresses {
    found: HashMap<IpAddr, (IpAddr, Instant)>,
}

impl LocalAddresses {
    /// `bound` with an unspecified IP replaced by the one the kernel would send from.
    pub fn towards(&mut self, peer: SocketAddr, bound: SocketAddr, now: Instant) -> SocketAddr {
        if !bound.ip().is_unspecified() {
            return bound;
        }
        let fresh = |(_, at): &&(IpAddr, Instant)| now.duration_since(*at) < LIFE;
        if let Some((ip, _)) = self.found.get(&peer.ip()).filter(fresh) {
            return SocketAddr::new(*ip, bound.port());
        }
        if self.found.len() >= MAX_PEERS {
            self.found.clear();
        }
        let ip = own_towards(peer).unwrap_or(bound.ip());
        self.found.insert(peer.ip(), (ip, now));
        SocketAddr::new(ip, bound.port())
    }
}

/// The address of this machine that packets to `peer` leave from. Connecting a UDP socket sends nothing and tells the
/// kernel's choice.
///
/// # Errors
/// When there is no way there.
pub fn own_towards(peer: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr =
        if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(peer)?;
    Ok(socket.local_addr()?.ip())
}

/// Which of our sockets speaks to `peer`: of several of its family the one on the way there, or the one that is all addresses.
pub fn socket_towards(
    sockets: impl Iterator<Item = SocketAddr> + Clone,
    peer: SocketAddr,
) -> Option<SocketAddr> {
    let mut family = sockets.filter(|own| own.is_ipv4() == peer.is_ipv4());
    let first = family.next()?;
    let Some(second) = family.next() else { return Some(first) };
    let all = || [first, second].into_iter().chain(family.clone());
    let way = own_towards(peer).ok();
    let fits = all().find(|own| Some(own.ip()) == way);
    fits.or_else(|| all().find(|own| own.ip().is_unspecified())).or(Some(first))
}

/// Who is read: the sources the caller knows, and whoever we have called lately.
#[derive(Clone)]
pub(super) struct Gate {
    known: SourceFilter,
    called: Arc<RwLock<HashMap<IpAddr, Instant>>>,
    strangers: Arc<Mutex<Strangers>>,
    counters: Arc<Counters>,
    turned_away: Notice,
}

/// Those who were turned away and told of.
#[derive(Default)]
struct Strangers {
    told: HashSet<IpAddr>,
    last: Option<Instant>,
}

impl Gate {
    pub fn new(known: SourceFilter, turned_away: Notice, counters: Arc<Counters>) -> Gate {
        Gate { known, called: Arc::default(), strangers: Arc::default(), counters, turned_away }
    }

    /// True if bytes of this source are read; if not, that is counted, and said once in the program's log, for whoever
    /// connects a switch must learn why nothing happens.
    pub fn admits(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let lately =
            |called: &HashMap<IpAddr, Instant>| called.get(&ip).is_some_and(|last| last.elapsed() < CALLED);
        let admitted = (self.known)(ip) || lately(&self.called.read());
        if !admitted {
            count(&self.counters.unknown_source);
            let reason = NO_SOURCE.to_owned();
            (self.turned_away)(TurnedAway { source: ip, code: None, method: String::new(), reason });
            let mut strangers = self.strangers.lock();
            if strangers.is_news(ip, Instant::now()) {
                tracing::info!(%ip, "SIP is dropped from an address that no trunk has as a source");
            }
        }
        admitted
    }

    /// Lets an address we call answer. Where there are too many, the one that was called longest ago gives way: who is
    /// called now must be heard, however many somebody else has called.
    pub fn open(&self, ip: IpAddr, now: Instant) {
        let ip = ip.to_canonical();
        if (self.known)(ip) {
            return;
        }
        let mut called = self.called.write();
        if called.len() >= MAX_PEERS && !called.contains_key(&ip) {
            let oldest = called.iter().min_by_key(|(_, last)| **last).map(|(ip, _)| *ip);
            oldest.map(|oldest| called.remove(&oldest));
        }
        called.insert(ip, now);
    }
}

impl Strangers {
    /// Whether to tell of this one now.
    fn is_news(&mut self, ip: IpAddr, now: Instant) -> bool {
        let soon = self.last.is_some_and(|last| now.duration_since(last) < NEWS);
        if soon || self.told.contains(&ip) {
            return false;
        }
        if self.told.len() >= MAX_PEERS {
            self.told.clear();
        }
        self.last = Some(now);
        self.told.insert(ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_address_towards_a_peer_is_looked_up_again_after_half_a_minute() {
        let (mut locals, now) = (LocalAddresses::default(), Instant::now());
        let (peer, bound) = ("127.0.0.1:5060".parse().unwrap(), "0.0.0.0:5060".parse().unwrap());
        let former = SocketAddr::from(([192, 0, 2, 1], 5060));
        locals.found.insert(IpAddr::from([127, 0, 0, 1]), (former.ip(), now));
        assert_eq!(locals.towards(peer, bound, now + LIFE / 2), former);
        assert_eq!(locals.towards(peer, bound, now + LIFE), peer);
        assert_eq!(locals.towards(peer, bound, now + LIFE * 3 / 2), peer);
    }

    #[test]
    fn who_is_called_now_is_heard_however_many_were_called_before() {
        let own = IpAddr::from([198, 51, 100, 1]);
        let gate = Gate::new(Arc::new(move |ip| ip == own), Arc::new(|_| {}), Arc::default());
        let (ip, now) = (|n: u32| IpAddr::from(Ipv4Addr::from(0x0a00_0000 + n)), Instant::now());
        for n in 0..=MAX_PEERS as u32 {
            gate.open(ip(n), now + Duration::from_millis(u64::from(n)));
            gate.open(own, now);
        }
        let last = ip(MAX_PEERS as u32);
        assert!(gate.admits(last) && gate.admits(ip(1)) && !gate.admits(ip(0)), "the oldest gave way");
        assert!(gate.called.read().len() == MAX_PEERS && gate.admits(own), "known by itself");
    }

    #[test]
    fn a_stranger_is_told_of_once_and_a_crowd_slowly() {
        let (mut strangers, mut now) = (Strangers::default(), Instant::now());
        let ip = |last: u8| IpAddr::from([192, 0, 2, last]);
        assert!(strangers.is_news(ip(1), now));
        assert!(!strangers.is_news(ip(2), now), "within the second");
        now += NEWS;
        assert!(strangers.is_news(ip(2), now), "it comes again, as SIP does");
        now += NEWS;
        assert!(!strangers.is_news(ip(1), now));
    }
}
