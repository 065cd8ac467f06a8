//! Connections: how each engine is opened.

use super::Backend;
use crate::StoreError;
use sqlx::{
    ConnectOptions, Connection, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
    time::Duration,
};

/// Readers of an SQLite file.
const READERS: u32 = 4;
/// Pages a reader keeps for itself, in KiB (as SQLite writes it, negative): the system keeps the file's anyway.
const READER_CACHE: &str = "-512";
/// Connections of one node to PostgreSQL: writers, followers, requests.
const POSTGRES_CONNECTIONS: u32 = 16;
/// The oldest PostgreSQL the tables and the append are made for.
const OLDEST: u32 = 15;
/// What to do when nobody answers.
const ADDRESS: &str = "start the server, or set database_url to where it is";

/// The connections of one database.
#[derive(Clone)]
pub(crate) enum Pools {
    Sqlite {
        /// One connection, the only one that writes and checkpoints.
        writer: SqlitePool,
        reader: SqlitePool,
        /// Held while the file is open for writing: keeps a second process from being a second writer. None of one
        /// that only reads.
        lock: Option<Arc<Lock>>,
    },
    Postgres(PgPool),
}

impl Pools {
    /// Opens (and makes, when missing) the SQLite file at `path`.
    pub(crate) async fn sqlite(path: &Path, deadline: Duration) -> Result<Pools, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| file_error(folder, &error))?;
        }
        let lock = Some(Arc::new(Lock::take(path)?));
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(deadline)
            .disable_statement_logging();
        let writer = forever(1, deadline).connect_with(options.clone()).await?;
        let reader = forever(READERS, deadline).connect_with(reading(options)).await?;
        Ok(Pools::Sqlite { writer, reader, lock })
    }

    /// Opens the SQLite file at `path` beside the process that writes it: nothing is written, nothing checkpointed.
    pub(crate) async fn sqlite_to_read(path: &Path, deadline: Duration) -> Result<Pools, StoreError> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(deadline);
        let reader =
            forever(READERS, deadline).connect_with(reading(options.disable_statement_logging())).await?;
        Ok(Pools::Sqlite { writer: reader.clone(), reader, lock: None })
    }

    /// Looks whether the PostgreSQL at `url` takes us in; returns its version.
    pub(crate) async fn probe_postgres(url: &str, deadline: Duration) -> Result<u32, StoreError> {
        let options: PgConnectOptions = url.parse().map_err(|_| StoreError::Address(redacted(url)))?;
        first_connection(url, &options, deadline).await
    }

    /// Connects to the PostgreSQL at `url`.
    pub(crate) async fn postgres(
        url: &str,
        deadline: Duration,
        read_only: bool,
    ) -> Result<Pools, StoreError> {
        let options: PgConnectOptions = url.parse().map_err(|_| StoreError::Address(redacted(url)))?;
        let read_only = if read_only { "on" } else { "off" };
        let settings = [
            ("statement_timeout", deadline.as_millis().to_string()),
            ("default_transaction_read_only", read_only.to_owned()),
        ];
        let options = options.options(settings).application_name("trunkline");
        first_connection(url, &options, deadline).await?;
        let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(deadline * 2);
        let pool = pool.test_before_acquire(false).connect_with(options.disable_statement_logging()).await?;
        Ok(Pools::Postgres(pool))
    }

    pub(crate) fn backend(&self) -> Backend {
        match self {
            Pools::Sqlite { .. } => Backend::Sqlite,
            Pools::Postgres(_) => Backend::Postgres,
        }
    }

    /// Readers first, so that the writer is the last one out and takes the WAL along.
    pub(crate) async fn close(&self) {
        match self {
            Pools::Sqlite { writer, reader, lock } => {
                reader.close().await;
                writer.close().await;
                if let Some(lock) = lock {
                    lock.release();
                }
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// Connections that are opened at the start and stay: on a busy machine a call would wait seconds for a new one.
fn forever(size: u32, deadline: Duration) -> SqlitePoolOptions {
    let pool =
        SqlitePoolOptions::new().min_connections(size).max_connections(size).acquire_timeout(deadline * 2);
    // One in a transaction that nobody will end must not come back: what is written on it would never be committed.
    let pool = pool.after_release(|connection, _| {
        Box::pin(async move {
            if connection.is_in_transaction() {
                // A rollback may be on its way.
                connection.ping().await?;
            }
            Ok(!connection.is_in_transaction())
        })
    });
    pool.idle_timeout(None).max_lifetime(None).test_before_acquire(false)
}

fn reading(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("query_only", "on").pragma("wal_autocheckpoint", "0").pragma("cache_size", READER_CACHE)
}

/// An advisory lock beside the SQLite file; the operating system drops it with the process.
pub(crate) struct Lock(File);

impl Lock {
    fn take(path: &Path) -> Result<Lock, StoreError> {
        let path = path.with_extension("lock");
        let file = File::create(&path).map_err(|error| file_error(&path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(file_error(&path, &error)),
        }
    }

    fn release(&self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(%error, "the lock goes with the process");
        }
    }
}

fn file_error(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::File { path: path.display().to_string(), reason: error.to_string() }
}

/// One connection before there is a pool: a pool tries again until it can only say that it timed out. Returns the server's
/// version.
async fn first_connection(
    url: &str,
    options: &PgConnectOptions,
    deadline: Duration,
) -> Result<u32, StoreError> {
    let unusable = |reason: String, advice| StoreError::Unusable { address: redacted(url), reason, advice };
    let connection = match tokio::time::timeout(deadline, options.connect()).await {
        Err(_) => return Err(unusable(format!("no answer within {deadline:?}"), ADDRESS)),
        Ok(Err(error)) => return Err(unusable(error.to_string(), advice(&error))),
        Ok(Ok(connection)) => connection,
    };
    let version = connection.server_version_num().unwrap_or_default() / 10_000;
    // It is closed either way; a server that does not hear of it finds out.
    drop(connection.close().await);
    match version {
        OLDEST.. => Ok(version),
        old => Err(unusable(format!("it is PostgreSQL {old}"), "15 or a later one is needed")),
    }
}

/// What to do when PostgreSQL does not let us in.
fn advice(error: &sqlx::Error) -> &'static str {
    let sqlx::Error::Database(refusal) = error else { return ADDRESS };
    match refusal.code().as_deref() {
        Some("28P01" | "28000") => "give database_url a user and password that the server takes",
        Some("3D000") => {
            "make the database with createdb, or give database_url the name of one that is there"
        }
        _ => "see the server's own log",
    }
}

/// The address without its user, password and parameters; nothing of it where they cannot be told apart.
fn redacted(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let address = rest.split_once('?').map_or(rest, |(address, _)| address);
    match (rest.rsplit_once('@'), address.rsplit_once('@')) {
        (None, _) => format!("{scheme}://{address}"),
        (Some((before, _)), Some((user, host))) if before == user => format!("{scheme}://…@{host}"),
        _ => format!("{scheme}://…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_its_password() {
        for (url, told) in [
            ("postgres://me:a@b@host:5432/trunkline", "postgres://…@host:5432/trunkline"),
            ("postgres://host/trunkline?user=me&password=secret", "postgres://host/trunkline"),
            ("postgres://host", "postgres://host"),
            ("postgres://me:sec?ret@host/trunkline", "postgres://…"),
            ("postgres://me:a@host/trunkline?password=sec@ret", "postgres://…"),
        ] {
            assert_eq!(redacted(url), told);
        }
    }
}
