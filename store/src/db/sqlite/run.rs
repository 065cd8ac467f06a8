//! A bound statement, run on a connection.

use super::super::{Batch, Row, bind::Bound};
use rusqlite::{
    Connection, Statement,
    types::{FromSql, Value},
};
use sea_query_sqlx::SqlxValues;
use std::sync::Arc;

/// A row as it was read: the columns' names, shared by all rows of the query, and their values.
pub(crate) struct Fields {
    pub names: Arc<[String]>,
    pub values: Vec<Value>,
}

impl Fields {
    pub fn named<T: FromSql>(&self, name: &str) -> rusqlite::Result<T> {
        let index = self.names.iter().position(|column| column == name);
        self.at(index.ok_or_else(|| rusqlite::Error::InvalidColumnName(name.to_owned()))?)
    }

    pub fn at<T: FromSql>(&self, index: usize) -> rusqlite::Result<T> {
        let value = self.values.get(index).ok_or(rusqlite::Error::InvalidColumnIndex(index))?;
        let read = T::column_result(value.into());
        read.map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(index, value.data_type(), Box::new(error))
        })
    }
}

/// All rows of a query.
pub(crate) fn rows(connection: &Connection, bound: Bound) -> rusqlite::Result<Vec<Row>> {
    with(connection, bound, |statement| {
        let names: Arc<[String]> = statement.column_names().into_iter().map(str::to_owned).collect();
        let (mut found, mut rows) = (Vec::new(), statement.raw_query());
        while let Some(row) = rows.next()? {
            let values = (0..names.len()).map(|index| row.get(index)).collect::<Result<_, _>>()?;
            found.push(Row::from(Fields { names: names.clone(), values }));
        }
        Ok(found)
    })
}

/// Runs a statement; returns the rows it touched.
pub(crate) fn touched(connection: &Connection, bound: Bound) -> rusqlite::Result<u64> {
    with(connection, bound, |statement| {
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        drop(rows);
        Ok(if statement.readonly() { 0 } else { connection.changes() })
    })
}

/// Runs statements one after another.
pub(crate) fn run_all(connection: &Connection, batch: Batch) -> rusqlite::Result<()> {
    batch.statements().into_iter().try_for_each(|bound| touched(connection, bound).map(drop))
}

fn with<T>(
    connection: &Connection,
    bound: Bound,
    run: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    if bound.is_kept() {
        bind(&mut *connection.prepare_cached(&bound.text)?, bound.values, run)
    } else {
        bind(&mut connection.prepare(&bound.text)?, bound.values, run)
    }
}

fn bind<T>(
    statement: &mut Statement<'_>,
    values: SqlxValues,
    run: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    for (index, value) in (1..).zip(values.0.0) {
        statement.raw_bind_parameter(index, stored(value)?)?;
    }
    run(statement)
}

/// As SQLite stores it: whole numbers, floats, texts, bytes.
fn stored(value: sea_query::Value) -> rusqlite::Result<Value> {
    use sea_query::Value as V;
    fn of<T>(value: Option<T>, stored: impl FnOnce(T) -> Value) -> Value {
        value.map_or(Value::Null, stored)
    }
    Ok(match value {
        V::Bool(it) => of(it, |it| Value::Integer(it.into())),
        V::TinyInt(it) => of(it, |it| Value::Integer(it.into())),
        V::SmallInt(it) => of(it, |it| Value::Integer(it.into())),
        V::Int(it) => of(it, |it| Value::Integer(it.into())),
        V::BigInt(it) => of(it, Value::Integer),
        V::TinyUnsigned(it) => of(it, |it| Value::Integer(it.into())),
        V::SmallUnsigned(it) => of(it, |it| Value::Integer(it.into())),
        V::Unsigned(it) => of(it, |it| Value::Integer(it.into())),
        V::BigUnsigned(it) => match it.map(i64::try_from).transpose() {
            Ok(it) => of(it, Value::Integer),
            Err(error) => return Err(rusqlite::Error::ToSqlConversionFailure(error.into())),
        },
        V::Float(it) => of(it, |it| Value::Real(it.into())),
        V::Double(it) => of(it, Value::Real),
        V::String(it) => of(it, Value::Text),
        V::Char(it) => of(it, |it| Value::Text(it.into())),
        V::Bytes(it) => of(it, Value::Blob),
        other => {
            let what = format!("{other:?} has no form in SQLite");
            return Err(rusqlite::Error::ToSqlConversionFailure(what.into()));
        }
    })
}
