//! What reactors remember about themselves: how far each has come, and which node has it.

use domain::Timestamp;
use sea_query::{ColumnDef, Expr, ExprTrait, OnConflict, Query, Table};
use std::time::Duration;
use store::{Backend, Db, StoreError};

const TABLE: &str = "reactors";

/// How long a lease lasts without renewal.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// How often it is renewed.
pub(crate) const RENEWAL: Duration = Duration::from_secs(5);

/// The table; clones share it.
#[derive(Clone)]
pub(crate) struct Ledger {
    db: Db,
}

impl Ledger {
    /// Makes the table when it is missing.
    pub async fn open(db: Db) -> Result<Ledger, StoreError> {
        let mut table = Table::create();
        table.table(TABLE).if_not_exists();
        table.col(ColumnDef::new("name").text().not_null().primary_key());
        table.col(ColumnDef::new("position").big_integer().not_null());
        table.col(ColumnDef::new("holder").text().not_null());
        table.col(ColumnDef::new("lease_until").big_integer().not_null());
        let mut tx = db.begin().await?;
        tx.define(&table).await?;
        tx.commit().await?;
        Ok(Ledger { db })
    }

    /// The position up to which everything has taken effect; 0 at first.
    pub async fn position(&self, name: &str) -> Result<i64, StoreError> {
        let mut query = Query::select();
        query.column("position").from(TABLE).and_where(Expr::col("name").eq(name));
        self.db.fetch_optional(&query).await?.map_or(Ok(0), |row| row.at(0))
    }

    /// Moves the position forward while the lease is this holder's; whether it is.
    pub async fn advance(&self, name: &str, holder: &str, position: i64) -> Result<bool, StoreError> {
        let mut update = Query::update();
        update.table(TABLE).value("position", position);
        update.and_where(Expr::col("name").eq(name)).and_where(Expr::col("holder").eq(holder));
        Ok(self.db.execute(&update).await? > 0)
    }

    /// Takes or renews a lease; whether this holder has it now. A SQLite file is one process's, so whoever asks there
    /// has everything.
    pub async fn lease(&self, name: &str, holder: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut first = Query::insert();
        first.into_table(TABLE).columns(["name", "position", "holder", "lease_until"]);
        first.values_panic([name.into(), 0_i64.into(), holder.into(), 0_i64.into()]);
        first.on_conflict(OnConflict::column("name").do_nothing().to_owned());
        self.db.execute(&first).await?;
        let mut take = Query::update();
        take.table(TABLE).value("holder", holder).value("lease_until", now.plus(LEASE).micros());
        take.and_where(Expr::col("name").eq(name));
        if self.db.backend() == Backend::Postgres {
            take.and_where(Expr::col("holder").eq(holder).or(Expr::col("lease_until").lt(now.micros())));
        }
        Ok(self.db.execute(&take).await? > 0)
    }

    /// Whether somebody holds this lease.
    pub async fn is_held(&self, name: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut query = Query::select();
        query.column("holder").from(TABLE).and_where(Expr::col("name").eq(name));
        query.and_where(Expr::col("lease_until").gte(now.micros()));
        Ok(self.db.fetch_optional(&query).await?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::testing::durable_stores;

    #[tokio::test]
    async fn a_lease_is_one_holders_until_it_runs_out() {
        for store in durable_stores().await {
            let ledger = Ledger::open(store.db().clone()).await.unwrap();
            Ledger::open(store.db().clone()).await.expect("opening it again changes nothing");
            let now = Timestamp::from_micros(1_000_000);
            assert!(ledger.lease("a", "here", now).await.unwrap(), "{}", store.name);
            assert!(ledger.lease("a", "here", now).await.unwrap(), "renewed");
            assert!(ledger.is_held("a", now).await.unwrap());
            let shared = store.db().backend() == Backend::Postgres;
            assert_eq!(ledger.lease("a", "there", now).await.unwrap(), !shared, "{}", store.name);
            let later = now.plus(LEASE + Duration::from_secs(1));
            assert!(!ledger.is_held("a", later).await.unwrap());
            assert!(ledger.lease("a", "there", later).await.unwrap());
            assert!(!ledger.advance("a", "here", 9).await.unwrap(), "it lost the lease");
            assert!(ledger.advance("a", "there", 7).await.unwrap());
            assert_eq!(ledger.position("a").await.unwrap(), 7);
            assert_eq!(ledger.position("b").await.unwrap(), 0);
        }
    }
}
