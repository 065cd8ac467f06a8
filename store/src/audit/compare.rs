//! The tables beside the events, compared with what follows from them, at one moment.

use super::derived::{Derived, Stands};
use crate::{
    Row, StoreError, Tx, Vault,
    db::padded,
    ledger::{self, REMEMBERED, UNKNOWN, Written},
};
use domain::{Log, Sid};
use sea_query::{Cond, Expr, ExprTrait, Order, Query, SelectStatement};
use std::{
    collections::{HashMap, HashSet},
    fmt,
    time::Duration,
};

/// Rows compared at once.
const PAGE: u64 = 5_000;
/// Positions looked up at once.
const LOOK_UP: usize = 500;
/// A command that is older than a ledger remembers, less this, may be forgotten, and is for sure in as much time more.
const FORGETTING: Duration = Duration::from_secs(2 * 3600);

/// A row that is not what the events make it.
#[derive(Debug)]
pub(super) enum Amiss {
    /// A log's head row.
    Head { says: Option<i64>, is: i64 },
    /// A stream's row; `is` none when it has no events.
    Stream { stream: String, is: bool },
    /// A stream went on further than the log does: the log was cut off.
    Cut(String),
    /// A claim; who the row says, and who it is.
    Claim { scope: String, key: String, says: Option<String>, is: Option<Sid> },
    /// A row of the ledger; none where one is missing.
    Command { id: String, row: Option<Written>, why: &'static str },
}

impl fmt::Display for Amiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_nobody = |holder: Option<&str>| holder.unwrap_or("nobody").to_owned();
        match self {
            Amiss::Head { says, is } => {
                let says = says.map_or("is missing".to_owned(), |says| format!("says {says}"));
                write!(f, "the head row {says}, and the last event is {is}")
            }
            Amiss::Stream { stream, is: true } => {
                write!(f, "the row of stream {stream} is not where its events end")
            }
            Amiss::Stream { stream, is: false } => {
                write!(f, "there is a row of stream {stream}, which has no events")
            }
            Amiss::Cut(stream) => write!(f, "stream {stream} went on further than the log does"),
            Amiss::Claim { scope, key, says, is } => {
                let (says, is) = (or_nobody(says.as_deref()), or_nobody(is.as_ref().map(Sid::as_str)));
                write!(f, "{key} in {scope} is held by {says}, and by the events it is {is}'s")
            }
            Amiss::Command { id, why, .. } => write!(f, "the ledger's row of command {id} {why}"),
        }
    }
}

/// Where a log's head row stands, and its last event, at the transaction's moment.
pub(super) async fn head(tx: &mut Tx, log: Log) -> Result<(Option<i64>, i64), StoreError> {
    let of = |table, name| {
        Query::select()
            .expr(Expr::col(name).max())
            .from(table)
            .and_where(Expr::col("log").eq(log.as_str()))
            .to_owned()
    };
    let mut one = async |query: SelectStatement| {
        Ok::<_, StoreError>(match tx.fetch_optional(&query).await? {
            Some(row) => row.at::<Option<i64>>(0)?,
            None => None,
        })
    };
    let says = one(of("es_heads", "position")).await?;
    Ok((says, one(of("es_events", "position")).await?.unwrap_or(0)))
}

/// Everything of a log that is amiss.
pub(super) async fn all(
    tx: &mut Tx,
    vault: &Vault,
    (log, now): (Log, i64),
    derived: &Derived,
) -> Result<Vec<Amiss>, StoreError> {
    let mut amiss = streams(tx, log, &derived.streams).await?;
    let (says, is) = head(tx, log).await?;
    if says != Some(is) {
        amiss.push(Amiss::Head { says, is });
    }
    amiss.extend(claims(tx, log, derived).await?);
    amiss.extend(commands(tx, vault, (log, now), derived).await?);
    Ok(amiss)
}

async fn streams(tx: &mut Tx, log: Log, stand: &HashMap<Sid, Stands>) -> Result<Vec<Amiss>, StoreError> {
    const COLUMNS: [&str; 6] = ["stream_id", "stream_type", "carrier", "version", "position", "hash"];
    let last = stand.values().map(|stands| stands.position).max().unwrap_or(0);
    let (mut amiss, mut seen, mut after) = (Vec::new(), HashSet::new(), String::new());
    loop {
        let rows = tx.fetch_all(&page("es_streams", &COLUMNS, log, ("stream_id", &after))).await?;
        let Some(end) = rows.last() else { break };
        after = end.at(0)?;
        for row in &rows {
            let stream: String = row.at(0)?;
            let stands = stream.parse::<Sid>().ok().and_then(|stream| stand.get_key_value(&stream));
            let same = match stands {
                Some((_, stands)) => is_at(row, stands)?,
                None => false,
            };
            seen.extend(stands.map(|(stream, _)| stream));
            if !same {
                amiss.push(told(row, stream, stands.map(|(_, stands)| stands), last)?);
            }
        }
    }
    let missing = stand.keys().filter(|stream| !seen.contains(stream));
    amiss.extend(missing.map(|stream| Amiss::Stream { stream: stream.to_string(), is: true }));
    Ok(amiss)
}

fn is_at(row: &Row, stands: &Stands) -> Result<bool, StoreError> {
    let Stands { stream_type, carrier, version, position, hash } = stands;
    Ok(row.at::<String>(1)? == *stream_type
        && row.at::<String>(2)? == carrier.as_str()
        && row.at::<i64>(3)? == *version
        && row.at::<i64>(4)? == *position
        && row.at::<Vec<u8>>(5)? == hash)
}

/// A row that is ahead of the log in every way is a trace of events that were there; in one way, it was changed.
fn told(row: &Row, stream: String, stands: Option<&Stands>, last: i64) -> Result<Amiss, StoreError> {
    let (version, position, hash) = (row.at::<i64>(3)?, row.at::<i64>(4)?, row.at::<Vec<u8>>(5)?);
    let ahead = stands.is_none_or(|stands| version > stands.version && hash != stands.hash);
    Ok(match position > last && ahead {
        true => Amiss::Cut(stream),
        false => Amiss::Stream { stream, is: stands.is_some() },
    })
}

async fn claims(tx: &mut Tx, log: Log, derived: &Derived) -> Result<Vec<Amiss>, StoreError> {
    let (mut amiss, mut seen) = (Vec::new(), HashSet::new());
    let mut after = (String::new(), String::new());
    loop {
        let rows = tx.fetch_all(&page_of_claims(log, &after)).await?;
        let Some(end) = rows.last() else { break };
        after = (end.at(0)?, end.at(1)?);
        for row in &rows {
            let (key, scope, says): (String, String, String) = (row.at(0)?, row.at(1)?, row.at(2)?);
            let place = (scope, key);
            let is = derived.claims.get(&place).cloned();
            if is.as_ref().is_none_or(|is| is.as_str() != says) {
                let (scope, key) = place.clone();
                amiss.push(Amiss::Claim { scope, key, says: Some(says), is });
            }
            seen.insert(place);
        }
    }
    for (place, is) in derived.claims.iter().filter(|(place, _)| !seen.contains(*place)) {
        let (scope, key) = place.clone();
        amiss.push(Amiss::Claim { scope, key, says: None, is: Some(is.clone()) });
    }
    Ok(amiss)
}

fn page_of_claims(log: Log, (key, scope): &(String, String)) -> SelectStatement {
    let later = Cond::any()
        .add(Expr::col("key").gt(key.as_str()))
        .add(Expr::col("key").eq(key.as_str()).and(Expr::col("scope").gt(scope.as_str())));
    Query::select()
        .columns(["key", "scope", "stream_id"])
        .from("es_claims")
        .and_where(Expr::col("log").eq(log.as_str()))
        .cond_where(later)
        .order_by("key", Order::Asc)
        .order_by("scope", Order::Asc)
        .limit(PAGE)
        .to_owned()
}

async fn commands(
    tx: &mut Tx,
    vault: &Vault,
    (log, now): (Log, i64),
    derived: &Derived,
) -> Result<Vec<Amiss>, StoreError> {
    let (mut amiss, mut seen, mut after) = (Vec::new(), HashSet::new(), String::new());
    loop {
        let rows = tx.fetch_all(&page("es_commands", &ledger::COLUMNS, log, ("command_id", &after))).await?;
        let written: Vec<Written> = rows.iter().map(Written::read).collect::<Result<_, _>>()?;
        let Some(last) = written.last() else { break };
        after.clone_from(&last.id);
        let at = events_at(tx, log, &written).await?;
        for row in written {
            seen.insert(row.id.clone());
            let why = match row.is_proved(vault, log) {
                true if is_ahead(&row, &derived.streams) => {
                    amiss.push(Amiss::Cut(row.stream));
                    continue;
                }
                true => misplaced(&row, &at),
                false => Some("is not as it was written"),
            };
            amiss.extend(why.map(|why| Amiss::Command { id: row.id.clone(), row: Some(row), why }));
        }
    }
    let since = now - micros(REMEMBERED - FORGETTING);
    let missing =
        derived.commands.iter().filter(|(id, acted)| acted.recorded_at > since && !seen.contains(*id));
    amiss.extend(missing.map(|(id, _)| Amiss::Command { id: id.clone(), row: None, why: "is missing" }));
    Ok(amiss)
}

/// Since when commands are of interest, in microseconds since the epoch: no row of the ledger is of an older one, unless it
/// was changed.
pub(super) fn remembered_since(now: i64) -> i64 {
    now - micros(REMEMBERED + FORGETTING)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A row that proves that its stream went on further than the events there are.
fn is_ahead(row: &Written, streams: &HashMap<Sid, Stands>) -> bool {
    let stands = row.stream.parse::<Sid>().ok().and_then(|stream| streams.get(&stream));
    row.version > stands.map_or(0, |stands| stands.version)
}

fn misplaced(row: &Written, at: &HashMap<i64, (String, i64)>) -> Option<&'static str> {
    let unknown = row.digest == UNKNOWN || row.version == 0;
    let there = at
        .get(&row.position)
        .is_some_and(|(stream, version)| *stream == row.stream && *version == row.version);
    (!unknown && !there).then_some("does not say where its last event is")
}

/// The events at the positions that rows of the ledger name: stream and sequence of each.
async fn events_at(
    tx: &mut Tx,
    log: Log,
    rows: &[Written],
) -> Result<HashMap<i64, (String, i64)>, StoreError> {
    let positions: Vec<i64> = rows.iter().map(|row| row.position).filter(|position| *position > 0).collect();
    let mut events = HashMap::with_capacity(positions.len());
    for some in positions.chunks(LOOK_UP) {
        let query = Query::select()
            .columns(["position", "stream_id", "sequence"])
            .from("es_events")
            .and_where(Expr::col("log").eq(log.as_str()))
            .and_where(Expr::col("position").is_in(padded(some.iter().copied())))
            .to_owned();
        for row in tx.fetch_all(&query).await? {
            events.insert(row.at(0)?, (row.at(1)?, row.at(2)?));
        }
    }
    Ok(events)
}

fn page(
    table: &'static str,
    columns: &[&'static str],
    log: Log,
    (key, after): (&'static str, &str),
) -> SelectStatement {
    Query::select()
        .columns(columns.iter().copied())
        .from(table)
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col(key).gt(after))
        .order_by(key, Order::Asc)
        .limit(PAGE)
        .to_owned()
}
