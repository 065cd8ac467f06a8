//! How SQLite would find a query's rows.

use crate::{Backend, Store};
use sea_query::SelectStatement;

/// The steps, such as `SEARCH calls USING INDEX …`. `SCAN` is a walk through every row of the table, or of an index.
///
/// # Panics
/// When the store is not on SQLite, or the query is wrong.
pub async fn plan(store: &Store, query: &SelectStatement) -> Vec<String> {
    assert_eq!(store.db().backend(), Backend::Sqlite);
    let steps = store.db().explain(query).await.expect("the query is right");
    steps.iter().map(|step| step.get("detail").expect("a step says what it does")).collect()
}
