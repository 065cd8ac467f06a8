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
//!
//! An address that can be reached is sent to, however silent it is: a phone that only listens has nothing to prove. Another
//! port of its host, and the host its signalling comes from, are heard once they have said something, a voice or a key, and
//! never sent to: many calls come from one host.
//! Where media really comes from elsewhere, the trunk says so (media networks, asymmetric RTP). An asymmetric peer listens at
//! one address and speaks from another; a stray packet from where it listens decides nothing, and no source outranks
//! another.

use super::{Remote, rtp::Header};
use domain::outbound::reach;
use std::net::{IpAddr, SocketAddr};

/// Steady packets of one source and SSRC before it is believed (160 ms), unless its rank is exact.
const STEADY_PACKETS: u8 = 8;
/// A gap of up to this many packets is still steady.
const STEADY_GAP: u16 = 3;
/// Sources watched at once; a flood of others finds no room.
const MAX_CANDIDATES: usize = 8;
/// Packets with a voice (1 s), or with a key, after which another port of the signalled host, or the SIP source, is heard.
const VOICED: u16 = 50;
const KEYED: u16 = 3;
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
    Network,
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

/// What a packet holds, as far as it speaks for its sender.
#[derive(Clone, Copy)]
pub(super) enum Sign<'a> {
    /// Nothing of this call.
    Foreign,
    /// Nothing but a sign of life.
    Quiet,
    /// A telephone-event.
    Key,
    /// Audio, and how to tell whether anything is to be heard in it.
    Audio(&'a dyn Fn() -> bool),
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    source: SocketAddr,
    ssrc: u32,
    sequence: u16,
    steady: u8,
    voiced: u16,
    keyed: u16,
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
    /// Where the peer was and listened before signalling named another address.
    former: [Option<SocketAddr>; 2],
}

/// The part of [`Remote`] that latching looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Expected {
    rtp: SocketAddr,
    forbidden: bool,
    sip_source: Option<IpAddr>,
    networks: Vec<ipnet::IpNet>,
    asymmetric: bool,
}

impl Expected {
    fn of(remote: &Remote) -> Self {
        Self {
            rtp: canonical(remote.rtp),
            forbidden: remote.forbidden,
            sip_source: remote.sip_source.map(|ip| ip.to_canonical()),
            networks: remote.media_networks.clone(),
            asymmetric: remote.asymmetric,
        }
    }

    fn rank(&self, source: SocketAddr) -> Option<Rank> {
        let ip = source.ip();
        let said = !self.forbidden;
        if said && source == self.rtp {
            Some(Rank::Exact)
        } else if said && ip == self.rtp.ip() {
            Some(Rank::SignalledIp)
        } else if Some(ip) == self.sip_source {
            Some(Rank::SipSource)
        } else {
            self.is_named(ip).then_some(Rank::Network)
        }
    }

    /// The trunk's operator has named it.
    fn is_named(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|net| net.contains(&ip))
    }

    /// No address, as on hold in the old manner.
    fn is_nowhere(&self) -> bool {
        self.rtp.port() == 0 || self.rtp.ip().is_unspecified() || self.rtp.ip().is_multicast()
    }

    fn is_reachable(&self) -> bool {
        self.target() == Some(self.rtp)
    }

    /// Whether this source has only to be steady to be heard; else it has to say something.
    fn is_plain(&self, source: SocketAddr, rank: Rank) -> bool {
        let named = rank == Rank::Network || self.is_named(source.ip());
        named || self.asymmetric || !self.is_reachable()
    }

    /// Whether what we send goes to where this peer's packets come from.
    fn follows(&self, source: SocketAddr) -> bool {
        (source == self.rtp && !self.forbidden)
            || (!self.asymmetric && (!self.is_reachable() || self.is_named(source.ip())))
    }

    /// A private address from a peer whose SIP came from a public one can't be reached: there, the port
    /// at the SIP source is the better guess.
    fn target(&self) -> Option<SocketAddr> {
        if self.is_nowhere() {
            return None;
        }
        match self.sip_source {
            Some(ip) if !self.asymmetric && reach(self.rtp.ip()) < reach(ip) => {
                Some(SocketAddr::new(ip, self.rtp.port()))
            }
            _ => Some(self.rtp).filter(|_| !self.forbidden),
        }
    }
}

impl Latch {
    pub(super) fn new(remote: &Remote) -> Self {
        Self { remote: Expected::of(remote), lock: None, candidates: Vec::new(), former: [None; 2] }
    }

    /// A later offer or answer. Another signalled address opens the latch, and where the peer was before is no candidate;
    /// the same address, or none (hold), keeps the lock.
    pub(super) fn reconfigure(&mut self, remote: &Remote) -> Filter {
        let mut expected = Expected::of(remote);
        if expected.is_nowhere() {
            (expected.rtp, expected.forbidden) = (self.remote.rtp, self.remote.forbidden);
        }
        let former = std::mem::replace(&mut self.remote, expected);
        self.candidates.clear();
        if former.rtp == self.remote.rtp {
            return Filter::Keep;
        }
        let lock = self.lock.take();
        self.former = [Some(former.rtp), lock.map(|lock| lock.source)];
        if lock.is_some_and(|lock| lock.connected) { Filter::Disconnect } else { Filter::Keep }
    }

    /// Where to send: the signalled address, or the locked source where that is the peer all the same.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        let source = self.lock.map(|lock| lock.source);
        let signalled = self.remote.target();
        source.filter(|source| self.remote.follows(*source)).or(signalled).or(source)
    }

    /// The locked source.
    pub(super) fn locked(&self) -> Option<SocketAddr> {
        self.lock.map(|lock| lock.source)
    }

    /// Judges a packet.
    pub(super) fn hear(&mut self, now: u64, source: SocketAddr, header: &Header, sign: Sign<'_>) -> Verdict {
        let source = canonical(source);
        if let Some(lock) = self.lock.as_mut().filter(|lock| lock.source == source) {
            lock.heard = now;
            return Verdict::Accept;
        }
        let ranked = self.remote.rank(source).filter(|rank| {
            let fresh = *rank == Rank::Exact || !self.former.contains(&Some(source));
            fresh && !matches!(sign, Sign::Foreign) && self.may_take_over(now, *rank)
        });
        let Some(rank) = ranked else { return Verdict::Drop };
        let at_once = rank == Rank::Exact && !self.remote.asymmetric;
        if !at_once && !self.is_steady(now, source, rank, header, sign) {
            return Verdict::Drop;
        }
        self.lock = Some(Lock { source, rank, since: now, heard: now, connected: false });
        self.candidates.clear();
        Verdict::Lock
    }

    fn may_take_over(&self, now: u64, rank: Rank) -> bool {
        self.lock.is_none_or(|lock| {
            let silent = now.saturating_sub(lock.heard) >= RELATCH_SILENCE_MS;
            if self.remote.asymmetric { silent } else { rank < lock.rank || (silent && rank == lock.rank) }
        })
    }

    /// Whether this source has been believable for long enough. A better-ranked one that is on its way is waited for.
    fn is_steady(
        &mut self,
        now: u64,
        source: SocketAddr,
        rank: Rank,
        header: &Header,
        sign: Sign<'_>,
    ) -> bool {
        let Some(known) = self.candidates.iter_mut().find(|known| known.source == source) else {
            let (ssrc, sequence) = (header.ssrc, header.sequence);
            let heard =
                Candidate { source, ssrc, sequence, steady: 1, voiced: 0, keyed: 0, rank, heard: now };
            self.watch_candidate(heard);
            return false;
        };
        let step = header.sequence.wrapping_sub(known.sequence);
        let steady = known.ssrc == header.ssrc && (1..=STEADY_GAP).contains(&step);
        known.steady = if steady { known.steady.saturating_add(1) } else { 1 };
        let (voiced, keyed) = match sign {
            Sign::Audio(is_voiced) => (u16::from(is_voiced()), 0),
            Sign::Key => (0, 1),
            Sign::Quiet | Sign::Foreign => (0, 0),
        };
        let before = if steady { (known.voiced, known.keyed) } else { (0, 0) };
        (known.voiced, known.keyed) = (before.0.saturating_add(voiced), before.1.saturating_add(keyed));
        (known.ssrc, known.sequence, known.heard) = (header.ssrc, header.sequence, now);
        let known = *known;
        let speaks = known.voiced >= VOICED || known.keyed >= KEYED || self.remote.is_plain(source, rank);
        let equals = self.remote.asymmetric;
        let better =
            |other: &Candidate| !equals && other.rank < rank && now.saturating_sub(other.heard) < 200;
        known.steady >= STEADY_PACKETS && speaks && !self.candidates.iter().any(better)
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
        let unreachable = !self.remote.is_reachable();
        let outlasted = now.saturating_sub(lock.since) >= PROBATION_MS;
        // A connected socket sends to its peer only.
        let proven = !self.remote.asymmetric && (lock.rank == Rank::Exact || (unreachable && outlasted));
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

#[cfg(test)]
mod tests;
