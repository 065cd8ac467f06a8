//! `/calls/{sid}/timeline` and `/calls/{sid}/messages`: everything that happened to a call, and the SIP evidence.

use super::{
    calls::call_of,
    lists::{page, page_of, views},
    tag::Tag,
    write::Handle,
};
use crate::{
    auth::Reader,
    problem::{ApiError, Refusal},
};
use domain::EventKind;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
    types::Any,
};
use projections::{Lane, TimelineRow};
use store::EvidenceItem;

/// Which lane of the timeline an entry is drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum TimelineLane {
    /// What the call itself went through.
    Call,
    /// Signalling.
    Sip,
    /// Verbs and keys.
    Twiml,
    /// Requests to the customer's application.
    Webhook,
    /// What was heard.
    Media,
    /// What is wrong.
    Warning,
}

/// One thing that happened to a call.
#[derive(Clone, Debug, Object)]
pub(crate) struct TimelineEntry {
    /// Its place in the log, as text.
    position: String,
    /// Its place in the call, from 1.
    sequence: i32,
    /// When it happened.
    at: String,
    /// Where it is drawn.
    lane: TimelineLane,
    /// The event's type, for example `Answered`.
    event_type: String,
    /// One line for people.
    title: String,
    /// Everything the event says; for a webhook the whole exchange.
    detail: Any<serde_json::Value>,
}

page_of! {
    /// A call's timeline, oldest first.
    TimelinePage of TimelineEntry
}

/// Which way a SIP message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
enum MessageDirection {
    /// To us.
    In,
    /// From us.
    Out,
}

/// A SIP message of a call, as it was on the wire.
#[derive(Clone, Debug, Object)]
struct SipMessage {
    /// When.
    at: String,
    /// To us or from us.
    direction: MessageDirection,
    /// The other end's address and port.
    peer: String,
    /// Its first line.
    summary: String,
    /// All of it.
    raw: String,
}

page_of! {
    /// A call's SIP messages, oldest first.
    SipMessagePage of SipMessage
}

impl From<TimelineRow> for TimelineEntry {
    fn from(row: TimelineRow) -> TimelineEntry {
        TimelineEntry {
            position: row.position.to_string(),
            sequence: i32::try_from(row.sequence).unwrap_or(i32::MAX),
            at: row.at.to_string(),
            lane: row.lane.into(),
            event_type: row.event.name().to_owned(),
            title: row.title,
            detail: Any(row.detail),
        }
    }
}

impl From<Lane> for TimelineLane {
    fn from(lane: Lane) -> TimelineLane {
        match lane {
            Lane::Call => TimelineLane::Call,
            Lane::Sip => TimelineLane::Sip,
            Lane::Twiml => TimelineLane::Twiml,
            Lane::Webhook => TimelineLane::Webhook,
            Lane::Media => TimelineLane::Media,
            Lane::Warning => TimelineLane::Warning,
        }
    }
}

impl From<EvidenceItem> for SipMessage {
    fn from(item: EvidenceItem) -> SipMessage {
        let direction = if item.direction == "in" { MessageDirection::In } else { MessageDirection::Out };
        let EvidenceItem { at, peer, summary, raw, .. } = item;
        SipMessage { at: at.to_string(), direction, peer, summary, raw }
    }
}

pub(crate) struct TimelineApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/calls", tag = "Tag::Calls")]
impl TimelineApi {
    /// List what happened to a call
    ///
    /// Oldest first: signalling, verbs, webhooks with request and response, media, warnings.
    #[oai(path = "/:sid/timeline", method = "get", operation_id = "listCallTimeline")]
    async fn timeline(
        &self,
        Reader(who): Reader,
        sid: Path<String>,
        /// The `sequence` to go on after.
        cursor: Query<Option<String>>,
        /// Most rows to return.
        #[oai(validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<Option<i32>>,
    ) -> Result<Json<TimelinePage>, ApiError> {
        let app = self.0.app()?;
        let call = call_of(app, &who, &sid).await?.sid;
        let reads = app.projections.call_timeline(who.scope());
        let rows = reads.list(&call, &page(cursor.0, limit.0)).await.map_err(Refusal::from)?;
        Ok(Json(views(rows, TimelineEntry::from).into()))
    }

    /// List a call's SIP messages
    ///
    /// Oldest first, as they were on the wire; kept for a limited time.
    #[oai(path = "/:sid/messages", method = "get", operation_id = "listCallMessages")]
    async fn messages(
        &self,
        Reader(who): Reader,
        sid: Path<String>,
        /// Where the page before ended.
        cursor: Query<Option<String>>,
    ) -> Result<Json<SipMessagePage>, ApiError> {
        let app = self.0.app()?;
        let call = call_of(app, &who, &sid).await?.sid;
        let skip: u64 = match cursor.0.as_deref().map(str::parse).transpose() {
            Ok(skip) => skip.unwrap_or(0),
            Err(_) => return Err(Refusal::from(projections::ReadError::Cursor(String::new())).into()),
        };
        let items = app.store.evidence().of(&call, skip).await.map_err(Refusal::from)?;
        let full = items.len() >= store::EVIDENCE_PAGE;
        let next = full.then(|| (skip + items.len() as u64).to_string());
        let sip = items.into_iter().filter(|item| item.kind == "sip");
        Ok(Json((sip.map(SipMessage::from).collect(), next).into()))
    }
}
