//! A call's facts on their way to the log: in order, in as few appends as may be, off the call's path.

use crate::outside::{CallRef, Outside};
use domain::{Sid, Timestamp, call::CallCommand};
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use tokio_util::task::TaskTracker;

/// Entries of one call waiting to be appended; a call that has more waits itself.
const QUEUE: usize = 256;
/// Entries appended at once, about.
const BATCH: usize = 64;
/// How long a phase fact (received, answered, ended) may hold up the call before it goes on without. Longer than the 50 ms
/// that the log is given and what the disk takes to keep the fact instead: who is told 200 OK shall find it after a crash.
const PHASE_BUDGET: Duration = Duration::from_millis(250);

/// How long the arrival of a call may take to be kept. A call that is kept nowhere is not taken: it would be answered, paid
/// for, and known to nobody.
const ARRIVAL_BUDGET: Duration = Duration::from_secs(3);

/// How long facts between the phases wait for others to be appended with.
const GATHERING: Duration = Duration::from_millis(50);

/// A fact: whose, when, and what.
pub(super) type Fact = (CallRef, Timestamp, CallCommand);

enum Entry {
    Facts(Vec<Fact>),
    /// Everything before this is kept or not, once it is answered.
    Flush(oneshot::Sender<bool>),
}

/// The writing end. The journal ends when all its writing ends are gone and everything is appended.
#[derive(Clone)]
pub(super) struct Journal {
    entries: mpsc::Sender<Entry>,
    /// The call's arrival was kept nowhere, so nothing else of it is.
    void: Arc<AtomicBool>,
}

impl Journal {
    pub(super) fn start(outside: Arc<dyn Outside>, tracker: &TaskTracker) -> Journal {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tracker.spawn(keep(outside, receiver));
        Journal { entries: sender, void: Arc::default() }
    }

    /// Queues facts; with a phase fact among them, waits a moment until they are kept. Of a call that is void only its end
    /// is, behind the arrival, which the log may keep after all: a call that the log has ends there. Where it has none, it
    /// takes no end either.
    pub(super) async fn record(&self, mut facts: Vec<Fact>) {
        let void = self.is_void();
        facts.retain(|(.., fact)| !void || matches!(fact, CallCommand::End(_)));
        let phase = facts.iter().any(|(.., fact)| is_phase(fact));
        let arrival = facts.iter().any(|(.., fact)| is_arrival(fact));
        if !facts.is_empty() && self.entries.send(Entry::Facts(facts)).await.is_err() {
            tracing::error!("a call's journal ended before the call; facts are lost");
        }
        if void {
            return;
        }
        if arrival {
            let kept = self.flush(ARRIVAL_BUDGET).await;
            self.void.store(!kept, Ordering::Relaxed);
        } else if phase {
            // Past the budget the call goes on; the facts stay in order behind it.
            self.flush(PHASE_BUDGET).await;
        }
    }

    /// Whether the call's arrival could not be kept: the call is not to be taken.
    pub(super) fn is_void(&self) -> bool {
        self.void.load(Ordering::Relaxed)
    }

    /// Whether everything so far was kept within this time.
    async fn flush(&self, within: Duration) -> bool {
        let (done, kept) = oneshot::channel();
        let asked = self.entries.send(Entry::Flush(done)).await.is_ok();
        asked && matches!(tokio::time::timeout(within, kept).await, Ok(Ok(true)))
    }
}

/// Whether this fact is how the log first hears of a call from outside.
pub(super) fn is_arrival(fact: &CallCommand) -> bool {
    matches!(fact, CallCommand::Receive(_))
}

/// Whether the call waits until this fact is kept before it announces it.
pub(super) fn is_phase(fact: &CallCommand) -> bool {
    matches!(
        fact,
        CallCommand::Receive(_) | CallCommand::Answer | CallCommand::Connect(_) | CallCommand::End(_)
    )
}

async fn keep(outside: Arc<dyn Outside>, mut entries: mpsc::Receiver<Entry>) {
    let (mut batch, mut kept, mut lost) = (Vec::with_capacity(BATCH), true, HashSet::new());
    while entries.recv_many(&mut batch, BATCH).await > 0 {
        gather(&mut entries, &mut batch).await;
        let mut pending: Option<(CallRef, Vec<(Timestamp, CallCommand)>)> = None;
        for entry in batch.drain(..) {
            match entry {
                Entry::Facts(facts) => {
                    for (call, at, fact) in facts {
                        match &mut pending {
                            Some((same, facts)) if *same == call => facts.push((at, fact)),
                            _ => {
                                let before = pending.replace((call, vec![(at, fact)]));
                                kept &= append(&*outside, before, &mut lost).await;
                            }
                        }
                    }
                }
                Entry::Flush(done) => {
                    kept &= append(&*outside, pending.take(), &mut lost).await;
                    done.send(std::mem::replace(&mut kept, true)).ok();
                }
            }
        }
        kept &= append(&*outside, pending, &mut lost).await;
    }
}

/// Waits for more, unless a phase is waited for or the call is over.
async fn gather(entries: &mut mpsc::Receiver<Entry>, batch: &mut Vec<Entry>) {
    let until = Instant::now() + GATHERING;
    while batch.len() < BATCH && !batch.iter().any(|entry| matches!(entry, Entry::Flush(_))) {
        let more = timeout_at(until, entries.recv_many(batch, BATCH)).await;
        if !matches!(more, Ok(1..)) {
            return;
        }
    }
}

/// Whether they are kept. Of each call it is told once that some are not: `lost` has those of which it was.
async fn append(
    outside: &dyn Outside,
    facts: Option<(CallRef, Vec<(Timestamp, CallCommand)>)>,
    lost: &mut HashSet<Sid>,
) -> bool {
    let Some((call, facts)) = facts else { return true };
    let sid = call.sid.clone();
    let kept = outside.record(call, facts).await;
    if let Err(error) = &kept {
        if lost.insert(sid.clone()) {
            tracing::error!(call = %sid, %error, "facts of a call are lost; of further ones of it nothing is said");
        } else {
            tracing::debug!(call = %sid, %error, "more facts of a call are lost");
        }
    }
    kept.is_ok()
}
