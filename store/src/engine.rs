//! Where the log lives: in a database, by one of two ways of appending, or in memory.

use crate::{
    Backend, Db, Fact, Hash, StoreError, Vault,
    append::{self, Submission, Verdict},
    db::Line,
    ledger::{self, Done},
    memory::Memory,
    read::{self, Recorded},
};
use domain::{Clock, Log, Sid};
use std::sync::Arc;

pub(crate) struct Engine {
    pub kind: Kind,
    pub db: Db,
    pub clock: Arc<dyn Clock>,
}

pub(crate) enum Kind {
    /// Statements one by one, on either database.
    Portable,
    /// One call per batch, PostgreSQL only.
    Function,
    /// No database at all under the log.
    Memory(Box<Memory>),
}

impl Engine {
    /// Whether the database works in this process, which then pays for every commit.
    pub fn is_embedded(&self) -> bool {
        matches!(self.kind, Kind::Portable) && self.db.backend() == Backend::Sqlite
    }

    /// Appends a batch in one transaction: a verdict for each submission. `line` is the log's own.
    pub async fn append(
        &self,
        line: &mut Line,
        log: Log,
        batch: &[Submission],
    ) -> Result<Vec<Verdict>, StoreError> {
        let now = self.clock.now().micros();
        match &self.kind {
            Kind::Portable => append::portable(&self.db, log, batch).await,
            Kind::Function => append::postgres(&self.db, line, log, now, batch).await,
            Kind::Memory(memory) => Ok(memory.append(log, now, batch)),
        }
    }

    /// Up to `limit` events after the position.
    pub async fn read(&self, log: Log, after: i64, limit: usize) -> Result<Vec<Fact>, StoreError> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.read(log, after, limit)),
            _ => read::after(&self.db, log, after, limit).await,
        }
    }

    /// The same without a word about gaps, and with what cannot be read: for the audit.
    pub async fn raw(&self, log: Log, after: i64, limit: usize) -> Result<Vec<read::Raw>, StoreError> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.read(log, after, limit).into_iter().map(Ok).collect()),
            _ => read::raw(&self.db, log, after, limit).await,
        }
    }

    /// The positions and hashes of the next `count` events after the position: all of them are there, or it is an error.
    pub async fn hashes(&self, log: Log, after: i64, count: usize) -> Result<Vec<(i64, Hash)>, StoreError> {
        match &self.kind {
            Kind::Memory(memory) => {
                Ok(memory.read(log, after, count).iter().map(|fact| (fact.position, fact.hash)).collect())
            }
            _ => read::hashes(&self.db, log, after, count).await,
        }
    }

    /// The position of the log's last event.
    pub async fn head(&self, log: Log) -> Result<i64, StoreError> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.head(log)),
            _ => read::head(&self.db, log).await,
        }
    }

    /// Every event of a stream, whole.
    pub async fn stream(&self, stream: &Sid) -> Result<Vec<Fact>, StoreError> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.stream(stream)),
            _ => read::stream(&self.db, stream).await,
        }
    }

    /// Every event of a stream, as much of it as deciding needs.
    pub async fn history(&self, stream: &Sid) -> Result<Vec<Recorded>, StoreError> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.stream(stream).into_iter().map(Recorded::from).collect()),
            _ => read::history(&self.db, stream).await,
        }
    }

    /// What the ledger knows of these command ids.
    pub async fn done(&self, vault: &Vault, log: Log, ids: &[&str]) -> Result<Vec<Done>, StoreError> {
        let now = self.clock.now().micros();
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.done(log, now, ids)),
            _ => ledger::done(&self.db, vault, log, now, ids).await,
        }
    }

    /// Why this log takes nothing more, if its head row is not where its events end.
    pub async fn sound(&self, log: Log) -> Result<(), StoreError> {
        match &self.kind {
            Kind::Memory(_) => Ok(()),
            _ => read::sound(&self.db, log).await,
        }
    }

    /// Why this stream takes nothing more, if its row is not where its events end.
    pub async fn sound_stream(&self, stream: &Sid) -> Result<(), StoreError> {
        match &self.kind {
            Kind::Memory(_) => Ok(()),
            _ => read::sound_stream(&self.db, stream).await,
        }
    }

    /// The position of the log's last event, whatever its head row says.
    pub async fn last(&self, log: Log) -> Result<i64, StoreError> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.head(log)),
            _ => read::last(&self.db, log).await,
        }
    }

    /// Whether there are tables beside the events that follow from them.
    pub fn has_tables(&self) -> bool {
        !matches!(self.kind, Kind::Memory(_))
    }
}
