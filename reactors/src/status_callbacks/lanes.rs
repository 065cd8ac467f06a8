//! The callbacks of one leadership: each call has a lane, in which they are made one after another.

use super::{
    NAME, PAGE, PAUSE,
    accounts::{Accounts, Whose},
    asked::Asked,
    flight::Flight,
    story::{self, Due},
};
use crate::{
    Common,
    http::{CallLogins, MAX_DOCUMENT, QUICK, Request},
    outside::exchange::exchange_of,
};
use domain::{
    Actor, Log, Meta, Sid,
    call::{CallCommand, Purpose, WebhookExchange},
};
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use store::{ExecuteError, Fact, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Most callbacks prepared at once. How many are made, and whose, is the client's to share out.
const MAX_PREPARED: usize = 512;
/// How long a callback waits for an application that is left alone because it hangs; then it is a failed one.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it waits for a place to be made from before it waits anew, others of its call behind it.
const CROWDED: Duration = Duration::from_secs(15);

/// How long a callback waits for the tables.
const READABLE: Duration = Duration::from_secs(1);

/// The lanes; clones share them.
#[derive(Clone)]
pub(super) struct Lanes(Arc<Inner>);

struct Inner {
    common: Common,
    /// Facts that call for a callback, by call. A call that is here has a task that works through its own.
    waiting: Mutex<HashMap<Sid, VecDeque<(Fact, Whose)>>>,
    flight: Flight,
    asked: Asked,
    accounts: Accounts,
    /// Leave to prepare a callback.
    turns: Arc<Semaphore>,
    /// Until when the lease is surely ours, in microseconds of the clock's `elapsed`.
    held_until: AtomicU64,
    /// No further callback is begun.
    closed: CancellationToken,
    tasks: TaskTracker,
}

impl Lanes {
    /// Empty ones; nothing is made before [`Lanes::hold`].
    pub fn new(common: Common) -> Lanes {
        Lanes(Arc::new(Inner {
            common,
            waiting: Mutex::default(),
            flight: Flight::default(),
            asked: Asked::default(),
            turns: Arc::new(Semaphore::new(MAX_PREPARED)),
            accounts: Accounts::default(),
            held_until: AtomicU64::new(0),
            closed: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }))
    }

    /// What has been read and what is under way.
    pub fn flight(&self) -> &Flight {
        &self.0.flight
    }

    /// Callbacks may be begun until then, as the clock's `elapsed` says.
    pub fn hold(&self, until: Duration) {
        self.0.held_until.store(micros(until), Ordering::Release);
    }

    /// Begins no further callback. Those under way are seen through.
    pub fn close(&self) {
        self.0.closed.cancel();
        self.0.tasks.close();
    }

    /// The position everything up to which is done, when that is news.
    pub fn unsaved(&self) -> Option<i64> {
        self.0.flight.unsaved(self.0.accounts.first_parked())
    }

    /// Waits until those under way when it was closed are made and on their timelines.
    pub async fn seen_through(&self) {
        self.0.tasks.wait().await;
    }

    #[cfg(test)]
    pub fn asked(&self) -> &Asked {
        &self.0.asked
    }

    #[cfg(test)]
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// Whether they are closed, to be waited for.
    #[cfg(test)]
    pub fn closed(&self) -> CancellationToken {
        self.0.closed.clone()
    }

    /// Queues the facts that may call for a callback, or none of them when the store cannot say.
    pub async fn take(&self, page: &[Fact]) -> Result<(), StoreError> {
        let mut due = Vec::new();
        for fact in page {
            let whose = self.0.asked.whose(fact, &self.0.common.store).await?;
            due.extend(whose.map(|whose| (fact, whose)));
        }
        due.into_iter().for_each(|(fact, whose)| self.queue(fact, whose));
        Ok(())
    }

    /// The first fact of a call starts its lane.
    fn queue(&self, fact: &Fact, whose: Whose) {
        if !self.0.accounts.admit(&whose, fact.position, self.0.flight.len()) {
            return;
        }
        self.0.flight.begin(fact.position);
        let mut waiting = self.waiting();
        let first = !waiting.contains_key(&fact.stream);
        waiting.entry(fact.stream.clone()).or_default().push_back((fact.clone(), whose));
        if first {
            let (lanes, call) = (self.clone(), fact.stream.clone());
            self.0.tasks.spawn(async move { lanes.work_through(call).await });
        }
    }

    /// Reads the log again for applications that have room again. To be called by whoever follows the log, between its
    /// pages.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        while let Some((whose, from)) = self.0.accounts.resume(self.0.flight.len()) {
            let (until, mut after) = (self.0.flight.position(), from - 1);
            while after < until && !self.0.accounts.is_parked(&whose) {
                after = self.take_again(&whose, after, until).await.inspect_err(|_| {
                    self.0.accounts.park(&whose, after + 1);
                })?;
            }
        }
        Ok(())
    }

    /// One page of the log for one application, and how far that went.
    async fn take_again(&self, whose: &Whose, after: i64, until: i64) -> Result<i64, StoreError> {
        let store = &self.0.common.store;
        let page = store.read(Log::Calls, after, PAGE).await?;
        let mut missed = Vec::new();
        for fact in page.iter().filter(|fact| fact.position <= until) {
            if self.0.asked.whose(fact, store).await?.as_ref() == Some(whose) {
                missed.push(fact);
            }
        }
        missed.into_iter().for_each(|fact| self.queue(fact, whose.clone()));
        Ok(page.last().map_or(until, |last| last.position))
    }

    /// Makes one call's callbacks, one after another; who has signed in for one is so for those that wait behind it.
    async fn work_through(&self, call: Sid) {
        let logins = CallLogins::default();
        while let Some((fact, whose)) = self.front(&call) {
            if !self.settle(&fact, &whose, &logins).await {
                return;
            }
            if let Some(queue) = self.waiting().get_mut(&call) {
                queue.pop_front();
            }
            self.0.accounts.done(&whose);
            self.0.flight.end(fact.position);
        }
    }

    /// The call's next fact; when there is none, its lane ends.
    fn front(&self, call: &Sid) -> Option<(Fact, Whose)> {
        let mut waiting = self.waiting();
        let next = waiting.get(call).and_then(VecDeque::front).cloned();
        if next.is_none() {
            waiting.remove(call);
        }
        next
    }

    /// Makes the callback a fact calls for, once, and puts it on the timeline. `false`: closed before that was begun.
    async fn settle(&self, fact: &Fact, whose: &Whose, logins: &CallLogins) -> bool {
        let closed = &self.0.closed;
        closed.run_until_cancelled(self.readable(fact)).await;
        while !closed.is_cancelled() {
            match closed.run_until_cancelled(self.prepare(fact, whose, logins)).await {
                None => return false,
                Some(Ok(None)) => return true,
                Some(Ok(Some((due, request)))) => {
                    if self.make(fact, whose, &due, request).await {
                        return true;
                    }
                }
                Some(Err(error)) => {
                    tracing::warn!(call = %fact.stream, %error, "a status callback waits for the store");
                }
            }
            closed.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
        false
    }

    /// Waits until the application may be asked, and asks it. `false`: nothing was begun.
    async fn make(&self, fact: &Fact, whose: &Whose, due: &Due, request: Request) -> bool {
        let http = &self.0.common.callbacks;
        // Waited for here and not in the client, where it would be taken off the application's time.
        let turn = self.0.closed.run_until_cancelled(async {
            let account = request.account.as_ref();
            let leave = http.leave(account, &request.url, PATIENCE).await;
            // Nobody else's: whoever waits for a place of its account's would hold up everybody.
            let turn = self.0.accounts.turns(whose).acquire_owned().await.ok();
            // One that is left alone has waited long enough, and is told so by the client.
            let Some(leave) = leave else { return Some((None, turn)) };
            Some((Some(http.ready(account, leave, CROWDED).await?), turn))
        });
        let Some(Some((ready, turn))) = turn.await else { return false };
        // Asked last: all that may have taken longer than the lease lasts.
        if !self.may_begin() {
            return false;
        }
        let outcome = {
            let sent = http.send_with(&request, ready);
            tokio::pin!(sent);
            match tokio::time::timeout(QUICK, &mut sent).await {
                Ok(outcome) => outcome,
                // One that is slow keeps nobody from having a turn.
                Err(_) => {
                    drop(turn);
                    sent.await
                }
            }
        };
        let (method, parameters) = (request.method, request.parameters);
        self.record(fact, due, exchange_of(Purpose::StatusCallback, method, parameters, &outcome)).await;
        true
    }

    /// Waits until the tables have the fact: an application that hears of it asks for the call at once. At the stop they
    /// no longer follow.
    async fn readable(&self, fact: &Fact) {
        let Common { projections, stop, .. } = &self.0.common;
        let passed = projections.passed(Log::Calls, fact.position, READABLE);
        if let Some(Err(behind)) = stop.run_until_cancelled(passed).await {
            tracing::warn!(%behind, "a status callback is ahead of what the API tells");
        }
    }

    /// Waits for leave to prepare a callback: the application's first, so that whoever waits for a slow one holds nobody up.
    async fn turn(&self, whose: &Whose) -> Vec<OwnedSemaphorePermit> {
        let of_account = self.0.accounts.turns(whose);
        let mut turn = Vec::new();
        for turns in [of_account, Arc::clone(&self.0.turns)] {
            turn.extend(turns.acquire_owned().await);
        }
        turn
    }

    fn may_begin(&self) -> bool {
        let held_until = self.0.held_until.load(Ordering::Acquire);
        !self.0.closed.is_cancelled() && micros(self.0.common.clock.elapsed()) < held_until
    }

    /// What to send for a fact; `None` when nobody asked for it, or when it has been made.
    async fn prepare(
        &self,
        fact: &Fact,
        whose: &Whose,
        logins: &CallLogins,
    ) -> Result<Option<(Due, Request)>, StoreError> {
        let _turn = self.turn(whose).await;
        let Common { store, tokens, .. } = &self.0.common;
        let due = story::due(&store.stream(&fact.stream).await?, fact.sequence).unwrap_or_else(|error| {
            tracing::error!(%error, "a status callback cannot be made from damaged facts");
            None
        });
        let Some(due) = due else { return Ok(None) };
        let auth_token = match &due.account {
            Some(account) => tokens.of(account).await?,
            None => None,
        };
        let request = Request {
            method: due.callback.method,
            url: store.vault().with_password(&due.tenant.carrier, &due.callback.url).await?.into(),
            parameters: due.parameters.clone(),
            auth_token,
            headers: vec![],
            limit: MAX_DOCUMENT,
            sounds: false,
            // The same after a crash: the application can tell that it was told before.
            token: Some(fact.event_id),
            cookies: None,
            logins: Some(logins.clone()),
            account: due.account.clone(),
        };
        Ok(Some((due, request)))
    }

    /// Puts it on the call's timeline, trying until the store has it: the application has been told, and must not be
    /// told again because of us.
    pub(super) async fn record(&self, fact: &Fact, due: &Due, exchange: WebhookExchange) {
        let common = &self.0.common;
        let meta = Meta::new(due.tenant.clone(), Actor::system(NAME), common.clock.now());
        let mut meta = meta.once(format!("{NAME}:{}", fact.event_id));
        meta.causation = Some(fact.event_id.to_string());
        let command = CallCommand::Exchange(Box::new(exchange));
        loop {
            let error = match common.tell(&fact.stream, command.clone(), &meta).await {
                // Whoever made it as well was told something else, and its answer is the one that is kept.
                Ok(_) | Err(ExecuteError::Reused) => return,
                Err(error) => error,
            };
            tracing::warn!(call = %fact.stream, %error, "a status callback is not on the timeline");
            match error {
                ExecuteError::Unavailable(StoreError::Closed) => return,
                ExecuteError::Unavailable(_) | ExecuteError::Conflict => tokio::time::sleep(PAUSE).await,
                _ => return,
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Sid, VecDeque<(Fact, Whose)>>> {
        self.0.waiting.lock()
    }
}

fn micros(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}
