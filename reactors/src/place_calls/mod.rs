//! `place_calls`: claims queued calls and hands them to this node's engine, and carries requests to redirect or end a call
//! to the engine that has it.
//!
//! It keeps no checkpoint. At start it looks at every call that is not over: those queued are placed, those whose node
//! is gone are closed; from there on it follows the log, and after a failure it goes on after the last fact it has acted
//! on. Claiming is what keeps two nodes from placing the same call.

mod alive;
mod follow;
mod measure;
mod queue;
mod recover;
#[cfg(test)]
mod tests;
mod waiting;

use crate::{Common, Room, Switchboard, seldom::Seldom};
use alive::Alive;
use domain::{
    Actor, Log, Meta, Sid, Tenant, Timestamp,
    call::{CallCommand, EndReason, Ending, Queued},
};
use parking_lot::{Mutex, MutexGuard};
use queue::{Queue, Waits};
use sip_engine::{CallRef, NoRoom};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use store::{ExecuteError, StoreError};
use tokio::{sync::watch, time::Instant};
use waiting::Waiting;

/// This reactor's name: who it is in the log.
pub const NAME: &str = "place_calls";
/// How long a call may wait to be placed.
pub const QUEUE_LIMIT: Duration = Duration::from_secs(300);
/// How long a call waits for the engine to know the last change of trunks and numbers.
const ROUTES_WAIT: Duration = Duration::from_secs(1);
/// Before every position of a log.
const NOWHERE: i64 = -1;
/// Pause after the store failed.
const PAUSE: Duration = Duration::from_millis(500);
/// Most calls remembered to have been claimed by this process.
const MAX_CLAIMED: usize = 10_000;

/// The reactor; clones share it.
#[derive(Clone)]
pub(crate) struct PlaceCalls {
    common: Common,
    engine: Arc<dyn Switchboard>,
    /// When this process began: what this node had before then is nobody's now.
    began: Timestamp,
    queue_limit: Duration,
    claimed: Arc<Mutex<HashSet<Sid>>>,
    /// Calls that the log says this node has and the engine does not have, since when that was seen.
    lost: Arc<Mutex<HashMap<Sid, Instant>>>,
    acted: Arc<Acted>,
    alive: Arc<Alive>,
    waiting: Arc<Waiting>,
    clocks_differ: Arc<AtomicBool>,
    /// Calls for which there is no room now.
    queue: Arc<Queue>,
    /// Where the directory stood when it was last waited for in vain.
    stood_at: Arc<AtomicI64>,
}

/// How far into each log this process has acted: after a failure it goes on from there. `None` before it has begun.
#[derive(Default)]
struct Acted {
    calls: watch::Sender<Option<i64>>,
    core: watch::Sender<Option<i64>>,
}

impl PlaceCalls {
    pub fn new(
        common: Common,
        engine: Arc<dyn Switchboard>,
        began: Timestamp,
        queue_limit: Duration,
    ) -> PlaceCalls {
        let (claimed, lost, acted) = (Arc::default(), Arc::default(), Arc::default());
        let (alive, waiting, clocks_differ) = (Arc::default(), Arc::default(), Arc::default());
        let (queue, stood_at) = (Arc::default(), Arc::new(AtomicI64::new(NOWHERE)));
        PlaceCalls {
            common,
            engine,
            began,
            queue_limit,
            claimed,
            lost,
            acted,
            alive,
            waiting,
            clocks_differ,
            queue,
            stood_at,
        }
    }

    /// Runs until it is told to stop.
    pub async fn run(self) {
        self.common.tasks.spawn(self.clone().keep_alive());
        let stop = self.common.stop.clone();
        let work = async {
            let told = Seldom::new();
            loop {
                if let Err(error) = self.work().await {
                    if told.is_due() {
                        tracing::warn!(%error, "queued calls wait for the store");
                    } else {
                        tracing::debug!(%error, "queued calls still wait for the store");
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Claims a queued call and has it placed; or ends it when it waited too long. Without room here it waits for some,
    /// unless another node has room before.
    async fn place(&self, call: CallRef, queued: Queued, since: Timestamp) -> Result<(), StoreError> {
        if self.waiting.age(&call.sid, since, &*self.common.clock) > self.queue_limit {
            self.waiting.over(&call.sid);
            self.queue.forget(&call.sid);
            return self.end(&call, Ending::because(EndReason::Expired)).await;
        }
        if self.queue.has(&call.sid) {
            return Ok(());
        }
        // Whoever of its account came before it is first; a call for help waits for nobody.
        let is_behind = self.queue.has_any_of(&queued.account) && !self.engine.is_emergency(&queued);
        let room = if is_behind { Err(NoRoom::UntilFreed) } else { self.engine.reserve(&queued) };
        match room {
            Ok(room) => self.claim(call, queued, room).await,
            Err(no_room) => {
                self.queue.add(Waits { call, queued }, no_room);
                Ok(())
            }
        }
    }

    async fn claim(&self, call: CallRef, queued: Queued, room: Room) -> Result<(), StoreError> {
        let node = self.common.node.to_string();
        if !self.is_first(&call.sid) {
            return Ok(());
        }
        match self.tell(&call, CallCommand::Claim { node }).await {
            Ok(true) => self.waiting.over(&call.sid),
            Ok(false) => {
                self.waiting.over(&call.sid);
                return Ok(());
            }
            Err(error) => {
                // It may have been claimed nevertheless; claiming again tells, and then it is placed.
                self.claimed().remove(&call.sid);
                return Err(error);
            }
        }
        match self.engine.place(call.clone(), queued, room) {
            Ok(()) => Ok(()),
            Err(ending) => self.end(&call, ending).await,
        }
    }

    /// Waits until the engine routes by every change there is: who moved a trunk and then asked for a call means it to go
    /// the new way. A directory that stood still all that while is not waited for again before it moves.
    async fn routes_known(&self) -> Result<(), StoreError> {
        let mirror = &self.common.mirror;
        let (head, standing) = (self.common.store.head(Log::Core).await?, mirror.position());
        if !self.stands_still() && !mirror.reached(head, ROUTES_WAIT).await {
            self.stood_at.store(standing, Ordering::Relaxed);
            tracing::warn!(
                position = mirror.position(),
                head,
                "calls are placed by the last known directory"
            );
        }
        Ok(())
    }

    /// Whether the directory is where it was left behind by the log.
    fn stands_still(&self) -> bool {
        self.stood_at.load(Ordering::Relaxed) == self.common.mirror.position()
    }

    fn claimed(&self) -> MutexGuard<'_, HashSet<Sid>> {
        self.claimed.lock()
    }

    /// Whether this process has not claimed the call before: claiming it again would be no news to the log.
    fn is_first(&self, call: &Sid) -> bool {
        let mut claimed = self.claimed();
        if claimed.len() >= MAX_CLAIMED {
            // Identifiers sort by time: the newer half is what can come up again.
            let mut sids: Vec<Sid> = claimed.drain().collect();
            sids.sort();
            claimed.extend(sids.into_iter().skip(MAX_CLAIMED / 2));
        }
        claimed.insert(call.clone())
    }

    async fn end(&self, call: &CallRef, ending: Ending) -> Result<(), StoreError> {
        let ending = self.measured(&call.sid, ending).await?;
        self.tell(call, CallCommand::End(ending)).await.map(drop)
    }

    /// Puts a fact about a call into the log; whether its rules allow that.
    async fn tell(&self, call: &CallRef, command: CallCommand) -> Result<bool, StoreError> {
        let meta = self.meta(call.tenant.clone());
        match self.common.tell(&call.sid, command, &meta).await {
            Ok(_) => Ok(true),
            Err(ExecuteError::Unavailable(error)) => Err(error),
            Err(refusal) => {
                tracing::debug!(call = %call.sid, %refusal, "the call is not ours to place or end");
                Ok(false)
            }
        }
    }

    fn meta(&self, tenant: Tenant) -> Meta {
        Meta::new(tenant, Actor::system(NAME), self.common.clock.now())
    }
}
