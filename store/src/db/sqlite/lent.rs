//! Connections, lent to one user at a time.

use super::thread::{Free, Thread};
use crate::StoreError;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::{path::Path, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections to one file; clones share them.
#[derive(Clone)]
pub(crate) struct Threads {
    free: Free,
    /// One permit a free connection, given out in the order they were asked for.
    turns: Arc<Semaphore>,
    size: u32,
}

impl Threads {
    /// Opens them all: they stay, for on a busy machine a call would wait seconds for a new one.
    pub async fn start(
        size: u32,
        path: &Path,
        open: impl FnOnce(&Path) -> rusqlite::Result<Connection> + Clone + Send + 'static,
    ) -> Result<Threads, StoreError> {
        let mut free = Vec::new();
        for _ in 0..size {
            free.push(Thread::start(path, open.clone()).await?);
        }
        Ok(Threads { free: Arc::new(Mutex::new(free)), turns: Arc::new(Semaphore::new(size as usize)), size })
    }

    /// The next connection that is free.
    pub async fn lend(&self) -> Result<Lent, StoreError> {
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let thread = self.free.lock().pop();
        let thread = Some(thread.ok_or(StoreError::Closed)?);
        Ok(Lent { thread, is_open: false, free: self.free.clone(), _turn: turn })
    }

    /// Waits until all are back, and closes them.
    pub async fn close(&self) {
        if let Ok(_all) = self.turns.acquire_many(self.size).await {
            let threads = std::mem::take(&mut *self.free.lock());
            for thread in threads {
                thread.close().await;
            }
        }
        self.turns.close();
    }
}

/// A connection that is one user's until it is dropped. A transaction that is open then is rolled back first.
pub(crate) struct Lent {
    /// None only while it is given back.
    thread: Option<Thread>,
    /// Whether a transaction may be open.
    is_open: bool,
    free: Free,
    _turn: OwnedSemaphorePermit,
}

impl Lent {
    /// Has work done by itself.
    pub async fn ask<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let thread = self.thread.as_mut().ok_or(StoreError::Closed)?;
        thread.ask(move |connection| work(connection)).await
    }

    /// Has work done within a transaction, which the first one begins.
    pub async fn ask_within<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let begun = std::mem::replace(&mut self.is_open, true);
        self.ask(move |connection| {
            if !begun {
                prepared(connection, "BEGIN")?;
            }
            work(connection)
        })
        .await
    }

    /// Has the last work of the transaction done, and commits it.
    pub async fn commit(
        mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.ask_within(move |connection| {
            work(connection)?;
            prepared(connection, "COMMIT")
        })
        .await?;
        self.is_open = false;
        Ok(())
    }

    /// Undoes the transaction; returns when it is undone.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        if self.is_open {
            self.ask(roll_back).await?;
            self.is_open = false;
        }
        Ok(())
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        if self.is_open {
            thread.tell(|connection| {
                if let Err(error) = roll_back(connection) {
                    tracing::error!(%error, "a transaction could not be rolled back");
                }
            });
        }
        self.free.lock().push(thread);
    }
}

fn prepared(connection: &Connection, text: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(text)?.execute(()).map(drop)
}

/// SQLite rolls some failures back by itself.
fn roll_back(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() { Ok(()) } else { prepared(connection, "ROLLBACK") }
}
