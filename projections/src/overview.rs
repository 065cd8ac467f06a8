//! Figures for a carrier's first page.

use crate::{
    ReadError, Scope,
    machine::{
        reads::present,
        record::{Record, is},
    },
    tables::{AccountRow, CallRow, PhoneNumberRow, TrunkRow, UserRow},
};
use domain::{Sid, Timestamp};
use sea_query::{Cond, Expr, ExprTrait, Query, SelectStatement};
use serde::{Deserialize, Serialize};
use store::Db;

/// How many of each a carrier has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Accounts, disabled ones included.
    pub accounts: i64,
    /// Trunks.
    pub trunks: i64,
    /// Phone numbers, disabled ones included.
    pub phone_numbers: i64,
    /// Calls that are not over.
    pub live_calls: i64,
    /// Calls queued or received since the moment that was asked about.
    pub calls_since: i64,
    /// Those of them that had a problem.
    pub troubled_since: i64,
    /// Whether any call was ever answered.
    pub was_answered: bool,
    /// Whether any user has a second factor.
    pub two_factor: bool,
}

pub(crate) async fn counts(db: &Db, carrier: &Sid, since: Timestamp) -> Result<Counts, ReadError> {
    let own = || Scope::Carrier(carrier.clone()).condition();
    let calls = || own().add(is("deleted", false));
    let since = || calls().add(Expr::col("created_at").gte(since.micros()));
    Ok(Counts {
        accounts: count(db, &of(AccountRow::NAME, own())).await?,
        trunks: count(db, &of(TrunkRow::NAME, own())).await?,
        phone_numbers: count(db, &of(PhoneNumberRow::NAME, own())).await?,
        live_calls: count(db, &of(CallRow::NAME, calls().add(present("ended_at", false)))).await?,
        calls_since: count(db, &of(CallRow::NAME, since())).await?,
        troubled_since: count(db, &of(CallRow::NAME, since().add(is("troubled", true)))).await?,
        was_answered: any(db, CallRow::NAME, own().add(present("answered_at", true))).await?,
        two_factor: any(db, UserRow::NAME, own().add(is("two_factor", true))).await?,
    })
}

fn of(table: &'static str, condition: Cond) -> SelectStatement {
    Query::select().expr(Expr::col(sea_query::Asterisk).count()).from(table).cond_where(condition).to_owned()
}

/// Whether there is such a row; ends at the first one.
async fn any(db: &Db, table: &'static str, condition: Cond) -> Result<bool, ReadError> {
    let one = Query::select().column("sid").from(table).cond_where(condition).limit(1).to_owned();
    Ok(db.fetch_optional(&one).await?.is_some())
}

async fn count(db: &Db, select: &SelectStatement) -> Result<i64, ReadError> {
    Ok(db.fetch_optional(select).await?.map(|row| row.at(0)).transpose()?.unwrap_or(0))
}
