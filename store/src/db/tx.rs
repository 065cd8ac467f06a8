//! A transaction of either database. Dropping it without `commit` rolls it back.

use super::{
    Backend, Batch, Pools, Row,
    bind::{self, Bound},
    cut,
    sqlite::{self, Lent},
    within,
};
use crate::StoreError;
use sea_query::{PostgresQueryBuilder, SchemaStatementBuilder, SqliteQueryBuilder};
use sea_query_sqlx::SqlxBinder;
use sqlx::{Executor, PgPool, Postgres, pool::PoolConnection};
use std::time::Duration;

/// Sees one moment throughout.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A transaction.
pub struct Tx {
    kind: Kind,
    deadline: Duration,
}

enum Kind {
    Sqlite(Lent),
    Postgres(Open),
}

/// A PostgreSQL connection in a transaction. Not sqlx's own: that one forgets a `BEGIN` whose answer nobody waited for, and
/// the pool would hand out a connection that is in a transaction. Here such a connection is closed.
struct Open {
    connection: PoolConnection<Postgres>,
    over: bool,
}

impl Open {
    async fn begin(pool: &PgPool, statement: &'static str) -> Result<Open, sqlx::Error> {
        match Open::on(pool.acquire().await?, statement).await {
            Err(error) if cut::is_cut(&error) => Open::on(cut::living(pool).await?, statement).await,
            begun => begun,
        }
    }

    async fn on(connection: PoolConnection<Postgres>, statement: &'static str) -> Result<Open, sqlx::Error> {
        let mut open = Open { connection, over: false };
        open.connection.execute(sqlx::raw_sql(statement)).await?;
        Ok(open)
    }

    async fn end(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        self.connection.execute(sqlx::raw_sql(statement)).await?;
        self.over = true;
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.over {
            self.connection.close_on_drop();
        }
    }
}

/// What a transaction is for.
#[derive(Clone, Copy)]
pub(super) enum Access {
    Write,
    Snapshot,
}

impl Tx {
    pub(super) async fn begin(pools: &Pools, deadline: Duration, access: Access) -> Result<Tx, StoreError> {
        let kind = async {
            Ok::<_, StoreError>(match (pools, access) {
                (Pools::Sqlite { writer, .. }, Access::Write) => Kind::Sqlite(writer.lend().await?),
                (Pools::Sqlite { reader, .. }, Access::Snapshot) => Kind::Sqlite(reader.lend().await?),
                (Pools::Postgres(pool), Access::Write) => Kind::Postgres(Open::begin(pool, "BEGIN").await?),
                (Pools::Postgres(pool), Access::Snapshot) => {
                    Kind::Postgres(Open::begin(pool, SNAPSHOT).await?)
                }
            })
        };
        Ok(Tx { kind: within(deadline, kind).await?, deadline })
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self.kind {
            Kind::Sqlite(_) => Backend::Sqlite,
            Kind::Postgres(_) => Backend::Postgres,
        }
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// When the database fails or the deadline passes.
    pub async fn fetch_all<S: SqlxBinder + Sync>(&mut self, statement: &S) -> Result<Vec<Row>, StoreError> {
        self.rows(bind::bind(self.backend(), statement)).await
    }

    /// The first row of a query, if any.
    ///
    /// # Errors
    /// As `fetch_all`.
    pub async fn fetch_optional<S: SqlxBinder + Sync>(
        &mut self,
        statement: &S,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch_all(statement).await?.into_iter().next())
    }

    /// Runs a statement; returns the rows it touched.
    ///
    /// # Errors
    /// As `fetch_all`.
    pub async fn execute<S: SqlxBinder + Sync>(&mut self, statement: &S) -> Result<u64, StoreError> {
        self.touched(bind::bind(self.backend(), statement)).await
    }

    /// For statements that are run at once.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch::new(self.backend())
    }

    /// All rows of a batch of queries, in its order.
    ///
    /// # Errors
    /// As `fetch_all`.
    pub async fn fetch_batch(&mut self, batch: Batch) -> Result<Vec<Row>, StoreError> {
        match &mut self.kind {
            Kind::Sqlite(lent) => {
                let all = lent.ask_within(move |connection| {
                    let each = batch.statements().into_iter().map(|bound| sqlite::rows(connection, bound));
                    each.collect::<Result<Vec<_>, _>>()
                });
                Ok(within(self.deadline, all).await?.into_iter().flatten().collect())
            }
            Kind::Postgres(_) => {
                let mut rows = Vec::new();
                for bound in batch.statements() {
                    rows.extend(self.rows(bound).await?);
                }
                Ok(rows)
            }
        }
    }

    /// Runs a batch of statements.
    ///
    /// # Errors
    /// As `fetch_all`; those before the one that failed have run.
    pub async fn execute_batch(&mut self, batch: Batch) -> Result<(), StoreError> {
        match &mut self.kind {
            Kind::Sqlite(lent) => {
                within(self.deadline, lent.ask_within(|connection| sqlite::run_all(connection, batch))).await
            }
            Kind::Postgres(_) => {
                for bound in batch.statements() {
                    self.touched(bound).await?;
                }
                Ok(())
            }
        }
    }

    /// Runs a batch of statements and makes it durable with all that went before; SQLite does it at one asking.
    ///
    /// # Errors
    /// As `commit`. When the database refused a statement, nothing took effect.
    pub async fn commit_with(mut self, batch: Batch) -> Result<(), StoreError> {
        if let Kind::Sqlite(lent) = self.kind {
            return within(self.deadline, lent.commit(|connection| sqlite::run_all(connection, batch))).await;
        }
        self.execute_batch(batch).await?;
        self.commit().await
    }

    async fn rows(&mut self, bound: Bound) -> Result<Vec<Row>, StoreError> {
        match &mut self.kind {
            Kind::Sqlite(lent) => {
                within(self.deadline, lent.ask_within(|connection| sqlite::rows(connection, bound))).await
            }
            Kind::Postgres(tx) => {
                within(self.deadline, bind::postgres_rows(bound, &mut *tx.connection)).await
            }
        }
    }

    async fn touched(&mut self, bound: Bound) -> Result<u64, StoreError> {
        match &mut self.kind {
            Kind::Sqlite(lent) => {
                within(self.deadline, lent.ask_within(|connection| sqlite::touched(connection, bound))).await
            }
            Kind::Postgres(tx) => {
                within(self.deadline, bind::postgres_execute(bound, &mut *tx.connection)).await
            }
        }
    }

    /// Makes, changes or drops a table or an index.
    ///
    /// # Errors
    /// As `fetch_all`.
    pub async fn define<S: SchemaStatementBuilder + Sync>(
        &mut self,
        statement: &S,
    ) -> Result<(), StoreError> {
        let text = match self.backend() {
            Backend::Sqlite => statement.build(SqliteQueryBuilder),
            Backend::Postgres => statement.build(PostgresQueryBuilder),
        };
        self.execute_text(&text).await
    }

    /// Runs statements as written: for what sea-query cannot say, such as triggers. Never with a caller's values in it.
    ///
    /// # Errors
    /// As `fetch_all`.
    pub async fn execute_text(&mut self, text: &str) -> Result<(), StoreError> {
        match &mut self.kind {
            Kind::Sqlite(lent) => {
                let text = text.to_owned();
                within(self.deadline, lent.ask_within(move |connection| connection.execute_batch(&text)))
                    .await
            }
            Kind::Postgres(tx) => {
                within(self.deadline, tx.connection.execute(sqlx::raw_sql(text))).await.map(drop)
            }
        }
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// When the database fails or the deadline passes; whether it took effect is unknown then.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.kind {
            Kind::Sqlite(lent) => within(self.deadline, lent.commit(|_| Ok(()))).await,
            Kind::Postgres(tx) => within(self.deadline, tx.end("COMMIT")).await,
        }
    }

    /// Undoes it.
    ///
    /// # Errors
    /// When the database fails or the deadline passes; it is undone all the same.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self.kind {
            Kind::Sqlite(lent) => within(self.deadline, lent.rollback()).await,
            Kind::Postgres(tx) => within(self.deadline, tx.end("ROLLBACK")).await,
        }
    }
}
