//! The sealer: follows each log and seals what has been committed since the last seal.

use super::{FIRST, LEAF, RANGE, Seal, Signer, last, leaf, root};
use crate::{Fact, Store, StoreError, store::WeakStore};
use domain::Log;
use sea_query::{OnConflict, Query};
use std::time::Duration;
use tokio::sync::watch;

/// How long the newest events may stay unsealed.
const EVERY: Duration = Duration::from_secs(5);

/// Seals `log` now and then, while the store is there and something was committed.
pub(crate) async fn keep_sealing(store: WeakStore, log: Log, mut committed: watch::Receiver<i64>) {
    // What was committed before the store was opened may not be sealed either.
    committed.mark_changed();
    loop {
        tokio::time::sleep(EVERY).await;
        let Ok(()) = committed.changed().await else { return };
        let Some(store) = store.upgrade() else { return };
        if let Err(error) = seal_now(&store, log).await {
            tracing::warn!(%error, log = log.as_str(), "the newest events are not sealed yet");
        }
    }
}

/// Seals everything up to the log's head; returns the last position covered. Several nodes may do it at once: the first
/// to store a range wins, the others go on after it.
pub(crate) async fn seal_now(store: &Store, log: Log) -> Result<i64, StoreError> {
    let signer = Signer::of(store.vault(), store.ids()).await?;
    let mut previous = last(store.db(), log).await?;
    loop {
        let sealed = previous.as_ref().map_or(0, |seal| seal.to);
        let facts = store.read(log, sealed, RANGE).await?;
        if facts.is_empty() {
            return Ok(sealed);
        }
        let seal = make(store, &signer, log, &facts, previous.as_ref());
        insert(store, &seal).await?;
        previous = last(store.db(), log).await?;
    }
}

fn make(store: &Store, signer: &Signer, log: Log, facts: &[Fact], previous: Option<&Seal>) -> Seal {
    let leaves: Vec<_> = facts.iter().map(|fact| leaf(fact.position, &fact.hash)).collect();
    let mut seal = Seal {
        log,
        from: facts.first().map_or(0, |fact| fact.position),
        to: facts.last().map_or(0, |fact| fact.position),
        root: root(&leaves),
        previous: previous.map_or(FIRST, Seal::digest),
        leaves: leaves.iter().flat_map(|leaf| leaf.iter().take(LEAF)).copied().collect(),
        sealed_at: store.clock().now(),
        signature: Vec::new(),
    };
    seal.signature = signer.sign(&seal.digest());
    seal
}

async fn insert(store: &Store, seal: &Seal) -> Result<(), StoreError> {
    let columns =
        ["log", "from_position", "to_position", "root", "previous", "leaves", "signature", "sealed_at"];
    let mut insert = Query::insert().into_table("es_seals").columns(columns).to_owned();
    let place = [seal.log.as_str().into(), seal.from.into(), seal.to.into(), seal.root.to_vec().into()];
    let rest = [seal.previous.to_vec().into(), seal.leaves.clone().into(), seal.signature.clone().into()];
    insert.values_panic(place.into_iter().chain(rest).chain([seal.sealed_at.micros().into()]));
    let first_wins = OnConflict::columns(["log", "from_position"]).do_nothing().to_owned();
    store.db().execute(insert.on_conflict(first_wins)).await.map(drop)
}
