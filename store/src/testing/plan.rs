//! How SQLite would find a query's rows.

use crate::{Store, db::Pools};
use sea_query::{SelectStatement, SqliteQueryBuilder};
use sea_query_sqlx::SqlxBinder;
use sqlx::Row;

/// The steps, such as `SEARCH calls USING INDEX …`. `SCAN` is a walk through every row of the table, or of an index.
///
/// # Panics
/// When the store is not on SQLite, or the query is wrong.
pub async fn plan(store: &Store, query: &SelectStatement) -> Vec<String> {
    let Pools::Sqlite { reader, .. } = &store.db().pools else { panic!("the store is on SQLite") };
    let (text, values) = query.build_sqlx(SqliteQueryBuilder);
    let text = format!("EXPLAIN QUERY PLAN {text}");
    let steps = sqlx::query_with(&text, values).fetch_all(reader).await.expect("the query is right");
    steps.iter().map(|step| step.get("detail")).collect()
}
