//! Whose rows a read may see, and how lists are paged.

use super::{error::ReadError, order::Order};
use domain::{Sid, Tenant};
use sea_query::{Cond, Expr, ExprTrait};
use serde::{Deserialize, Serialize};

/// Most rows of one page.
pub const MAX_PAGE: u32 = 1_000;

/// Whose rows a read may see. Every read of a tenant's rows takes one, so a read without a tenant can't be written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything of one carrier.
    Carrier(Sid),
    /// What belongs to one account of a carrier; nothing that belongs to the carrier itself (trunks, users, keys).
    Account {
        /// The carrier.
        carrier: Sid,
        /// The account within it.
        account: Sid,
    },
}

impl Scope {
    /// The carrier it is, or is within.
    #[must_use]
    pub fn carrier(&self) -> &Sid {
        match self {
            Scope::Carrier(carrier) | Scope::Account { carrier, .. } => carrier,
        }
    }

    /// Whether it is all of a carrier's.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Scope::Carrier(_))
    }

    /// The condition every read starts from.
    pub(crate) fn condition(&self) -> Cond {
        let all = Cond::all().add(Expr::col("carrier").eq(self.carrier().as_str()));
        match self {
            Scope::Carrier(_) => all,
            Scope::Account { account, .. } => all.add(Expr::col("account").eq(account.as_str())),
        }
    }
}

impl From<Tenant> for Scope {
    fn from(Tenant { carrier, account }: Tenant) -> Scope {
        match account {
            None => Scope::Carrier(carrier),
            Some(account) => Scope::Account { carrier, account },
        }
    }
}

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where the page before ended (its `next`); from the first row when absent.
    pub cursor: Option<String>,
    /// Most rows to return; taken as 1 to [`MAX_PAGE`].
    pub limit: u32,
    /// Which row is the first.
    pub order: Order,
}

impl Page {
    /// The first `limit` rows.
    #[must_use]
    pub fn first(limit: u32) -> Page {
        Page { cursor: None, limit, order: Order::default() }
    }

    /// The `limit` rows after `cursor`.
    #[must_use]
    pub fn after(cursor: impl Into<String>, limit: u32) -> Page {
        Page { cursor: Some(cursor.into()), limit, order: Order::default() }
    }

    /// The same in this order.
    #[must_use]
    pub fn by(self, order: Order) -> Page {
        Page { order, ..self }
    }

    /// The row its cursor names, in a list ordered by age.
    pub(crate) fn sid(&self) -> Result<Option<Sid>, ReadError> {
        self.cursor.as_deref().map(|cursor| Ok(self.order.read(cursor)?.0)).transpose()
    }

    /// How many rows it has at most.
    pub(crate) fn size(&self) -> usize {
        self.limit.clamp(1, MAX_PAGE) as usize
    }
}

impl Default for Page {
    fn default() -> Page {
        Page::first(50)
    }
}

/// Rows, in the order of their page, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageOf<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor of the page after this one, when there are more rows. Opaque.
    pub next: Option<String>,
}
