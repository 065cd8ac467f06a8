//! What projections remember about themselves: which physical table is live, how far each has come and under which
//! leader, which streams it leaves out. Rows and checkpoint of a table always commit together.

mod leaders;
mod refusals;
mod versions;

pub(crate) use leaders::{fence, keep, lead, stamp};
pub(crate) use refusals::{park, parked, parked_in, stop, stopped};
pub(crate) use versions::{abandoned, advance, begin, discard, generation, hold, live, reserve, switch};

use domain::Log;
use sea_query::{ColumnDef, Expr, ExprTrait, Index, OnConflict, Query, Table, TableCreateStatement};
use store::{Backend, Db, Row, StoreError, Tx};

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
    /// The release's version of the projection.
    pub(crate) version: i64,
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

/// Where a physical table stands.
pub(crate) async fn position(tx: &mut Tx, table: &str) -> Result<Option<i64>, StoreError> {
    let select = Query::select()
        .column("position")
        .from(CHECKPOINTS)
        .and_where(Expr::col("table_name").eq(table))
        .to_owned();
    tx.fetch_optional(&select).await?.map(|row| row.at(0)).transpose()
}

/// The live tables of a log.
pub(crate) async fn checkpoints(tx: &mut Tx, log: Log) -> Result<Vec<Checkpoint>, StoreError> {
    let select = Query::select()
        .columns([
            (CHECKPOINTS, "table_name"),
            (CHECKPOINTS, "name"),
            (CHECKPOINTS, "position"),
            (VERSIONS, "version"),
        ])
        .from(CHECKPOINTS)
        .inner_join(VERSIONS, Expr::col((VERSIONS, "live_table")).equals((CHECKPOINTS, "table_name")))
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("live").eq(true))
        .to_owned();
    let read = |row: &Row| {
        Ok(Checkpoint { table: row.at(0)?, name: row.at(1)?, position: row.at(2)?, version: row.at(3)? })
    };
    tx.fetch_all(&select).await?.iter().map(read).collect()
}

/// The position every live table of a log has passed, and why one does not get any further, if so.
pub(crate) async fn standing(db: &Db, log: Log) -> Result<(i64, Option<String>), StoreError> {
    let select = Query::select()
        .expr(Expr::col("position").min())
        .expr(Expr::col("stopped").min())
        .from(CHECKPOINTS)
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("live").eq(true))
        .to_owned();
    let Some(row) = db.fetch_optional(&select).await? else { return Ok((0, None)) };
    Ok((row.at::<Option<i64>>(0)?.unwrap_or(0), row.at(1)?))
}
