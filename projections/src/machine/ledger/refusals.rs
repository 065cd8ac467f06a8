//! What could not be told: tables that stopped, and streams that are left out.

use super::{CHECKPOINTS, PARKED};
use domain::{Log, Sid};
use sea_query::{Expr, ExprTrait, OnConflict, Query};
use std::collections::HashMap;
use store::{Db, StoreError, Tx};

/// Writes down why a live table does not get any further.
pub(crate) async fn stop(tx: &mut Tx, table: &str, epoch: i64, reason: &str) -> Result<(), StoreError> {
    let update = Query::update()
        .table(CHECKPOINTS)
        .value("stopped", reason)
        .and_where(Expr::col("table_name").eq(table))
        .and_where(Expr::col("epoch").eq(epoch))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

/// Why a table does not get any further, if so.
pub(crate) async fn stopped(tx: &mut Tx, table: &str) -> Result<Option<String>, StoreError> {
    let select = Query::select()
        .column("stopped")
        .from(CHECKPOINTS)
        .and_where(Expr::col("table_name").eq(table))
        .to_owned();
    tx.fetch_optional(&select).await?.map_or(Ok(None), |row| row.at(0))
}

/// Leaves a stream out of a table from a position on.
pub(crate) async fn park(
    tx: &mut Tx,
    table: &str,
    (stream, position): (&Sid, i64),
    reason: &str,
) -> Result<(), StoreError> {
    let mut insert = Query::insert();
    insert.into_table(PARKED).columns(["table_name", "stream", "position", "reason"]);
    insert.values_panic([table.into(), stream.as_str().into(), position.into(), reason.into()]);
    insert.on_conflict(OnConflict::columns(["table_name", "stream"]).do_nothing().to_owned());
    tx.execute(&insert).await.map(drop)
}

/// The streams a table leaves out, and from which position on.
pub(crate) async fn parked(tx: &mut Tx, table: &str) -> Result<HashMap<Sid, (i64, String)>, StoreError> {
    let select = Query::select()
        .columns(["stream", "position", "reason"])
        .from(PARKED)
        .and_where(Expr::col("table_name").eq(table))
        .to_owned();
    let mut parked = HashMap::new();
    for row in tx.fetch_all(&select).await? {
        if let Ok(stream) = row.at::<String>(0)?.parse() {
            parked.insert(stream, (row.at(1)?, row.at(2)?));
        }
    }
    Ok(parked)
}

/// How many streams the live tables of a log leave out.
pub(crate) async fn parked_in(db: &Db, log: Log) -> Result<i64, StoreError> {
    let live = Query::select()
        .column("table_name")
        .from(CHECKPOINTS)
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("live").eq(true))
        .to_owned();
    let count = Query::select()
        .expr(Expr::col("stream").count())
        .from(PARKED)
        .and_where(Expr::col("table_name").in_subquery(live))
        .to_owned();
    Ok(db.fetch_optional(&count).await?.map(|row| row.at(0)).transpose()?.unwrap_or(0))
}
