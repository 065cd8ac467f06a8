//! Idle connections, and how many requests run at once: of one account, to one host, altogether.

use super::{
    connect::{IDLE, Sender},
    failure::{CONNECTION, Failure},
    target::Target,
};
use domain::Sid;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// Most requests under way together.
const MAX_REQUESTS: usize = 512;
/// Most requests under way to one host, so that one that hangs leaves room for the others.
const MAX_PER_HOST: usize = 64;
/// Most requests under way for one account, so that one whose applications hang leaves room for the others.
const MAX_PER_ACCOUNT: usize = 32;
/// Most accounts remembered; beyond it, those with nothing under way are forgotten.
const MAX_ACCOUNTS: usize = 1024;
/// Most idle connections kept to one host.
const MAX_IDLE_PER_HOST: usize = 8;
/// Most hosts remembered; beyond it, those with nothing under way are forgotten.
const MAX_HOSTS: usize = 1024;

/// Scheme, host and port.
type Origin = (bool, String, u16);

/// Connections and slots, by origin.
pub(super) struct Pool {
    slots: Arc<Semaphore>,
    accounts: Mutex<HashMap<Sid, Arc<Semaphore>>>,
    hosts: Mutex<Hosts>,
}

/// What is known of hosts, and when idle connections were last looked through.
struct Hosts {
    by_origin: HashMap<Origin, Host>,
    swept: Instant,
}

struct Host {
    slots: Arc<Semaphore>,
    idle: Vec<(Sender, Instant)>,
}

/// Leave to send one request; give it up by dropping it.
pub(super) struct Slot(Vec<OwnedSemaphorePermit>);

impl Default for Pool {
    fn default() -> Pool {
        let hosts = Hosts { by_origin: HashMap::new(), swept: Instant::now() };
        let slots = Arc::new(Semaphore::new(MAX_REQUESTS));
        Pool { slots, accounts: Mutex::default(), hosts: Mutex::new(hosts) }
    }
}

impl Pool {
    /// Waits for leave to send a request; the caller bounds that.
    pub async fn slot(&self, account: Option<&Sid>, target: &Target) -> Result<Slot, Failure> {
        let of_host = self.with_host(target, |host| Arc::clone(&host.slots));
        // Narrow limits first: whoever waits for a slow account or host must not hold a place of the others.
        let wanted = account.map(|account| self.of_account(account)).into_iter();
        let mut slot = Slot(Vec::new());
        for limit in wanted.chain([of_host, Arc::clone(&self.slots)]) {
            let permit = limit.acquire_owned().await;
            slot.0.push(permit.map_err(|_| Failure::connect(CONNECTION, "the client is shut down"))?);
        }
        Ok(slot)
    }

    fn of_account(&self, account: &Sid) -> Arc<Semaphore> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= MAX_ACCOUNTS {
            accounts.retain(|_, slots| Arc::strong_count(slots) > 1);
        }
        let slots = accounts.entry(account.clone());
        Arc::clone(slots.or_insert_with(|| Arc::new(Semaphore::new(MAX_PER_ACCOUNT))))
    }

    /// An idle connection that still is one.
    pub async fn take(&self, target: &Target) -> Option<Sender> {
        loop {
            let (mut sender, since) = self.with_host(target, |host| host.idle.pop())?;
            let fresh = since.elapsed() < IDLE && !sender.is_closed();
            if fresh && matches!(timeout(Duration::from_millis(2), sender.ready()).await, Ok(Ok(()))) {
                return Some(sender);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub fn put(&self, target: &Target, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        self.with_host(target, |host| {
            if host.idle.len() < MAX_IDLE_PER_HOST {
                host.idle.push((sender, Instant::now()));
            }
        });
    }

    fn with_host<T>(&self, target: &Target, act: impl FnOnce(&mut Host) -> T) -> T {
        let origin = (target.is_tls(), target.host_text().into_owned(), target.port());
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.sweep(&origin);
        act(hosts.by_origin.entry(origin).or_insert_with(Host::new))
    }
}

impl Hosts {
    /// Now and then closes connections that were idle for too long, and forgets hosts with nothing under way.
    fn sweep(&mut self, wanted: &Origin) {
        let full = self.by_origin.len() >= MAX_HOSTS && !self.by_origin.contains_key(wanted);
        if !full && self.swept.elapsed() < IDLE {
            return;
        }
        self.swept = Instant::now();
        self.by_origin.retain(|_, host| {
            host.idle.retain(|(sender, since)| since.elapsed() < IDLE && !sender.is_closed());
            !host.idle.is_empty() || Arc::strong_count(&host.slots) > 1 || host.is_busy()
        });
    }
}

impl Host {
    fn new() -> Host {
        Host { slots: Arc::new(Semaphore::new(MAX_PER_HOST)), idle: Vec::new() }
    }

    fn is_busy(&self) -> bool {
        self.slots.available_permits() < MAX_PER_HOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    #[tokio::test]
    async fn an_account_that_hangs_leaves_room_for_the_others() {
        let pool = Pool::default();
        let account = |number| Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(number));
        let target = |number| Target::parse(&format!("http://a{number}.test/")).unwrap();
        let mut held = Vec::new();
        for number in 0..MAX_PER_ACCOUNT {
            held.push(pool.slot(Some(&account(1)), &target(number)).await.unwrap());
        }
        let soon = Duration::from_millis(20);
        assert!(timeout(soon, pool.slot(Some(&account(1)), &target(99))).await.is_err(), "it has its share");
        pool.slot(Some(&account(2)), &target(0)).await.unwrap();
        held.pop();
        pool.slot(Some(&account(1)), &target(99)).await.unwrap();
    }
}
