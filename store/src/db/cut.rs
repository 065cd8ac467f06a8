//! Connections that were cut while nobody used them: the server was restarted, or something on the way forgot them. The
//! pool has them still, and finds out when they are asked. To test each before it is used would cost every read another
//! round trip; so a read is asked again, and only what must not be asked twice goes over a connection that was tested.

use sqlx::{Connection, PgPool, Postgres, pool::PoolConnection};

/// Whether it is the connection that is gone. (`57P..`: the server's own farewell, told on the next use.)
pub(super) fn is_cut(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(told) => told.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

/// A connection that answered just now; those that do not are taken out of the pool on the way.
pub(super) async fn living(pool: &PgPool) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    loop {
        let mut connection = pool.acquire().await?;
        match connection.ping().await {
            Ok(()) => return Ok(connection),
            Err(error) if is_cut(&error) => drop(connection.detach()),
            Err(error) => return Err(error),
        }
    }
}
