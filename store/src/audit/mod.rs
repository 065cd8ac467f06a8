//! The audit: walks a log from its first position, and names the first one at which it is not what was written.
//!
//! Checked: positions without gaps, each event's hash, each stream's chain, every seal (signature, chain, root), that
//! the log ends where its last seal says; that heads, streams, claims and the ledger of commands are what the events make
//! them; and that a seal kept elsewhere is in its chain.

mod claimant;
mod compare;
mod derived;
mod mend;

pub use mend::{Mended, repair};

use crate::{
    Fact, Hash, Store, StoreError, Tx, read,
    seal::{self, Seal, Signer, Verifier},
};
use compare::Amiss;
use derived::{Derived, Stray};
use domain::{Log, Sid};
use std::fmt;

/// Events read at once.
const PAGE: usize = 2_000;

/// How far the audit has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The log being walked.
    pub log: Log,
    /// Events checked in it.
    pub done: u64,
    /// Events it had when the audit came to it.
    pub total: u64,
}

/// What was checked and found in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Per log: events, streams, seals, and the last position a seal covers.
    pub logs: Vec<LogReport>,
}

/// What was checked of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// The log.
    pub log: Log,
    /// Its events.
    pub events: i64,
    /// Its streams.
    pub streams: usize,
    /// Its seals.
    pub seals: usize,
    /// The last position under a seal.
    pub sealed: i64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |report: &LogReport| {
            let LogReport { log, events, streams, seals, sealed } = report;
            format!(
                "{}: {events} events of {streams} streams are as written; {seals} seals up to position {sealed}",
                log.as_str()
            )
        };
        f.write_str(&self.logs.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("log {}, position {position}: {what}", log.as_str())]
pub struct Finding {
    /// The log.
    pub log: Log,
    /// The first bad position.
    pub position: i64,
    /// The stream there, where it can be told.
    pub stream: Option<Sid>,
    /// What is wrong.
    pub what: Wrong,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The event does not hash to its hash.
    #[error("the event was edited")]
    Edited,
    /// The event's columns make no sense.
    #[error("the event cannot be read: {0}")]
    Unreadable(String),
    /// There is no event here, though there are later ones.
    #[error("the event is missing")]
    Missing,
    /// The event does not follow the one before it in its stream.
    #[error("the event is out of its stream's order")]
    Reordered,
    /// The log goes on no further, though it did.
    #[error("the log was cut off here")]
    CutOff,
    /// The event is not the one that was sealed here.
    #[error("another event was sealed at this position")]
    NotAsSealed,
    /// The events are as written, and a table beside them is not what they make it.
    #[error("{0}; `trunkline repair` sets it right")]
    NotDerived(String),
    /// The log went on while it was to be repaired.
    #[error("somebody writes to it; stop every server first")]
    Busy,
    /// A seal is not ours, or does not follow the one before it.
    #[error("the seal from this position on is forged")]
    ForgedSeal,
}

/// Why the audit did not end well.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log was tampered with.
    #[error(transparent)]
    Found(#[from] Finding),
    /// A seal that was kept elsewhere is in no log: one was cut off before it, or written anew.
    #[error("no log has the seal {0}: one was cut off before it, or written anew")]
    SealGone(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Walks every log; tells `progress` after each page. That a log goes as far as it once did is proven only up to its last
/// seal that was kept elsewhere: see `verify_with`.
///
/// # Errors
/// The first finding, or the database's failure.
pub async fn verify(store: &Store, progress: impl FnMut(Progress) + Send) -> Result<Report, AuditError> {
    verify_with(store, &[], progress).await
}

/// The same; and each of these seals, by the name it was kept under (`Seal::name`), must be in some log's chain.
///
/// # Errors
/// As `verify`; and the first seal that is not there.
pub async fn verify_with(
    store: &Store,
    kept: &[String],
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Report, AuditError> {
    let mut report = Report::default();
    let mut missing = kept.to_vec();
    for log in Log::ALL {
        let mut walk = Walk::new(store, log, &mut missing).await?;
        while walk.page().await? {
            progress(Progress { log, done: walk.last.unsigned_abs(), total: walk.head.unsigned_abs() });
        }
        report.logs.push(walk.finish().await?);
    }
    match missing.into_iter().next() {
        Some(seal) => Err(AuditError::SealGone(seal)),
        None => Ok(report),
    }
}

/// One log being walked.
struct Walk<'a> {
    store: &'a Store,
    log: Log,
    /// What the head row says.
    head: i64,
    /// The last position checked.
    last: i64,
    derived: Derived,
    /// The seal that covers what comes next, and its leaves so far.
    seal: Option<Seal>,
    leaves: Vec<Hash>,
    /// Checks seals; loaded with the first.
    verifier: Option<Verifier>,
    /// The digest of the last seal checked.
    previous: Hash,
    seals: usize,
    sealed: i64,
    /// Names of seals that must be somewhere, and were not seen yet.
    missing: &'a mut Vec<String>,
}

impl<'a> Walk<'a> {
    async fn new(store: &'a Store, log: Log, missing: &'a mut Vec<String>) -> Result<Walk<'a>, AuditError> {
        let head = store.head(log).await?;
        let since = compare::remembered_since(store.clock().now().micros());
        let (derived, leaves, previous) = (Derived::keeping_commands_since(since), Vec::new(), seal::FIRST);
        let mut walk = Walk {
            store,
            verifier: None,
            log,
            head,
            last: 0,
            derived,
            seal: None,
            leaves,
            previous,
            seals: 0,
            sealed: 0,
            missing,
        };
        walk.next_seal().await?;
        Ok(walk)
    }

    /// Checks the next page; false at the end.
    async fn page(&mut self) -> Result<bool, AuditError> {
        let facts = self.store.engine().raw(self.log, self.last, PAGE).await?;
        self.events(&facts).await?;
        Ok(!facts.is_empty())
    }

    async fn events(&mut self, facts: &[read::Raw]) -> Result<(), AuditError> {
        for fact in facts {
            match fact {
                Ok(fact) => self.event(fact).await?,
                Err((position, error)) => {
                    return Err(self.found(*position, None, Wrong::Unreadable(error.to_string())).into());
                }
            }
        }
        Ok(())
    }

    async fn event(&mut self, fact: &Fact) -> Result<(), AuditError> {
        let here = |walk: &Walk<'_>, what| walk.found(fact.position, Some(&fact.stream), what);
        if fact.position != self.last + 1 {
            return Err(self.found(self.last + 1, None, Wrong::Missing).into());
        }
        if fact.expected_hash() != fact.hash {
            return Err(here(self, Wrong::Edited).into());
        }
        match self.derived.follow(fact) {
            Ok(()) => {}
            Err(Stray::Reordered) => return Err(here(self, Wrong::Reordered).into()),
            Err(Stray::Unreadable(why)) => return Err(here(self, Wrong::Unreadable(why)).into()),
        }
        self.last = fact.position;
        let leaf = seal::leaf(fact.position, &fact.hash);
        if self
            .seal
            .as_ref()
            .and_then(|seal| seal.kept(fact.position))
            .is_some_and(|kept| !leaf.starts_with(kept))
        {
            return Err(here(self, Wrong::NotAsSealed).into());
        }
        if self.seal.is_some() {
            self.leaves.push(leaf);
        }
        self.end_of_seal().await
    }

    /// At a seal's last position: its root, then on to the next.
    async fn end_of_seal(&mut self) -> Result<(), AuditError> {
        let Some(seal) = self.seal.take_if(|seal| seal.to == self.last) else { return Ok(()) };
        if seal::root(&self.leaves) != seal.root {
            return Err(self.found(seal.from, None, Wrong::NotAsSealed).into());
        }
        (self.previous, self.sealed) = (seal.digest(), seal.to);
        if !self.missing.is_empty() {
            self.missing.retain(|kept| !kept.eq_ignore_ascii_case(&seal.name()));
        }
        self.seals += 1;
        self.next_seal().await
    }

    async fn next_seal(&mut self) -> Result<(), AuditError> {
        self.leaves.clear();
        self.seal = seal::from(self.store.db(), self.log, self.sealed + 1, 1).await?.pop();
        let Some(seal) = &self.seal else { return Ok(()) };
        let follows = seal.from == self.sealed + 1 && seal.previous == self.previous && seal.to >= seal.from;
        // Asked after the seal: one that is there was made with a key that is there.
        if self.verifier.is_none() {
            self.verifier = Signer::stored(self.store.vault()).await?.map(|signer| signer.verifier());
        }
        let signed = self.verifier.as_ref().is_some_and(|key| key.accepts(&seal.digest(), &seal.signature));
        if follows && signed {
            return Ok(());
        }
        Err(self.found(self.sealed + 1, None, Wrong::ForgedSeal).into())
    }

    /// The log has ended: was it meant to end here, and are the tables beside it what it makes them?
    async fn finish(mut self) -> Result<LogReport, AuditError> {
        if self.store.engine().has_tables() {
            let amiss = self.amiss().await?;
            if let Some(what) = amiss.into_iter().next() {
                let position = self.last;
                return Err(self.found(position, None, Wrong::NotDerived(what.to_string())).into());
            }
        } else if self.head > self.last {
            return Err(self.found(self.last + 1, None, Wrong::CutOff).into());
        }
        let (streams, Walk { log, last: events, seals, sealed, .. }) = (self.derived.streams.len(), self);
        Ok(LogReport { log, events, streams, seals, sealed })
    }

    /// That the log was not cut off here, as far as anything says.
    async fn chain_ends(&mut self) -> Result<(), AuditError> {
        self.amiss().await.map(drop)
    }

    /// What is amiss in the tables beside the log, at one moment, up to which the log is walked first.
    async fn amiss(&mut self) -> Result<Vec<Amiss>, AuditError> {
        let mut tx = self.store.db().snapshot().await?;
        self.rest(&mut tx).await?;
        let now = self.store.clock().now().micros();
        let amiss = compare::all(&mut tx, self.store.vault(), (self.log, now), &self.derived).await?;
        tx.rollback().await?;
        let next = self.last + 1;
        if let Some(stream) = amiss.iter().find_map(cut) {
            return Err(self.found(next, stream.as_ref(), Wrong::CutOff).into());
        }
        // A seal may be of events that came since.
        let sealed = self.seal.as_ref().map(|seal| seal.to);
        if let Some(to) = sealed
            && self.store.engine().last(self.log).await? < to
        {
            return Err(self.found(next, None, Wrong::CutOff).into());
        }
        Ok(amiss)
    }

    /// Checks what the transaction sees beyond the last page.
    async fn rest(&mut self, tx: &mut Tx) -> Result<(), AuditError> {
        loop {
            let rows = tx.fetch_all(&read::page(self.log, self.last, PAGE)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let facts: Vec<read::Raw> = rows.iter().map(read::raw_fact).collect();
            self.events(&facts).await?;
        }
    }

    fn into_derived(self) -> (Log, i64, Derived) {
        (self.log, self.last, self.derived)
    }

    fn found(&self, position: i64, stream: Option<&Sid>, what: Wrong) -> Finding {
        Finding { log: self.log, position, stream: stream.cloned(), what }
    }
}

/// The stream that shows that the log was cut off, if this does.
fn cut(amiss: &Amiss) -> Option<Option<Sid>> {
    match amiss {
        Amiss::Cut(stream) => Some(stream.parse().ok()),
        _ => None,
    }
}
