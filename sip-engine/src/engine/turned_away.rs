//! What reached us and was turned away before there was a call: counted, and kept for whoever looks for a mistyped address
//! or a switch that wants what we do not do. In memory, since the start of this process.

use crate::sip::TurnedAway;
use domain::{Clock, Timestamp};
use ipnet::IpNet;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Different refusals of known sources that are kept; the one that was seen longest ago goes first.
const KNOWN: usize = 2_048;
/// The same of sources no trunk has: they may be forged, and push out only each other.
const STRANGERS: usize = 1_024;
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

type Kept = HashMap<TurnedAway, (u64, Timestamp)>;

/// All of them.
pub(super) struct RefusalLog {
    clock: Arc<dyn Clock>,
    kept: Mutex<(Kept, Kept)>,
}

impl RefusalLog {
    pub(super) fn new(clock: Arc<dyn Clock>) -> RefusalLog {
        RefusalLog { clock, kept: Mutex::default() }
    }

    pub(super) fn note(&self, what: TurnedAway) {
        let now = self.clock.now();
        let mut kept = self.kept();
        let (known, strangers) = &mut *kept;
        // Whoever was answered, or had a connection, is who he says he is.
        let is_known = what.code.is_some() || !what.method.is_empty();
        let (of, limit) = if is_known { (known, KNOWN) } else { (strangers, STRANGERS) };
        if of.len() >= limit && !of.contains_key(&what) {
            let oldest = of.iter().min_by_key(|(_, (_, last))| *last).map(|(what, _)| what.clone());
            if let Some(oldest) = oldest {
                of.remove(&oldest);
            }
        }
        let (count, last) = of.entry(what).or_insert((0, now));
        (*count, *last) = (*count + 1, now);
    }

    /// What came from these sources, and unread from their neighbours (the same /24 or /48: an address that was mistyped),
    /// newest first.
    pub(super) fn of(&self, sources: &[IpNet]) -> Vec<Refused> {
        let kept = self.kept();
        let own = |ip: &IpAddr| sources.iter().any(|source| source.contains(ip));
        let near = |ip: &IpAddr| sources.iter().filter_map(neighbourhood).any(|near| near.contains(ip));
        let known = kept.0.iter().filter(|(what, _)| own(&what.source));
        let strangers = kept.1.iter().filter(|(what, _)| near(&what.source));
        let refused = |(what, (count, last)): (&TurnedAway, &(u64, Timestamp))| Refused {
            what: what.clone(),
            count: *count,
            last: *last,
        };
        let mut told: Vec<Refused> = known.chain(strangers).map(refused).collect();
        told.sort_by_key(|refused| std::cmp::Reverse(refused.last));
        told.truncate(TOLD);
        told
    }

    fn kept(&self) -> MutexGuard<'_, (Kept, Kept)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn neighbourhood(source: &IpNet) -> Option<IpNet> {
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

    fn what(source: &str, code: Option<u16>) -> TurnedAway {
        let method = code.map(|_| "INVITE".to_owned()).unwrap_or_default();
        TurnedAway { source: source.parse().unwrap(), code, method, reason: "why".into() }
    }

    fn seen(log: &RefusalLog, sources: &[&str]) -> Vec<(String, Option<u16>, u64)> {
        let sources: Vec<IpNet> = sources.iter().map(|source| source.parse().unwrap()).collect();
        let told = log.of(&sources).into_iter();
        told.map(|refused| (refused.what.source.to_string(), refused.what.code, refused.count)).collect()
    }

    #[test]
    fn a_mistyped_address_and_a_switch_that_demands_too_much_are_found() {
        let log = RefusalLog::new(Arc::new(Ticks(AtomicI64::new(1))));
        for _ in 0..3 {
            log.note(what("203.0.113.8", None));
        }
        log.note(what("203.0.113.7", Some(420)));
        log.note(what("198.51.100.1", Some(420)));
        log.note(what("198.51.100.2", None));
        let told = seen(&log, &["203.0.113.7/32"]);
        assert_eq!(told, [("203.0.113.7".into(), Some(420), 1), ("203.0.113.8".into(), None, 3)]);
        assert!(seen(&log, &["192.0.2.0/24"]).is_empty(), "nobody learns of another's");
        log.note(TurnedAway { method: "TCP".into(), ..what("203.0.113.9", None) });
        assert_eq!(seen(&log, &["203.0.113.7/32"]).len(), 2, "nor of a neighbour's connections");
        assert_eq!(seen(&log, &["203.0.113.9/32"])[0], ("203.0.113.9".into(), None, 1));
    }

    #[test]
    fn strangers_push_out_only_each_other() {
        let log = RefusalLog::new(Arc::new(Ticks(AtomicI64::new(1))));
        log.note(what("203.0.113.7", Some(420)));
        for number in 0..STRANGERS as u32 + 10 {
            log.note(what(&std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string(), None));
        }
        assert_eq!(log.kept().1.len(), STRANGERS);
        assert_eq!(seen(&log, &["203.0.113.7/32"]).len(), 1);
    }
}
