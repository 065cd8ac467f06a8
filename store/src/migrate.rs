//! Brings the tables of a database to this release's shape. Each migration is one transaction and happens once.

use crate::{Backend, Db, StoreError, Tx};
use domain::{Log, Timestamp};
use schema::{Migration, Step};
use sea_query::{
    ColumnDef, Expr, ExprTrait, InsertStatement, OnConflict, Order, Query, SelectStatement, Table,
};

/// Any number: PostgreSQL lets one process migrate at a time under it.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7295101463)";

/// Applies what has not been applied yet, and gives every log its head row.
/// Returns the numbers of those that were applied now.
pub(crate) async fn migrate(db: &Db, now: Timestamp) -> Result<Vec<i64>, StoreError> {
    let mut tx = begin(db).await?;
    tx.define(&ledger()).await?;
    tx.commit().await?;
    not_newer(db).await?;
    let mut applied = Vec::new();
    for migration in schema::migrations() {
        if apply(db, &migration, now).await? {
            applied.push(migration.number);
        }
    }
    let mut heads = Query::insert().into_table("es_heads").columns(["log", "position"]).to_owned();
    for log in Log::ALL {
        heads.values_panic([log.as_str().into(), 0i64.into()]);
    }
    db.execute(heads.on_conflict(OnConflict::column("log").do_nothing().to_owned())).await?;
    Ok(applied)
}

/// Refuses tables that a newer release has changed: what they mean by now is not known here.
pub(crate) async fn not_newer(db: &Db) -> Result<(), StoreError> {
    let last = schema::migrations().last().map_or(0, |migration| migration.number);
    let newer = Query::select()
        .columns(["number", "name"])
        .from("es_migrations")
        .and_where(Expr::col("number").gt(last))
        .and_where(Expr::col("number").ne(schema::PROVED.0))
        .order_by("number", Order::Desc)
        .limit(1)
        .to_owned();
    match db.fetch_optional(&newer).await? {
        Some(row) => Err(StoreError::Newer { number: row.at(0)?, name: row.at(1)? }),
        None => Ok(()),
    }
}

/// Whether this was noted as done, and when.
pub(crate) async fn noted(db: &Db, number: i64) -> Result<Option<Timestamp>, StoreError> {
    let row = db.fetch_optional(&applied_at(number)).await?;
    row.map(|row| row.at(0).map(Timestamp::from_micros)).transpose()
}

/// Notes as done what no statements alone can do.
pub(crate) async fn note(
    db: &Db,
    (number, name): (i64, &'static str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut done = done(number, name, now);
    let once = OnConflict::column("number").do_nothing().to_owned();
    db.execute(done.on_conflict(once)).await.map(drop)
}

fn applied_at(number: i64) -> SelectStatement {
    Query::select()
        .column("applied_at")
        .from("es_migrations")
        .and_where(Expr::col("number").eq(number))
        .to_owned()
}

fn done(number: i64, name: &'static str, now: Timestamp) -> InsertStatement {
    let mut done =
        Query::insert().into_table("es_migrations").columns(["number", "name", "applied_at"]).to_owned();
    done.values_panic([number.into(), name.into(), now.micros().into()]);
    done
}

async fn begin(db: &Db) -> Result<Tx, StoreError> {
    let mut tx = db.begin().await?;
    if tx.backend() == Backend::Postgres {
        tx.execute_text(LOCK).await?;
    }
    Ok(tx)
}

/// Whether it had not been applied.
async fn apply(db: &Db, migration: &Migration, now: Timestamp) -> Result<bool, StoreError> {
    let mut tx = begin(db).await?;
    if tx.fetch_optional(&applied_at(migration.number)).await?.is_some() {
        return tx.rollback().await.map(|()| false);
    }
    for step in &migration.steps {
        take(&mut tx, step).await?;
    }
    tx.execute(&done(migration.number, migration.name, now)).await?;
    tx.commit().await.map(|()| true)
}

async fn take(tx: &mut Tx, step: &Step) -> Result<(), StoreError> {
    let text = match (step, tx.backend()) {
        (Step::Table(table), _) => return tx.define(&**table).await,
        (Step::Index(index), _) => return tx.define(&**index).await,
        (Step::Text { sqlite, .. }, Backend::Sqlite) => *sqlite,
        (Step::Text { postgres, .. }, Backend::Postgres) => *postgres,
    };
    if text.is_empty() { Ok(()) } else { tx.execute_text(text).await }
}

fn ledger() -> sea_query::TableCreateStatement {
    let mut table = Table::create();
    table.table("es_migrations").if_not_exists();
    table.col(ColumnDef::new("number").big_integer().not_null().primary_key());
    table.col(ColumnDef::new("name").text().not_null());
    table.col(ColumnDef::new("applied_at").big_integer().not_null());
    table.to_owned()
}
