//! A call's facts on their way to the log: in order, off the call's path.

use crate::outside::{CallRef, Outside};
use domain::{Timestamp, call::CallCommand};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

/// Facts of one call waiting to be appended; a call that has more waits itself.
const QUEUE: usize = 256;
/// Facts appended at once.
const BATCH: usize = 64;
/// How long a phase fact (received, answered, ended) may hold up the call before it goes on without.
const PHASE_BUDGET: Duration = Duration::from_millis(50);

enum Entry {
    Fact(CallRef, Timestamp, Box<CallCommand>),
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

    /// Queues a fact; for a phase fact, waits a moment until it is kept.
    pub(super) async fn record(&self, call: CallRef, at: Timestamp, fact: CallCommand) {
        let phase = is_phase(&fact);
        if self.0.send(Entry::Fact(call, at, Box::new(fact))).await.is_err() {
            tracing::error!("a call's journal ended before the call; a fact is lost");
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

fn is_phase(fact: &CallCommand) -> bool {
    matches!(fact, CallCommand::Receive(_) | CallCommand::Answer | CallCommand::End(_))
}

async fn keep(outside: Arc<dyn Outside>, mut entries: mpsc::Receiver<Entry>) {
    let mut batch = Vec::with_capacity(BATCH);
    while entries.recv_many(&mut batch, BATCH).await > 0 {
        let mut pending: Option<(CallRef, Vec<(Timestamp, CallCommand)>)> = None;
        for entry in batch.drain(..) {
            match entry {
                Entry::Fact(call, at, fact) => match &mut pending {
                    Some((same, facts)) if *same == call => facts.push((at, *fact)),
                    _ => append(&*outside, pending.replace((call, vec![(at, *fact)]))).await,
                },
                Entry::Flush(done) => {
                    append(&*outside, pending.take()).await;
                    done.send(()).ok();
                }
            }
        }
        append(&*outside, pending).await;
    }
}

async fn append(outside: &dyn Outside, facts: Option<(CallRef, Vec<(Timestamp, CallCommand)>)>) {
    let Some((call, facts)) = facts else { return };
    let sid = call.sid.clone();
    if let Err(error) = outside.record(call, facts).await {
        tracing::error!(call = %sid, %error, "facts of a call are lost");
    }
}
