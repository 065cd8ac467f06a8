//! The one database under the log, the vault and the projections: sea-query in, rows out, the same on both engines.
//!
//! SQLite: exactly one connection writes and checkpoints (the bundled release's WAL-reset defect needs two); `begin`
//! waits for it. Readers are `query_only` and never checkpoint. Every call has a deadline.

mod bind;
mod cut;
mod expire;
mod hosts;
mod line;
mod pools;
mod row;
mod searches;
mod sqlite;
mod tx;

pub use bind::{Batch, padded};
pub use row::{Cell, Row};
pub use searches::Searching;
pub use tx::Tx;

use crate::StoreError;
use domain::{Clock, Timestamp};
use sea_query::{Expr, Query};
use sea_query_sqlx::SqlxBinder;
use searches::Searches;
use std::time::Duration;

pub(crate) use line::Line;
pub(crate) use pools::Pools;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The embedded default.
    Sqlite,
    /// The production store.
    Postgres,
}

/// Values of one statement at most, far below PostgreSQL's limit of 65,535.
const VALUES: usize = 16_000;

impl Backend {
    /// How many rows of so many columns one `INSERT` should have. Over a network many; SQLite runs the one it has prepared
    /// again for each row, where a longer one would be parsed anew for each count of rows.
    #[must_use]
    pub fn rows_at_once(self, columns: usize) -> usize {
        match self {
            Backend::Sqlite => 1,
            Backend::Postgres => VALUES / columns.max(1),
        }
    }
}

/// A database; clones share its connections.
#[derive(Clone)]
pub struct Db {
    pub(crate) pools: Pools,
    deadline: Duration,
    searches: Searches,
}

impl Db {
    pub(crate) fn new(pools: Pools, deadline: Duration) -> Db {
        Db { pools, deadline, searches: Searches::default() }
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.pools.backend()
    }

    /// All rows of a query, outside a transaction. It is asked again when its connection turns out to be cut: one that
    /// changes anything must be one that may be repeated.
    ///
    /// # Errors
    /// When the database fails, the connection is cut midway twice, or the deadline passes.
    pub async fn fetch_all<S: SqlxBinder + Sync>(&self, statement: &S) -> Result<Vec<Row>, StoreError> {
        let bound = bind::bind(self.backend(), statement);
        let rows = async {
            match &self.pools {
                Pools::Sqlite { reader, .. } => {
                    reader.lend().await?.ask(|connection| sqlite::rows(connection, bound)).await
                }
                Pools::Postgres(pool) => match bind::postgres_rows(bound, pool).await {
                    Err(error) if cut::is_cut(&error) => {
                        let again = bind::bind(self.backend(), statement);
                        Ok(bind::postgres_rows(again, &mut *cut::living(pool).await?).await?)
                    }
                    rows => Ok(rows?),
                },
            }
        };
        within(self.deadline, rows).await
    }

    /// How SQLite would find a query's rows.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) async fn explain(&self, query: &sea_query::SelectStatement) -> Result<Vec<Row>, StoreError> {
        let Pools::Sqlite { reader, .. } = &self.pools else { return Ok(Vec::new()) };
        let mut bound = bind::bind(Backend::Sqlite, query);
        bound.text.insert_str(0, "EXPLAIN QUERY PLAN ");
        reader.lend().await?.ask(|connection| sqlite::rows(connection, bound)).await
    }

    /// The first row of a query, if any.
    ///
    /// # Errors
    /// As `fetch_all`.
    pub async fn fetch_optional<S: SqlxBinder + Sync>(
        &self,
        statement: &S,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch_all(statement).await?.into_iter().next())
    }

    /// Runs one statement in a transaction of its own; returns the rows it touched.
    ///
    /// # Errors
    /// When the database fails or the deadline passes; the statement may have taken effect then.
    pub async fn execute<S: SqlxBinder + Sync>(&self, statement: &S) -> Result<u64, StoreError> {
        let bound = bind::bind(self.backend(), statement);
        let touched = async {
            match &self.pools {
                Pools::Sqlite { writer, .. } => {
                    writer.lend().await?.ask(|connection| sqlite::touched(connection, bound)).await
                }
                Pools::Postgres(pool) => {
                    Ok(bind::postgres_execute(bound, &mut *cut::living(pool).await?).await?)
                }
            }
        };
        within(self.deadline, touched).await
    }

    /// Begins a transaction that writes. On SQLite it holds the one writing connection until it ends, and appends wait
    /// for it: keep it short, and read through it, not beside it.
    ///
    /// # Errors
    /// When the database fails or the deadline passes.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Tx::begin(&self.pools, self.deadline, tx::Access::Write).await
    }

    /// Begins a transaction that only reads and sees one moment throughout.
    ///
    /// # Errors
    /// When the database fails or the deadline passes.
    pub async fn snapshot(&self) -> Result<Tx, StoreError> {
        Tx::begin(&self.pools, self.deadline, tx::Access::Snapshot).await
    }

    /// A turn at reading what no index finds by itself. So few are had at once, in the order they were asked for, that reads of
    /// one row or one page find a connection and a processor beside them. Who has one must not ask for another.
    ///
    /// # Errors
    /// When the deadline passes before there is one.
    pub async fn turn_to_search(&self) -> Result<Searching, StoreError> {
        within(self.deadline, async { Ok::<_, StoreError>(self.searches.take().await) }).await
    }

    /// The time by the database's clock, which all nodes share; an SQLite file has the one of its process, `own`.
    ///
    /// # Errors
    /// When the database fails or the deadline passes.
    pub async fn now(&self, own: &dyn Clock) -> Result<Timestamp, StoreError> {
        if self.backend() == Backend::Sqlite {
            return Ok(own.now());
        }
        let micros = Expr::cust("CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)");
        let row = self.fetch_optional(&Query::select().expr(micros).to_owned()).await?;
        Ok(Timestamp::from_micros(row.map_or(Ok(0), |row| row.at(0))?))
    }

    /// Whether PostgreSQL gives sessions of this database and user that ask for nothing else transactions that only read.
    ///
    /// # Errors
    /// When the database fails or the deadline passes.
    pub async fn reads_only_by_default(&self) -> Result<bool, StoreError> {
        if self.backend() == Backend::Sqlite {
            return Ok(false);
        }
        // What this session was given counts, not what it has set for itself since.
        let given = Expr::cust(
            "CAST((SELECT count(*) FROM pg_settings WHERE name = 'default_transaction_read_only' AND reset_val = 'on') \
             AS bigint)",
        );
        let row = self.fetch_optional(&Query::select().expr(given).to_owned()).await?;
        Ok(row.map_or(Ok(0), |row| row.at::<i64>(0))? > 0)
    }

    /// How long any one call may take.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Waits for connections that are in use, as long as a call may take.
    pub(crate) async fn close(&self) {
        if tokio::time::timeout(self.deadline, self.pools.close()).await.is_err() {
            tracing::warn!("connections were still in use when the store closed");
        }
    }
}

/// The result of `work`, or `Deadline`.
pub(crate) async fn within<T, E: Into<StoreError>>(
    deadline: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(deadline, work).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(StoreError::Deadline(deadline)),
    }
}
