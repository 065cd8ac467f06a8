//! Which row of a list comes first, and where a page of it goes on: behind the last row, whatever was added meanwhile.

use super::error::ReadError;
use domain::Sid;
use sea_query::{Cond, Expr, ExprTrait, Order as Way};

/// By what a list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// When they were made.
    #[default]
    Created,
    /// Their number.
    Number,
    /// Their name, in any case; those without one come last.
    Name,
}

/// The order of a list; newest first by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub by: By,
    /// The greatest first.
    pub descending: bool,
}

impl Default for Order {
    fn default() -> Order {
        Order { by: By::Created, descending: true }
    }
}

impl By {
    /// What its cursors have between row and value.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            By::Created => "",
            By::Number => ".number.",
            By::Name => ".name.",
        }
    }
}

impl Order {
    pub(crate) fn way(self) -> Way {
        if self.descending { Way::Desc } else { Way::Asc }
    }

    /// Whether `column` is behind `value` in this order.
    pub(crate) fn beyond(self, column: &'static str, value: &str) -> Expr {
        if self.descending { Expr::col(column).lt(value) } else { Expr::col(column).gt(value) }
    }

    /// `(column, sid)` is behind `(value, last)`; the first half is what an index is searched by.
    pub(crate) fn behind(self, column: &'static str, value: &str, last: &Sid) -> Cond {
        let from = if self.descending { Expr::col(column).lte(value) } else { Expr::col(column).gte(value) };
        let later = Cond::any().add(self.beyond(column, value)).add(self.beyond("sid", last.as_str()));
        Cond::all().add(from).add(later)
    }

    /// The row a cursor of this order names, and what that row has in the column of the order.
    pub(crate) fn read(self, cursor: &str) -> Result<(Sid, &str), ReadError> {
        let wrong = || ReadError::Cursor(cursor.chars().take(64).collect());
        let (sid, value) = match self.by {
            By::Created => (cursor, ""),
            by => cursor.split_once(by.mark()).ok_or_else(wrong)?,
        };
        Ok((sid.parse().map_err(|_| wrong())?, value))
    }
}
