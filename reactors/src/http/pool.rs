//! Idle connections, by host.

use super::{
    connect::{IDLE, Sender},
    target::{Origin, Target},
};
use parking_lot::Mutex;
use std::{collections::HashMap, time::Duration};
use tokio::time::{Instant, timeout};

/// Most idle connections kept to one host.
const MAX_IDLE_PER_HOST: usize = 8;
/// Most kept altogether.
pub(super) const MAX_IDLE: usize = 512;

/// Connections that can be used again.
pub(super) struct Pool(Mutex<Idle>);

struct Idle {
    by_origin: HashMap<Origin, Vec<(Sender, Instant)>>,
    kept: usize,
    most: usize,
    /// When they were last looked through.
    swept: Instant,
}

impl Pool {
    /// Keeps its part of so many connections: a fifth.
    pub fn new(connections: usize) -> Pool {
        let most = (connections / 5).min(MAX_IDLE);
        Pool(Mutex::new(Idle { by_origin: HashMap::new(), kept: 0, most, swept: Instant::now() }))
    }

    /// An idle connection that still is one.
    pub async fn take(&self, target: &Target) -> Option<Sender> {
        loop {
            let (mut sender, since) = self.0.lock().pop(target)?;
            let fresh = since.elapsed() < IDLE && !sender.is_closed();
            if fresh && matches!(timeout(Duration::from_millis(2), sender.ready()).await, Ok(Ok(()))) {
                return Some(sender);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub fn put(&self, target: &Target, sender: Sender) {
        let mut idle = self.0.lock();
        idle.sweep();
        if sender.is_closed() || idle.kept >= idle.most {
            return;
        }
        let of_host = idle.by_origin.entry(target.origin()).or_default();
        if of_host.len() < MAX_IDLE_PER_HOST {
            of_host.push((sender, Instant::now()));
            idle.kept += 1;
        }
    }
}

impl Idle {
    fn pop(&mut self, target: &Target) -> Option<(Sender, Instant)> {
        self.sweep();
        let found = self.by_origin.get_mut(&target.origin())?.pop();
        self.kept -= usize::from(found.is_some());
        found
    }

    /// Now and then closes connections that were idle for too long.
    fn sweep(&mut self) {
        if self.swept.elapsed() < IDLE {
            return;
        }
        self.swept = Instant::now();
        self.by_origin.retain(|_, of_host| {
            of_host.retain(|(sender, since)| since.elapsed() < IDLE && !sender.is_closed());
            !of_host.is_empty()
        });
        self.kept = self.by_origin.values().map(Vec::len).sum();
    }
}
