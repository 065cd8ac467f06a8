//! The append: what is handed to a log's writer, and how a batch of it gets into the log.
//!
//! `submission` (what one command wants) → `crate::writer` (groups what waits into batches) → `crate::engine` → one of
//! `portable`, `postgres`, or the memory log (one transaction per batch).

mod portable;
mod postgres;
mod submission;

pub(crate) use portable::append as portable;
pub(crate) use postgres::append as postgres;
pub(crate) use submission::{Seen, Submission, Verdict, net_claims};
