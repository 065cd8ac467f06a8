//! Connections: how each engine is opened.

use super::{
    Backend,
    hosts::Hosts,
    sqlite::{self, Threads},
};
use crate::StoreError;
use futures_util::future::BoxFuture;
use sqlx::PgPool;
use std::{
    fs::{File, TryLockError},
    io::{Read, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

/// Readers of an SQLite file.
pub(super) const READERS: u32 = 4;

/// The connections of one database.
#[derive(Clone)]
pub(crate) enum Pools {
    Sqlite {
        /// One connection, the only one that writes and checkpoints.
        writer: Threads,
        reader: Threads,
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
        let writer = Threads::start(1, path, move |path| sqlite::writer(path, deadline)).await?;
        let reader = Threads::start(READERS, path, move |path| sqlite::reader(path, deadline)).await?;
        Ok(Pools::Sqlite { writer, reader, lock })
    }

    /// Opens the SQLite file at `path` beside the process that writes it: nothing is written, nothing checkpointed.
    pub(crate) async fn sqlite_to_read(path: &Path, deadline: Duration) -> Result<Pools, StoreError> {
        let reader = Threads::start(READERS, path, move |path| sqlite::reader_beside(path, deadline)).await?;
        Ok(Pools::Sqlite { writer: reader.clone(), reader, lock: None })
    }

    /// Looks whether a PostgreSQL of `url` takes us in; returns its version.
    pub(crate) async fn probe_postgres(url: &str, deadline: Duration) -> Result<u32, StoreError> {
        Hosts::parse(url, deadline, true)?.choose(Duration::ZERO).await.map(|(_, version)| version)
    }

    /// Connects to a PostgreSQL of `url`; waits so long for one that may still come up. Returns what keeps the connections at
    /// one that takes writes.
    pub(crate) async fn postgres(
        url: &str,
        deadline: Duration,
        read_only: bool,
        patience: Duration,
    ) -> Result<(Pools, BoxFuture<'static, ()>), StoreError> {
        let hosts = Hosts::parse(url, deadline, !read_only)?;
        let (chosen, _) = hosts.choose(patience).await?;
        let pool = hosts.pool(chosen).await?;
        let following = hosts.follow(chosen, pool.clone());
        Ok((Pools::Postgres(pool), Box::pin(following)))
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

/// An advisory lock beside the SQLite file; the operating system drops it with the process.
pub(crate) struct Lock(File);

impl Lock {
    fn take(path: &Path) -> Result<Lock, StoreError> {
        let path = path.with_extension("lock");
        let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(|error| file_error(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                // For whoever finds it locked. A disk that is full is no reason not to lock.
                let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                Ok(Lock(file))
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(held(&path, file))),
            Err(TryLockError::Error(error)) => Err(file_error(&path, &error)),
        }
    }

    fn release(&self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(%error, "the lock goes with the process");
        }
    }
}

/// That it is open elsewhere, and by whom as far as the holder wrote it down.
fn held(path: &Path, file: File) -> String {
    let mut pid = String::new();
    let _ = file.take(20).read_to_string(&mut pid);
    let who = pid.parse::<u32>().map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    format!("{} is open in another process{who}", path.display())
}

fn file_error(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::File { path: path.display().to_string(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_the_file_locked_hears_by_whom() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trunkline.db");
        let first = Lock::take(&path).unwrap();
        let refused = Lock::take(&path).err().unwrap().to_string();
        let pid = format!("trunkline.lock is open in another process (pid {});", std::process::id());
        assert!(refused.contains(&pid), "{refused}");
        first.release();
        assert!(Lock::take(&path).is_ok());
    }
}
