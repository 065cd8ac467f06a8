//! Physical tables: which one is live, which are being built, and the switch between them.

use super::{CHECKPOINTS, LEADERS, Live, PARKED, VERSIONS, position};
use crate::machine::pieces;
use domain::Log;
use sea_query::{Expr, ExprTrait, OnConflict, Query, Table};
use store::{StoreError, Tx};

/// The physical table a projection is read from, if it was ever made.
pub(crate) async fn live(tx: &mut Tx, name: &str) -> Result<Option<Live>, StoreError> {
    let select = Query::select()
        .columns(["live_table", "version"])
        .from(VERSIONS)
        .and_where(Expr::col("name").eq(name))
        .and_where(Expr::col("live_table").ne(""))
        .to_owned();
    let row = tx.fetch_optional(&select).await?;
    row.map(|row| Ok(Live { table: row.at(0)?, version: row.at(1)? })).transpose()
}

/// Keeps everybody else from switching a projection until the transaction ends.
pub(crate) async fn reserve(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    let touch = Query::update()
        .table(VERSIONS)
        .value("generation", Expr::col("generation"))
        .and_where(Expr::col("name").eq(name))
        .to_owned();
    tx.execute(&touch).await.map(drop)
}

/// Names a new physical table of a projection; no other ever had that name.
pub(crate) async fn generation(tx: &mut Tx, name: &str, version: i64) -> Result<String, StoreError> {
    let mut first = Query::insert();
    first.into_table(VERSIONS).columns(["name", "version", "generation", "live_table"]);
    first.values_panic([name.into(), version.into(), 0_i64.into(), "".into()]);
    first.on_conflict(OnConflict::column("name").do_nothing().to_owned());
    tx.execute(&first).await?;
    let next = Query::update()
        .table(VERSIONS)
        .value("generation", Expr::col("generation").add(1_i64))
        .and_where(Expr::col("name").eq(name))
        .to_owned();
    tx.execute(&next).await?;
    let select =
        Query::select().column("generation").from(VERSIONS).and_where(Expr::col("name").eq(name)).to_owned();
    let row = tx.fetch_optional(&select).await?;
    let generation: i64 = row.map(|row| row.at(0)).transpose()?.unwrap_or(1);
    Ok(format!("{name}_v{version}_g{generation}"))
}

/// Remembers a table that is being built, at position 0.
pub(crate) async fn begin(
    tx: &mut Tx,
    (table, name): (&str, &str),
    log: Log,
    now: i64,
) -> Result<(), StoreError> {
    let mut insert = Query::insert();
    insert.into_table(CHECKPOINTS);
    insert.columns(["table_name", "name", "log", "position", "epoch", "touched_at", "live"]);
    let (zero, live) = (0_i64, false);
    insert.values_panic([
        table.into(),
        name.into(),
        log.as_str().into(),
        zero.into(),
        zero.into(),
        now.into(),
        live.into(),
    ]);
    tx.execute(&insert).await.map(drop)
}

/// Moves a table that is being built; false when it is not there any more.
pub(crate) async fn advance(
    tx: &mut Tx,
    table: &str,
    (from, to): (i64, i64),
    now: i64,
) -> Result<bool, StoreError> {
    let update = Query::update()
        .table(CHECKPOINTS)
        .values([("position", to.into()), ("touched_at", now.into())])
        .and_where(Expr::col("table_name").eq(table))
        .and_where(Expr::col("position").eq(from))
        .and_where(Expr::col("live").eq(false))
        .to_owned();
    Ok(tx.execute(&update).await? == 1)
}

/// Keeps everybody else from moving a live table until the transaction ends; returns where it stands.
pub(crate) async fn hold(tx: &mut Tx, table: &str) -> Result<Option<i64>, StoreError> {
    let touch = Query::update()
        .table(CHECKPOINTS)
        .value("position", Expr::col("position"))
        .and_where(Expr::col("table_name").eq(table))
        .to_owned();
    tx.execute(&touch).await?;
    position(tx, table).await
}

/// Makes a built table the live one: readers find it under the projection's name from the commit on.
pub(crate) async fn switch(
    tx: &mut Tx,
    log: Log,
    (name, version): (&str, i64),
    (built, searched): (&str, bool),
) -> Result<(), StoreError> {
    let leader =
        Query::select().column("epoch").from(LEADERS).and_where(Expr::col("log").eq(log.as_str())).to_owned();
    let epoch: i64 = tx.fetch_optional(&leader).await?.map(|row| row.at(0)).transpose()?.unwrap_or(0);
    let old = live(tx, name).await?;
    let go_live = Query::update()
        .table(CHECKPOINTS)
        .values([("live", true.into()), ("epoch", epoch.into())])
        .and_where(Expr::col("table_name").eq(built))
        .to_owned();
    tx.execute(&go_live).await?;
    let record = Query::update()
        .table(VERSIONS)
        .values([("live_table", built.into()), ("version", version.into())])
        .and_where(Expr::col("name").eq(name))
        .to_owned();
    tx.execute(&record).await?;
    view(tx, name, built).await?;
    if searched {
        view(tx, &pieces::beside(name), &pieces::beside(built)).await?;
    }
    if let Some(old) = old {
        discard(tx, &old.table).await?;
    }
    Ok(())
}

async fn view(tx: &mut Tx, name: &str, of: &str) -> Result<(), StoreError> {
    tx.execute_text(&format!(r#"DROP VIEW IF EXISTS "{name}""#)).await?;
    tx.execute_text(&format!(r#"CREATE VIEW "{name}" AS SELECT * FROM "{of}""#)).await
}

/// Drops a physical table, its pieces, and everything remembered about it.
pub(crate) async fn discard(tx: &mut Tx, table: &str) -> Result<(), StoreError> {
    for from in [CHECKPOINTS, PARKED] {
        let forget = Query::delete().from_table(from).and_where(Expr::col("table_name").eq(table)).to_owned();
        tx.execute(&forget).await?;
    }
    for table in [pieces::beside(table), table.to_owned()] {
        tx.define(&Table::drop().table(table).if_exists().to_owned()).await?;
    }
    Ok(())
}

/// Tables that someone began to build and has not touched since `before`.
pub(crate) async fn abandoned(tx: &mut Tx, before: i64) -> Result<Vec<String>, StoreError> {
    let select = Query::select()
        .column("table_name")
        .from(CHECKPOINTS)
        .and_where(Expr::col("live").eq(false))
        .and_where(Expr::col("touched_at").lt(before))
        .to_owned();
    tx.fetch_all(&select).await?.iter().map(|row| row.at(0)).collect()
}
