//! The servers that trunks' hosts were found to have, and where: as long as their records hold, half a minute at most, and
//! old ones where nobody can say. Which one a call tries first is drawn for each call.

use super::names::{Answer, Located};
use parking_lot::{Mutex, MutexGuard};
use std::{collections::HashMap, net::SocketAddr, time::Duration};
use tokio::time::Instant;

/// Hosts remembered.
const MAX_HOSTS: usize = 1024;
/// How long what was found is used before it is asked for again, at most: addresses come without a time they hold.
const LIFETIME: Duration = Duration::from_secs(30);
/// And at least, whatever a record says: calls of one moment follow one look-up.
const LEAST: Duration = Duration::from_secs(1);
/// How long they are used while nobody can say whether they still hold (RFC 8767 section 5).
const STALE: Duration = Duration::from_secs(24 * 3600);

struct Host {
    servers: Vec<Located>,
    holds: Duration,
    found: Instant,
    asked: Instant,
}

#[derive(Default)]
pub(super) struct Hosts(Mutex<HashMap<String, Host>>);

impl Hosts {
    /// What need not be asked for yet.
    pub(super) fn fresh(&self, name: &str) -> Option<Vec<Located>> {
        let hosts = self.hosts();
        hosts.get(name).filter(|host| host.asked.elapsed() < host.holds).map(|host| host.servers.clone())
    }

    /// What was found last, where that is not too long ago. For another while nobody is asked.
    pub(super) fn stale(&self, name: &str) -> Option<Vec<Located>> {
        let mut hosts = self.hosts();
        let host = hosts.get_mut(name).filter(|host| host.found.elapsed() < STALE)?;
        (host.asked, host.holds) = (Instant::now(), LIFETIME);
        Some(host.servers.clone())
    }

    /// The addresses that were found last, for whoever does not call them.
    pub(super) fn last(&self, name: &str) -> Option<Vec<SocketAddr>> {
        let hosts = self.hosts();
        let servers = &hosts.get(name)?.servers;
        Some(servers.iter().flat_map(|server| server.addresses.iter().copied()).collect())
    }

    pub(super) fn found(&self, name: String, (servers, holds): Answer) {
        let mut hosts = self.hosts();
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(&name) {
            let oldest = hosts.iter().min_by_key(|(_, host)| host.found).map(|(name, _)| name.clone());
            oldest.map(|oldest| hosts.remove(&oldest));
        }
        let (now, holds) = (Instant::now(), holds.unwrap_or(LIFETIME).clamp(LEAST, LIFETIME));
        hosts.insert(name, Host { servers, holds, found: now, asked: now });
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.lock()
    }

    /// As if their half minute were over.
    #[cfg(test)]
    pub(super) fn grow_old(&self) {
        self.hosts().values_mut().for_each(|host| host.asked -= LIFETIME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn addresses_are_asked_for_again_and_used_for_a_day_when_nobody_can_say() {
        let found = Located::alone(vec![SocketAddr::from(([192, 0, 2, 1], 5060))]);
        let hosts = Hosts::default();
        hosts.found("a".into(), (found.clone(), None));
        assert_eq!(hosts.fresh("a"), Some(found.clone()));
        tokio::time::advance(LIFETIME).await;
        assert_eq!((hosts.fresh("a"), hosts.stale("a")), (None, Some(found.clone())));
        assert_eq!(hosts.fresh("a"), Some(found), "nobody is asked again at once");
        tokio::time::advance(STALE).await;
        assert_eq!((hosts.fresh("a"), hosts.stale("a"), hosts.stale("b")), (None, None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_found_is_asked_for_again_when_its_records_hold_no_longer() {
        let hosts = Hosts::default();
        for (says, holds) in [(0, 1), (1, 1), (7, 7), (3_600, 30)] {
            hosts.found("a".into(), (Located::alone(Vec::new()), Some(Duration::from_secs(says))));
            tokio::time::advance(Duration::from_secs(holds) - Duration::from_millis(1)).await;
            assert!(hosts.fresh("a").is_some(), "{says}");
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(hosts.fresh("a").is_none(), "{says}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_host_that_was_found_longest_ago_is_forgotten_first() {
        let hosts = Hosts::default();
        for number in 0..=MAX_HOSTS {
            hosts.found(number.to_string(), (Vec::new(), None));
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(hosts.hosts().len(), MAX_HOSTS);
        assert!(hosts.fresh("0").is_none() && hosts.fresh("1").is_some());
    }
}
