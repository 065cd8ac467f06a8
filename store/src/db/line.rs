//! A PostgreSQL connection of one task's own. The pool asks every connection that comes back whether it is well: a second
//! round trip after each statement, and the next one goes over another connection meanwhile.

use super::{Db, Pools, cut, within};
use crate::StoreError;
use sqlx::{Connection, PgConnection, PgPool};
use std::time::Duration;
use tokio::time::Instant;

/// How long a connection may rest and be used again; past that, something on the way may have forgotten it.
const REST: Duration = Duration::from_secs(300);
/// How long one may rest and be used again untested: what goes over it is not asked twice, so it should not be found cut.
const TRUSTED: Duration = Duration::from_secs(1);

/// Opened when it is first needed, and again after anything went wrong on it.
#[derive(Default)]
pub(crate) struct Line(Option<(PgConnection, Instant)>);

impl Line {
    /// Does `work` within the database's deadline. When that fails or is dropped, so is the connection, for what it is
    /// about then nobody knows.
    pub async fn run<T>(
        &mut self,
        db: &Db,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let Pools::Postgres(pool) = &db.pools else { return Err(StoreError::Closed) };
        let (connection, done) = within(db.deadline(), async {
            let mut connection = self.take(pool).await?;
            let done = work(&mut connection).await?;
            Ok::<_, sqlx::Error>((connection, done))
        })
        .await?;
        self.0 = Some((connection, Instant::now()));
        Ok(done)
    }

    async fn take(&mut self, pool: &PgPool) -> Result<PgConnection, sqlx::Error> {
        if let Some((mut connection, used)) = self.0.take()
            && used.elapsed() < REST
            && !pool.is_closed()
            && (used.elapsed() < TRUSTED || connection.ping().await.is_ok())
        {
            return Ok(connection);
        }
        Ok(cut::living(pool).await?.detach())
    }
}
