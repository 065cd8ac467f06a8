//! The sealer: follows each log and seals what has been committed since the last seal.

use super::{FIRST, LEAF, RANGE, Seal, Signer, last, leaf, noted, root};
use crate::{Db, Hash, StoreError, StoreOptions, Vault, engine::Engine};
use domain::{Ids, Log};
use sea_query::{OnConflict, Query};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// How long the newest events may stay unsealed.
const EVERY: Duration = Duration::from_secs(5);
/// The file of seals was not read yet.
const UNKNOWN: i64 = -1;

/// What seals one log.
pub(crate) struct Sealer {
    log: Log,
    engine: Arc<Engine>,
    vault: Vault,
    ids: Arc<dyn Ids>,
    /// Where seals are noted, when they are.
    file: Option<PathBuf>,
    /// The last position under a seal, as far as this process knows.
    sealed: AtomicI64,
}

impl Sealer {
    pub(crate) fn new(log: Log, engine: &Arc<Engine>, vault: &Vault, options: &StoreOptions) -> Sealer {
        Sealer {
            log,
            engine: engine.clone(),
            vault: vault.clone(),
            ids: options.ids.clone(),
            file: options.seals_file.clone(),
            sealed: AtomicI64::new(UNKNOWN),
        }
    }

    /// Seals the log now and then, when something was committed, until it is dropped.
    pub(crate) async fn keep_sealing(self: Arc<Self>, mut committed: watch::Receiver<i64>) {
        // What was committed before the store was opened may not be sealed either.
        committed.mark_changed();
        loop {
            tokio::time::sleep(EVERY).await;
            let Ok(()) = committed.changed().await else { return };
            if let Err(error) = self.seal().await {
                if matches!(error, StoreError::SealsGone { .. }) {
                    tracing::error!(%error, log = self.log.as_str(), "nothing is sealed");
                } else {
                    tracing::warn!(%error, log = self.log.as_str(), "the newest events are not sealed yet");
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
    pub(crate) async fn seal(&self) -> Result<i64, StoreError> {
        let (log, db) = (self.log, &self.engine.db);
        let head = self.engine.head(log).await?;
        let noted = self.noted_up_to()?;
        let mut previous = last(db, log).await?;
        loop {
            let sealed = previous.as_ref().map_or(0, |seal| seal.to);
            if sealed < noted {
                return Err(StoreError::SealsGone { log, noted, sealed });
            }
            let left = usize::try_from(head - sealed).unwrap_or(0).min(RANGE);
            if left == 0 {
                return Ok(sealed);
            }
            let events = self.engine.hashes(log, sealed, left).await?;
            let signer = Signer::of(&self.vault, &*self.ids).await?;
            let seal = self.make(&signer, &events, previous.as_ref());
            if insert(db, &seal).await? {
                tracing::info!(log = log.as_str(), to = seal.to, seal = seal.name(), "sealed");
                self.note(&seal);
                self.sealed.fetch_max(seal.to, Ordering::Relaxed);
            }
            previous = last(db, log).await?;
        }
    }

    /// The last position that this process has sealed, or one before it noted.
    fn noted_up_to(&self) -> Result<i64, StoreError> {
        let known = self.sealed.load(Ordering::Relaxed);
        if known != UNKNOWN {
            return Ok(known);
        }
        let noted = self.file.as_deref().map(noted::noted).transpose()?.unwrap_or_default();
        let last = noted.iter().find(|seal| seal.log == self.log).map_or(0, |seal| seal.to);
        Ok(self.sealed.fetch_max(last, Ordering::Relaxed).max(last))
    }

    fn make(&self, signer: &Signer, events: &[(i64, Hash)], previous: Option<&Seal>) -> Seal {
        let leaves: Vec<_> = events.iter().map(|(position, hash)| leaf(*position, hash)).collect();
        let mut seal = Seal {
            log: self.log,
            from: events.first().map_or(0, |(position, _)| *position),
            to: events.last().map_or(0, |(position, _)| *position),
            root: root(&leaves),
            previous: previous.map_or(FIRST, Seal::digest),
            leaves: leaves.iter().flat_map(|leaf| leaf.iter().take(LEAF)).copied().collect(),
            sealed_at: self.engine.clock.now(),
            signature: Vec::new(),
        };
        seal.signature = signer.sign(&seal.digest());
        seal
    }

    /// The seal counts without its note.
    fn note(&self, seal: &Seal) {
        let noted = self.file.as_deref().map(|file| noted::note(file, seal));
        if let Some(Err(error)) = noted {
            tracing::warn!(%error, log = seal.log.as_str(), to = seal.to, "a seal is not noted");
        }
    }
}

/// Stores it; false when another was first.
async fn insert(db: &Db, seal: &Seal) -> Result<bool, StoreError> {
    let columns =
        ["log", "from_position", "to_position", "root", "previous", "leaves", "signature", "sealed_at"];
    let mut insert = Query::insert().into_table("es_seals").columns(columns).to_owned();
    let place = [seal.log.as_str().into(), seal.from.into(), seal.to.into(), seal.root.to_vec().into()];
    let rest = [seal.previous.to_vec().into(), seal.leaves.clone().into(), seal.signature.clone().into()];
    insert.values_panic(place.into_iter().chain(rest).chain([seal.sealed_at.micros().into()]));
    let first_wins = OnConflict::columns(["log", "from_position"]).do_nothing().to_owned();
    Ok(db.execute(insert.on_conflict(first_wins)).await? > 0)
}
