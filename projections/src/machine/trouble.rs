//! Why the tables can't be started, built or verified.

use super::{biography::Nonsense, error::ReadError};
use store::StoreError;

/// Why the tables can't be started, built or verified.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A table could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An event can't be told.
    #[error("{projection}: position {position}: {reason}")]
    Nonsense {
        /// To which table.
        projection: &'static str,
        /// The event's place in the log.
        position: i64,
        /// Why.
        reason: Nonsense,
    },
    /// The database was used by a newer release.
    #[error("{projection} is at version {version} already, by a newer release; start that one")]
    Newer {
        /// Which table.
        projection: &'static str,
        /// Its version.
        version: i64,
    },
    /// There is no such projection.
    #[error("there is no projection {name:?}; there are {known}", known = known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<&'static str>,
    },
}
