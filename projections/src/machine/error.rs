//! Why a read gave nothing.

use store::StoreError;

/// Why a read gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The cursor is not one we gave out.
    #[error("not a cursor of this list: {0:?}")]
    Cursor(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored row does not make sense; `replay` builds it anew.
    #[error("{table}.{column}: {reason}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}
