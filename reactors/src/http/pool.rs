//! Idle connections, and how many requests run at once.

use super::{
    connect::{IDLE, Sender},
    failure::{CONNECTION, Failure},
    target::Target,
};
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
/// Most idle connections kept to one host.
const MAX_IDLE_PER_HOST: usize = 8;
/// Most hosts remembered; beyond it, those with nothing under way are forgotten.
const MAX_HOSTS: usize = 1024;

/// Scheme, host and port.
type Origin = (bool, String, u16);

/// Connections and slots, by origin.
pub(super) struct Pool {
    slots: Arc<Semaphore>,
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
pub(super) struct Slot(#[expect(dead_code, reason = "held for their drop")] [OwnedSemaphorePermit; 2]);

impl Default for Pool {
    fn default() -> Pool {
        let hosts = Hosts { by_origin: HashMap::new(), swept: Instant::now() };
        Pool { slots: Arc::new(Semaphore::new(MAX_REQUESTS)), hosts: Mutex::new(hosts) }
    }
}

impl Pool {
    /// Waits for leave to send a request; bounded by the caller's deadline.
    pub async fn slot(&self, target: &Target) -> Result<Slot, Failure> {
        let of_host = self.with_host(target, |host| Arc::clone(&host.slots));
        let closed = |_| Failure::connect(CONNECTION, "the client is shut down");
        // The host's own limit first: whoever waits for a slow host must not hold a place of the others.
        let host = of_host.acquire_owned().await.map_err(closed)?;
        let global = Arc::clone(&self.slots).acquire_owned().await.map_err(closed)?;
        Ok(Slot([host, global]))
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
