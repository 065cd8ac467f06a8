//! The addresses that trunks' hosts were found to have: new ones for half a minute, and old ones where nobody can say.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Hosts remembered.
const MAX_HOSTS: usize = 1024;
/// How long the addresses of a host are used before they are asked for again.
const LIFETIME: Duration = Duration::from_secs(30);
/// How long they are used while nobody can say whether they still hold (RFC 8767 section 5).
const STALE: Duration = Duration::from_secs(24 * 3600);

struct Host {
    addresses: Vec<SocketAddr>,
    found: Instant,
    asked: Instant,
}

#[derive(Default)]
pub(super) struct Hosts(Mutex<HashMap<String, Host>>);

impl Hosts {
    /// What need not be asked for yet.
    pub(super) fn fresh(&self, name: &str) -> Option<Vec<SocketAddr>> {
        let hosts = self.hosts();
        hosts.get(name).filter(|host| host.asked.elapsed() < LIFETIME).map(|host| host.addresses.clone())
    }

    /// What was found last, where that is not too long ago. For another while nobody is asked.
    pub(super) fn stale(&self, name: &str) -> Option<Vec<SocketAddr>> {
        let mut hosts = self.hosts();
        let host = hosts.get_mut(name).filter(|host| host.found.elapsed() < STALE)?;
        host.asked = Instant::now();
        Some(host.addresses.clone())
    }

    /// What was found last, for whoever does not call it.
    pub(super) fn last(&self, name: &str) -> Option<Vec<SocketAddr>> {
        self.hosts().get(name).map(|host| host.addresses.clone())
    }

    pub(super) fn found(&self, name: String, addresses: Vec<SocketAddr>) {
        let mut hosts = self.hosts();
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(&name) {
            let oldest = hosts.iter().min_by_key(|(_, host)| host.found).map(|(name, _)| name.clone());
            oldest.map(|oldest| hosts.remove(&oldest));
        }
        let now = Instant::now();
        hosts.insert(name, Host { addresses, found: now, asked: now });
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let (hosts, found) = (Hosts::default(), vec![SocketAddr::from(([192, 0, 2, 1], 5060))]);
        hosts.found("a".into(), found.clone());
        assert_eq!(hosts.fresh("a"), Some(found.clone()));
        tokio::time::advance(LIFETIME).await;
        assert_eq!((hosts.fresh("a"), hosts.stale("a")), (None, Some(found.clone())));
        assert_eq!(hosts.fresh("a"), Some(found), "nobody is asked again at once");
        tokio::time::advance(STALE).await;
        assert_eq!((hosts.fresh("a"), hosts.stale("a"), hosts.stale("b")), (None, None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn the_host_that_was_found_longest_ago_is_forgotten_first() {
        let hosts = Hosts::default();
        for number in 0..=MAX_HOSTS {
            hosts.found(number.to_string(), Vec::new());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(hosts.hosts().len(), MAX_HOSTS);
        assert!(hosts.fresh("0").is_none() && hosts.fresh("1").is_some());
    }
}
