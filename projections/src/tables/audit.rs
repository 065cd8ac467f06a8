//! `audit`: one row per event of the core log: who changed what, when, from where.

use crate::machine::{
    biography::{Chronicle, Nonsense},
    error::ReadError,
    order::Order,
    reads::{self, Reads},
    record::{self, Record, is, table},
    scope::{Page, PageOf},
    search::{self, Total},
};
use domain::{Log, Sid, Timestamp};
use sea_query::{Cond, Expr, ExprTrait, SelectStatement};
use serde::{Deserialize, Serialize};
use store::{Fact, Searching};

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its place in the core log.
    pub position: i64,
    /// Whose data it changed.
    pub carrier: Sid,
    /// The account it concerned, if one.
    pub account: Option<Sid>,
    /// When.
    pub at: Timestamp,
    /// `user`, `api_key`, `account` or `system`.
    pub actor_kind: String,
    /// The actor's identifier, or the name of the part of the system.
    pub actor_id: String,
    /// From which address.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// What was changed.
    pub stream: Sid,
    /// Of which kind it is, for example `phone_number`.
    pub stream_type: String,
    /// The change, for example `Renamed`.
    pub event_type: String,
    /// Everything the event says; secrets are never in it.
    pub payload: serde_json::Value,
    /// What it belongs to, for example a request.
    pub correlation: Option<String>,
}

table!(AuditRow: "audit" v 3, key [position],
    columns [position, carrier, account, at, actor_kind, actor_id, ip, user_agent, stream, stream_type, event_type, payload,
        correlation],
    indexes [["carrier", "at", "position"], ["carrier", "stream_type", "at", "position"],
        ["carrier", "event_type", "at", "position"], ["carrier", "actor_id", "at", "position"],
        ["carrier", "stream", "at", "position"]]);

impl Chronicle for AuditRow {
    const LOG: Log = Log::Core;

    fn entry(fact: &Fact) -> Result<Option<AuditRow>, Nonsense> {
        let payload =
            serde_json::from_str(&fact.payload).map_err(|error| Nonsense::unstorable(fact, &error))?;
        Ok(Some(AuditRow {
            position: fact.position,
            carrier: fact.tenant.carrier.clone(),
            account: fact.tenant.account.clone(),
            at: fact.at,
            actor_kind: fact.actor.kind().to_owned(),
            actor_id: fact.actor.id().to_owned(),
            ip: fact.ip.map(|ip| ip.to_string()),
            user_agent: fact.user_agent.clone(),
            stream: fact.stream.clone(),
            stream_type: fact.stream_type.clone(),
            event_type: fact.event_type.clone(),
            payload,
            correlation: fact.correlation.clone(),
        }))
    }
}

/// Which changes; an absent field asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this thing.
    pub stream: Option<Sid>,
    /// Of things of this kind, for example `phone_number`.
    pub stream_type: Option<String>,
    /// This change, for example `Renamed`.
    pub event_type: Option<String>,
    /// By this actor (its identifier, or the name of a part of the system).
    pub actor: Option<String>,
    /// No earlier.
    pub since: Option<Timestamp>,
    /// Earlier.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    /// What an index finds, in the order of time, and what is asked of each row it finds: the thing, or else the actor, is
    /// what leaves the fewest.
    fn conditions(&self) -> (Cond, Cond) {
        let text = |column, text: &Option<String>| text.as_deref().map(|text| is(column, text));
        let mut asked = [
            self.stream.as_ref().map(|stream| is("stream", stream.as_str())),
            text("actor_id", &self.actor),
            text("event_type", &self.event_type),
            text("stream_type", &self.stream_type),
        ]
        .into_iter()
        .flatten();
        let served = Cond::all()
            .add_option(asked.next())
            .add_option(self.since.map(|at| Expr::col("at").gte(at.micros())))
            .add_option(self.until.map(|at| Expr::col("at").lt(at.micros())));
        (served, asked.fold(Cond::all(), Cond::add))
    }
}

/// What is left of a filter behind a cursor, and what else makes `(at, position)` come behind it. The cursor takes the place of
/// the bound it is nearer than: with two upper bounds SQLite would rather go by time alone.
fn behind(order: Order, cursor: &str, filter: &AuditFilter) -> Result<(AuditFilter, Cond), ReadError> {
    let wrong = || ReadError::Cursor(cursor.chars().take(64).collect());
    let (at, position) = cursor.split_once('.').ok_or_else(wrong)?;
    let (at, position): (i64, i64) = at.parse().ok().zip(position.parse().ok()).ok_or_else(wrong)?;
    let (col, moment) = (Expr::col, Timestamp::from_micros);
    let mut left = filter.clone();
    let (later, last) = if order.descending {
        let until = moment(at.saturating_add(1));
        left.until = Some(left.until.map_or(until, |given| Ord::min(given, until)));
        (col("at").lt(at), col("position").lt(position))
    } else {
        left.since = Ord::max(left.since, Some(moment(at)));
        (col("at").gt(at), col("position").gt(position))
    };
    Ok((left, Cond::any().add(later).add(last)))
}

impl Reads<AuditRow> {
    /// The changes a filter asks for, newest first unless the page says otherwise.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn list(&self, filter: &AuditFilter, page: &Page) -> Result<PageOf<AuditRow>, ReadError> {
        let _turn = self.turn(filter).await?;
        let select = self.wanted_changes(filter, page)?;
        let cursor = |row: &AuditRow| format!("{}.{}", row.at.micros(), row.position);
        reads::page_of(&self.db, select, page, cursor).await
    }

    /// A page, and how many changes there are in all when it is the first one.
    ///
    /// # Errors
    /// As [`Reads::list`].
    pub async fn counted(
        &self,
        filter: &AuditFilter,
        page: &Page,
    ) -> Result<(PageOf<AuditRow>, Option<Total>), ReadError> {
        if page.cursor.is_some() {
            return Ok((self.list(filter, page).await?, None));
        }
        let (rows, total) = tokio::try_join!(self.list(filter, page), self.total(filter))?;
        Ok((rows, Some(total)))
    }

    async fn total(&self, filter: &AuditFilter) -> Result<Total, ReadError> {
        let _turn = self.turn(filter).await?;
        let (served, rest) = filter.conditions();
        search::total(&self.db, AuditRow::NAME, (self.scope.condition().add(served), rest)).await
    }

    /// A turn at searching, for a filter no index serves alone.
    async fn turn(&self, filter: &AuditFilter) -> Result<Option<Searching>, ReadError> {
        if filter.conditions().1.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.db.turn_to_search().await?))
    }

    pub(crate) fn wanted_changes(
        &self,
        filter: &AuditFilter,
        page: &Page,
    ) -> Result<SelectStatement, ReadError> {
        let (left, behind) = match &page.cursor {
            Some(cursor) => behind(page.order, cursor, filter)?,
            None => (filter.clone(), Cond::all()),
        };
        let (served, rest) = left.conditions();
        let mut select = record::select::<AuditRow>("audit");
        select.cond_where(self.scope.condition().add(served).add(rest).add(behind));
        select.order_by("at", page.order.way()).order_by("position", page.order.way());
        Ok(select)
    }
}
