//! The ledger of commands: which ids acted, on which stream, with what result. What it knows expires.

mod digest;

pub(crate) use digest::{digest, is_same};

use crate::{Db, Hash, Row, StoreError, Vault, db::padded};
use domain::{Log, Sid};
use sea_query::{Expr, ExprTrait, Order, Query};
use std::time::Duration;

/// Rows looked at together when what has expired is forgotten.
const PAGE: u64 = 1_000;

/// How long a command id is remembered.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// A command that took effect before.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub id: String,
    pub stream: Sid,
    pub digest: Hash,
    pub version: i64,
    pub position: i64,
    /// Whether the row is as it was written, and says what the command was.
    pub proved: bool,
}

/// The digest of a command that nobody knows any more: its row was rebuilt from its events.
pub(crate) const UNKNOWN: Hash = [0; 32];

/// What a row of the ledger says beside a position (the one of the stream's event of that version).
pub(crate) struct Entry<'a> {
    pub log: Log,
    pub id: &'a str,
    pub carrier: &'a str,
    pub stream: &'a str,
    pub digest: &'a [u8],
    pub version: i64,
    pub expires_at: i64,
}

impl Entry<'_> {
    /// That whoever has the master key wrote it: HMAC-SHA256 over all it says.
    pub fn proof(&self, vault: &Vault) -> Hash {
        let (version, expires_at) = (self.version.to_be_bytes(), self.expires_at.to_be_bytes());
        let words = [self.log.as_str(), self.id, self.carrier, self.stream].map(str::as_bytes);
        vault.mac(&[&[b"ledger 1".as_slice()][..], &words, &[self.digest, &version, &expires_at]].concat())
    }
}

/// The columns of `es_commands` in the order `Written` reads them.
pub(crate) const COLUMNS: [&str; 8] =
    ["command_id", "carrier", "stream_id", "digest", "version", "position", "expires_at", "proof"];

/// A row of the ledger as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub id: String,
    pub carrier: String,
    pub stream: String,
    pub digest: Vec<u8>,
    pub version: i64,
    pub position: i64,
    pub expires_at: i64,
    pub proof: Option<Vec<u8>>,
}

impl Written {
    pub fn read(row: &Row) -> Result<Written, StoreError> {
        Ok(Written {
            id: row.at(0)?,
            carrier: row.at(1)?,
            stream: row.at(2)?,
            digest: row.at(3)?,
            version: row.at(4)?,
            position: row.at(5)?,
            expires_at: row.at(6)?,
            proof: row.at(7)?,
        })
    }

    pub fn entry(&self, log: Log) -> Entry<'_> {
        let Written { id, carrier, stream, digest, version, expires_at, .. } = self;
        Entry { log, id, carrier, stream, digest, version: *version, expires_at: *expires_at }
    }

    /// Whether it is as this store wrote it.
    pub fn is_proved(&self, vault: &Vault, log: Log) -> bool {
        let ours = self.entry(log).proof(vault);
        self.proof.as_deref().is_some_and(|theirs| Vault::same(&ours, theirs))
    }
}

/// What is known of these ids. One that has expired, by its proof, is cleared away: its id is free.
pub(crate) async fn done(
    db: &Db,
    vault: &Vault,
    log: Log,
    now: i64,
    ids: &[&str],
) -> Result<Vec<Done>, StoreError> {
    let query = Query::select()
        .columns(COLUMNS)
        .from("es_commands")
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("command_id").is_in(padded(ids.iter().copied())))
        .to_owned();
    let mut done = Vec::new();
    for row in db.fetch_all(&query).await? {
        let written = Written::read(&row)?;
        let proved = written.is_proved(vault, log);
        if proved && written.expires_at <= now {
            forget_one(db, log, &written).await?;
        } else {
            done.push(done_by(written, proved));
        }
    }
    Ok(done)
}

fn done_by(written: Written, proved: bool) -> Done {
    let digest: Hash = written.digest.as_slice().try_into().unwrap_or(UNKNOWN);
    let stream = written.stream.parse();
    let proved = proved && digest != UNKNOWN && stream.is_ok();
    let nobody = || Sid::from_uuid(domain::Kind::Carrier, uuid::Uuid::nil());
    let stream = stream.unwrap_or_else(|_| nobody());
    let Written { id, version, position, .. } = written;
    Done { id, stream, digest, version, position, proved }
}

async fn forget_one(db: &Db, log: Log, written: &Written) -> Result<(), StoreError> {
    let gone = Query::delete()
        .from_table("es_commands")
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("command_id").eq(written.id.as_str()))
        .and_where(Expr::col("expires_at").eq(written.expires_at))
        .to_owned();
    db.execute(&gone).await.map(drop)
}

/// Forgets what has expired and proves it; returns how many. What proves nothing stays: it would free an id.
pub(crate) async fn forget(db: &Db, vault: &Vault, now: i64) -> Result<u64, StoreError> {
    let (mut forgotten, mut after) = (0, String::new());
    loop {
        let query = Query::select()
            .columns(COLUMNS)
            .column("log")
            .from("es_commands")
            .and_where(Expr::col("expires_at").lte(now))
            .and_where(Expr::col("command_id").gt(after.as_str()))
            .order_by("command_id", Order::Asc)
            .limit(PAGE)
            .to_owned();
        let rows = db.fetch_all(&query).await?;
        let Some(last) = rows.last() else { return Ok(forgotten) };
        after = last.at(0)?;
        forgotten += forget_proved(db, vault, now, &rows).await?;
    }
}

async fn forget_proved(db: &Db, vault: &Vault, now: i64, rows: &[Row]) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for log in Log::ALL {
        let mut ids = Vec::new();
        for row in rows {
            let written = Written::read(row)?;
            if row.at::<String>(COLUMNS.len())? == log.as_str() && written.is_proved(vault, log) {
                ids.push(written.id);
            }
        }
        let gone = Query::delete()
            .from_table("es_commands")
            .and_where(Expr::col("log").eq(log.as_str()))
            .and_where(Expr::col("command_id").is_in(padded(ids)))
            .and_where(Expr::col("expires_at").lte(now))
            .to_owned();
        forgotten += db.execute(&gone).await?;
    }
    Ok(forgotten)
}

/// Proves the rows that processes of a release before proofs wrote, a page in a transaction: what was done when it is
/// interrupted stays done.
pub(crate) async fn adopt(db: &Db, vault: &Vault) -> Result<(), StoreError> {
    for log in Log::ALL {
        let mut after = String::new();
        while let Some(last) = adopt_page(db, vault, log, &after).await? {
            after = last;
        }
    }
    Ok(())
}

/// Returns the last id of the page; none at the end.
async fn adopt_page(db: &Db, vault: &Vault, log: Log, after: &str) -> Result<Option<String>, StoreError> {
    let query = Query::select()
        .columns(COLUMNS)
        .from("es_commands")
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("proof").is_null())
        .and_where(Expr::col("command_id").gt(after))
        .order_by("command_id", Order::Asc)
        .limit(PAGE)
        .to_owned();
    let mut tx = db.begin().await?;
    let rows = tx.fetch_all(&query).await?;
    let mut last = None;
    for row in &rows {
        let written = Written::read(row)?;
        let proof = written.entry(log).proof(vault).to_vec();
        let update = Query::update()
            .table("es_commands")
            .value("proof", proof)
            .and_where(Expr::col("log").eq(log.as_str()))
            .and_where(Expr::col("command_id").eq(written.id.as_str()))
            .and_where(Expr::col("expires_at").eq(written.expires_at))
            .and_where(Expr::col("proof").is_null())
            .to_owned();
        tx.execute(&update).await?;
        last = Some(written.id);
    }
    tx.commit().await?;
    Ok(last)
}

#[cfg(test)]
mod tests;
