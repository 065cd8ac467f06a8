//! The append: what is handed to a log's writer, and what it says to each.
//!
//! `submission` (what one command wants) → `writer` (groups what waits into batches) → one of `portable`, `postgres`,
//! or the memory log (one transaction per batch).

mod portable;
mod postgres;
mod submission;
mod writer;

pub(crate) use portable::append as portable;
pub(crate) use postgres::append as postgres;
pub(crate) use submission::{Seen, Submission, Verdict, net_claims};
pub(crate) use writer::Writer;
