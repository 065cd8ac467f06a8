//! The repair: what follows from the events is written again where it is not as they say. Events and seals are never
//! touched, and nothing is of a log whose chain fails.

use super::{
    AuditError, Finding, Progress, Walk, Wrong,
    compare::{self, Amiss},
    derived::{Acted, Derived},
};
use crate::{
    Backend, Store, StoreError, Tx, Vault,
    ledger::{Entry, REMEMBERED, UNKNOWN, Written},
};
use domain::{Log, Sid};
use sea_query::{Expr, ExprTrait, OnConflict, Query, SimpleExpr};
use std::fmt;

/// Versions after a command's last event that its row may have said: others were appended with it.
const TOGETHER: i64 = 16;

/// Something that was set right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    /// The log.
    pub log: Log,
    /// What was wrong, in words.
    pub what: String,
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log {}: {}: set right", self.log.as_str(), self.what)
    }
}

/// Walks every log as `verify_with` does, and then, in one transaction that keeps appends out, rebuilds what follows from its
/// events. A row of the ledger that proves nothing any more is kept as one that refuses its id, for what it stood for nobody
/// knows.
///
/// # Errors
/// The first finding of a log whose chain fails: nothing of any log is changed then. Else the database's failure.
pub async fn repair(
    store: &Store,
    kept: &[String],
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Vec<Mended>, AuditError> {
    let (mut walks, mut missing) = (Vec::new(), kept.to_vec());
    for log in Log::ALL {
        let mut walk = Walk::new(store, log, &mut missing).await?;
        while walk.page().await? {
            progress(Progress { log, done: walk.last.unsigned_abs(), total: walk.head.unsigned_abs() });
        }
        walk.chain_ends().await?;
        walks.push(walk.into_derived());
    }
    if let Some(seal) = missing.into_iter().next() {
        return Err(AuditError::SealGone(seal));
    }
    mend(store, &walks).await
}

/// Sets every log right, or none: what was changed is told in any case.
async fn mend(store: &Store, walks: &[(Log, i64, Derived)]) -> Result<Vec<Mended>, AuditError> {
    let mut tx = store.db().begin().await?;
    if tx.backend() == Backend::Postgres {
        // Appends wait for it, and so does whoever would change a table meanwhile.
        tx.execute_text(
            "LOCK TABLE es_heads, es_streams, es_claims, es_commands IN SHARE ROW EXCLUSIVE MODE",
        )
        .await?;
    }
    let (now, mut mended) = (store.clock().now().micros(), Vec::new());
    for (log, last, derived) in walks {
        let (_, position) = compare::head(&mut tx, *log).await?;
        if position != *last {
            // Somebody still writes.
            return Err(Finding { log: *log, position, stream: None, what: Wrong::Busy }.into());
        }
        let amiss = compare::all(&mut tx, store.vault(), (*log, now), derived).await?;
        for one in &amiss {
            set_right(&mut tx, store.vault(), (*log, now), derived, one).await?;
        }
        mended.extend(amiss.iter().map(|one| Mended { log: *log, what: one.to_string() }));
    }
    tx.commit().await?;
    Ok(mended)
}

async fn set_right(
    tx: &mut Tx,
    vault: &Vault,
    (log, now): (Log, i64),
    derived: &Derived,
    amiss: &Amiss,
) -> Result<(), StoreError> {
    match amiss {
        Amiss::Head { is, .. } => head(tx, log, *is).await,
        Amiss::Stream { stream, .. } => self::stream(tx, log, derived, stream).await,
        // The walk has found these, and ended.
        Amiss::Cut(_) => Ok(()),
        Amiss::Claim { scope, key, is, .. } => claim(tx, log, (scope, key), is.as_ref()).await,
        Amiss::Command { id, row, .. } => command(tx, vault, (log, now), (id, row.as_ref()), derived).await,
    }
}

fn on(log: Log) -> SimpleExpr {
    Expr::col("log").eq(log.as_str())
}

async fn head(tx: &mut Tx, log: Log, is: i64) -> Result<(), StoreError> {
    let mut row = Query::insert().into_table("es_heads").columns(["log", "position"]).to_owned();
    row.values_panic([log.as_str().into(), is.into()]);
    row.on_conflict(OnConflict::column("log").update_column("position").to_owned());
    tx.execute(&row).await.map(drop)
}

async fn stream(tx: &mut Tx, log: Log, derived: &Derived, stream: &str) -> Result<(), StoreError> {
    const COLUMNS: [&str; 7] = ["stream_id", "log", "stream_type", "carrier", "version", "position", "hash"];
    let gone =
        Query::delete().from_table("es_streams").and_where(Expr::col("stream_id").eq(stream)).to_owned();
    tx.execute(&gone).await?;
    let Some(stands) = stream.parse::<Sid>().ok().and_then(|sid| derived.streams.get(&sid)) else {
        return Ok(());
    };
    let mut row = Query::insert().into_table("es_streams").columns(COLUMNS).to_owned();
    let names = [
        stream.into(),
        log.as_str().into(),
        stands.stream_type.as_str().into(),
        stands.carrier.as_str().into(),
    ];
    let place = [stands.version.into(), stands.position.into(), stands.hash.to_vec().into()];
    row.values_panic(names.into_iter().chain(place));
    tx.execute(&row).await.map(drop)
}

async fn claim(
    tx: &mut Tx,
    log: Log,
    (scope, key): (&str, &str),
    is: Option<&Sid>,
) -> Result<(), StoreError> {
    let here = on(log).and(Expr::col("scope").eq(scope)).and(Expr::col("key").eq(key));
    tx.execute(&Query::delete().from_table("es_claims").and_where(here).to_owned()).await?;
    let Some(holder) = is else { return Ok(()) };
    let mut row =
        Query::insert().into_table("es_claims").columns(["log", "scope", "key", "stream_id"]).to_owned();
    row.values_panic([log.as_str().into(), scope.into(), key.into(), holder.as_str().into()]);
    tx.execute(&row).await.map(drop)
}

async fn command(
    tx: &mut Tx,
    vault: &Vault,
    (log, now): (Log, i64),
    (id, row): (&str, Option<&Written>),
    derived: &Derived,
) -> Result<(), StoreError> {
    let acted = derived.commands.get(id);
    let proved = row.and_then(|row| proved(vault, log, row, acted));
    let right = proved.unwrap_or_else(|| void(vault, (log, now), (id, row), acted));
    let right = Written { position: position(tx, log, &right).await?, ..right };
    let gone = Query::delete()
        .from_table("es_commands")
        .and_where(on(log))
        .and_where(Expr::col("command_id").eq(id))
        .to_owned();
    tx.execute(&gone).await?;
    const COLUMNS: [&str; 9] =
        ["log", "command_id", "carrier", "stream_id", "digest", "version", "position", "expires_at", "proof"];
    let mut insert = Query::insert().into_table("es_commands").columns(COLUMNS).to_owned();
    let names =
        [log.as_str().into(), id.into(), right.carrier.into(), right.stream.into(), right.digest.into()];
    let rest = [right.version.into(), right.position.into(), right.expires_at.into(), right.proof.into()];
    insert.values_panic(names.into_iter().chain(rest));
    tx.execute(&insert).await.map(drop)
}

/// The row as its proof says it was, when what was changed follows from the events.
fn proved(vault: &Vault, log: Log, row: &Written, acted: Option<&Acted>) -> Option<Written> {
    let as_acted = acted.into_iter().flat_map(|acted| {
        (acted.version..=acted.version + TOGETHER).map(|version| {
            let (carrier, stream) = (acted.carrier.to_string(), acted.stream.to_string());
            Written { carrier, stream, version, ..row.clone() }
        })
    });
    std::iter::once(row.clone()).chain(as_acted).find(|candidate| candidate.is_proved(vault, log))
}

/// A row that only says that the id was used.
fn void(
    vault: &Vault,
    (log, now): (Log, i64),
    (id, row): (&str, Option<&Written>),
    acted: Option<&Acted>,
) -> Written {
    let remembered = i64::try_from(REMEMBERED.as_micros()).unwrap_or(i64::MAX);
    let text = |of_acted: fn(&Acted) -> &Sid, of_row: fn(&Written) -> &String| {
        let known = acted.map(|acted| of_acted(acted).to_string());
        known.or_else(|| row.map(|row| of_row(row).clone())).unwrap_or_default()
    };
    let carrier = text(|acted| &acted.carrier, |row| &row.carrier);
    let stream = text(|acted| &acted.stream, |row| &row.stream);
    let version = acted.map_or(0, |acted| acted.version);
    let expires_at = acted.map_or(now, |acted| acted.recorded_at) + remembered;
    let entry = Entry { log, id, carrier: &carrier, stream: &stream, digest: &UNKNOWN, version, expires_at };
    let proof = Some(entry.proof(vault).to_vec());
    let digest = UNKNOWN.to_vec();
    Written { id: id.to_owned(), carrier, stream, digest, version, position: 0, expires_at, proof }
}

/// Where the stream's event of the row's version is.
async fn position(tx: &mut Tx, log: Log, row: &Written) -> Result<i64, StoreError> {
    let event = Query::select()
        .column("position")
        .from("es_events")
        .and_where(on(log))
        .and_where(Expr::col("stream_id").eq(row.stream.as_str()))
        .and_where(Expr::col("sequence").eq(row.version))
        .to_owned();
    tx.fetch_optional(&event).await?.map_or(Ok(0), |row| row.at(0))
}
