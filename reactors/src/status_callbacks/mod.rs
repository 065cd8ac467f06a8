//! `status_callbacks`: tells applications how their calls go on. Follows `calls`; per call in order, each once; a slow
//! application delays nobody else.
//!
//! A callback that was made is a fact on its call's timeline. After a crash the facts say which ones were, so at worst
//! the one that was under way is made again, with the same sequence number.

mod flight;
mod story;
#[cfg(test)]
mod tests;

use crate::{
    Common,
    http::{MAX_DOCUMENT, Request},
    ledger::RENEWAL,
    outside::exchange::exchange_of,
};
use domain::{
    Actor, Log, Meta, Sid,
    call::{Call, CallCommand, CallEvent, Callback, Purpose, WebhookExchange},
};
use flight::Flight;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use store::{ExecuteError, Fact, StoreError};
use story::Due;
use tokio_util::sync::CancellationToken;

/// This reactor's name: its checkpoint, its lease, and who it is in the log.
pub const NAME: &str = "status_callbacks";
/// Facts per page.
const PAGE: usize = 500;
/// Most callbacks that wait or are under way; beyond it the log is read no further for a while.
const MAX_IN_FLIGHT: usize = 20_000;
/// Most calls remembered to have asked for no callback.
const MAX_SILENT: usize = 50_000;
/// How long callbacks are still made after the stop.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Pause after the store failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The reactor; clones share it.
#[derive(Clone)]
pub(crate) struct StatusCallbacks(Arc<Inner>);

struct Inner {
    common: Common,
    /// Facts that call for a callback, by call. A call that is here has a task that works through its own.
    lanes: Mutex<HashMap<Sid, VecDeque<Fact>>>,
    flight: Flight,
    /// No further callback is begun.
    halt: CancellationToken,
}

impl StatusCallbacks {
    pub fn new(common: Common) -> StatusCallbacks {
        StatusCallbacks(Arc::new(Inner {
            common,
            lanes: Mutex::default(),
            flight: Flight::default(),
            halt: CancellationToken::new(),
        }))
    }

    /// Runs until it is told to stop, and a little longer: the engine has ended by then, and its last calls' callbacks
    /// are made, as far as that takes [`LAST_WORDS`] at most. While another node has the lease, it waits.
    pub async fn run(self) {
        let stop = self.0.common.stop.clone();
        stop.run_until_cancelled(self.lead_or_wait()).await;
        match tokio::time::timeout(LAST_WORDS, self.finish()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the last status callbacks are made after the next start");
            }
            Err(_) => {
                tracing::info!(left = self.0.flight.len(), "status callbacks go on after the next start");
            }
        }
        self.0.halt.cancel();
        if let Err(error) = self.save().await {
            tracing::warn!(%error, "the checkpoint of the status callbacks stays behind");
        }
    }

    async fn lead_or_wait(&self) {
        loop {
            match self.lead().await {
                Ok(()) => tracing::debug!("another node makes the status callbacks"),
                Err(error) => tracing::warn!(%error, "status callbacks wait for the store"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Reads what is left in the log and waits until its callbacks are made.
    async fn finish(&self) -> Result<(), StoreError> {
        if !self.renew().await? {
            return Ok(());
        }
        let (store, mut silent) = (&self.0.common.store, Silent::default());
        loop {
            let page = store.read(Log::Calls, self.resume().await?, PAGE).await?;
            let Some(last) = page.last() else { break };
            page.iter().for_each(|fact| self.take(fact, &mut silent));
            self.0.flight.read(last.position);
        }
        self.0.flight.landed().await;
        Ok(())
    }

    /// Follows the log for as long as the lease is ours.
    async fn lead(&self) -> Result<(), StoreError> {
        let Common { store, .. } = &self.0.common;
        if !self.renew().await? {
            return Ok(());
        }
        let mut silent = Silent::default();
        let mut follower = store.follow(Log::Calls, self.resume().await?, PAGE);
        let mut renewal = tokio::time::interval(RENEWAL);
        let mut saving = tokio::time::interval(PAUSE);
        loop {
            tokio::select! {
                page = follower.next(), if self.0.flight.len() < MAX_IN_FLIGHT => {
                    let page = page?;
                    page.iter().for_each(|fact| self.take(fact, &mut silent));
                    self.0.flight.read(follower.position());
                }
                _ = saving.tick() => self.save().await?,
                _ = renewal.tick() => if !self.renew().await? { return Ok(()) },
            }
        }
    }

    async fn renew(&self) -> Result<bool, StoreError> {
        let Common { ledger, node, clock, .. } = &self.0.common;
        ledger.lease(NAME, node, clock.now()).await
    }

    /// Where to read on: after a failure that is where this process was.
    async fn resume(&self) -> Result<i64, StoreError> {
        let stored = self.0.common.ledger.position(NAME).await?;
        self.0.flight.read(stored);
        Ok(self.0.flight.position())
    }

    async fn save(&self) -> Result<(), StoreError> {
        let Some(position) = self.0.flight.unsaved() else { return Ok(()) };
        let Common { ledger, node, .. } = &self.0.common;
        ledger.advance(NAME, node, position).await?;
        self.0.flight.saved(position);
        Ok(())
    }

    /// Queues a fact that may call for a callback; the first of a call starts its lane.
    fn take(&self, fact: &Fact, silent: &mut Silent) {
        if silent.knows(fact) || story::moment(&fact.event_type).is_none() {
            return;
        }
        self.0.flight.begin(fact.position);
        let mut lanes = self.lanes();
        let first = !lanes.contains_key(&fact.stream);
        lanes.entry(fact.stream.clone()).or_default().push_back(fact.clone());
        if first {
            let (callbacks, call) = (self.clone(), fact.stream.clone());
            self.0.common.tasks.spawn(async move { callbacks.work_through(call).await });
        }
    }

    /// Makes one call's callbacks, one after another.
    async fn work_through(&self, call: Sid) {
        while let Some(fact) = self.front(&call) {
            while let Err(error) = self.make(&fact).await {
                tracing::warn!(%call, %error, "a status callback waits for the store");
                if self.0.halt.is_cancelled() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
            if let Some(queue) = self.lanes().get_mut(&call) {
                queue.pop_front();
            }
            self.0.flight.end(fact.position);
        }
    }

    /// The call's next fact; when there is none, or it is time to stop, its lane is closed.
    fn front(&self, call: &Sid) -> Option<Fact> {
        let mut lanes = self.lanes();
        let fact = lanes.get(call).and_then(VecDeque::front).cloned();
        let fact = fact.filter(|_| !self.0.halt.is_cancelled());
        if fact.is_none() {
            lanes.remove(call);
        }
        fact
    }

    async fn make(&self, fact: &Fact) -> Result<(), StoreError> {
        let stream = self.0.common.store.stream(&fact.stream).await?;
        match story::due(&stream, fact.sequence) {
            Ok(None) => Ok(()),
            Ok(Some(due)) => {
                let exchange = self.request(&due).await?;
                self.record(fact, &due, exchange).await
            }
            Err(error) => {
                tracing::error!(%error, "a status callback cannot be made from damaged facts");
                Ok(())
            }
        }
    }

    async fn request(&self, due: &Due) -> Result<WebhookExchange, StoreError> {
        let Common { tokens, http, .. } = &self.0.common;
        let auth_token = match &due.account {
            Some(account) => tokens.of(account).await?,
            None => None,
        };
        let Callback { url, method, .. } = &due.callback;
        let request = Request {
            method: *method,
            url: url.to_string(),
            parameters: due.parameters.clone(),
            auth_token,
            headers: vec![],
            limit: MAX_DOCUMENT,
        };
        let outcome = http.send(&request).await;
        Ok(exchange_of(Purpose::StatusCallback, *method, due.parameters.clone(), &outcome))
    }

    /// Puts it on the call's timeline.
    async fn record(&self, fact: &Fact, due: &Due, exchange: WebhookExchange) -> Result<(), StoreError> {
        let common = &self.0.common;
        let mut meta = Meta::new(due.tenant.clone(), Actor::system(NAME), common.clock.now());
        meta.causation = Some(fact.event_id.to_string());
        let command = CallCommand::Exchange(Box::new(exchange));
        // No command id: what the application answered differs each time, and the facts tell what was made.
        match common.tell(&fact.stream, command, &meta).await {
            Err(ExecuteError::Unavailable(error)) => Err(error),
            Err(error) => {
                tracing::info!(call = %fact.stream, %error, "a status callback is not on the timeline");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, HashMap<Sid, VecDeque<Fact>>> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls that asked for no callback, from their first fact until their last: most calls, so their facts are passed over
/// without a look into the store.
#[derive(Default)]
struct Silent(std::collections::HashSet<Sid>);

impl Silent {
    /// Whether this fact's call is known to want none; learns from its first fact.
    fn knows(&mut self, fact: &Fact) -> bool {
        let asked = match fact.event_type.as_str() {
            "Received" | "Queued" => match fact.of::<Call>() {
                Some(Ok(CallEvent::Received(received))) => received.callback,
                Some(Ok(CallEvent::Queued(queued))) => queued.callback,
                _ => return false,
            },
            "Ended" => return self.0.remove(&fact.stream),
            _ => return self.0.contains(&fact.stream),
        };
        if asked.is_none() && self.0.len() < MAX_SILENT {
            self.0.insert(fact.stream.clone());
        }
        asked.is_none()
    }
}
