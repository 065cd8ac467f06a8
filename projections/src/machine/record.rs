//! A row type and its table: how it is made, filled, loaded and listed. sea-query throughout, so one text serves both
//! databases.

use super::{
    column::{Column, Shape},
    error::ReadError,
};
use sea_query::{
    ColumnRef, Expr, ExprTrait, Index, IndexCreateStatement, InsertStatement, IntoColumnRef, OnConflict,
    Query, SelectStatement, Table, TableCreateStatement, Value,
};
use store::Row;

/// What a projection's table holds a row of.
pub trait Record: Sized + Clone + PartialEq + Send + Sync + 'static {
    /// The table's name, and the projection's.
    const NAME: &'static str;
    /// Grows when the table's shape or its biography changes; the table is then built anew from the log.
    const VERSION: i64;
    /// The columns that tell rows apart, in order.
    const KEY: &'static [&'static str];
    /// Every column, in order.
    const COLUMNS: &'static [&'static str];
    /// What lists search by.
    const INDEXES: &'static [&'static [&'static str]];

    fn shapes() -> Vec<Shape>;
    fn values(&self) -> Vec<Value>;
    fn read(row: &Row) -> Result<Self, ReadError>;
}

/// The columns of a record, in order.
pub(crate) fn columns<R: Record>() -> impl Iterator<Item = ColumnRef> {
    R::COLUMNS.iter().map(|column| (*column).into_column_ref())
}

/// A table of this record under the physical name `table`.
pub(crate) fn create<R: Record>(table: &str) -> TableCreateStatement {
    let mut create = Table::create();
    create.table(table.to_owned());
    for (name, shape) in R::COLUMNS.iter().zip(R::shapes()) {
        create.col(shape.define(name));
    }
    let mut key = Index::create();
    for column in R::KEY {
        key.col(*column);
    }
    create.primary_key(&mut key);
    create
}

/// The table's indexes, named after it.
pub(crate) fn indexes<R: Record>(table: &str) -> Vec<IndexCreateStatement> {
    let index = |columns: &&[&'static str]| {
        let mut index = Index::create();
        index.name(format!("{table}_{}", columns.join("_"))).table(table.to_owned());
        for column in *columns {
            index.col(*column);
        }
        index
    };
    R::INDEXES.iter().map(index).collect()
}

/// All rows of `table`, to be narrowed.
pub(crate) fn select<R: Record>(table: &str) -> SelectStatement {
    let mut select = Query::select();
    select.from(table.to_owned());
    for column in columns::<R>() {
        select.column(column);
    }
    select
}

/// New rows. A key that is there already is an error: facts are told once.
pub(crate) fn insert<'r, R: Record>(table: &str, rows: impl Iterator<Item = &'r R>) -> InsertStatement {
    let mut insert = Query::insert();
    insert.into_table(table.to_owned()).columns(R::COLUMNS.iter().copied());
    for row in rows {
        insert.values_panic(row.values().into_iter().map(Expr::from));
    }
    insert
}

/// New rows, and those that were there with these columns `different` (see there).
pub(crate) fn upsert<'r, R: Record>(
    table: &str,
    rows: impl Iterator<Item = &'r R>,
    different: &[&'static str],
) -> InsertStatement {
    let mut upsert = insert(table, rows);
    if !different.is_empty() {
        let mut again = OnConflict::columns(R::KEY.iter().copied());
        upsert.on_conflict(again.update_columns(different.iter().copied()).to_owned());
    }
    upsert
}

/// The columns in which some row is not as it was. SQLite rewrites the index entries of every column a statement sets,
/// changed or not, and most events change columns that are in no index.
pub(crate) fn different<'r, R: Record>(rows: impl Iterator<Item = (&'r R, &'r R)>) -> Vec<&'static str> {
    let mut different = vec![false; R::COLUMNS.len()];
    for (before, after) in rows {
        let pairs = before.values().into_iter().zip(after.values());
        different.iter_mut().zip(pairs).for_each(|(seen, (before, after))| *seen |= before != after);
    }
    R::COLUMNS.iter().zip(different).filter_map(|(column, seen)| seen.then_some(*column)).collect()
}

/// A field's shape, found through a function that borrows it.
pub(crate) fn shape_of<R, C: Column>(_: fn(&R) -> &C) -> Shape {
    Shape { kind: C::KIND, nullable: C::NULLABLE }
}

/// The field at `index`, named `column` for the error.
pub(crate) fn field<C: Column>(
    row: &Row,
    table: &'static str,
    (index, column): (usize, &'static str),
) -> Result<C, ReadError> {
    let damaged = |reason| ReadError::Damaged { table, column, reason };
    let found = C::read(row, index).map_err(damaged)?.or_else(C::empty);
    found.ok_or_else(|| damaged("is empty".to_owned()))
}

/// Says which table a row type is a row of: name, version, key, columns (every field, in order) and indexes.
macro_rules! table {
    ($row:ty: $name:literal v $version:literal, key [$($key:ident),+], columns [$($column:ident),+ $(,)?],
     indexes [$([$($part:literal),+]),* $(,)?]) => {
        impl crate::machine::record::Record for $row {
            const NAME: &'static str = $name;
            const VERSION: i64 = $version;
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];
            const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];
            const INDEXES: &'static [&'static [&'static str]] = &[$(&[$($part),+]),*];

            fn shapes() -> Vec<crate::machine::column::Shape> {
                vec![$(crate::machine::record::shape_of(|row: &Self| &row.$column)),+]
            }

            fn values(&self) -> Vec<sea_query::Value> {
                vec![$(crate::machine::column::Column::value(&self.$column)),+]
            }

            fn read(row: &store::Row) -> Result<Self, crate::ReadError> {
                let mut columns = Self::COLUMNS.iter().copied().enumerate();
                let mut next = || columns.next().unwrap_or_default();
                Ok(Self { $($column: crate::machine::record::field(row, $name, next())?),+ })
            }
        }
    };
}
pub(crate) use table;

/// `column` equals `value`.
pub(crate) fn is(column: &'static str, value: impl Into<Value>) -> Expr {
    Expr::col(column).eq(value.into())
}
