//! The embedded database: SQLite connections on threads of their own, asked whole jobs at a time.
//!
//! A job is whatever is known beforehand (`BEGIN` and the reads of an append; its writes and `COMMIT`): each one costs two
//! wakings, its statements none. Statements stay prepared.

mod lent;
mod open;
mod run;
mod thread;

pub(super) use lent::{Lent, Threads};
pub(super) use open::{reader, reader_beside, writer};
pub(super) use run::{Fields, rows, run_all, touched};
