//! A row of either database.

use super::sqlite::Fields;
use crate::StoreError;
use rusqlite::types::FromSql;
use sqlx::{Decode, Postgres, Row as _, Type, postgres::PgRow};

/// What a column can hold on both databases: `i64`, `String`, `bool`, `Vec<u8>`, and `Option` of each. (A PostgreSQL
/// `sum` of bigints is numeric: cast it.)
pub trait Cell: FromSql + for<'r> Decode<'r, Postgres> + Type<Postgres> {}

impl<T> Cell for T where T: FromSql + for<'r> Decode<'r, Postgres> + Type<Postgres> {}

/// A row.
pub struct Row(Kind);

enum Kind {
    Sqlite(Fields),
    Postgres(PgRow),
}

impl Row {
    /// The value of the column of this name.
    ///
    /// # Errors
    /// When there is no such column, or it holds another type.
    pub fn get<T: Cell>(&self, column: &str) -> Result<T, StoreError> {
        match &self.0 {
            Kind::Sqlite(fields) => Ok(fields.named(column)?),
            Kind::Postgres(row) => Ok(row.try_get(column)?),
        }
    }

    /// The value of the `index`th column, from 0: faster than by name.
    ///
    /// # Errors
    /// As `get`.
    pub fn at<T: Cell>(&self, index: usize) -> Result<T, StoreError> {
        match &self.0 {
            Kind::Sqlite(fields) => Ok(fields.at(index)?),
            Kind::Postgres(row) => Ok(row.try_get(index)?),
        }
    }
}

impl From<Fields> for Row {
    fn from(fields: Fields) -> Row {
        Row(Kind::Sqlite(fields))
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Row {
        Row(Kind::Postgres(row))
    }
}
