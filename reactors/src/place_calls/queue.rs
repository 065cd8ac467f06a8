//! Calls for which there is no room now: each account's in the order they came, and the accounts in turn, so that none
//! waits for another's.

use super::PlaceCalls;
use crate::Room;
use domain::{Sid, call::Queued};
use futures_util::{StreamExt, future::BoxFuture, stream};
use parking_lot::{Mutex, MutexGuard};
use sip_engine::{CallRef, NoRoom};
use std::collections::{BTreeMap, HashSet, VecDeque};
use store::StoreError;
use tokio::{sync::watch, time::Instant};

/// Calls that wait here at most; the sweep looks at those beyond.
const MAX_WAITING: usize = 20_000;
/// Calls claimed and handed over side by side.
const PLACED_TOGETHER: usize = 64;

/// A call that waits.
#[derive(Clone, Debug)]
pub(super) struct Waits {
    pub(super) call: CallRef,
    /// What was asked for when it came.
    pub(super) queued: Queued,
}

#[derive(Default)]
struct Inner {
    by_account: BTreeMap<Sid, VecDeque<Waits>>,
    known: HashSet<Sid>,
    /// When an account that was too fast may place its next call: the earliest of them.
    again: Option<Instant>,
}

/// All that wait for this node.
#[derive(Default)]
pub(super) struct Queue(Mutex<Inner>);

impl Queue {
    pub(super) fn has(&self, call: &Sid) -> bool {
        self.inner().known.contains(call)
    }

    /// Whether calls of this account wait.
    pub(super) fn has_any_of(&self, account: &Sid) -> bool {
        self.inner().by_account.contains_key(account)
    }

    /// The call waits, last of its account's.
    pub(super) fn add(&self, waiting: Waits, no_room: NoRoom) {
        let mut inner = self.inner();
        if inner.known.len() < MAX_WAITING && inner.known.insert(waiting.call.sid.clone()) {
            inner.by_account.entry(waiting.queued.account.clone()).or_default().push_back(waiting);
        }
        inner.look_again(no_room);
    }

    pub(super) fn forget(&self, call: &Sid) {
        let mut inner = self.inner();
        if inner.known.remove(call) {
            inner.by_account.values_mut().for_each(|waiting| waiting.retain(|one| one.call.sid != *call));
        }
    }

    fn accounts(&self) -> Vec<Sid> {
        self.inner().by_account.keys().cloned().collect()
    }

    fn first(&self, account: &Sid) -> Option<Waits> {
        self.inner().by_account.get(account)?.front().cloned()
    }

    /// The first of the account's waits no more.
    fn leaves(&self, account: &Sid) {
        let mut inner = self.inner();
        let Some(waiting) = inner.by_account.get_mut(account) else { return };
        let left = waiting.pop_front();
        if waiting.is_empty() {
            inner.by_account.remove(account);
        }
        left.iter().for_each(|one| {
            inner.known.remove(&one.call.sid);
        });
    }

    /// Waits until it is worth looking whether there is room.
    pub(super) async fn called(&self, freed: &mut watch::Receiver<u64>) {
        let again = self.inner().again;
        let soon = async {
            match again {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = freed.changed() => if changed.is_err() { std::future::pending::<()>().await },
            () = soon => {}
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock()
    }
}

impl Inner {
    fn look_again(&mut self, no_room: NoRoom) {
        if let NoRoom::For(wait) = no_room {
            let at = Instant::now() + wait;
            self.again = Some(self.again.map_or(at, |known| known.min(at)));
        }
    }
}

impl PlaceCalls {
    /// Places whoever there is room for now.
    pub(super) async fn place_waiting(&self) -> Result<(), StoreError> {
        self.queue.inner().again = None;
        if self.queue.accounts().is_empty() {
            return Ok(());
        }
        self.routes_known().await?;
        let mut placed: Vec<BoxFuture<'_, Result<(), StoreError>>> = Vec::new();
        for (call, queued, room) in self.call_in().await? {
            placed.push(Box::pin(self.claim(call, queued, room)));
        }
        let results: Vec<_> = stream::iter(placed).buffer_unordered(PLACED_TOGETHER).collect().await;
        results.into_iter().collect()
    }

    /// One of each account in turn, until there is room for none.
    async fn call_in(&self) -> Result<Vec<(CallRef, Queued, Room)>, StoreError> {
        let (mut called, mut accounts) = (Vec::new(), self.queue.accounts());
        while !accounts.is_empty() {
            let mut more = Vec::new();
            for account in accounts {
                let Some(first) = self.queue.first(&account) else { continue };
                match self.engine.reserve(&first.queued) {
                    Ok(room) => {
                        self.queue.leaves(&account);
                        // It may have got another program meanwhile.
                        let queued = self.queued(&first.call.sid).await?;
                        called.extend(queued.map(|queued| (first.call, queued, room)));
                        more.push(account);
                    }
                    Err(no_room) => self.queue.inner().look_again(no_room),
                }
            }
            accounts = more;
        }
        Ok(called)
    }
}
