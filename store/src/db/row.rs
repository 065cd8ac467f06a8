//! A row of either database.

use crate::StoreError;
use sqlx::{ColumnIndex, Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};

/// What a column can hold on both databases: `i64`, `String`, `bool`, `Vec<u8>`, and `Option` of each. (A PostgreSQL
/// `sum` of bigints is numeric: cast it.)
pub trait Cell:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl<T> Cell for T where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

/// A row.
pub struct Row(Kind);

enum Kind {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of the column of this name.
    ///
    /// # Errors
    /// When there is no such column, or it holds another type.
    pub fn get<T: Cell>(&self, column: &str) -> Result<T, StoreError> {
        self.read(column)
    }

    /// The value of the `index`th column, from 0: faster than by name.
    ///
    /// # Errors
    /// As `get`.
    pub fn at<T: Cell>(&self, index: usize) -> Result<T, StoreError> {
        self.read(index)
    }

    fn read<T: Cell, I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>>(
        &self,
        index: I,
    ) -> Result<T, StoreError> {
        match &self.0 {
            Kind::Sqlite(row) => Ok(row.try_get(index)?),
            Kind::Postgres(row) => Ok(row.try_get(index)?),
        }
    }
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Row {
        Row(Kind::Sqlite(row))
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Row {
        Row(Kind::Postgres(row))
    }
}
