//! Facts of calls on their way into the log. A store that does not answer within 50 ms keeps nobody waiting: the facts
//! go to the spool, the call goes on, and they follow into the log in order. Where the disk is full as well, what belongs to
//! a call that is known is remembered until log or spool works again; a call that is not known yet is not taken.

use super::spool::{Entry, Kept, LIMITS, Spool};
use domain::{
    Actor, Ids, Meta, Sid, Tenant, Timestamp,
    call::{Call, CallCommand, CallError},
};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use store::{Appended, ExecuteError, Store};
use tokio::{
    sync::{Notify, Semaphore, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::task::TaskTracker;

/// Who the engine is in the log.
pub(crate) const ENGINE: &str = "sip-engine";
/// How long the log may take before facts are spooled.
const BUDGET: Duration = Duration::from_millis(50);
/// Pause before the store is asked again, doubled each time up to `MAX_PAUSE`.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// How long a full spool is waited for: the store works again, and makes room in less.
const FULL_WAIT: Duration = Duration::from_secs(10);
/// The same for a call that arrives: its caller hears nothing meanwhile.
const FULL_WAIT_OF_ARRIVAL: Duration = Duration::from_millis(500);
/// Entries that are remembered while neither log nor disk takes them; later ones are lost.
const REMEMBERED: usize = 10_000;
/// Calls whose spooled facts are drained together.
const DRAINED_TOGETHER: usize = 16;

/// Why facts were not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotKept {
    /// A rule about calls says no.
    #[error("refused: {0}")]
    Refused(String),
    /// Neither log nor disk took them.
    #[error("neither the log nor the spool took them: {0}")]
    Lost(String),
}

/// What one attempt to append came to, when it was no success.
enum Setback {
    /// Trying again changes nothing.
    Refused(String),
    /// The store did not answer; it may or may not have them.
    Unavailable(String),
    /// The call's stream is not where they were to be appended: another process came between.
    Moved,
}

type Attempt = JoinHandle<Result<(), Setback>>;

/// The way of facts into the log; clones share it.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Inner>);

struct Inner {
    store: Store,
    ids: Arc<dyn Ids>,
    spool: Spool,
    /// How long the log may take before facts are spooled.
    budget: Duration,
    tasks: TaskTracker,
    /// Calls with facts in the spool; what comes later for them queues up behind.
    behind: Mutex<HashMap<Sid, VecDeque<Kept>>>,
    draining: Semaphore,
    waiting: watch::Sender<usize>,
    /// Entries that are in this process's memory only.
    remembered: AtomicUsize,
    /// Neither log nor disk took the last facts.
    nowhere: AtomicBool,
    /// Told when an entry has left the spool.
    left: Notify,
}

impl Journal {
    /// Opens the spool in `folder` and begins to drain what an earlier process left in it.
    pub fn open(
        store: Store,
        ids: Arc<dyn Ids>,
        folder: &Path,
        tasks: TaskTracker,
    ) -> std::io::Result<Journal> {
        Ok(Journal::over(Spool::open(folder, LIMITS)?, BUDGET, store, ids, tasks))
    }

    /// The same over a spool that is open already, with another budget.
    fn over(
        (spool, kept): (Spool, Vec<Kept>),
        budget: Duration,
        store: Store,
        ids: Arc<dyn Ids>,
        tasks: TaskTracker,
    ) -> Journal {
        let (behind, draining) = (Mutex::default(), Semaphore::new(DRAINED_TOGETHER));
        let (waiting, left) = (watch::Sender::new(0), Notify::new());
        let (remembered, nowhere) = (AtomicUsize::new(0), AtomicBool::new(false));
        let inner =
            Inner { store, ids, spool, budget, tasks, behind, draining, waiting, remembered, nowhere, left };
        let journal = Journal(Arc::new(inner));
        for entry in kept {
            journal.line_up(entry, None);
        }
        journal
    }

    /// Facts that are spooled and not in the log yet, in entries.
    pub fn waiting(&self) -> watch::Receiver<usize> {
        self.0.waiting.subscribe()
    }

    /// Whether neither log nor disk took the last facts; until one does, or `find_room` finds that they would.
    pub fn keeps_nothing(&self) -> bool {
        self.0.nowhere.load(Ordering::Relaxed)
    }

    /// Looks whether the disk takes facts now, or else the log does, by `try_log`.
    pub async fn find_room(&self, try_log: impl Future<Output = bool>) {
        let spool = self.0.spool.clone();
        let room = matches!(self.0.tasks.spawn_blocking(move || spool.probe()).await, Ok(Ok(())));
        self.note_kept(room || try_log.await);
    }

    fn note_kept(&self, kept: bool) {
        let before = self.0.nowhere.swap(!kept, Ordering::Relaxed);
        match (before, kept) {
            (false, false) => tracing::error!("neither log nor spool takes facts: calls that arrive get 503"),
            (true, true) => tracing::info!("facts are kept again: calls are taken"),
            _ => {}
        }
    }

    /// Appends facts to the call's stream; durable in log or spool when it returns, or remembered when neither works.
    pub async fn record(
        &self,
        call: Sid,
        tenant: Tenant,
        facts: Vec<(Timestamp, CallCommand)>,
    ) -> Result<(), NotKept> {
        let entry = Entry { id: self.0.ids.uuid().to_string(), call, tenant, facts };
        if self.is_behind(&entry.call) {
            return self.spool(entry, None).await;
        }
        let (journal, copy) = (self.clone(), entry.clone());
        let mut attempt = self.0.tasks.spawn(async move { journal.append(&copy).await });
        match timeout(self.0.budget, &mut attempt).await {
            Ok(Ok(Ok(()))) => {
                self.note_kept(true);
                Ok(())
            }
            Ok(Ok(Err(Setback::Refused(why)))) => Err(NotKept::Refused(why)),
            Ok(_) => self.spool(entry, None).await,
            Err(_) => self.spool(entry, Some(attempt)).await,
        }
    }

    /// Whether facts of this call are on their way into the log.
    pub fn is_behind(&self, call: &Sid) -> bool {
        self.0.behind.lock().contains_key(call)
    }

    /// Waits until facts of this call are in the log, at most `within`: while the log is away, calls go on without.
    pub async fn caught_up(&self, call: &Sid, within: Duration) {
        if self.is_behind(call) {
            let mut waiting = self.waiting();
            let drained = waiting.wait_for(|_| !self.is_behind(call));
            // Out of time: what was asked for goes ahead.
            let _ = timeout(within, drained).await;
        }
    }

    async fn spool(&self, entry: Entry, attempt: Option<Attempt>) -> Result<(), NotKept> {
        match self.keep(&entry).await {
            Ok(segment) => {
                self.note_kept(true);
                self.line_up(Kept { entry, segment: Some(segment) }, attempt);
                Ok(())
            }
            // No disk either: what is left is to wait for the attempt under way.
            Err(error) => {
                if let Some(attempt) = attempt
                    && let Ok(Ok(())) = attempt.await
                {
                    return Ok(());
                }
                self.note_kept(false);
                self.remember(entry, &error)
            }
        }
    }

    /// Keeps in memory what nothing else takes, unless it is how a call arrives: that call is not taken.
    fn remember(&self, entry: Entry, error: &io::Error) -> Result<(), NotKept> {
        let before = self.0.remembered.fetch_add(1, Ordering::Relaxed);
        if entry.is_arrival() || before >= REMEMBERED {
            self.0.remembered.fetch_sub(1, Ordering::Relaxed);
            return Err(NotKept::Lost(error.to_string()));
        }
        tracing::warn!(call = %entry.call, %error, "facts of a call are only remembered");
        self.line_up(Kept { entry, segment: None }, None);
        Ok(())
    }

    /// Writes an entry to the spool and returns its file's number. A full one is waited for a while.
    async fn keep(&self, entry: &Entry) -> io::Result<u64> {
        let patience = if entry.is_arrival() { FULL_WAIT_OF_ARRIVAL } else { FULL_WAIT };
        let until = tokio::time::Instant::now() + patience;
        loop {
            let left = self.0.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            let (spool, copy) = (self.0.spool.clone(), entry.clone());
            let kept = self.0.tasks.spawn_blocking(move || spool.keep(&copy)).await;
            match kept.map_err(io::Error::other).flatten() {
                Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                    tokio::time::timeout_at(until, left).await.map_err(|_| error)?;
                }
                settled => return settled,
            }
        }
    }

    /// Puts an entry behind the call's others; the first one starts their draining.
    fn line_up(&self, kept: Kept, attempt: Option<Attempt>) {
        self.0.waiting.send_modify(|waiting| *waiting += 1);
        let call = kept.entry.call.clone();
        let first = {
            let mut behind = self.0.behind.lock();
            let first = !behind.contains_key(&call);
            behind.entry(call.clone()).or_default().push_back(kept);
            first
        };
        if first {
            let journal = self.clone();
            self.0.tasks.spawn(async move { journal.drain(call, attempt).await });
        }
    }

    /// Brings one call's spooled facts into the log, in order.
    async fn drain(&self, call: Sid, mut attempt: Option<Attempt>) {
        while let Some(Kept { entry, segment }) = self.front(&call) {
            let settled = match attempt.take() {
                Some(attempt) => matches!(attempt.await, Ok(Ok(()))),
                None => false,
            };
            if !settled {
                self.bring(&entry).await;
            }
            self.forget_front(&call, segment);
        }
    }

    /// The call's next entry; when there is none, the call is not behind any more.
    fn front(&self, call: &Sid) -> Option<Kept> {
        let mut behind = self.0.behind.lock();
        let entry = behind.get(call).and_then(VecDeque::front).cloned();
        if entry.is_none() {
            behind.remove(call);
        }
        entry
    }

    fn forget_front(&self, call: &Sid, segment: Option<u64>) {
        if let Some(queue) = self.0.behind.lock().get_mut(call) {
            queue.pop_front();
        }
        match segment.map(|segment| self.0.spool.done(segment)) {
            Some(Err(error)) => tracing::error!(%error, "the spool could not be emptied"),
            Some(Ok(())) => {}
            None => drop(self.0.remembered.fetch_sub(1, Ordering::Relaxed)),
        }
        self.0.left.notify_waiters();
        self.0.waiting.send_modify(|waiting| *waiting = waiting.saturating_sub(1));
    }

    /// Appends an entry, trying until the store has it.
    async fn bring(&self, entry: &Entry) {
        let mut pause = PAUSE;
        loop {
            let setback = {
                let Ok(_place) = self.0.draining.acquire().await else { return };
                // From the look to the append, no command of this process comes between.
                let _turn = self.0.store.turn(&entry.call).await;
                match self.absent_at(entry).await {
                    Ok(None) => return,
                    Ok(Some(version)) => self.append_at(version, entry).await,
                    Err(setback) => Err(setback),
                }
            };
            match setback {
                Ok(()) => return,
                Err(Setback::Refused(why)) => {
                    tracing::error!(call = %entry.call, why, "the log refused facts of the spool");
                    return;
                }
                Err(Setback::Unavailable(why)) => {
                    tracing::warn!(call = %entry.call, why, "facts stay in the spool");
                }
                // It works: they follow as soon as they can.
                Err(Setback::Moved) => pause = PAUSE,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// The version of the call's stream at which the entry is not in it; `None` when an attempt whose answer never came
    /// took place after all.
    async fn absent_at(&self, entry: &Entry) -> Result<Option<i64>, Setback> {
        let stream = self.0.store.stream(&entry.call).await;
        let facts = stream.map_err(|error| Setback::Unavailable(error.to_string()))?;
        let is_there = facts.iter().any(|fact| fact.correlation.as_deref() == Some(&entry.id));
        Ok((!is_there).then(|| facts.last().map_or(0, |last| last.sequence)))
    }

    async fn append(&self, entry: &Entry) -> Result<(), Setback> {
        settled(self.0.store.execute_all::<Call>(&entry.call, commands(entry)).await)
    }

    /// Appends to the version the entry is absent at, and to no other. An attempt under way all the same was decided on
    /// that version or an earlier one: it is too late now, or this one is, and looks again.
    async fn append_at(&self, version: i64, entry: &Entry) -> Result<(), Setback> {
        settled(self.0.store.execute_at::<Call>(&entry.call, version, commands(entry)).await)
    }
}

/// An entry as it is appended; its id marks the events.
fn commands(entry: &Entry) -> Vec<(CallCommand, Meta)> {
    let meta = |at: Timestamp| Meta {
        correlation: Some(entry.id.clone()),
        ..Meta::new(entry.tenant.clone(), Actor::system(ENGINE), at)
    };
    entry.facts.iter().map(|(at, command)| (command.clone(), meta(*at))).collect()
}

fn settled(result: Result<Appended, ExecuteError<CallError>>) -> Result<(), Setback> {
    match result {
        Ok(_) => Ok(()),
        Err(ExecuteError::Unavailable(error)) => Err(Setback::Unavailable(error.to_string())),
        Err(ExecuteError::Conflict) => Err(Setback::Moved),
        Err(error) => Err(Setback::Refused(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
