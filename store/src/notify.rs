//! Wake-ups between processes on PostgreSQL: LISTEN and NOTIFY, at most one per batch and per 5 ms.
//!
//! NOTIFY takes a database-wide lock at commit, so it stays out of the append's transaction: a task of its own sends
//! the newest position after it, and appends never wait for it. Nothing depends on it: followers poll as well.

use crate::{
    Db, StoreError,
    db::{Line, Pools},
};
use domain::Log;
use sqlx::{PgPool, postgres::PgListener};
use std::time::Duration;
use tokio::sync::watch;

/// The shortest time between two notifications of one log.
const QUIET: Duration = Duration::from_millis(5);
/// How long to wait before listening again after the connection broke.
const AGAIN: Duration = Duration::from_secs(1);
/// The channel all logs share; the payload is `log position`.
const CHANNEL: &str = "trunkline";

/// Moves the signal forward, never back.
pub(crate) fn raise(committed: &watch::Sender<i64>, position: i64) {
    committed.send_if_modified(|seen| {
        let ahead = position > *seen;
        *seen = (*seen).max(position);
        ahead
    });
}

/// Tells other processes of every commit of this one, until it is dropped or the store closes.
pub(crate) async fn tell(db: Db, log: Log, mut own: watch::Receiver<i64>) {
    let Pools::Postgres(_) = &db.pools else { return };
    let mut line = Line::default();
    while own.changed().await.is_ok() {
        let position = *own.borrow_and_update();
        let payload = format!("{} {position}", log.as_str());
        let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload);
        if let Err(error) = line.run(&db, async |connection| notify.execute(connection).await).await {
            tracing::debug!(%error, log = log.as_str(), "other nodes were not told; they poll");
        }
        tokio::time::sleep(QUIET).await;
    }
}

/// Hears other processes' commits and raises this one's signals.
pub(crate) async fn hear(db: Db, signals: Vec<(Log, watch::Sender<i64>)>) {
    let Pools::Postgres(pool) = &db.pools else { return };
    loop {
        if let Err(error) = listen(pool, &signals).await {
            tracing::warn!(%error, "not listening for other nodes' commits; polling");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen(pool: &PgPool, signals: &[(Log, watch::Sender<i64>)]) -> Result<(), StoreError> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let heard = listener.recv().await?;
        if let Some((log, position)) = heard.payload().split_once(' ')
            && let Ok(position) = position.parse()
            && let Some((_, signal)) = signals.iter().find(|(known, _)| known.as_str() == log)
        {
            raise(signal, position);
        }
    }
}
