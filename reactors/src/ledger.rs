//! What reactors remember about themselves: how far each has come, and which node has it.

use domain::Timestamp;
use sea_query::{Expr, ExprTrait, InsertStatement, OnConflict, Query};
use std::time::Duration;
use store::{Backend, Db, StoreError};

const TABLE: &str = "reactors";

/// How long a lease lasts without renewal: so long a dead node's calls and callbacks wait at most.
pub(crate) const LEASE: Duration = Duration::from_secs(4);
/// How often it is renewed.
pub(crate) const RENEWAL: Duration = Duration::from_secs(1);

/// The table; clones share it.
#[derive(Clone)]
pub(crate) struct Ledger {
    db: Db,
}

impl Ledger {
    pub fn new(db: Db) -> Ledger {
        Ledger { db }
    }

    /// The position up to which everything has taken effect; 0 at first.
    pub async fn position(&self, name: &str) -> Result<i64, StoreError> {
        let mut query = Query::select();
        query.column("position").from(TABLE).and_where(Expr::col("name").eq(name));
        self.db.fetch_optional(&query).await?.map_or(Ok(0), |row| row.at(0))
    }

    /// Moves the position forward while the lease is this holder's; whether it is.
    pub async fn advance(&self, name: &str, holder: &str, position: i64) -> Result<bool, StoreError> {
        if !self.is_shared() {
            let mut set = new_row(name, holder, position);
            set.on_conflict(OnConflict::column("name").update_column("position").to_owned());
            return Ok(self.db.execute(&set).await? > 0);
        }
        let mut update = Query::update();
        update.table(TABLE).value("position", position);
        update.and_where(Expr::col("name").eq(name)).and_where(Expr::col("holder").eq(holder));
        Ok(self.db.execute(&update).await? > 0)
    }

    /// Takes or renews a lease; whether this holder has it now. `now` is by the database's clock. A SQLite file is one process's, so whoever asks there
    /// has everything, and nothing is written.
    pub async fn lease(&self, name: &str, holder: &str, now: Timestamp) -> Result<bool, StoreError> {
        if !self.is_shared() {
            return Ok(true);
        }
        let mut first = new_row(name, holder, 0);
        first.on_conflict(OnConflict::column("name").do_nothing().to_owned());
        self.db.execute(&first).await?;
        let mut take = Query::update();
        take.table(TABLE).value("holder", holder).value("lease_until", now.plus(LEASE).micros());
        take.and_where(Expr::col("name").eq(name));
        take.and_where(Expr::col("holder").eq(holder).or(Expr::col("lease_until").lt(now.micros())));
        Ok(self.db.execute(&take).await? > 0)
    }

    /// Lets go of whatever earlier processes of this name held.
    pub async fn release_of(&self, name: &str) -> Result<(), StoreError> {
        let mut release = Query::update();
        release.table(TABLE).value("lease_until", 0_i64);
        let earlier = Expr::col("holder").eq(name).or(Expr::col("holder").like(format!("{name}/%")));
        release.and_where(earlier);
        self.db.execute(&release).await.map(drop)
    }

    /// Whether somebody holds this lease, as nodes of a release before epochs did. Asked about others, of whom a SQLite file has none.
    pub async fn is_held(&self, name: &str, now: Timestamp) -> Result<bool, StoreError> {
        if !self.is_shared() {
            return Ok(false);
        }
        let mut query = Query::select();
        query.column("holder").from(TABLE).and_where(Expr::col("name").eq(name));
        query.and_where(Expr::col("lease_until").gte(now.micros()));
        Ok(self.db.fetch_optional(&query).await?.is_some())
    }

    /// Whether other processes may use this database.
    pub fn is_shared(&self) -> bool {
        self.db.backend() == Backend::Postgres
    }
}

fn new_row(name: &str, holder: &str, position: i64) -> InsertStatement {
    let mut insert = Query::insert();
    insert.into_table(TABLE).columns(["name", "position", "holder", "lease_until"]);
    insert.values_panic([name.into(), position.into(), holder.into(), 0_i64.into()]);
    insert
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::testing::{durable_stores, sqlite};

    #[tokio::test]
    async fn a_lease_is_one_holders_until_it_runs_out() {
        for store in durable_stores().await {
            let ledger = Ledger::new(store.db().clone());
            if !ledger.is_shared() {
                continue;
            }
            let now = Timestamp::from_micros(1_000_000);
            assert!(ledger.lease("a", "here", now).await.unwrap(), "{}", store.name);
            assert!(ledger.lease("a", "here", now).await.unwrap(), "renewed");
            assert!(ledger.is_held("a", now).await.unwrap());
            assert!(!ledger.lease("a", "there", now).await.unwrap(), "{}", store.name);
            let later = now.plus(LEASE + Duration::from_secs(1));
            assert!(!ledger.is_held("a", later).await.unwrap());
            assert!(ledger.lease("a", "there", later).await.unwrap());
            assert!(!ledger.advance("a", "here", 9).await.unwrap(), "it lost the lease");
            assert!(ledger.advance("a", "there", 7).await.unwrap());
            assert_eq!(ledger.position("a").await.unwrap(), 7);
            assert_eq!(ledger.position("b").await.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn a_file_is_one_processs_and_needs_no_lease() {
        let store = sqlite().await;
        let ledger = Ledger::new(store.db().clone());
        let now = Timestamp::from_micros(1_000_000);
        assert!(
            ledger.lease("a", "here", now).await.unwrap() && ledger.lease("a", "there", now).await.unwrap()
        );
        assert!(!ledger.is_held("a", now).await.unwrap(), "nothing was written");
        assert!(ledger.advance("a", "here", 7).await.unwrap());
        assert!(ledger.advance("a", "there", 9).await.unwrap());
        assert_eq!(ledger.position("a").await.unwrap(), 9);
    }
}
