//! Removal of what has expired: ledger entries, secrets, evidence. In chunks, so that appends get their turn in between.

use crate::{Db, Evidence, StoreError, Vault, engine::Engine, ledger};
use domain::Timestamp;
use sea_query::{Expr, ExprTrait, Query, SimpleExpr};
use std::{sync::Arc, time::Duration};

/// How often it is done.
const EVERY: Duration = Duration::from_secs(3600);
/// Rows removed in one transaction, at most.
pub(crate) const CHUNK: u64 = 5_000;

/// Removes expired ledger entries, secrets and evidence older than `kept`, now and then.
pub(crate) async fn sweep(engine: Arc<Engine>, vault: Vault, evidence: Evidence, kept: Duration) {
    loop {
        let now = engine.clock.now();
        let kept = i64::try_from(kept.as_micros()).unwrap_or(i64::MAX);
        let too_old = Timestamp::from_micros(now.micros().saturating_sub(kept));
        let swept = [
            ledger::forget(&engine.db, &vault, now.micros()).await,
            vault.forget_expired(now.micros()).await,
            evidence.prune(too_old).await,
        ];
        for error in swept.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "expired rows stay for now");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Deletes the rows of a table that are `old`; returns how many. `key` tells them apart.
pub(crate) async fn delete(
    db: &Db,
    table: &'static str,
    key: &[&'static str],
    old: SimpleExpr,
) -> Result<u64, StoreError> {
    let mut deleted = 0;
    loop {
        let keys = Expr::tuple(key.iter().map(|column| Expr::col(*column)));
        let some = Query::select()
            .columns(key.iter().copied())
            .from(table)
            .and_where(old.clone())
            .limit(CHUNK)
            .to_owned();
        let delete = Query::delete().from_table(table).and_where(keys.in_subquery(some)).to_owned();
        let gone = db.execute(&delete).await?;
        deleted += gone;
        if gone < CHUNK {
            return Ok(deleted);
        }
    }
}
