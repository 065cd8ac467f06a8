//! The ledger of commands: which ids acted, on which stream, with what result. What it knows expires.

use crate::{Db, Hash, Row, StoreError, db::padded, sweep};
use domain::{Log, Sid};
use ring::digest;
use sea_query::{Expr, ExprTrait, Query};
use serde::Serialize;
use std::time::Duration;

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
}

/// What tells two commands apart: the aggregate's type and everything the command says.
pub(crate) fn digest(stream_type: &str, command: &impl Serialize) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(stream_type.as_bytes());
    context.update(&[0]);
    // A command that cannot be written as JSON has no map with odd keys in it: ours are plain structs and enums.
    context.update(&serde_json::to_vec(command).unwrap_or_default());
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// What is known of these ids.
pub(crate) async fn done(db: &Db, log: Log, now: i64, ids: &[&str]) -> Result<Vec<Done>, StoreError> {
    let query = Query::select()
        .columns(["command_id", "stream_id", "digest", "version", "position", "expires_at"])
        .from("es_commands")
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("command_id").is_in(padded(ids.iter().copied())))
        .to_owned();
    let mut done = Vec::new();
    for row in db.fetch_all(&query).await? {
        // Not a condition of the query: on a young table PostgreSQL would walk the index on expiry instead of the key's.
        if row.at::<i64>(5)? > now {
            done.push(from_row(&row)?);
        }
    }
    Ok(done)
}

fn from_row(row: &Row) -> Result<Done, StoreError> {
    let id: String = row.at(0)?;
    let stream = crate::read::sid(&row.at::<String>(1)?, 0, "command's stream")?;
    let digest = crate::read::hash(&row.at::<Vec<u8>>(2)?, &id, 0)?;
    Ok(Done { id, stream, digest, version: row.at(3)?, position: row.at(4)? })
}

/// Forgets what has expired; returns how many.
pub(crate) async fn forget(db: &Db, now: i64) -> Result<u64, StoreError> {
    sweep::delete(db, "es_commands", &["command_id", "log"], Expr::col("expires_at").lte(now)).await
}
