//! A sea-query statement, bound and run on one of the two engines.

use super::{Backend, Row};
use sea_query::{PostgresQueryBuilder, SqliteQueryBuilder};
use sea_query_sqlx::{SqlxBinder, SqlxValues};
use sqlx::{Executor, Postgres};

/// Statements with more values than this are one of a kind (multi-row inserts, long IN lists); caching them would push
/// the useful ones out of the connection's cache of 100.
const CACHED_VALUES: usize = 32;

/// Statements that run one after another; SQLite's at one asking, for they live on a thread of their own, and each asking
/// wakes it and us.
pub struct Batch {
    backend: Backend,
    statements: Vec<Bound>,
}

impl Batch {
    pub(super) fn new(backend: Backend) -> Batch {
        Batch { backend, statements: Vec::new() }
    }

    /// See there.
    #[must_use]
    pub fn rows_at_once(&self, columns: usize) -> usize {
        self.backend.rows_at_once(columns)
    }

    /// Adds a statement behind the others.
    pub fn add<S: SqlxBinder>(&mut self, statement: &S) {
        self.statements.push(bind(self.backend, statement));
    }

    pub(super) fn statements(self) -> Vec<Bound> {
        self.statements
    }
}

/// The values of an `IN` list, the last one repeated up to a power of two: lists of every length would each be a statement
/// of its own, and push others out of the cache. Long ones are not cached anyway, and stay as they are.
pub fn padded<T: Clone>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    if let Some(last) = values.last().cloned()
        && values.len() <= CACHED_VALUES
    {
        values.resize(values.len().next_power_of_two(), last);
    }
    values
}

pub(super) struct Bound {
    pub text: String,
    pub values: SqlxValues,
}

impl Bound {
    /// Whether it stays prepared on its connection.
    pub fn is_kept(&self) -> bool {
        self.values.0.0.len() <= CACHED_VALUES
    }
}

pub(super) fn bind<S: SqlxBinder>(backend: Backend, statement: &S) -> Bound {
    let (text, values) = match backend {
        Backend::Sqlite => statement.build_sqlx(SqliteQueryBuilder),
        Backend::Postgres => statement.build_sqlx(PostgresQueryBuilder),
    };
    Bound { text, values }
}

pub(super) async fn postgres_rows<'c>(
    bound: Bound,
    to: impl Executor<'c, Database = Postgres>,
) -> Result<Vec<Row>, sqlx::Error> {
    let persistent = bound.is_kept();
    let query = sqlx::query_with(&bound.text, bound.values).persistent(persistent);
    Ok(query.fetch_all(to).await?.into_iter().map(Row::from).collect())
}

pub(super) async fn postgres_execute<'c>(
    bound: Bound,
    to: impl Executor<'c, Database = Postgres>,
) -> Result<u64, sqlx::Error> {
    let persistent = bound.is_kept();
    let query = sqlx::query_with(&bound.text, bound.values).persistent(persistent);
    Ok(query.execute(to).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::padded;

    #[test]
    fn lists_have_few_lengths() {
        let lengths: Vec<usize> = (0..34).map(|length| padded(0..length).len()).collect();
        assert_eq!(lengths[..10], [0, 1, 2, 4, 4, 8, 8, 8, 8, 16]);
        assert_eq!(lengths[31..], [32, 32, 33]);
        assert_eq!(padded(["a", "b", "c"]), ["a", "b", "c", "c"]);
    }
}
