//! Reading the log: columns to facts and back.

use crate::{Db, DecodeError, Fact, Hash, Row, StoreError};
use domain::{Actor, Log, Sid, Stream, Tenant, Timestamp, upcast};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement, SimpleExpr};
use std::{str::FromStr, sync::Arc};

/// Events of one stream that will be loaded; a stream that long is a defect of its aggregate.
pub(crate) const STREAM_LIMIT: usize = 100_000;

/// The columns of `es_events` in the order `values` and `fact` use.
pub(crate) const COLUMNS: [&str; 22] = [
    "log",
    "position",
    "stream_id",
    "sequence",
    "stream_type",
    "carrier",
    "account",
    "event_id",
    "event_type",
    "schema_version",
    "command_id",
    "correlation_id",
    "causation_id",
    "actor_type",
    "actor_id",
    "ip",
    "user_agent",
    "occurred_at",
    "recorded_at",
    "payload",
    "prev_hash",
    "hash",
];

/// A fact as values to insert.
pub(crate) fn values(position: i64, fact: &Fact) -> [SimpleExpr; 22] {
    [
        fact.log.as_str().into(),
        position.into(),
        fact.stream.as_str().into(),
        fact.sequence.into(),
        fact.stream_type.as_str().into(),
        fact.tenant.carrier.as_str().into(),
        fact.tenant.account.as_ref().map(ToString::to_string).into(),
        fact.event_id.to_string().into(),
        fact.event_type.as_str().into(),
        i64::from(fact.schema_version).into(),
        fact.command_id.clone().into(),
        fact.correlation.clone().into(),
        fact.causation.clone().into(),
        fact.actor.kind().into(),
        fact.actor.id().into(),
        fact.ip.map(|ip| ip.to_string()).into(),
        fact.user_agent.clone().into(),
        fact.at.micros().into(),
        fact.recorded_at.micros().into(),
        (*fact.payload).into(),
        fact.prev_hash.to_vec().into(),
        fact.hash.to_vec().into(),
    ]
}

fn events() -> SelectStatement {
    Query::select().columns(COLUMNS).from("es_events").to_owned()
}

pub(crate) fn page(log: Log, after: i64, limit: usize) -> SelectStatement {
    events()
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("position").gt(after))
        .order_by("position", Order::Asc)
        .limit(limit as u64)
        .to_owned()
}

/// Up to `limit` events after the position; the positions are contiguous, or it is an error.
pub(crate) async fn after(db: &Db, log: Log, after: i64, limit: usize) -> Result<Vec<Fact>, StoreError> {
    let rows = db.fetch_all(&page(log, after, limit)).await?;
    let facts: Vec<Fact> = rows.iter().map(fact).collect::<Result<_, _>>()?;
    match (after + 1..).zip(&facts).find(|(expected, fact)| fact.position != *expected) {
        Some((expected, fact)) => Err(StoreError::Gap { log, expected, found: fact.position }),
        None => Ok(facts),
    }
}

/// The positions and hashes of the next `count` events after the position: all of them are there, or it is an error.
pub(crate) async fn hashes(
    db: &Db,
    log: Log,
    after: i64,
    count: usize,
) -> Result<Vec<(i64, Hash)>, StoreError> {
    let query = page(log, after, count).clear_selects().columns(["position", "hash"]).to_owned();
    let event = |row: &Row| {
        let position = row.at(0)?;
        Ok::<_, StoreError>((position, hash(&row.at::<Vec<u8>>(1)?, log.as_str(), position)?))
    };
    let events: Vec<_> = db.fetch_all(&query).await?.iter().map(event).collect::<Result<_, _>>()?;
    let wanted = after + 1..=after + i64::try_from(count).unwrap_or(i64::MAX);
    let found = |at: usize| events.get(at).map_or(0, |(position, _)| *position);
    match wanted
        .enumerate()
        .map(|(at, expected)| (expected, found(at)))
        .find(|(expected, found)| expected != found)
    {
        Some((expected, found)) => Err(StoreError::Gap { log, expected, found }),
        None => Ok(events),
    }
}

/// A stored event, or its position and why it cannot be read.
pub(crate) type Raw = Result<Fact, (i64, StoreError)>;

/// Up to `limit` events after the position, whatever state they are in.
pub(crate) async fn raw(db: &Db, log: Log, after: i64, limit: usize) -> Result<Vec<Raw>, StoreError> {
    Ok(db.fetch_all(&page(log, after, limit)).await?.iter().map(raw_fact).collect())
}

/// A row of `COLUMNS`, whatever state it is in.
pub(crate) fn raw_fact(row: &Row) -> Raw {
    fact(row).map_err(|error| (row.at(1).unwrap_or_default(), error))
}

/// The position of the log's last event, by the events.
pub(crate) async fn last(db: &Db, log: Log) -> Result<i64, StoreError> {
    let query = Query::select()
        .expr(Expr::col("position").max())
        .from("es_events")
        .and_where(Expr::col("log").eq(log.as_str()))
        .to_owned();
    Ok(db
        .fetch_optional(&query)
        .await?
        .map(|row| row.at::<Option<i64>>(0))
        .transpose()?
        .flatten()
        .unwrap_or(0))
}

/// The position of the log's last event.
pub(crate) async fn head(db: &Db, log: Log) -> Result<i64, StoreError> {
    let query = Query::select()
        .column("position")
        .from("es_heads")
        .and_where(Expr::col("log").eq(log.as_str()))
        .to_owned();
    db.fetch_optional(&query).await?.map_or(Ok(0), |row| row.at(0))
}

/// An error when the head row is not where the events end.
pub(crate) async fn sound(db: &Db, log: Log) -> Result<(), StoreError> {
    // One statement, so one moment.
    let last = "(SELECT coalesce(max(e.position), 0) FROM es_events e WHERE e.log = es_heads.log)";
    let query = Query::select()
        .column("position")
        .expr(Expr::cust(last))
        .from("es_heads")
        .and_where(Expr::col("log").eq(log.as_str()))
        .to_owned();
    let Some(row) = db.fetch_optional(&query).await? else { return Ok(()) };
    let (head, last) = (row.at(0)?, row.at(1)?);
    if head == last { Ok(()) } else { Err(StoreError::HeadMoved { log, head, last }) }
}

/// An error when the stream's row is not where its events end.
pub(crate) async fn sound_stream(db: &Db, stream: &Sid) -> Result<(), StoreError> {
    let row =
        "(SELECT coalesce(max(s.version), 0) FROM es_streams s WHERE s.stream_id = es_events.stream_id)";
    let query = Query::select()
        .column("sequence")
        .expr(Expr::cust(row))
        .from("es_events")
        .and_where(Expr::col("stream_id").eq(stream.as_str()))
        .order_by("sequence", Order::Desc)
        .limit(1)
        .to_owned();
    let Some(row) = db.fetch_optional(&query).await? else { return Ok(()) };
    let (last, version): (i64, i64) = (row.at(0)?, row.at(1)?);
    if last == version {
        Ok(())
    } else {
        Err(StoreError::StreamMoved { stream: stream.clone(), version, last })
    }
}

/// Every event of a stream.
pub(crate) async fn stream(db: &Db, stream: &Sid) -> Result<Vec<Fact>, StoreError> {
    let rows = db.fetch_all(&of_stream(events(), stream)).await?;
    limited(stream, rows.len())?;
    rows.iter().map(fact).collect()
}

fn of_stream(mut query: SelectStatement, stream: &Sid) -> SelectStatement {
    query.and_where(Expr::col("stream_id").eq(stream.as_str())).order_by("sequence", Order::Asc);
    query.limit(STREAM_LIMIT as u64 + 1).to_owned()
}

fn limited(stream: &Sid, len: usize) -> Result<(), StoreError> {
    let too_long = StoreError::TooLong { stream: stream.clone(), limit: STREAM_LIMIT };
    if len > STREAM_LIMIT { Err(too_long) } else { Ok(()) }
}

/// As much of a stored event as deciding needs.
pub(crate) struct Recorded {
    pub position: i64,
    pub sequence: i64,
    pub stream_type: String,
    pub carrier: String,
    pub event_type: String,
    pub schema_version: i32,
    pub at: Timestamp,
    pub payload: Arc<str>,
    pub hash: Hash,
}

impl From<Fact> for Recorded {
    fn from(fact: Fact) -> Recorded {
        let Fact {
            position,
            sequence,
            stream_type,
            event_type,
            schema_version,
            at,
            payload,
            hash,
            tenant,
            ..
        } = fact;
        let carrier = tenant.carrier.to_string();
        Recorded { position, sequence, stream_type, carrier, event_type, schema_version, at, payload, hash }
    }
}

impl Recorded {
    /// The event as one of `A`'s.
    pub fn decode<A: Stream>(&self, stream: &Sid) -> Result<A::Event, DecodeError> {
        let (stream_type, event_type, payload) =
            (self.stream_type.as_str(), self.event_type.as_str(), &*self.payload);
        let stored = upcast::Stored { event_type, schema_version: self.schema_version, payload };
        let decoded = match stream_type == A::TYPE {
            true => upcast::decode(A::UPCASTERS, &stored),
            false => Err(format!("a {stream_type}, not a {}", A::TYPE)),
        };
        decoded.map_err(|reason| undecodable(stream.as_str(), self.sequence, event_type, reason))
    }
}

/// Every event of a stream, as much of it as deciding needs.
pub(crate) async fn history(db: &Db, stream: &Sid) -> Result<Vec<Recorded>, StoreError> {
    const NEEDED: [&str; 9] = [
        "position",
        "sequence",
        "stream_type",
        "carrier",
        "event_type",
        "schema_version",
        "occurred_at",
        "payload",
        "hash",
    ];
    let query = of_stream(Query::select().columns(NEEDED).from("es_events").to_owned(), stream);
    let rows = db.fetch_all(&query).await?;
    limited(stream, rows.len())?;
    rows.iter().map(|row| recorded(stream, row)).collect()
}

fn recorded(stream: &Sid, row: &Row) -> Result<Recorded, StoreError> {
    let sequence = row.at(1)?;
    Ok(Recorded {
        position: row.at(0)?,
        sequence,
        stream_type: row.at(2)?,
        carrier: row.at(3)?,
        event_type: row.at(4)?,
        schema_version: i32::try_from(row.at::<i64>(5)?).unwrap_or(i32::MAX),
        at: Timestamp::from_micros(row.at(6)?),
        payload: row.at::<String>(7)?.into(),
        hash: hash(&row.at::<Vec<u8>>(8)?, stream.as_str(), sequence)?,
    })
}

/// A row of `COLUMNS` as a fact.
pub(crate) fn fact(row: &Row) -> Result<Fact, StoreError> {
    let (stream, sequence): (String, i64) = (row.at(2)?, row.at(3)?);
    let bad = |what: &str, value: &str| undecodable(&stream, sequence, what, format!("{value:?}"));
    let log: String = row.at(0)?;
    let log = Log::ALL.into_iter().find(|known| known.as_str() == log).ok_or_else(|| bad("log", &log))?;
    let account: Option<String> = row.at(6)?;
    let account = account.map(|account| sid(&account, sequence, "account")).transpose()?;
    let event_id: String = row.at(7)?;
    let ip: Option<String> = row.at(15)?;
    let ip = ip.map(|ip| as_written(&ip).ok_or_else(|| bad("address", &ip))).transpose()?;
    Ok(Fact {
        log,
        position: row.at(1)?,
        stream: sid(&stream, sequence, "stream")?,
        sequence,
        stream_type: row.at(4)?,
        tenant: Tenant { carrier: sid(&row.at::<String>(5)?, sequence, "carrier")?, account },
        event_id: as_written(&event_id).ok_or_else(|| bad("event id", &event_id))?,
        event_type: row.at(8)?,
        schema_version: i32::try_from(row.at::<i64>(9)?).unwrap_or(i32::MAX),
        command_id: row.at(10)?,
        correlation: row.at(11)?,
        causation: row.at(12)?,
        actor: actor(&row.at::<String>(13)?, row.at(14)?, sequence)?,
        ip,
        user_agent: row.at(16)?,
        at: Timestamp::from_micros(row.at(17)?),
        recorded_at: Timestamp::from_micros(row.at(18)?),
        payload: row.at::<String>(19)?.into(),
        prev_hash: hash(&row.at::<Vec<u8>>(20)?, &stream, sequence)?,
        hash: hash(&row.at::<Vec<u8>>(21)?, &stream, sequence)?,
    })
}

/// The value, if this is the one text it is ever written as: an event's hash covers the value, and so not the letters.
fn as_written<T: FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|value: &T| value.to_string() == text)
}

fn actor(kind: &str, id: String, sequence: i64) -> Result<Actor, StoreError> {
    Ok(match kind {
        "user" => Actor::User(sid(&id, sequence, "actor")?),
        "api_key" => Actor::ApiKey(sid(&id, sequence, "actor")?),
        "account" => Actor::Account(sid(&id, sequence, "actor")?),
        "system" => Actor::System(id),
        _ => return Err(undecodable(&id, sequence, "actor", format!("{kind:?}")).into()),
    })
}

pub(crate) fn sid(text: &str, sequence: i64, what: &str) -> Result<Sid, StoreError> {
    text.parse()
        .map_err(|error: domain::sid::InvalidSid| undecodable(text, sequence, what, error.to_string()).into())
}

pub(crate) fn hash(bytes: &[u8], stream: &str, sequence: i64) -> Result<Hash, StoreError> {
    let reason = || format!("{} bytes, not 32", bytes.len());
    bytes.try_into().map_err(|_| undecodable(stream, sequence, "hash", reason()).into())
}

fn undecodable(stream: &str, sequence: i64, what: &str, reason: String) -> DecodeError {
    DecodeError { stream: stream.to_owned(), sequence, what: what.to_owned(), reason }
}
