//! Everything outsiders hold a copy of: the tables of the log (one definition, two databases), frozen samples of every
//! event (`events/*.json`) and the generated API descriptions (`openapi/*.json`).
//!
//! A migration that has been released is never edited; a change is a new one at the end of the list.

mod append;
mod core_tables;
mod guards;
mod postgres_es;
mod reactor_tables;
mod side_tables;

pub use append::APPEND_FUNCTION;

use sea_query::{Index, IndexCreateStatement, TableCreateStatement};

/// The migration from which on every row of the ledger of commands carries a proof.
pub const PROOFS: i64 = 30;
/// Noted once every row that was written before is proved. No statements alone can do that: the proofs take the master key.
pub const PROVED: (i64, &str) = (1_000, "the ledger's older rows are proved");

/// One step of a migration.
#[derive(Clone, Debug)]
pub enum Step {
    /// A table, on both databases.
    Table(Box<TableCreateStatement>),
    /// An index, on both databases.
    Index(Box<IndexCreateStatement>),
    /// What the two databases spell differently; an empty text is nothing to do.
    Text {
        /// For SQLite.
        sqlite: &'static str,
        /// For PostgreSQL.
        postgres: &'static str,
    },
}

/// A numbered change of the tables, applied in one transaction.
#[derive(Clone, Debug)]
pub struct Migration {
    /// Its place in the order; never reused.
    pub number: i64,
    /// What it brings, in a few words.
    pub name: &'static str,
    /// Its steps in order.
    pub steps: Vec<Step>,
}

/// Every migration of the log, oldest first. (Tables that are computed from the log belong to their projections.)
#[must_use]
pub fn migrations() -> Vec<Migration> {
    vec![
        Migration { number: 1, name: "the log", steps: core_tables::steps() },
        Migration { number: 2, name: "events are never changed", steps: guards::steps() },
        Migration { number: 3, name: "vault and evidence", steps: side_tables::steps() },
        Migration { number: 4, name: "append in one call", steps: append::steps() },
        Migration { number: 5, name: "events as postgres-es shows them", steps: postgres_es::steps() },
        Migration { number: 6, name: "one command appended by its keys", steps: append::one_by_its_keys() },
        Migration {
            number: 15,
            name: "a source is claimed within a carrier",
            steps: core_tables::sources_by_carrier(),
        },
        Migration { number: PROOFS, name: "the ledger proves its rows", steps: append::with_proofs() },
        Migration {
            number: 60,
            name: "an append follows the log's last event",
            steps: append::behind_the_last_event(),
        },
        Migration { number: 65, name: "what reactors remember", steps: reactor_tables::steps() },
    ]
}

/// An index named after its table and columns.
fn index(table: &'static str, name: &'static str, columns: &[&'static str]) -> Step {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    Step::Index(Box::new(index))
}

/// The same, where no two rows agree.
fn unique(table: &'static str, name: &'static str, columns: &[&'static str]) -> Step {
    match index(table, name, columns) {
        Step::Index(mut index) => {
            index.unique();
            Step::Index(index)
        }
        step => step,
    }
}
