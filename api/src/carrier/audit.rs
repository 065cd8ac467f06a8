//! `/audit`: who changed what, when, from where.

use super::{
    lists::{AgeOrder, counted, moment, page, page_of},
    tag::Tag,
    write::Handle,
};
use crate::{
    auth::Reader,
    problem::{ApiError, Refusal},
};
use domain::Sid;
use poem_openapi::{Object, OpenApi, param::Query, payload::Json, types::Any};
use projections::{AuditFilter, AuditRow, Order};

/// One change.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct AuditEntry {
    /// Its place in the log, as text.
    position: String,
    /// When.
    at: String,
    /// `user`, `api_key`, `account` or `system`.
    actor_type: String,
    /// The actor's identifier, or the name of the part of the system.
    actor: String,
    /// From which address.
    ip: Option<String>,
    /// With which program.
    user_agent: Option<String>,
    /// What was changed.
    stream_sid: String,
    /// Of which kind it is, for example `phone_number`.
    stream_type: String,
    /// The change, for example `Renamed`.
    event_type: String,
    /// Everything the event says; secrets are never in it.
    payload: Any<serde_json::Value>,
    /// The request it belongs to.
    request_id: Option<String>,
}

page_of! {
    /// Changes, newest first.
    AuditPage of AuditEntry, counted
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> AuditEntry {
        AuditEntry {
            position: row.position.to_string(),
            at: row.at.to_string(),
            actor_type: row.actor_kind,
            actor: row.actor_id,
            ip: row.ip,
            user_agent: row.user_agent,
            stream_sid: row.stream.to_string(),
            stream_type: row.stream_type,
            event_type: row.event_type,
            payload: Any(without_type(row.payload)),
            request_id: row.correlation,
        }
    }
}

/// The event without the name of its type around it.
fn without_type(payload: serde_json::Value) -> serde_json::Value {
    match payload {
        serde_json::Value::Object(named) => named.into_values().next().unwrap_or_default(),
        other => other,
    }
}

pub(crate) struct AuditApi(pub(crate) Handle);

#[OpenApi(prefix_path = "/audit", tag = "Tag::Audit")]
impl AuditApi {
    /// List changes
    ///
    /// Newest first unless `order` says otherwise, by thing, kind, change, actor and time.
    #[oai(path = "/", method = "get", operation_id = "listAudit")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter; the macro takes no struct")]
    async fn list(
        &self,
        Reader(who): Reader,
        /// Of the thing with this SID.
        stream_sid: Query<Option<String>>,
        /// Of things of this kind, for example `phone_number`.
        stream_type: Query<Option<String>>,
        /// Of this type, for example `Renamed`.
        event_type: Query<Option<String>>,
        /// By this actor: a SID, or the name of a part of the system.
        actor: Query<Option<String>>,
        /// At this time or later (RFC 3339).
        since: Query<Option<String>>,
        /// Before this time (RFC 3339).
        until: Query<Option<String>>,
        /// In which order; newest first when left out.
        order: Query<Option<AgeOrder>>,
        /// Where the page before ended.
        cursor: Query<Option<String>>,
        /// Most rows to return.
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))]
        limit: Query<Option<i32>>,
    ) -> Result<Json<AuditPage>, ApiError> {
        let stream = stream_sid.0.as_deref().map(str::parse::<Sid>).transpose();
        let filter = AuditFilter {
            stream: stream.map_err(|error| Refusal::field("stream_sid", error.to_string()))?,
            stream_type: stream_type.0,
            event_type: event_type.0,
            actor: actor.0,
            since: moment("since", since.0.as_deref())?,
            until: moment("until", until.0.as_deref())?,
        };
        let reads = self.0.app()?.projections.audit(who.scope());
        let page = page(cursor.0, limit.0).by(order.0.map(Order::from).unwrap_or_default());
        let rows = reads.counted(&filter, &page).await.map_err(Refusal::from)?;
        Ok(Json(counted(rows, AuditEntry::from).into()))
    }
}
