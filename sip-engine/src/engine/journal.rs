//! A call's facts on their way to the log: in order, in as few appends as may be, off the call's path.

use crate::outside::{CallRef, Outside};
use domain::{Timestamp, call::CallCommand};
use std::{sync::Arc, time::Duration};
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

/// How long facts between the phases wait for others to be appended with.
const GATHERING: Duration = Duration::from_millis(50);

/// A fact: whose, when, and what.
pub(super) type Fact = (CallRef, Timestamp, CallCommand);

enum Entry {
    Facts(Vec<Fact>),
    /// Everything before this is kept, once it is answered.
    Flush(oneshot::Sender<()>),
}

/// The writing end. The journal ends when all its writing ends are gone and everything is appended.
#[derive(Clone)]
pub(super) struct Journal(mpsc::Sender<Entry>);

impl Journal {
    pub(super) fn start(outside: Arc<dyn Outside>, tracker: &TaskTracker) -> Journal {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tracker.spawn(keep(outside, receiver));
        Journal(sender)
    }

    /// Queues facts; with a phase fact among them, waits a moment until they are kept.
    pub(super) async fn record(&self, facts: Vec<Fact>) {
        let phase = facts.iter().any(|(.., fact)| is_phase(fact));
        if !facts.is_empty() && self.0.send(Entry::Facts(facts)).await.is_err() {
            tracing::error!("a call's journal ended before the call; facts are lost");
        }
        if phase {
            self.flush().await;
        }
    }

    async fn flush(&self) {
        let (done, kept) = oneshot::channel();
        if self.0.send(Entry::Flush(done)).await.is_ok() {
            // Past the budget the call goes on; the facts stay in order behind it.
            tokio::time::timeout(PHASE_BUDGET, kept).await.ok();
        }
    }
}

/// Whether the call waits until this fact is kept before it announces it.
pub(super) fn is_phase(fact: &CallCommand) -> bool {
    matches!(fact, CallCommand::Receive(_) | CallCommand::Answer | CallCommand::End(_))
}

async fn keep(outside: Arc<dyn Outside>, mut entries: mpsc::Receiver<Entry>) {
    let mut batch = Vec::with_capacity(BATCH);
    while entries.recv_many(&mut batch, BATCH).await > 0 {
        gather(&mut entries, &mut batch).await;
        let mut pending: Option<(CallRef, Vec<(Timestamp, CallCommand)>)> = None;
        for entry in batch.drain(..) {
            match entry {
                Entry::Facts(facts) => {
                    for (call, at, fact) in facts {
                        match &mut pending {
                            Some((same, facts)) if *same == call => facts.push((at, fact)),
                            _ => append(&*outside, pending.replace((call, vec![(at, fact)]))).await,
                        }
                    }
                }
                Entry::Flush(done) => {
                    append(&*outside, pending.take()).await;
                    done.send(()).ok();
                }
            }
        }
        append(&*outside, pending).await;
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

async fn append(outside: &dyn Outside, facts: Option<(CallRef, Vec<(Timestamp, CallCommand)>)>) {
    let Some((call, facts)) = facts else { return };
    let sid = call.sid.clone();
    if let Err(error) = outside.record(call, facts).await {
        tracing::error!(call = %sid, %error, "facts of a call are lost");
    }
}
