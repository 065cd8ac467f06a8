//! Why the store could not do what it was asked: refusals by rule, and breakage underneath.

use domain::{Log, Sid};
use std::{borrow::Cow, sync::Arc, time::Duration};

/// Breakage: nothing the command's author can mend. Whether a write took place is unknown after `Database` and
/// `Deadline`; repeating it under the same command id is safe.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no or went away.
    #[error("the database failed: {0}")]
    Database(Arc<DatabaseError>),
    /// No answer in time.
    #[error("the database did not answer within {0:?}")]
    Deadline(Duration),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// A position is not where it must be; the log has been damaged.
    #[error("log {}: position {expected} is missing (found {found})", log.as_str())]
    Gap {
        /// The log.
        log: Log,
        /// The position that must come next.
        expected: i64,
        /// The one that came.
        found: i64,
    },
    /// A log's head row is not where its events end, so nothing can be appended behind them.
    #[error(
        "log {}: its head row says {head}, but its last event is {last}: nothing is written to it before `trunkline repair` \
         has set that right",
        log.as_str()
    )]
    HeadMoved {
        /// The log.
        log: Log,
        /// What the row says.
        head: i64,
        /// The position of the last event.
        last: i64,
    },
    /// A log has no head row.
    #[error("log {}: its head row is missing: nothing is written to it before `trunkline repair` has set that right", .0.as_str())]
    NoHead(Log),
    /// A stream's row is not where its events end, so no event follows them.
    #[error(
        "stream {stream}: its row says version {version}, but its last event is {last}: nothing is written to it before \
         `trunkline repair` has set that right"
    )]
    StreamMoved {
        /// The stream.
        stream: Sid,
        /// What the row says.
        version: i64,
        /// The sequence of the last event.
        last: i64,
    },
    /// Seals that were noted are not in the database any more: somebody removed them.
    #[error(
        "log {}: a seal up to position {noted} was noted, but those in the database end at {sealed}: they were removed, \
         and nothing is sealed before somebody has found out why (`trunkline audit verify`; when the database was replaced or \
         restored on purpose, move seals.log away)",
        log.as_str()
    )]
    SealsGone {
        /// The log.
        log: Log,
        /// The last position that was sealed.
        noted: i64,
        /// The last one under a seal now.
        sealed: i64,
    },
    /// A stored event does not make sense.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The caller acts for another carrier than the stream's.
    #[error("stream {stream} belongs to another carrier")]
    OtherCarrier {
        /// The stream.
        stream: Sid,
    },
    /// A stream has more events than will be loaded.
    #[error("stream {stream} has more than {limit} events")]
    TooLong {
        /// The stream.
        stream: Sid,
        /// The most that will be loaded.
        limit: usize,
    },
    /// A secret does not open.
    #[error("a secret does not open: another master key, or the stored bytes were changed")]
    Sealed,
    /// The carrier's data key has been destroyed; what it sealed is gone.
    #[error("the carrier's data key has been destroyed")]
    Forgotten,
    /// The database's address is not one we know.
    #[error("not a database address: {0} (sqlite://path, postgres://… or memory:)")]
    Address(String),
    /// The database server does not let us in, or is not one we can use.
    #[error("{address}: {reason}; {advice}")]
    Unusable {
        /// Which, without its password.
        address: String,
        /// Why.
        reason: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// The database was changed by a newer release.
    #[error(
        "a newer release has changed the database already (migration {number}, {name:?}); start that one"
    )]
    Newer {
        /// The newest migration there.
        number: i64,
        /// What it brought.
        name: String,
    },
    /// Another process writes to this SQLite file.
    #[error("{0}; stop that one first, or give each a data_dir of its own")]
    Locked(String),
    /// A file could not be read or written.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
}

/// What a database said, in its own words.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// PostgreSQL, or the way there.
    #[error(transparent)]
    Postgres(sqlx::Error),
    /// SQLite.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

impl DatabaseError {
    /// SQLite's result code without its extension.
    fn sqlite_code(&self) -> Option<i32> {
        match self {
            DatabaseError::Sqlite(error) => error.sqlite_error().map(|error| error.extended_code & 0xff),
            DatabaseError::Postgres(_) => None,
        }
    }

    /// PostgreSQL's SQLSTATE.
    fn sqlstate(&self) -> Option<Cow<'_, str>> {
        match self {
            DatabaseError::Postgres(sqlx::Error::Database(told)) => told.code(),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        match error {
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => StoreError::Closed,
            error => StoreError::Database(Arc::new(DatabaseError::Postgres(error))),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        StoreError::Database(Arc::new(DatabaseError::Sqlite(error)))
    }
}

impl StoreError {
    /// Whether the database refused the values themselves (SQLSTATE classes 22 and 23; SQLite's TOOBIG, CONSTRAINT and
    /// MISMATCH), so that trying them again is pointless.
    #[must_use]
    pub fn refuses_values(&self) -> bool {
        let StoreError::Database(error) = self else { return false };
        let of_values = |state: Cow<'_, str>| state.starts_with("22") || state.starts_with("23");
        matches!(error.sqlite_code(), Some(18..=20)) || error.sqlstate().is_some_and(of_values)
    }

    /// Whether a table is not there (PostgreSQL's 42P01; SQLite says so in words only).
    #[must_use]
    pub fn misses_a_table(&self) -> bool {
        let StoreError::Database(error) = self else { return false };
        match &**error {
            DatabaseError::Sqlite(rusqlite::Error::SqliteFailure(_, Some(words))) => {
                words.starts_with("no such table")
            }
            error => error.sqlstate().as_deref() == Some("42P01"),
        }
    }

    /// Whether the database took this transaction back to let another go on (SQLSTATE 40001 and 40P01): trying it again is
    /// the way to go.
    #[must_use]
    pub fn asks_to_retry(&self) -> bool {
        let StoreError::Database(error) = self else { return false };
        matches!(error.sqlstate().as_deref(), Some("40001" | "40P01"))
    }

    /// Whether what is stored is not what was written: trying again is pointless until somebody has mended it.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, StoreError::Gap { .. } | StoreError::Decode(_) | StoreError::TooLong { .. })
    }

    /// Whether the database refused a statement, so that its transaction surely did not take place.
    pub(crate) fn refused_by_database(&self) -> bool {
        let StoreError::Database(error) = self else { return false };
        error.sqlite_code().is_some() || error.sqlstate().is_some()
    }
}

/// A stored event that does not decode: a defect in an upcaster, or a changed byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{stream}#{sequence} ({what}): {reason}")]
pub struct DecodeError {
    /// The stream.
    pub stream: String,
    /// The event's place in it, from 1.
    pub sequence: i64,
    /// The event's type and version, or the column.
    pub what: String,
    /// What is wrong.
    pub reason: String,
}

/// Why a command did not take effect.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<E> {
    /// The aggregate refused it.
    #[error("{0}")]
    Refused(E),
    /// Another stream holds what it wanted.
    #[error("{key} is taken")]
    Taken {
        /// The set, for example `phone_number:VC…`.
        scope: String,
        /// The member.
        key: String,
    },
    /// Other processes kept changing the stream; worth another try later.
    #[error("the stream kept changing; try again")]
    Conflict,
    /// A webhook address has the name of a password that is not kept for its host and user.
    #[error("{0}: what stands for a password here is none; write the password itself")]
    UnknownPassword(String),
    /// The command id was used before with another command.
    #[error("the idempotency key was used before with another body")]
    Reused,
    /// The command id was used before, and what for cannot be proved: its row in the ledger is not as it was written.
    #[error("the idempotency key was used before, and what for cannot be proved any more; use a new one")]
    Unproven,
    /// The store could not tell.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[from] StoreError),
}
