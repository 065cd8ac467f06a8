//! Who may move the live tables of a log: one leader at a time, told apart by its epoch.

use super::{CHECKPOINTS, LEADERS};
use domain::Log;
use sea_query::{Condition, Expr, ExprTrait, LockType, Order, Query};
use store::{Backend, StoreError, Tx, padded};

/// Takes the lead of a log when nobody has it, or `anyway`; returns the new epoch. Whoever led before is fenced from
/// the commit on.
pub(crate) async fn lead(
    tx: &mut Tx,
    log: Log,
    owner: &str,
    (now, until): (i64, i64),
    anyway: bool,
) -> Result<Option<i64>, StoreError> {
    let mut take = Query::update();
    take.table(LEADERS).value("epoch", Expr::col("epoch").add(1_i64));
    take.values([("owner", owner.into()), ("lease_until", until.into())]);
    take.and_where(Expr::col("log").eq(log.as_str()));
    if !anyway {
        take.and_where(Expr::col("lease_until").lt(now));
    }
    if tx.execute(&take).await? == 0 {
        return Ok(None);
    }
    let select =
        Query::select().column("epoch").from(LEADERS).and_where(Expr::col("log").eq(log.as_str())).to_owned();
    let epoch: i64 = tx.fetch_optional(&select).await?.map(|row| row.at(0)).transpose()?.unwrap_or(0);
    // Those alone that are live: whoever builds another one holds the live one and then takes his own.
    let hopeful = Query::update()
        .table(CHECKPOINTS)
        .values([("epoch", epoch.into()), ("stopped", None::<String>.into())])
        .cond_where(in_order(tx, live_of(log)))
        .to_owned();
    tx.execute(&hopeful).await?;
    Ok(Some(epoch))
}

/// Puts every live table of a log under this epoch.
pub(crate) async fn stamp(tx: &mut Tx, log: Log, epoch: i64) -> Result<(), StoreError> {
    let update = Query::update()
        .table(CHECKPOINTS)
        .value("epoch", epoch)
        .cond_where(in_order(tx, live_of(log)))
        .to_owned();
    tx.execute(&update).await.map(drop)
}

fn live_of(log: Log) -> Condition {
    Condition::all().add(Expr::col("log").eq(log.as_str())).add(Expr::col("live").eq(true))
}

/// Those checkpoints, locked one after another by their names: a statement that moves several waits for another such
/// statement, and never each for the other. SQLite has one writer.
fn in_order(tx: &Tx, which: Condition) -> Condition {
    if tx.backend() == Backend::Sqlite {
        return which;
    }
    let locked = Query::select()
        .column("table_name")
        .from(CHECKPOINTS)
        .cond_where(which.clone())
        .order_by("table_name", Order::Asc)
        .lock(LockType::Update)
        .to_owned();
    Condition::all().add(Expr::col("table_name").in_subquery(locked)).add(which)
}

/// Keeps the lead until then (a moment in the past gives it up); false when another has it.
pub(crate) async fn keep(tx: &mut Tx, log: Log, epoch: i64, until: i64) -> Result<bool, StoreError> {
    let renew = Query::update()
        .table(LEADERS)
        .value("lease_until", until)
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("epoch").eq(epoch))
        .to_owned();
    Ok(tx.execute(&renew).await? == 1)
}

/// Moves live tables that stand together; false when any of them is under another leader, or not live any more. Comes
/// first in the transaction: its row locks are what fences.
pub(crate) async fn fence(
    tx: &mut Tx,
    tables: &[&str],
    epoch: i64,
    (from, to): (i64, i64),
) -> Result<bool, StoreError> {
    let ours = Condition::all()
        .add(Expr::col("table_name").is_in(padded(tables.iter().copied())))
        .add(Expr::col("position").eq(from))
        .add(Expr::col("epoch").eq(epoch))
        .add(Expr::col("live").eq(true));
    let update =
        Query::update().table(CHECKPOINTS).value("position", to).cond_where(in_order(tx, ours)).to_owned();
    Ok(tx.execute(&update).await? == tables.len() as u64)
}
