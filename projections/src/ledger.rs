//! What projections remember about themselves: which physical table is live, how far each has come and under which
//! leader, which streams it leaves out. Rows and checkpoint of a table always commit together.

use domain::{Log, Sid};
use sea_query::{ColumnDef, Expr, ExprTrait, Index, OnConflict, Query, Table, TableCreateStatement};
use std::collections::HashMap;
use store::{Backend, Row, StoreError, Tx};

const VERSIONS: &str = "projection_versions";
const CHECKPOINTS: &str = "projection_checkpoints";
const LEADERS: &str = "projection_leaders";
const PARKED: &str = "projection_parked";

/// Keeps two nodes from making the same tables at the same time; any number will do that nothing else uses.
const SETUP_LOCK: &str = "SELECT pg_advisory_xact_lock(7404417300712)";

/// How far one physical table has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) position: i64,
    pub(crate) epoch: i64,
}

/// Which physical table a projection is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) table: String,
    pub(crate) version: i64,
}

fn table<const N: usize>(
    name: &'static str,
    key: &[&'static str],
    columns: [ColumnDef; N],
) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name).if_not_exists();
    for column in columns {
        table.col(column);
    }
    let mut index = Index::create();
    for column in key {
        index.col(*column);
    }
    table.primary_key(&mut index).to_owned()
}

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().to_owned()
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().to_owned()
}

/// Makes these four tables, when they are missing.
pub(crate) async fn create(tx: &mut Tx) -> Result<(), StoreError> {
    if tx.backend() == Backend::Postgres {
        tx.execute_text(SETUP_LOCK).await?;
    }
    let versions = [text("name"), number("version"), number("generation"), text("live_table")];
    tx.define(&table(VERSIONS, &["name"], versions)).await?;
    let checkpoints = [
        text("table_name"),
        text("name"),
        text("log"),
        number("position"),
        number("epoch"),
        number("touched_at"),
        ColumnDef::new("live").boolean().not_null().to_owned(),
        ColumnDef::new("stopped").text().to_owned(),
    ];
    tx.define(&table(CHECKPOINTS, &["table_name"], checkpoints)).await?;
    let leaders = [text("log"), number("epoch"), text("owner"), number("lease_until")];
    tx.define(&table(LEADERS, &["log"], leaders)).await?;
    let parked = [text("table_name"), text("stream"), number("position"), text("reason")];
    tx.define(&table(PARKED, &["table_name", "stream"], parked)).await?;
    for log in Log::ALL {
        let mut leader = Query::insert();
        leader.into_table(LEADERS).columns(["log", "epoch", "owner", "lease_until"]);
        leader.values_panic([log.as_str().into(), 0_i64.into(), "".into(), 0_i64.into()]);
        leader.on_conflict(OnConflict::column("log").do_nothing().to_owned());
        tx.execute(&leader).await?;
    }
    Ok(())
}

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

/// Moves live tables that stand together; false when any of them is under another leader, or not live any more. Comes
/// first in the transaction: its row locks are what fences.
pub(crate) async fn fence(
    tx: &mut Tx,
    tables: &[&str],
    epoch: i64,
    (from, to): (i64, i64),
) -> Result<bool, StoreError> {
    let update = Query::update()
        .table(CHECKPOINTS)
        .value("position", to)
        .and_where(Expr::col("table_name").is_in(tables.iter().copied()))
        .and_where(Expr::col("position").eq(from))
        .and_where(Expr::col("epoch").eq(epoch))
        .and_where(Expr::col("live").eq(true))
        .to_owned();
    Ok(tx.execute(&update).await? == tables.len() as u64)
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

/// Where a physical table stands.
pub(crate) async fn position(tx: &mut Tx, table: &str) -> Result<Option<i64>, StoreError> {
    let select = Query::select()
        .column("position")
        .from(CHECKPOINTS)
        .and_where(Expr::col("table_name").eq(table))
        .to_owned();
    tx.fetch_optional(&select).await?.map(|row| row.at(0)).transpose()
}

/// Makes a built table the live one: readers find it under the projection's name from the commit on.
pub(crate) async fn switch(
    tx: &mut Tx,
    log: Log,
    (name, version): (&str, i64),
    built: &str,
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
    tx.execute_text(&format!(r#"DROP VIEW IF EXISTS "{name}""#)).await?;
    tx.execute_text(&format!(r#"CREATE VIEW "{name}" AS SELECT * FROM "{built}""#)).await?;
    if let Some(old) = old {
        discard(tx, &old.table).await?;
    }
    Ok(())
}

/// Drops a physical table and everything remembered about it.
pub(crate) async fn discard(tx: &mut Tx, table: &str) -> Result<(), StoreError> {
    for from in [CHECKPOINTS, PARKED] {
        let forget = Query::delete().from_table(from).and_where(Expr::col("table_name").eq(table)).to_owned();
        tx.execute(&forget).await?;
    }
    tx.define(&Table::drop().table(table.to_owned()).if_exists().to_owned()).await
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

/// The live tables of a log.
pub(crate) async fn checkpoints(tx: &mut Tx, log: Log) -> Result<Vec<Checkpoint>, StoreError> {
    let select = Query::select()
        .columns(["table_name", "name", "position", "epoch"])
        .from(CHECKPOINTS)
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("live").eq(true))
        .to_owned();
    let read = |row: &Row| {
        Ok(Checkpoint { table: row.at(0)?, name: row.at(1)?, position: row.at(2)?, epoch: row.at(3)? })
    };
    tx.fetch_all(&select).await?.iter().map(read).collect()
}

/// The position every live table of a log has passed.
pub(crate) async fn reached(tx: &mut Tx, log: Log) -> Result<i64, StoreError> {
    Ok(checkpoints(tx, log).await?.iter().map(|checkpoint| checkpoint.position).min().unwrap_or(0))
}

/// Takes the lead of a log when nobody has it, or `anyway`; returns the new epoch. Whoever led before is fenced from
/// the commit on.
pub(crate) async fn lead(
    tx: &mut Tx,
    log: Log,
    owner: &str,
    (now, until): (i64, i64),
    anyway: bool,
) -> Result<Option<i64>, StoreError> {
    let mut take = Query::update();
    take.table(LEADERS).value("epoch", Expr::col("epoch").add(1_i64));
    take.values([("owner", owner.into()), ("lease_until", until.into())]);
    take.and_where(Expr::col("log").eq(log.as_str()));
    if !anyway {
        take.and_where(Expr::col("lease_until").lt(now));
    }
    if tx.execute(&take).await? == 0 {
        return Ok(None);
    }
    let select =
        Query::select().column("epoch").from(LEADERS).and_where(Expr::col("log").eq(log.as_str())).to_owned();
    let epoch: i64 = tx.fetch_optional(&select).await?.map(|row| row.at(0)).transpose()?.unwrap_or(0);
    stamp(tx, log, epoch).await?;
    let hopeful = Query::update()
        .table(CHECKPOINTS)
        .value("stopped", None::<String>)
        .and_where(Expr::col("log").eq(log.as_str()))
        .to_owned();
    tx.execute(&hopeful).await?;
    Ok(Some(epoch))
}

/// Puts every live table of a log under this epoch.
pub(crate) async fn stamp(tx: &mut Tx, log: Log, epoch: i64) -> Result<(), StoreError> {
    let update = Query::update()
        .table(CHECKPOINTS)
        .value("epoch", epoch)
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("live").eq(true))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

/// Keeps the lead until then (a moment in the past gives it up); false when another has it.
pub(crate) async fn keep(tx: &mut Tx, log: Log, epoch: i64, until: i64) -> Result<bool, StoreError> {
    let renew = Query::update()
        .table(LEADERS)
        .value("lease_until", until)
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("epoch").eq(epoch))
        .to_owned();
    Ok(tx.execute(&renew).await? == 1)
}

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

/// Why live tables of a log do not get any further.
pub(crate) async fn stopped(tx: &mut Tx, log: Log) -> Result<Option<String>, StoreError> {
    let select = Query::select()
        .column("stopped")
        .from(CHECKPOINTS)
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("live").eq(true))
        .and_where(Expr::col("stopped").is_not_null())
        .order_by("table_name", sea_query::Order::Asc)
        .to_owned();
    tx.fetch_optional(&select).await?.map(|row| row.at(0)).transpose()
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
pub(crate) async fn parked_in(tx: &mut Tx, log: Log) -> Result<i64, StoreError> {
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
    Ok(tx.fetch_optional(&count).await?.map(|row| row.at(0)).transpose()?.unwrap_or(0))
}
