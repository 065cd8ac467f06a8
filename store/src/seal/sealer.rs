//! The sealer: follows each log and seals what has been committed since the last seal.

use super::{FIRST, LEAF, RANGE, Seal, Signer, last, leaf, noted, root};
use crate::{Hash, Store, StoreError, store::WeakStore};
use domain::Log;
use sea_query::{OnConflict, Query};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::sync::watch;

/// How long the newest events may stay unsealed.
const EVERY: Duration = Duration::from_secs(5);
/// The file of seals was not read yet.
pub(crate) const UNKNOWN: i64 = -1;

/// Seals `log` now and then, while the store is there and something was committed.
pub(crate) async fn keep_sealing(store: WeakStore, log: Log, mut committed: watch::Receiver<i64>) {
    // What was committed before the store was opened may not be sealed either.
    committed.mark_changed();
    loop {
        tokio::time::sleep(EVERY).await;
        let Ok(()) = committed.changed().await else { return };
        let Some(store) = store.upgrade() else { return };
        if let Err(error) = seal_now(&store, log).await {
            if matches!(error, StoreError::SealsGone { .. }) {
                tracing::error!(%error, log = log.as_str(), "nothing is sealed");
            } else {
                tracing::warn!(%error, log = log.as_str(), "the newest events are not sealed yet");
            }
            // Again in a while, whether anything else is committed or not.
            committed.mark_changed();
        }
    }
}

/// Seals everything up to where the log's head is now; returns the last position covered. What is appended meanwhile is
/// for the next time: under load, chasing it would make many small seals. Several nodes may do it at once: the first to
/// store a range wins, the others go on after it. Below what was sealed before nothing is sealed again: a new seal would
/// speak for a log that may have been rewritten.
pub(crate) async fn seal_now(store: &Store, log: Log) -> Result<i64, StoreError> {
    let head = store.head(log).await?;
    let noted = noted_up_to(store, log)?;
    let mut previous = last(store.db(), log).await?;
    loop {
        let sealed = previous.as_ref().map_or(0, |seal| seal.to);
        if sealed < noted {
            return Err(StoreError::SealsGone { log, noted, sealed });
        }
        let left = usize::try_from(head - sealed).unwrap_or(0).min(RANGE);
        if left == 0 {
            return Ok(sealed);
        }
        let events = store.engine().hashes(log, sealed, left).await?;
        let signer = Signer::of(store.vault(), store.ids()).await?;
        let seal = make(store, &signer, log, &events, previous.as_ref());
        if insert(store, &seal).await? {
            tracing::info!(log = log.as_str(), to = seal.to, seal = seal.name(), "sealed");
            note(store, &seal);
            store.lane(log).sealed.fetch_max(seal.to, Ordering::Relaxed);
        }
        previous = last(store.db(), log).await?;
    }
}

/// The last position that this process has sealed, or one before it noted.
fn noted_up_to(store: &Store, log: Log) -> Result<i64, StoreError> {
    let sealed = &store.lane(log).sealed;
    let known = sealed.load(Ordering::Relaxed);
    if known != UNKNOWN {
        return Ok(known);
    }
    let noted = store.seals_file().map(noted::noted).transpose()?.unwrap_or_default();
    let last = noted.iter().find(|seal| seal.log == log).map_or(0, |seal| seal.to);
    Ok(sealed.fetch_max(last, Ordering::Relaxed).max(last))
}

fn make(store: &Store, signer: &Signer, log: Log, events: &[(i64, Hash)], previous: Option<&Seal>) -> Seal {
    let leaves: Vec<_> = events.iter().map(|(position, hash)| leaf(*position, hash)).collect();
    let mut seal = Seal {
        log,
        from: events.first().map_or(0, |(position, _)| *position),
        to: events.last().map_or(0, |(position, _)| *position),
        root: root(&leaves),
        previous: previous.map_or(FIRST, Seal::digest),
        leaves: leaves.iter().flat_map(|leaf| leaf.iter().take(LEAF)).copied().collect(),
        sealed_at: store.clock().now(),
        signature: Vec::new(),
    };
    seal.signature = signer.sign(&seal.digest());
    seal
}

/// The seal counts without its note.
fn note(store: &Store, seal: &Seal) {
    let noted = store.seals_file().map(|file| noted::note(file, seal));
    if let Some(Err(error)) = noted {
        tracing::warn!(%error, log = seal.log.as_str(), to = seal.to, "a seal is not noted");
    }
}

/// Stores it; false when another was first.
async fn insert(store: &Store, seal: &Seal) -> Result<bool, StoreError> {
    let columns =
        ["log", "from_position", "to_position", "root", "previous", "leaves", "signature", "sealed_at"];
    let mut insert = Query::insert().into_table("es_seals").columns(columns).to_owned();
    let place = [seal.log.as_str().into(), seal.from.into(), seal.to.into(), seal.root.to_vec().into()];
    let rest = [seal.previous.to_vec().into(), seal.leaves.clone().into(), seal.signature.clone().into()];
    insert.values_panic(place.into_iter().chain(rest).chain([seal.sealed_at.micros().into()]));
    let first_wins = OnConflict::columns(["log", "from_position"]).do_nothing().to_owned();
    Ok(store.db().execute(insert.on_conflict(first_wins)).await? > 0)
}
