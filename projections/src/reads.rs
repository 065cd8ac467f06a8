//! Typed reads: one row, or a page of them, inside one tenant.

use crate::{
    Page, PageOf, ReadError, Scope,
    biography::Biography,
    record::{self, Record, is},
};
use domain::Sid;
use sea_query::{Cond, Expr, ExprTrait, Func, LikeExpr, Order, Query, SelectStatement};
use std::marker::PhantomData;
use store::Db;

/// A table people list: which rows a filter asks for.
pub trait Noun: Biography {
    /// What can be asked of its list.
    type Filter;

    /// What the filter means.
    fn condition(filter: &Self::Filter) -> Cond;

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

    /// The rows a filter asks for, newest first.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn list(&self, filter: &R::Filter, page: &Page) -> Result<PageOf<R>, ReadError> {
        let select = self.wanted(filter, page)?;
        page_of(&self.db, select, page, |row: &R| row.sid().to_string()).await
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

    /// The query of `list`.
    pub(crate) fn wanted(&self, filter: &R::Filter, page: &Page) -> Result<SelectStatement, ReadError> {
        let mut wanted = self.scope.condition().add(R::condition(filter));
        if let Some(cursor) = &page.cursor {
            let last: Sid =
                cursor.parse().map_err(|_| ReadError::Cursor(cursor.chars().take(64).collect()))?;
            wanted = wanted.add(Expr::col("sid").lt(last.as_str()));
        }
        let mut select = record::select::<R>(R::NAME);
        Ok(select.cond_where(wanted).order_by("sid", Order::Desc).to_owned())
    }

    /// The identifier of the nth row (from 1) a filter asks for, newest first: the cursor of the page after it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nth(&self, filter: &R::Filter, nth: u64) -> Result<Option<String>, ReadError> {
        let wanted = self.scope.condition().add(R::condition(filter));
        let mut select = Query::select();
        select.column("sid").from(R::NAME).cond_where(wanted).order_by("sid", Order::Desc);
        select.limit(1).offset(nth.saturating_sub(1));
        Ok(self.db.fetch_optional(&select).await?.map(|row| row.at(0)).transpose()?)
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

/// `column` contains `text`, in any case (SQLite folds ASCII only).
pub(crate) fn contains(column: &'static str, text: &str) -> Expr {
    let pattern = format!("%{}%", escaped(&text.to_lowercase()));
    Expr::expr(Func::lower(Expr::col(column))).like(LikeExpr::new(pattern).escape('\\'))
}

/// `column`, a number, contains the digits of `text`.
pub(crate) fn digits_contain(column: &'static str, text: &str) -> Expr {
    Expr::col(column).like(format!("%{}%", digits(text)))
}

/// `column`, a number with or without plus, begins with the digits of `text`.
pub(crate) fn digits_begin(column: &'static str, text: &str) -> Expr {
    let digits = digits(text);
    Expr::col(column).like(format!("{digits}%")).or(Expr::col(column).like(format!("+{digits}%")))
}

/// `column` has a value, or has none.
pub(crate) fn present(column: &'static str, wanted: bool) -> Expr {
    if wanted { Expr::col(column).is_not_null() } else { Expr::col(column).is_null() }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(16).collect()
}

fn escaped(text: &str) -> String {
    let special = |c| matches!(c, '\\' | '%' | '_');
    text.chars().take(64).flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}
