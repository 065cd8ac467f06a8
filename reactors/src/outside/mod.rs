//! What the call engine asks of the outside: a journal that outlives an absent database, documents, sounds, evidence.

mod evidence;
pub(crate) mod exchange;
pub(crate) mod journal;
mod media;
mod spool;
#[cfg(test)]
mod tests;
pub(crate) mod tokens;

use crate::{
    geo,
    http::{Cookies, Failure, Http, Logins, MAX_DOCUMENT, Outcome, Request, Response, shown},
    ledger::Ledger,
};
use async_trait::async_trait;
use domain::{Clock, Ids, Kind, Sid, Timestamp, call::CallCommand, webhook_url::WebhookUrl};
use evidence::EvidenceQueue;
use journal::Journal;
use media::MediaCache;
use parking_lot::Mutex;
use sip_engine::{
    CallRef, DocumentRequest, Evidence, FetchFailure, Fetched, MediaFile, Outside, RecordError,
};
use std::{collections::VecDeque, io, path::Path, sync::Arc, time::Duration};
use store::{EvidenceItem, Store, StoreError, Vault};
use tokens::Tokens;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

/// How often it is looked whether the disk takes facts.
const ROOM: Duration = Duration::from_secs(2);
/// How long an application waits to be asked while the log lags behind the call.
const CATCHING_UP: Duration = Duration::from_secs(1);
/// Calls that have ended whose cookies and logins are kept: the action of a dial is asked after the end.
const LAST_WORDS: usize = 256;

/// The engine's way out, over store and web; clones share it.
#[derive(Clone)]
pub struct World {
    journal: Journal,
    http: Http,
    tokens: Tokens,
    vault: Vault,
    media: MediaCache,
    evidence: EvidenceQueue,
    cookies: Cookies,
    logins: Logins,
    /// Calls that ended, the latest last.
    ended: Arc<Mutex<VecDeque<Sid>>>,
}

impl World {
    /// Opens the spool in `folder`, begins to drain what an earlier process left there, and starts writing evidence.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(
        store: &Store,
        http: Http,
        ids: Arc<dyn Ids>,
        folder: &Path,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> io::Result<World> {
        let journal = Journal::open(store.clone(), ids, folder, tasks.clone())?;
        let evidence = EvidenceQueue::default();
        tasks.spawn(evidence.clone().write(store.clone(), stop.clone()));
        let (tokens, media) = (Tokens::new(store.clone()), MediaCache::new(http.clone()));
        let (vault, cookies) = (store.vault().clone(), Cookies::default());
        let (logins, ended) = (Logins::default(), Arc::default());
        Ok(World { journal, http, tokens, vault, media, evidence, cookies, logins, ended })
    }

    /// Waits until no facts are in the spool, at most `within`; whether that came about.
    pub async fn drained(&self, within: Duration) -> bool {
        let mut waiting = self.journal.waiting();
        tokio::time::timeout(within, waiting.wait_for(|waiting| *waiting == 0))
            .await
            .is_ok_and(|seen| seen.is_ok())
    }

    /// Entries in the spool that have not reached the log.
    #[must_use]
    pub fn spooled(&self) -> usize {
        *self.journal.waiting().borrow()
    }

    /// Whether neither log nor spool takes facts: no call is taken then.
    #[must_use]
    pub fn keeps_nothing(&self) -> bool {
        self.journal.keeps_nothing()
    }

    /// Whether facts of this call are on their way into the log.
    #[must_use]
    pub fn is_behind(&self, call: &Sid) -> bool {
        self.journal.is_behind(call)
    }

    /// Looks now and then whether facts would be kept, so that whoever asks hears of a full disk before a call does.
    pub(crate) async fn look_for_room(self, ledger: Ledger, node: Arc<str>, clock: Arc<dyn Clock>) {
        loop {
            let log = async {
                let now = clock.now().micros();
                ledger.advance(&format!("room:{node}"), "", now).await.is_ok()
            };
            self.journal.find_room(log).await;
            tokio::time::sleep(ROOM).await;
        }
    }

    /// Pieces of evidence that were dropped since the start.
    #[must_use]
    pub fn evidence_dropped(&self) -> u64 {
        self.evidence.dropped()
    }

    fn note_end(&self, call: &Sid) {
        let mut ended = self.ended.lock();
        ended.push_back(call.clone());
        while ended.len() > LAST_WORDS
            && let Some(call) = ended.pop_front()
        {
            self.cookies.forget(&call);
            self.logins.forget(&call);
        }
    }

    async fn document(&self, request: &DocumentRequest) -> Outcome {
        // An application looks at its calls, or steers them, as soon as it hears of them.
        for call in calls_named(request) {
            self.journal.caught_up(&call, CATCHING_UP).await;
        }
        match self.web_request(request).await {
            Ok(web_request) => {
                let mut outcome = self.http.send(&web_request).await;
                if let Ok(Response { at: Some(at), .. }) = &mut outcome.result {
                    hide_password(at, &web_request.url, &request.url);
                }
                outcome
            }
            Err(error) => Outcome {
                url: shown(request.url.as_str()),
                duration: Duration::ZERO,
                result: Err(Failure::unsigned(&error)),
            },
        }
    }

    async fn web_request(&self, request: &DocumentRequest) -> Result<Request, StoreError> {
        let auth_token = match &request.tenant.account {
            Some(account) => self.tokens.of(account).await?,
            None => None,
        };
        Ok(Request {
            method: request.method,
            url: self.vault.with_password(&request.tenant.carrier, &request.url).await?.into(),
            parameters: request.params.clone(),
            auth_token,
            headers: vec![],
            limit: MAX_DOCUMENT,
            sounds: true,
            token: None,
            cookies: Some(self.cookies.of(request.tenant.account.as_ref(), &request.call)),
            logins: Some(self.logins.of(&request.call)),
            account: request.tenant.account.clone(),
        })
    }
}

/// The calls a request tells its application of.
fn calls_named(request: &DocumentRequest) -> Vec<Sid> {
    let dialled = request.params.iter().filter(|(name, _)| name == "DialCallSid");
    let dialled = dialled.filter_map(|(_, sid)| Sid::parse_as(Kind::Call, sid).ok());
    std::iter::once(request.call.clone()).chain(dialled).collect()
}

/// Puts what stands for a password back where an address has the one that was asked with: what is made of it may go into
/// the log.
fn hide_password(at: &mut Url, asked: &str, kept: &WebhookUrl) {
    let (Ok(asked), Ok(kept)) = (Url::parse(asked), Url::parse(kept.as_str())) else { return };
    let same_user = (at.username(), at.password()) == (asked.username(), asked.password());
    if same_user && at.origin() == asked.origin() {
        // It cannot fail where there is a host.
        let _ = at.set_password(kept.password());
    }
}

/// What the engine says about the call, and where its parties are, as far as their numbers tell.
fn parameters(params: &[(String, String)]) -> Vec<(String, String)> {
    let party = |wanted: &str| {
        let found = params.iter().find(|(name, _)| name == wanted);
        found.map_or("", |(_, value)| value.as_str())
    };
    let places = geo::places(party("From"), party("To"));
    params.iter().cloned().chain(places).collect()
}

#[async_trait]
impl Outside for World {
    async fn record(&self, call: CallRef, facts: Vec<(Timestamp, CallCommand)>) -> Result<(), RecordError> {
        if facts.iter().any(|(_, fact)| matches!(fact, CallCommand::End(_))) {
            self.note_end(&call.sid);
        }
        let recorded = self.journal.record(call.sid, call.tenant, facts).await;
        recorded.map_err(|error| RecordError(error.to_string()))
    }

    async fn fetch(&self, mut request: DocumentRequest) -> Fetched {
        request.params = parameters(&request.params);
        let outcome = self.document(&request).await;
        let exchange = exchange::exchange_of(request.purpose, request.method, request.params, &outcome);
        let failure =
            exchange.error.clone().map(|error| FetchFailure { code: error.code, message: error.message });
        let response = outcome.result.ok();
        Fetched {
            content_type: response
                .as_ref()
                .and_then(|response| response.header("content-type"))
                .map(str::to_owned),
            base: response.as_ref().and_then(|response| response.at.clone()),
            body: response.map(|response| response.body).unwrap_or_default(),
            exchange,
            failure,
        }
    }

    async fn media(&self, call: CallRef, url: WebhookUrl) -> Result<MediaFile, FetchFailure> {
        let CallRef { sid, tenant } = call;
        let file = match self.vault.with_password(&tenant.carrier, &url).await {
            Ok(url) => self.media.get(tenant.account, url.as_str(), self.logins.of(&sid)).await,
            Err(error) => Err(Failure::unsigned(&error)),
        };
        match file {
            Ok((content_type, body)) => Ok(MediaFile { content_type, body }),
            Err(Failure { code, message, .. }) => Err(FetchFailure { code, message }),
        }
    }

    fn evidence(&self, items: Vec<Evidence>) {
        self.evidence.push(items.into_iter().map(|item| EvidenceItem {
            call: item.call.sid,
            at: item.at,
            kind: item.kind.to_owned(),
            direction: if item.inbound { "in" } else { "out" }.to_owned(),
            peer: item.peer,
            summary: item.summary,
            raw: item.raw,
        }));
    }
}
