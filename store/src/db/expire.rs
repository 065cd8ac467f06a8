//! Removal of old rows, in chunks, so that appends get their turn in between.

use super::Db;
use crate::StoreError;
use sea_query::{Expr, ExprTrait, Query, SimpleExpr};

/// Rows removed in one transaction, at most.
const CHUNK: u64 = 5_000;

impl Db {
    /// Deletes the rows of a table that are `old`; returns how many. `key` tells them apart.
    pub(crate) async fn delete_old(
        &self,
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
            let gone = self.execute(&delete).await?;
            deleted += gone;
            if gone < CHUNK {
                return Ok(deleted);
            }
        }
    }
}
