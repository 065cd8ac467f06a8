//! What reached us and was turned away before there was a call: counted, and kept for whoever looks for a mistyped address
//! or a switch that wants what we do not do. In memory, since the start of this process.

use crate::sip::TurnedAway;
use domain::{Clock, Sid, Timestamp};
use ipnet::IpNet;
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

/// Different refusals of known sources that are kept; the one that was seen longest ago goes first.
const KNOWN: usize = 2_048;
/// The same of sources no trunk has: they may be forged, and push out only each other.
const STRANGERS: usize = 1_024;
/// Counts of one refusal that are kept apart by what was claimed at the time, and by whom; the oldest two of one carrier
/// become one.
const SPANS: usize = 8;
/// Refusals told of at once.
const TOLD: usize = 50;

/// One kind of refusal of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it was.
    pub what: TurnedAway,
    /// How often.
    pub count: u64,
    /// When last.
    pub last: Timestamp,
}

/// What was claimed when something was turned away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claimed {
    /// The newest claim there was to any source, as a position of the log.
    pub newest: i64,
    /// The carrier that claimed this source first; none where nobody has it.
    pub first: Option<Sid>,
}

/// Refusals of one kind of source, in the order they were seen last.
#[derive(Default)]
struct Kept {
    seen: HashMap<TurnedAway, Seen>,
    order: BTreeMap<u64, TurnedAway>,
}

struct Seen {
    spans: Vec<Span>,
    /// Its place in the order.
    at: u64,
}

/// How often, and when last, with what was claimed when that began.
struct Span {
    claimed: Claimed,
    count: u64,
    last: Timestamp,
}

impl Kept {
    fn note(&mut self, what: TurnedAway, claimed: Claimed, (at, last): (u64, Timestamp), limit: usize) {
        let seen = self.seen.entry(what.clone()).or_insert(Seen { spans: Vec::new(), at });
        self.order.remove(&seen.at);
        seen.at = at;
        seen.count(claimed, last);
        self.order.insert(at, what);
        if self.order.len() > limit
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.seen.remove(&oldest);
        }
    }

    /// Those whose source is wanted, as far as they are told this carrier since some claim, with their place in the order.
    fn of(
        &self,
        carrier: &Sid,
        since: impl Fn(IpAddr) -> Option<i64>,
    ) -> impl Iterator<Item = (u64, Refused)> {
        self.order.iter().filter_map(move |(at, what)| {
            let seen = self.seen.get(what)?;
            let (count, last) = seen.since(since(what.source)?, carrier)?;
            Some((*at, Refused { what: what.clone(), count, last }))
        })
    }
}

impl Seen {
    /// Once more. What is counted together began under the older claim: a later one is never told of what was before it.
    fn count(&mut self, claimed: Claimed, last: Timestamp) {
        let goes_on =
            |span: &&mut Span| span.claimed.newest >= claimed.newest && span.claimed.first == claimed.first;
        match self.spans.last_mut().filter(goes_on) {
            Some(span) => (span.count, span.last) = (span.count + 1, last),
            None => self.spans.push(Span { claimed, count: 1, last }),
        }
        if self.spans.len() > SPANS {
            self.shorten();
        }
    }

    /// One span less: the oldest two of one carrier become one; where all are of different ones, the oldest is forgotten.
    fn shorten(&mut self) {
        let earlier = |at: usize| {
            let first = &self.spans[at].claimed.first;
            self.spans[..at].iter().position(|span| span.claimed.first == *first)
        };
        match (0..self.spans.len()).find_map(|at| Some((earlier(at)?, at))) {
            // In the place of the later one, for they are in the order in which they were seen last.
            Some((earlier, later)) => {
                let before = self.spans.remove(earlier);
                let span = &mut self.spans[later - 1];
                span.count += before.count;
                span.claimed.newest = span.claimed.newest.min(before.claimed.newest);
            }
            None => drop(self.spans.remove(0)),
        }
    }

    /// How often since this was claimed, and when last, at times when nobody's claim to the source was older than this
    /// carrier's.
    fn since(&self, claim: i64, carrier: &Sid) -> Option<(u64, Timestamp)> {
        let is_theirs = |span: &&Span| {
            span.claimed.newest >= claim && span.claimed.first.as_ref().is_none_or(|first| first == carrier)
        };
        let theirs: Vec<&Span> = self.spans.iter().filter(is_theirs).collect();
        Some((theirs.iter().map(|span| span.count).sum(), theirs.last()?.last))
    }
}

/// All of them.
pub(super) struct RefusalLog {
    clock: Arc<dyn Clock>,
    kept: Mutex<Both>,
}

#[derive(Default)]
struct Both {
    known: Kept,
    strangers: Kept,
    /// How many there were, of both.
    noted: u64,
}

impl RefusalLog {
    pub(super) fn new(clock: Arc<dyn Clock>) -> RefusalLog {
        RefusalLog { clock, kept: Mutex::default() }
    }

    /// Something was turned away, at a time when this was claimed.
    pub(super) fn note(&self, what: TurnedAway, claimed: Claimed) {
        let now = self.clock.now();
        let mut kept = self.kept();
        kept.noted += 1;
        let at = kept.noted;
        // Whoever was answered, or had a connection, is who he says he is.
        if what.code.is_some() || !what.method.is_empty() {
            kept.known.note(what, claimed, (at, now), KNOWN);
        } else {
            kept.strangers.note(what, claimed, (at, now), STRANGERS);
        }
    }

    /// What came from a trunk's sources, and unread from their neighbours and from those of the addresses it is called at
    /// (the same /24 or /48: an address that was mistyped, or forgotten), newest first. Of each source only what came since
    /// the claim that `since` names and while no other carrier had an older one, and of those for which it names none
    /// nothing.
    pub(super) fn of(
        &self,
        carrier: &Sid,
        sources: &[IpNet],
        called: &[IpAddr],
        since: impl Fn(IpAddr) -> Option<i64>,
    ) -> Vec<Refused> {
        let hosts = called.iter().copied().map(IpNet::from);
        let near: Vec<IpNet> = sources.iter().copied().chain(hosts).filter_map(neighbourhood).collect();
        let kept = self.kept();
        let within = |networks: &[IpNet], ip: IpAddr| {
            since(ip).filter(|_| networks.iter().any(|network| network.contains(&ip)))
        };
        let known = kept.known.of(carrier, |ip| within(sources, ip));
        let strangers = kept.strangers.of(carrier, |ip| within(near.as_slice(), ip));
        let mut told: Vec<(u64, Refused)> = known.chain(strangers).collect();
        told.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        told.into_iter().take(TOLD).map(|(_, refused)| refused).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Both> {
        self.kept.lock()
    }
}

fn neighbourhood(source: IpNet) -> Option<IpNet> {
    let length = if source.addr().is_ipv4() { 24 } else { 48 };
    IpNet::new(source.addr(), length.min(source.prefix_len())).ok().map(|near| near.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    struct Ticks(AtomicI64);

    impl Clock for Ticks {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
        }
    }

    fn carrier(number: u128) -> Sid {
        Sid::from_uuid(domain::Kind::Carrier, uuid::Uuid::from_u128(number))
    }

    /// Nobody has the source, and this is the newest claim to another.
    fn since(newest: i64) -> Claimed {
        Claimed { newest, first: None }
    }

    fn what(source: &str, code: Option<u16>) -> TurnedAway {
        let method = code.map(|_| "INVITE".to_owned()).unwrap_or_default();
        TurnedAway { source: source.parse().unwrap(), code, method, reason: "why".into() }
    }

    fn seen(log: &RefusalLog, sources: &[&str]) -> Vec<(String, Option<u16>, u64)> {
        let sources: Vec<IpNet> = sources.iter().map(|source| source.parse().unwrap()).collect();
        let told = log.of(&carrier(1), &sources, &[], |_| Some(0)).into_iter();
        told.map(|refused| (refused.what.source.to_string(), refused.what.code, refused.count)).collect()
    }

    #[test]
    fn a_mistyped_address_and_a_switch_that_demands_too_much_are_found() {
        let log = RefusalLog::new(Arc::new(Ticks(AtomicI64::new(1))));
        for _ in 0..3 {
            log.note(what("203.0.113.8", None), since(0));
        }
        log.note(what("203.0.113.7", Some(420)), since(0));
        log.note(what("198.51.100.1", Some(420)), since(0));
        log.note(what("198.51.100.2", None), since(0));
        let told = seen(&log, &["203.0.113.7/32"]);
        assert_eq!(told, [("203.0.113.7".into(), Some(420), 1), ("203.0.113.8".into(), None, 3)]);
        assert!(seen(&log, &["192.0.2.0/24"]).is_empty(), "nobody learns of another's");
        log.note(TurnedAway { method: "TCP".into(), ..what("203.0.113.9", None) }, since(0));
        assert_eq!(seen(&log, &["203.0.113.7/32"]).len(), 2, "nor of a neighbour's connections");
        assert_eq!(seen(&log, &["203.0.113.9/32"])[0], ("203.0.113.9".into(), None, 1));
    }

    #[test]
    fn an_address_we_call_and_do_not_know_as_a_source_is_found_at_its_trunk() {
        let log = RefusalLog::new(Arc::new(Ticks(AtomicI64::new(1))));
        log.note(what("198.51.100.9", None), since(0));
        log.note(what("198.51.100.7", Some(404)), since(0));
        let told = log.of(
            &carrier(1),
            &["203.0.113.7/32".parse().unwrap()],
            &["198.51.100.7".parse().unwrap()],
            |_| Some(0),
        );
        let sources: Vec<_> = told.iter().map(|refused| refused.what.source.to_string()).collect();
        assert_eq!(sources, ["198.51.100.9"], "what somebody else's source was answered is not its business");
    }

    #[test]
    fn the_newest_is_told_first_whatever_the_clock_was_set_to() {
        let ticks = Arc::new(Ticks(AtomicI64::new(1_000)));
        let log = RefusalLog::new(ticks.clone());
        log.note(what("203.0.113.7", Some(420)), since(0));
        ticks.0.store(1, Ordering::Relaxed);
        log.note(what("203.0.113.8", None), since(0));
        let told = seen(&log, &["203.0.113.7/32"]);
        assert_eq!(told[0].0, "203.0.113.8");
        for number in 0..STRANGERS as u32 - 1 {
            log.note(what(&std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string(), None), since(0));
        }
        log.note(what("203.0.113.8", None), since(0));
        log.note(what("10.9.9.9", None), since(0));
        assert_eq!(seen(&log, &["203.0.113.7/32"]).len(), 2, "what was seen again is not the oldest");
    }

    #[test]
    fn a_claim_shows_nothing_of_what_came_before_it_or_of_what_is_anothers() {
        let log = RefusalLog::new(Arc::new(Ticks(AtomicI64::new(1))));
        let network: Vec<IpNet> = vec!["203.0.113.0/24".parse().unwrap()];
        let counted =
            |claim: Option<i64>| log.of(&carrier(1), &network, &[], |_| claim).first().map(|told| told.count);
        for claimed in [3, 3, 5, 9] {
            log.note(what("203.0.113.7", Some(420)), since(claimed));
        }
        assert_eq!(
            [Some(1), Some(4), Some(9), Some(10), None].map(counted),
            [Some(4), Some(2), Some(1), None, None]
        );
        for claimed in 10..30 {
            log.note(what("203.0.113.7", Some(420)), since(claimed));
        }
        assert_eq!(
            (counted(Some(1)), counted(Some(29))),
            (Some(24), Some(1)),
            "none is lost, however many claims"
        );
        assert!(counted(Some(10)).is_some_and(|count| count <= 20));
    }

    #[test]
    fn who_becomes_the_first_at_an_address_is_told_nothing_of_when_another_was() {
        let log = RefusalLog::new(Arc::new(Ticks(AtomicI64::new(1))));
        let network: Vec<IpNet> = vec!["203.0.113.0/24".parse().unwrap()];
        let seen = what("203.0.113.7", Some(420));
        let told = |number, claim| {
            let told = log.of(&carrier(number), &network, &[], |_| Some(claim));
            told.first().map(|told| (told.count, told.last.micros()))
        };
        // The first one claimed the address at 3; the squatter everything around it at 8, and the first one goes.
        for number in [1, 1, 1] {
            log.note(seen.clone(), Claimed { newest: 8, first: Some(carrier(number)) });
        }
        assert_eq!((told(1, 3), told(2, 8)), (Some((3, 3)), None));
        log.note(seen.clone(), Claimed { newest: 8, first: Some(carrier(2)) });
        assert_eq!((told(1, 3), told(2, 8)), (Some((3, 3)), Some((1, 4))));
        for number in 3..12 {
            log.note(seen.clone(), Claimed { newest: 8, first: Some(carrier(number)) });
        }
        assert_eq!(told(2, 8), None, "what is forgotten is nobody else's");
        assert_eq!(told(11, 8), Some((1, 13)));
    }

    #[test]
    fn what_was_seen_last_is_that_however_much_is_counted_together() {
        let log = RefusalLog::new(Arc::new(Ticks(AtomicI64::new(1))));
        let network: Vec<IpNet> = vec!["203.0.113.0/24".parse().unwrap()];
        let firsts = [Some(1), None, Some(1)].into_iter().chain((2..8).map(Some));
        for first in firsts {
            let claimed = Claimed { newest: 8, first: first.map(carrier) };
            log.note(what("203.0.113.7", Some(420)), claimed);
        }
        let told = log.of(&carrier(1), &network, &[], |_| Some(8));
        assert_eq!(told.first().map(|told| (told.count, told.last.micros())), Some((3, 3)));
    }

    #[test]
    fn strangers_push_out_only_each_other() {
        let log = RefusalLog::new(Arc::new(Ticks(AtomicI64::new(1))));
        log.note(what("203.0.113.7", Some(420)), since(0));
        for number in 0..STRANGERS as u32 + 10 {
            log.note(what(&std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string(), None), since(0));
        }
        assert_eq!(log.kept().strangers.seen.len(), STRANGERS);
        assert_eq!(seen(&log, &["203.0.113.7/32"]).len(), 1);
    }
}
