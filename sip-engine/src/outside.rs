//! What an engine needs from outside: a journal, the web, and a place for evidence. Engines know neither a database
//! nor an HTTP client; whoever starts one hands in an [`Outside`].

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Sid, Tenant, Timestamp,
    call::{CallCommand, Purpose, WebhookExchange},
    webhook_url::{Method, WebhookUrl},
};

/// The engine's only way out of the process, beside SIP and RTP.
#[async_trait]
pub trait Outside: Send + Sync + 'static {
    /// Appends facts to the call's stream, in order. Returns when they are durable, in the log or in a spool that
    /// drains into it; where neither works, what belongs to a call that is recorded is remembered until one does. The
    /// engine waits 250 ms for a phase fact and then goes on, but for a call's arrival: one that is not kept within 3 s
    /// is turned away. It never appends to the same call twice at once.
    ///
    /// # Errors
    /// When they are lost. The engine turns away a call whose arrival is; else it logs that and goes on with the call.
    async fn record(&self, call: CallRef, facts: Vec<(Timestamp, CallCommand)>) -> Result<(), RecordError>;

    /// Requests a TwiML document: signed, with limits and guarded addresses. Never fails as such: what went wrong is
    /// in the answer. The engine records the exchange.
    async fn fetch(&self, request: DocumentRequest) -> Fetched;

    /// Gets the sound of a `<Play>` of this call, at most 16 MiB, from a cache where the application allows it.
    ///
    /// # Errors
    /// With Twilio's code for what went wrong.
    async fn media(&self, call: CallRef, url: WebhookUrl) -> Result<MediaFile, FetchFailure>;

    /// Keeps raw evidence. Must return at once; what does not fit is dropped and counted.
    fn evidence(&self, items: Vec<Evidence>);
}

/// A call and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallRef {
    /// The call's stream.
    pub sid: Sid,
    /// The carrier, and the account when the dialled number has one.
    pub tenant: Tenant,
}

/// Facts that could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("facts of the call were not kept: {0}")]
pub struct RecordError(pub String);

/// A document to request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRequest {
    /// Whose application it is; its auth token signs.
    pub tenant: Tenant,
    /// For which call.
    pub call: Sid,
    /// What for.
    pub purpose: Purpose,
    /// From where.
    pub url: WebhookUrl,
    /// How.
    pub method: Method,
    /// All of Twilio's parameters, in order.
    pub params: Vec<(String, String)>,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The exchange as the inspector shows it.
    pub exchange: WebhookExchange,
    /// The response's Content-Type.
    pub content_type: Option<String>,
    /// Where it came from in the end, when redirects led there: what the document's addresses are relative to.
    pub base: Option<twiml::Url>,
    /// The response's body, whole; at most 64 KB, or 16 MB when it is audio.
    pub body: Bytes,
    /// Set when there is no usable response: no connection, a timeout, a status other than 2xx, a body too large.
    pub failure: Option<FetchFailure>,
}

/// Why something could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct FetchFailure {
    /// Twilio's error code: 11200, 11205, 11215, 11750, …
    pub code: u32,
    /// One sentence for a person.
    pub message: String,
}

/// A sound as it came.
#[derive(Clone, Debug)]
pub struct MediaFile {
    /// The response's Content-Type.
    pub content_type: Option<String>,
    /// The file.
    pub body: Bytes,
}

/// One SIP message of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The call.
    pub call: CallRef,
    /// When it went over the wire.
    pub at: Timestamp,
    /// `sip`.
    pub kind: &'static str,
    /// Whether it came in.
    pub inbound: bool,
    /// The other side's address and port.
    pub peer: String,
    /// `INVITE sip:1234@host` or `200 OK (INVITE)`.
    pub summary: String,
    /// The message; credentials are blanked.
    pub raw: String,
}
