//! How connections to the file are opened.

use rusqlite::{Connection, OpenFlags};
use std::{path::Path, time::Duration};

/// Statements a connection keeps prepared.
const PREPARED: usize = 100;
/// Pages a reader keeps for itself, in KiB (as SQLite writes it, negative): the system keeps the file's anyway.
const READER_CACHE: i64 = -512;

/// The one that writes: makes the file when it is missing. A commit is on the disk when it is answered.
pub(crate) fn writer(path: &Path, busy: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = open(path, flags, busy)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

/// One that reads beside the writer of this process.
pub(crate) fn reader(path: &Path, busy: Duration) -> rusqlite::Result<Connection> {
    reading(open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, busy)?)
}

/// One that reads beside the process that writes: it changes nothing, not even the files around.
pub(crate) fn reader_beside(path: &Path, busy: Duration) -> rusqlite::Result<Connection> {
    reading(open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, busy)?)
}

fn open(path: &Path, flags: OpenFlags, busy: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(busy)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn reading(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", READER_CACHE)?;
    Ok(connection)
}
