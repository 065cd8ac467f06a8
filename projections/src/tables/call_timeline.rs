//! `call_timeline`: one row per event of a call, in the words of a person.

use super::calls::CallRow;
use crate::machine::{
    biography::{Chronicle, Nonsense},
    column::{spelled, spelling, text},
    error::ReadError,
    reads::{self, Reads},
    record::{self, Record, is, table},
    scope::{Page, PageOf},
};
use domain::{
    Log, Sid, Timestamp,
    call::{Call, CallEvent, CallEventKind, MediaSummary, Program, Purpose, WebhookExchange},
};
use sea_query::{Expr, ExprTrait, Order, Query};
use serde::{Deserialize, Serialize};
use store::Fact;

/// Which lane of the timeline a row is drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
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

text! { Lane => spelling, spelled }

/// One thing that happened to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// The call.
    pub call: Sid,
    /// Its carrier.
    #[serde(skip_serializing)]
    pub carrier: Sid,
    /// The account, where the event names one.
    #[serde(skip)]
    pub account: Option<Sid>,
    /// The event's place in the log.
    pub position: i64,
    /// The event's place in the call, from 1.
    pub sequence: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Where it is drawn.
    pub lane: Lane,
    /// What kind of thing it is.
    pub event: CallEventKind,
    /// One line for a person.
    pub title: String,
    /// Everything the event says.
    pub detail: serde_json::Value,
}

table!(TimelineRow: "call_timeline" v 2, key [call, sequence],
    columns [call, carrier, account, position, sequence, at, lane, event, title, detail],
    indexes []);

impl Chronicle for TimelineRow {
    const LOG: Log = Log::Calls;

    fn entry(fact: &Fact) -> Result<Option<TimelineRow>, Nonsense> {
        let Some(event) = fact.of::<Call>().transpose()? else { return Ok(None) };
        let (lane, title) = line(&event);
        Ok(Some(TimelineRow {
            call: fact.stream.clone(),
            carrier: fact.tenant.carrier.clone(),
            account: fact.tenant.account.clone(),
            position: fact.position,
            sequence: fact.sequence,
            at: fact.at,
            lane,
            event: CallEventKind::from(&event),
            title,
            detail: detail(&event),
        }))
    }
}

/// The event without the name of its type around it, and without what only an engine needs: the headers of a dialog.
fn detail(event: &CallEvent) -> serde_json::Value {
    if matches!(event, CallEvent::Answered { .. } | CallEvent::Moved { .. }) {
        return serde_json::json!({});
    }
    match serde_json::to_value(event) {
        Ok(serde_json::Value::Object(named)) => named.into_values().next().unwrap_or_default(),
        Ok(other) => other,
        Err(_) => serde_json::Value::Null,
    }
}

/// Where an event is drawn, and its one line.
fn line(event: &CallEvent) -> (Lane, String) {
    use CallEvent as E;
    match event {
        E::Received(call) => (Lane::Sip, format!("INVITE from {} for {}", call.from, call.dialled)),
        E::Queued(call) => (Lane::Call, format!("Queued: {} calls {}", call.from, call.to)),
        E::Claimed { node } => (Lane::Call, format!("Taken by {node}")),
        E::Initiated { request_uri, .. } => (Lane::Sip, format!("INVITE to {request_uri}")),
        E::AttemptFailed { trunk, address, sip_code, reason } => {
            let whom = address.as_deref().unwrap_or(trunk.as_str());
            let code = sip_code.map(|code| format!("{code} ")).unwrap_or_default();
            (Lane::Sip, format!("{whom} failed: {code}{reason}"))
        }
        E::Rerouted { request_uri, address, .. } => {
            (Lane::Sip, format!("INVITE to {request_uri}, next at {address}"))
        }
        E::Ringing { sip_code, .. } => (Lane::Sip, format!("Ringing ({sip_code})")),
        E::Answered { .. } => (Lane::Sip, "Answered".to_owned()),
        E::Moved { .. } => (Lane::Sip, "The far end moved to another address".to_owned()),
        E::Exchanged(exchange) => (Lane::Webhook, exchanged(exchange)),
        E::VerbStarted { verb, .. } => (Lane::Twiml, format!("<{verb}>")),
        E::VerbEnded { outcome, .. } => (Lane::Twiml, format!("Verb ended: {outcome}")),
        E::Pressed { digits } => (Lane::Twiml, format!("Pressed {digits}")),
        E::Warned { code, message } => (Lane::Warning, format!("{code}: {message}")),
        E::Held { held: true } => (Lane::Sip, "Put on hold".to_owned()),
        E::Held { held: false } => (Lane::Sip, "Taken back from hold".to_owned()),
        E::Bridged { with } => (Lane::Call, format!("Connected with {with}")),
        E::Unbridged { with } => (Lane::Call, format!("Disconnected from {with}")),
        E::Summarized(media) if media.codec.is_empty() => (Lane::Media, "No media".to_owned()),
        E::Summarized(media) => (Lane::Media, quality(media)),
        E::Redirected(Program::Fetched(document)) => {
            (Lane::Call, format!("Redirected to {}", document.url.as_str()))
        }
        E::Redirected(Program::Inline(_)) => {
            (Lane::Call, "Redirected to TwiML given with the request".to_owned())
        }
        E::EndRequested { status } => (Lane::Call, format!("Asked to end as {}", status.as_str())),
        E::Ended(ending) => (Lane::Call, ended(ending)),
        E::Deleted {} => (Lane::Call, "Deleted".to_owned()),
    }
}

fn exchanged(exchange: &WebhookExchange) -> String {
    let purpose = match exchange.purpose {
        Purpose::Document => "",
        Purpose::Action => "action ",
        Purpose::Fallback => "fallback ",
        Purpose::StatusCallback => "status callback ",
    };
    let outcome = match (&exchange.error, exchange.status) {
        (Some(error), _) => format!("failed ({}): {}", error.code, error.message),
        (None, Some(status)) => format!("{status} in {} ms", exchange.duration_ms),
        (None, None) => "no response".to_owned(),
    };
    format!("{purpose}{} {}: {outcome}", exchange.method.as_str(), exchange.url)
}

fn quality(media: &MediaSummary) -> String {
    let MediaSummary { codec, jitter_ms, packets_lost, .. } = media;
    match media.mos.filter(|_| media.packets_received > 0) {
        Some(mos) => format!("{codec}, MOS {mos:.1}, jitter {jitter_ms:.1} ms, {packets_lost} lost"),
        None => format!("{codec}, nothing was heard"),
    }
}

fn ended(ending: &domain::call::Ending) -> String {
    let reason = serde_json::to_value(ending.reason).ok();
    let reason = reason.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().replace('_', " ");
    let code = ending.sip_code.map(|code| format!(" ({code})")).unwrap_or_default();
    let detail = ending.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("Ended as {}, {reason}{code}{detail}", ending.status.as_str())
}

impl Reads<TimelineRow> {
    /// What happened to a call, oldest first; nothing for a call that is not the scope's, or was deleted. The cursor is
    /// the last row's `sequence`: a live page goes on from there.
    ///
    /// # Errors
    /// When the cursor is not a sequence number, or the database fails.
    pub async fn list(&self, call: &Sid, page: &Page) -> Result<PageOf<TimelineRow>, ReadError> {
        let after = match &page.cursor {
            None => 0,
            Some(cursor) => {
                cursor.parse().map_err(|_| ReadError::Cursor(cursor.chars().take(64).collect()))?
            }
        };
        let mine = self.scope.condition().add(is("sid", call.as_str())).add(is("deleted", false));
        let visible = Query::select().column("sid").from(CallRow::NAME).cond_where(mine).to_owned();
        let mut select = record::select::<TimelineRow>(TimelineRow::NAME);
        select.and_where(Expr::col("call").in_subquery(visible)).and_where(is("call", call.as_str()));
        select.and_where(Expr::col("sequence").gt::<i64>(after)).order_by("sequence", Order::Asc);
        reads::page_of(&self.db, select, page, |row: &TimelineRow| row.sequence.to_string()).await
    }
}
