//! The contract of the log: one set of cases, run over memory, SQLite, and PostgreSQL appending both ways.
#![expect(clippy::disallowed_methods, reason = "tests start tasks and read the time themselves")]

mod append;
