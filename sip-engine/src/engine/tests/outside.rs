//! An outside in memory: a journal that can be waited on, documents and sounds by address.

use super::SOON;
use crate::outside::{
    CallRef, DocumentRequest, Evidence, FetchFailure, Fetched, MediaFile, Outside, RecordError,
};
use async_trait::async_trait;
use domain::{
    Kind, Sid, Timestamp,
    call::{CallCommand, EndReason, Received, WebhookExchange},
    webhook_url::WebhookUrl,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::Notify;

#[derive(Default)]
struct Inner {
    facts: Vec<(Sid, CallCommand)>,
    times: Vec<Timestamp>,
    appends: Vec<usize>,
    takes: Duration,
    keeps_nothing: bool,
    requests: Vec<DocumentRequest>,
    documents: HashMap<String, String>,
    sounds: HashMap<String, Vec<u8>>,
    evidence: Vec<Evidence>,
}

#[derive(Default)]
pub(super) struct Memory {
    inner: Mutex<Inner>,
    changed: Notify,
}

impl Memory {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// The application answers this at the address.
    pub(super) fn serves(&self, url: &str, body: &str) {
        self.inner().documents.insert(url.into(), format!("<Response>{body}</Response>"));
    }

    pub(super) fn serves_sound(&self, url: &str, wav: Vec<u8>) {
        self.inner().sounds.insert(url.into(), wav);
    }

    /// Waits for a fact that `wanted` takes, anywhere in the journal.
    pub(super) async fn fact<T>(&self, wanted: impl Fn(&Sid, &CallCommand) -> Option<T>) -> T {
        let look = async {
            loop {
                let changed = self.changed.notified();
                let found = self.inner().facts.iter().find_map(|(sid, fact)| wanted(sid, fact));
                match found {
                    Some(found) => return found,
                    None => changed.await,
                }
            }
        };
        tokio::time::timeout(SOON, look).await.unwrap_or_else(|_| panic!("only {:#?}", self.inner().facts))
    }

    /// Waits for the end of any call and says why.
    pub(super) async fn ended(&self) -> EndReason {
        self.fact(|_, fact| if let CallCommand::End(ending) = fact { Some(ending.reason) } else { None })
            .await
    }

    /// Waits for as many ends, and gives them in order.
    pub(super) async fn endings(&self, count: usize) -> Vec<EndReason> {
        let look = async {
            loop {
                let changed = self.changed.notified();
                let reasons = self.reasons();
                if reasons.len() >= count {
                    return reasons;
                }
                changed.await;
            }
        };
        tokio::time::timeout(SOON, look).await.unwrap_or_else(|_| panic!("only {:?}", self.reasons()))
    }

    fn reasons(&self) -> Vec<EndReason> {
        let inner = self.inner();
        let reason = |(_, fact): &(Sid, CallCommand)| match fact {
            CallCommand::End(ending) => Some(ending.reason),
            _ => None,
        };
        inner.facts.iter().filter_map(reason).collect()
    }

    /// A parameter of the latest request to this address.
    pub(super) fn param(&self, url: &str, name: &str) -> String {
        let inner = self.inner();
        let request = inner.requests.iter().rev().find(|request| request.url.as_str() == url);
        let value = request.and_then(|request| request.params.iter().find(|(have, _)| have == name));
        value.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Waits for a request to this address.
    pub(super) async fn requested(&self, url: &str) {
        let look = async {
            loop {
                let changed = self.changed.notified();
                if self.inner().requests.iter().any(|request| request.url.as_str() == url) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(SOON, look).await.unwrap_or_else(|_| panic!("{url} was not requested"));
    }

    /// How long an append takes from now on.
    pub(super) fn takes(&self, takes: Duration) {
        self.inner().takes = takes;
    }

    /// Whether every append fails from now on.
    pub(super) fn keeps_nothing(&self, nothing: bool) {
        self.inner().keeps_nothing = nothing;
    }

    /// How many facts came with each append.
    pub(super) fn appends(&self) -> Vec<usize> {
        self.inner().appends.clone()
    }

    /// Every fact so far that `of` has a line for.
    pub(super) fn facts_of(&self, of: impl Fn(&CallCommand) -> Option<String>) -> Vec<String> {
        self.inner().facts.iter().filter_map(|(_, fact)| of(fact)).collect()
    }

    /// The names of the facts of all calls, in order.
    pub(super) fn story(&self) -> Vec<String> {
        let name = |fact: &CallCommand| {
            format!("{fact:?}").split([' ', '(', '{']).next().unwrap_or_default().to_owned()
        };
        self.inner().facts.iter().map(|(_, fact)| name(fact)).collect()
    }

    /// How far apart the first and the last moment are that anything says it happened at, SIP messages included.
    pub(super) fn span(&self) -> Duration {
        let inner = self.inner();
        let times = || inner.times.iter().copied().chain(inner.evidence.iter().map(|item| item.at));
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return Duration::ZERO };
        last.since(first)
    }

    /// Waits for a SIP message as evidence.
    pub(super) async fn saw(&self, message: &str) {
        let ladder = || self.inner().evidence.iter().map(|item| item.summary.clone()).collect::<Vec<_>>();
        let look = async {
            loop {
                let changed = self.changed.notified();
                if ladder().iter().any(|summary| summary.starts_with(message)) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(SOON, look)
            .await
            .unwrap_or_else(|_| panic!("{message} is not in {:?}", ladder()));
    }
}

/// The arrival of some call.
pub(super) fn arrival() -> Received {
    Received {
        node: "here".into(),
        account: None,
        trunk: super::sid(Kind::Trunk, 1),
        phone_number: None,
        from: "+85510000001".into(),
        to: "1234".into(),
        dialled: "1234".into(),
        sip_call_id: "x".into(),
        source: "127.0.0.1:5070".into(),
        program: None,
        callback: None,
    }
}

#[async_trait]
impl Outside for Memory {
    async fn record(&self, call: CallRef, facts: Vec<(Timestamp, CallCommand)>) -> Result<(), RecordError> {
        let takes = self.inner().takes;
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        if self.inner().keeps_nothing {
            return Err(RecordError("no room anywhere".into()));
        }
        self.inner().appends.push(facts.len());
        self.inner().times.extend(facts.iter().map(|(at, _)| *at));
        self.inner().facts.extend(facts.into_iter().map(|(_, fact)| (call.sid.clone(), fact)));
        self.changed.notify_waiters();
        Ok(())
    }

    async fn fetch(&self, request: DocumentRequest) -> Fetched {
        let body = self.inner().documents.get(request.url.as_str()).cloned();
        assert!(!request.url.as_str().contains("panic"), "asked to panic");
        let failure = body.is_none().then(|| FetchFailure { code: 11200, message: "404".into() });
        let exchange = WebhookExchange {
            purpose: request.purpose,
            method: request.method,
            url: request.url.to_string(),
            parameters: request.params.clone(),
            status: Some(if body.is_some() { 200 } else { 404 }),
            duration_ms: 0,
            response_headers: Vec::new(),
            body: String::new(),
            truncated: false,
            error: None,
        };
        self.inner().requests.push(request);
        self.changed.notify_waiters();
        let body = body.unwrap_or_default().into();
        Fetched { exchange, content_type: Some("text/xml".into()), base: None, body, failure }
    }

    async fn media(&self, _: CallRef, url: WebhookUrl) -> Result<MediaFile, FetchFailure> {
        let sound = self.inner().sounds.get(url.as_str()).cloned();
        let sound = sound.ok_or_else(|| FetchFailure { code: 11200, message: "404".into() })?;
        Ok(MediaFile { content_type: Some("audio/wav".into()), body: sound.into() })
    }

    fn evidence(&self, items: Vec<Evidence>) {
        self.inner().evidence.extend(items);
        self.changed.notify_waiters();
    }
}
