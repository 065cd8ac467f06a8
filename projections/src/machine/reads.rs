//! Typed reads: one row, or a page of them, inside one tenant.

use super::{
    biography::Biography,
    error::ReadError,
    needle::Needle,
    order::{By, Order},
    record::{self, Record, is},
    scope::{Page, PageOf, Scope},
};
use domain::Sid;
use sea_query::{Cond, Expr, ExprTrait, SelectStatement};
use std::marker::PhantomData;
use store::Db;

/// A table people list: which rows a filter asks for.
pub trait Noun: Biography {
    /// What can be asked of its list.
    type Filter;

    /// What the filter asks of columns that an index finds.
    fn served(filter: &Self::Filter) -> Cond;

    /// What it asks of others: row by row.
    fn rest(_: &Self::Filter) -> Cond {
        Cond::all()
    }

    /// The texts it looks for; the first one is what rows are found by.
    fn needles(_: &Self::Filter) -> Vec<Needle> {
        Vec::new()
    }

    /// Whether the filter asks for one text at most, and for nothing else.
    fn asks_nothing_else(filter: &Self::Filter) -> bool {
        Self::served(filter).is_empty() && Self::rest(filter).is_empty() && Self::needles(filter).len() < 2
    }

    /// The column of an order, which has an index of its own behind the carrier; none for that of the identifiers, which is
    /// that of age.
    fn ordered(_: By) -> Option<&'static str> {
        None
    }

    /// What a row has in that column.
    fn place(&self, _: By) -> String {
        String::new()
    }

    /// What every single read asks for beside the tenant.
    fn always() -> Cond {
        Cond::all()
    }
}

/// Reads of one table, inside one tenant.
#[derive(Clone)]
pub struct Reads<R> {
    pub(crate) db: Db,
    pub(crate) scope: Scope,
    row: PhantomData<fn() -> R>,
}

impl<R> Reads<R> {
    pub(crate) fn new(db: &Db, scope: impl Into<Scope>) -> Reads<R> {
        Reads { db: db.clone(), scope: scope.into(), row: PhantomData }
    }
}

impl<R: Noun> Reads<R> {
    /// The row of this identifier, when it is there and the scope's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn get(&self, sid: &Sid) -> Result<Option<R>, ReadError> {
        let mine = self.scope.condition().add(is("sid", sid.as_str())).add(R::always());
        one(&self.db, record::select::<R>(R::NAME).cond_where(mine)).await
    }

    /// Those of these identifiers that are there and the scope's, in no particular order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn among(&self, sids: &[Sid]) -> Result<Vec<R>, ReadError> {
        if sids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = Expr::col("sid").is_in(sids.iter().map(Sid::as_str));
        let mine = self.scope.condition().add(wanted).add(R::always());
        all(&self.db, record::select::<R>(R::NAME).cond_where(mine)).await
    }
}

impl Order {
    /// Orders a query, beginning behind a cursor.
    ///
    /// # Errors
    /// When the cursor is not of this order.
    pub(crate) fn sort<R: Noun>(
        self,
        select: &mut SelectStatement,
        cursor: Option<&str>,
    ) -> Result<(), ReadError> {
        let column = R::ordered(self.by);
        if let Some(cursor) = cursor {
            let (sid, value) = self.read(cursor)?;
            match column {
                Some(column) => drop(select.cond_where(self.behind(column, value, &sid))),
                None => drop(select.and_where(self.beyond("sid", sid.as_str()))),
            }
        }
        if let Some(column) = column {
            select.order_by(column, self.way());
        }
        select.order_by("sid", self.way());
        Ok(())
    }

    /// The cursor of the page after this row.
    pub(crate) fn cursor<R: Noun>(self, row: &R) -> String {
        match R::ordered(self.by) {
            Some(_) => format!("{}{}{}", row.sid(), self.by.mark(), row.place(self.by)),
            None => row.sid().to_string(),
        }
    }
}

/// The first row of a query.
pub(crate) async fn one<R: Record>(db: &Db, select: &SelectStatement) -> Result<Option<R>, ReadError> {
    db.fetch_optional(select).await?.map(|row| R::read(&row)).transpose()
}

/// Every row of a query.
pub(crate) async fn all<R: Record>(db: &Db, select: &SelectStatement) -> Result<Vec<R>, ReadError> {
    db.fetch_all(select).await?.iter().map(R::read).collect()
}

/// One page of a query: a row more than asked for tells whether there is another page.
pub(crate) async fn page_of<R: Record>(
    db: &Db,
    mut select: SelectStatement,
    page: &Page,
    cursor: impl Fn(&R) -> String,
) -> Result<PageOf<R>, ReadError> {
    let size = page.size();
    let mut items: Vec<R> = all(db, select.limit(size as u64 + 1)).await?;
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(cursor);
    Ok(PageOf { items, next })
}

/// `column` has a value, or has none.
pub(crate) fn present(column: &'static str, wanted: bool) -> Expr {
    if wanted { Expr::col(column).is_not_null() } else { Expr::col(column).is_null() }
}
