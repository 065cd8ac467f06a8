//! Facts in, facts out: the event log with its group-commit writer, the vault for secrets, the evidence table, and the
//! database they and the projections share (SQLite or PostgreSQL).
//!
//! Read `store.rs` first: `Store::execute` is the way a command becomes events, `Store::read` the way anyone learns of them.

mod append;
pub mod audit;
mod chain;
mod connect;
mod cqrs;
pub mod db;
mod edge;
mod engine;
mod error;
mod evidence;
mod execute;
mod fact;
mod follow;
mod known;
mod ledger;
mod memory;
mod migrate;
mod notify;
mod options;
mod read;
mod recent;
mod seal;
mod store;
mod sweep;
#[cfg(feature = "testing")]
pub mod testing;
mod turns;
mod vault;
mod writer;

pub use connect::probe;
pub use cqrs::Events;
pub use db::{Backend, Batch, Cell, Db, Row, Searching, Tx, padded};
pub use edge::{RandomIds, SystemClock};
pub use error::{DatabaseError, DecodeError, ExecuteError, StoreError};
pub use evidence::{EVIDENCE_PAGE, Evidence, EvidenceItem};
pub use execute::{Appended, Loaded};
pub use fact::{Fact, Hash};
pub use follow::Follower;
pub use options::{DEADLINE, EVIDENCE_KEPT, StoreOptions};
pub use seal::{Noted, Seal, noted as noted_seals};
pub use store::Store;
pub use turns::Turn;
pub use vault::{Secret, Vault};
