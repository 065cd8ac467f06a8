//! Whom a leg listens to and speaks to: the ranked latching rule. Pure.
//!
//! ```text
//! Open ──(best-ranked steady source)──► Locked ──(exact, or proven)──► connected: the kernel drops all others
//!   ▲                                     │ 2 s of silence: a source of at least equal rank may take over
//!   └──────────── reconfigured with another address ─────────────────┘
//! ```
//! Until the lock nothing that arrives is used, and what we send goes to the signalled address. So a
//! stranger who is first gains nothing: not even a packet. One that is believed all the same, because it shares the peer's
//! host, loses everything to the first packet of the signalled address, as long as that can be reached at all.

use std::net::{IpAddr, SocketAddr};

use super::{Remote, rtp::Header};

/// Steady packets of one source and SSRC before it is believed (160 ms), unless its rank is exact.
const STEADY_PACKETS: u8 = 8;
/// A gap of up to this many packets is still steady.
const STEADY_GAP: u16 = 3;
/// Sources watched at once; a flood of others finds no room.
const MAX_CANDIDATES: usize = 8;
/// Silence of the locked source after which another of at least equal rank may take over.
const RELATCH_SILENCE_MS: u64 = 2_000;
/// How long a source stays open to a better one where the signalled address cannot be reached.
const PROBATION_MS: u64 = 5_000;

/// How well a source fits what signalling said; the first is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Exact,
    SignalledIp,
    SipSource,
    Carrier,
}

/// What to do with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// From the locked peer.
    Accept,
    /// From the peer we lock to with this packet.
    Lock,
    /// Not to be used, nor counted as the peer's.
    Drop,
}

/// What to do with the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Keep,
    Connect(SocketAddr),
    Disconnect,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    source: SocketAddr,
    ssrc: u32,
    sequence: u16,
    steady: u8,
    rank: Rank,
    heard: u64,
}

#[derive(Clone, Copy, Debug)]
struct Lock {
    source: SocketAddr,
    rank: Rank,
    since: u64,
    heard: u64,
    connected: bool,
}

/// The latch of one leg's RTP socket. Times are milliseconds.
#[derive(Debug)]
pub(super) struct Latch {
    remote: Expected,
    lock: Option<Lock>,
    candidates: Vec<Candidate>,
}

/// The part of [`Remote`] that latching looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Expected {
    rtp: SocketAddr,
    sip_source: Option<IpAddr>,
    carrier: Vec<ipnet::IpNet>,
}

impl Expected {
    fn of(remote: &Remote) -> Self {
        Self {
            rtp: canonical(remote.rtp),
            sip_source: remote.sip_source.map(|ip| ip.to_canonical()),
            carrier: remote.carrier_prefixes.clone(),
        }
    }

    fn rank(&self, source: SocketAddr) -> Option<Rank> {
        let ip = source.ip();
        if source == self.rtp {
            Some(Rank::Exact)
        } else if ip == self.rtp.ip() {
            Some(Rank::SignalledIp)
        } else if Some(ip) == self.sip_source {
            Some(Rank::SipSource)
        } else {
            self.carrier.iter().any(|net| net.contains(&ip)).then_some(Rank::Carrier)
        }
    }

    /// A private address from a peer whose SIP came from a public one can't be reached: there, the port
    /// at the SIP source is the better guess.
    fn target(&self) -> Option<SocketAddr> {
        if self.rtp.port() == 0 || self.rtp.ip().is_unspecified() || self.rtp.ip().is_multicast() {
            return None;
        }
        match self.sip_source {
            Some(ip) if reach(self.rtp.ip()) < reach(ip) => Some(SocketAddr::new(ip, self.rtp.port())),
            _ => Some(self.rtp),
        }
    }
}

impl Latch {
    pub(super) fn new(remote: &Remote) -> Self {
        Self { remote: Expected::of(remote), lock: None, candidates: Vec::new() }
    }

    /// A later offer or answer. Another signalled address opens the latch; the same one keeps the lock.
    pub(super) fn reconfigure(&mut self, remote: &Remote) -> Filter {
        let expected = Expected::of(remote);
        let moved = expected.rtp != self.remote.rtp;
        self.remote = expected;
        self.candidates.clear();
        let connected = self.lock.is_some_and(|lock| lock.connected);
        if !moved {
            return Filter::Keep;
        }
        self.lock = None;
        if connected { Filter::Disconnect } else { Filter::Keep }
    }

    /// Where to send: the locked source, else the signalled address, else nowhere.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        self.lock.map(|lock| lock.source).or_else(|| self.remote.target())
    }

    /// The locked source.
    pub(super) fn locked(&self) -> Option<SocketAddr> {
        self.lock.map(|lock| lock.source)
    }

    /// Judges a packet. `plausible`: its payload type is one of this call's.
    pub(super) fn hear(&mut self, now: u64, source: SocketAddr, header: &Header, plausible: bool) -> Verdict {
        let source = canonical(source);
        if let Some(lock) = self.lock.as_mut().filter(|lock| lock.source == source) {
            lock.heard = now;
            return Verdict::Accept;
        }
        let Some(rank) = self.remote.rank(source).filter(|rank| plausible && self.may_take_over(now, *rank))
        else {
            return Verdict::Drop;
        };
        if rank != Rank::Exact && !self.is_steady(now, source, rank, header) {
            return Verdict::Drop;
        }
        self.lock = Some(Lock { source, rank, since: now, heard: now, connected: false });
        self.candidates.clear();
        Verdict::Lock
    }

    fn may_take_over(&self, now: u64, rank: Rank) -> bool {
        self.lock.is_none_or(|lock| {
            let silent = now.saturating_sub(lock.heard) >= RELATCH_SILENCE_MS;
            rank < lock.rank || (silent && rank == lock.rank)
        })
    }

    fn is_steady(&mut self, now: u64, source: SocketAddr, rank: Rank, header: &Header) -> bool {
        let Some(known) = self.candidates.iter_mut().find(|known| known.source == source) else {
            self.watch_candidate(Candidate {
                source,
                ssrc: header.ssrc,
                sequence: header.sequence,
                steady: 1,
                rank,
                heard: now,
            });
            return false;
        };
        let step = header.sequence.wrapping_sub(known.sequence);
        let steady = known.ssrc == header.ssrc && (1..=STEADY_GAP).contains(&step);
        known.steady = if steady { known.steady.saturating_add(1) } else { 1 };
        (known.ssrc, known.sequence, known.heard) = (header.ssrc, header.sequence, now);
        let (count, rank) = (known.steady, known.rank);
        // A better-ranked source that is on its way is waited for.
        let better = |other: &Candidate| other.rank < rank && now.saturating_sub(other.heard) < 200;
        count >= STEADY_PACKETS && !self.candidates.iter().any(better)
    }

    fn watch_candidate(&mut self, candidate: Candidate) {
        if self.candidates.len() < MAX_CANDIDATES {
            self.candidates.push(candidate);
        } else if let Some(worst) = self.candidates.iter_mut().max_by_key(|known| known.rank)
            && worst.rank > candidate.rank
        {
            *worst = candidate;
        }
    }

    /// Called from time to time, and after a lock: whether the socket should be connected.
    pub(super) fn filter(&mut self, now: u64) -> Filter {
        let Some(lock) = &mut self.lock else { return Filter::Keep };
        let silent = now.saturating_sub(lock.heard) >= RELATCH_SILENCE_MS;
        let unreachable = self.remote.target() != Some(self.remote.rtp);
        let outlasted = now.saturating_sub(lock.since) >= PROBATION_MS;
        let proven = lock.rank == Rank::Exact || (unreachable && outlasted);
        if !lock.connected && proven && !silent {
            lock.connected = true;
            return Filter::Connect(lock.source);
        }
        // Nobody can outrank or equal the exact address, so its socket stays connected.
        if lock.connected && silent && lock.rank != Rank::Exact {
            lock.connected = false;
            lock.since = now;
            return Filter::Disconnect;
        }
        Filter::Keep
    }
}

/// An IPv4 peer looks the same through a dual-stack socket.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// How far an address reaches: loopback, link, site, world.
fn reach(ip: IpAddr) -> u8 {
    match ip {
        ip if ip.is_loopback() => 0,
        IpAddr::V4(ip) if ip.is_link_local() => 1,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => 1,
        IpAddr::V4(ip) if ip.is_private() || is_shared(ip.octets()) => 2,
        IpAddr::V6(ip) if ip.is_unique_local() => 2,
        _ => 3,
    }
}

/// 100.64.0.0/10, carrier-grade NAT (RFC 6598).
fn is_shared(octets: [u8; 4]) -> bool {
    octets[0] == 100 && octets[1] & 0xc0 == 64
}

#[cfg(test)]
#[path = "latch_tests.rs"]
mod tests;
