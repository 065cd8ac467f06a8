//! A table filled from the beginning of the log beside the live one: for rebuilding, for new versions, for verifying.

use super::{
    ledger,
    page::Member,
    pieces::{self, Piece},
    projector::{Catalogue, Fault, Projector},
    record,
    trouble::Trouble,
};
use domain::Log;
use std::{collections::HashMap, sync::Arc, time::Duration};
use store::{Backend, Db, Fact, Store, Tx};

/// Facts told to a table at once while it is built.
pub(crate) const PAGE: usize = 2_000;
/// A table nobody has built on for so long was abandoned by a process that died.
const ABANDONED: Duration = Duration::from_secs(600);

/// How often a table is built again when nodes that start together stood in each other's way.
const TRIES: u32 = 10;

/// A table that is being built.
pub(crate) struct Building {
    pub(crate) member: Member,
    /// Where the facts come from.
    store: Store,
    /// Where the table is.
    pub(crate) home: Db,
}

/// Hears the position after each page.
pub(crate) type Seen<'s> = &'s mut (dyn FnMut(i64) + Send);

impl Building {
    /// Makes an empty table under a name of its own, beside the live one.
    pub(crate) async fn begin(store: &Store, projector: Arc<dyn Projector>) -> Result<Building, Trouble> {
        Building::begin_in(store.db(), store, projector).await
    }

    /// The same in another database.
    pub(crate) async fn begin_in(
        home: &Db,
        store: &Store,
        projector: Arc<dyn Projector>,
    ) -> Result<Building, Trouble> {
        let mut tx = home.begin().await?;
        let table = ledger::generation(&mut tx, projector.name(), projector.version()).await?;
        let (create, indexes) = projector.create(&table);
        tx.define(&create).await?;
        for index in &indexes {
            tx.define(index).await?;
        }
        if projector.searched() {
            let mut create = record::create::<Piece>(&pieces::beside(&table));
            if tx.backend() == Backend::Sqlite {
                // It is its own index: half the writing.
                create.extra("WITHOUT ROWID");
            }
            tx.define(&create).await?;
            if tx.backend() == Backend::Postgres {
                // In the order of their bytes, as on SQLite, whatever language the database sorts by.
                let name = pieces::beside(&table);
                let bytes = format!(r#"ALTER TABLE "{name}" ALTER COLUMN "piece" TYPE text COLLATE "C""#);
                tx.execute_text(&bytes).await?;
            }
        }
        let now = store.clock().now().micros();
        ledger::begin(&mut tx, (&table, projector.name()), projector.log(), now).await?;
        tx.commit().await?;
        let member = Member { projector, table, position: 0, parked: HashMap::new(), stopped: None };
        Ok(Building { member, store: store.clone(), home: home.clone() })
    }

    fn log(&self) -> Log {
        self.member.projector.log()
    }

    /// Tells it the log up to `until`, page by page; `seen` hears the position after each.
    pub(crate) async fn fill(&mut self, until: i64, seen: Seen<'_>) -> Result<(), Trouble> {
        while self.member.position < until {
            let left = usize::try_from(until - self.member.position).unwrap_or(PAGE);
            let facts = self.store.read(self.log(), self.member.position, PAGE.min(left)).await?;
            if facts.is_empty() {
                break;
            }
            self.page(&facts).await?;
            seen(self.member.position);
        }
        Ok(())
    }

    /// Tells a page in a transaction of its own; in smaller ones to find the fact whose row the database refuses.
    async fn page(&mut self, mut facts: &[Fact]) -> Result<(), Trouble> {
        let mut size = facts.len();
        while !facts.is_empty() {
            let (now, later) = facts.split_at(size.min(facts.len()));
            let mut tx = self.home.begin().await?;
            let Err(fault) = self.tell(&mut tx, now).await else {
                tx.commit().await?;
                self.member.position = now.last().map_or(self.member.position, |fact| fact.position);
                facts = later;
                continue;
            };
            tx.rollback().await?;
            if matches!(&fault, Fault::Store(error) if error.refuses_values()) && now.len() > 1 {
                size = now.len() / 2;
            } else {
                self.park(fault.pinned(now)).await?;
            }
        }
        Ok(())
    }

    /// Tells facts inside a transaction; the caller moves `position` once it is committed.
    async fn tell(&self, tx: &mut Tx, facts: &[Fact]) -> Result<(), Fault> {
        let to = facts.last().map_or(self.member.position, |fact| fact.position);
        let now = self.store.clock().now().micros();
        if !ledger::advance(tx, &self.member.table, (self.member.position, to), now).await? {
            return Err(Fault::Store(store::StoreError::Closed));
        }
        self.member.tell(tx, facts).await
    }

    /// What a live table would do: call tables leave the stream out, others refuse to be built.
    async fn park(&mut self, fault: Fault) -> Result<(), Trouble> {
        let (position, stream, reason) = match fault {
            Fault::Store(error) => return Err(error.into()),
            Fault::Nonsense { position, stream, reason } => (position, stream, reason),
        };
        if self.log() == Log::Core {
            return Err(Trouble::Nonsense { projection: self.member.projector.name(), position, reason });
        }
        let mut tx = self.home.begin().await?;
        ledger::park(&mut tx, &self.member.table, (&stream, position), &reason.to_string()).await?;
        tx.commit().await?;
        self.member.parked.insert(stream, (position, reason.to_string()));
        Ok(())
    }

    /// Brings it to where the live one stands and makes it the live one, in one transaction. Readers notice nothing.
    pub(crate) async fn go_live(mut self, seen: Seen<'_>) -> Result<(), Trouble> {
        loop {
            let head = self.store.head(self.log()).await?;
            self.fill(head, seen).await?;
            if self.switch().await? {
                return Ok(());
            }
        }
    }

    /// False when the live one has gone on by more than a page meanwhile.
    async fn switch(&mut self) -> Result<bool, Trouble> {
        let (name, version, log) =
            (self.member.projector.name(), self.member.projector.version(), self.log());
        let mut tx = self.home.begin().await?;
        ledger::reserve(&mut tx, name).await?;
        let live = match ledger::live(&mut tx, name).await? {
            Some(live) => ledger::hold(&mut tx, &live.table).await?.unwrap_or(0),
            None => 0,
        };
        let missing = usize::try_from(live - self.member.position).unwrap_or(0);
        if missing > PAGE {
            tx.rollback().await?;
            return Ok(false);
        }
        if missing > 0 {
            let facts = self.store.read(log, self.member.position, missing).await?;
            if self.tell(&mut tx, &facts).await.is_err() {
                // Told again, and put right, by `fill`.
                tx.rollback().await?;
                return Ok(false);
            }
        }
        let built = (self.member.table.as_str(), self.member.projector.searched());
        ledger::switch(&mut tx, log, (name, version), built).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Drops it again.
    pub(crate) async fn discard(self) -> Result<(), Trouble> {
        let mut tx = self.home.begin().await?;
        ledger::discard(&mut tx, &self.member.table).await?;
        Ok(tx.commit().await?)
    }
}

/// Makes our own tables, drops what a process that died left half built, and builds every projection that is missing or
/// of an older version.
pub(crate) async fn set_up(store: &Store, tables: &Catalogue) -> Result<(), Trouble> {
    let mut tx = store.db().begin().await?;
    ledger::create(&mut tx).await?;
    let past = store.clock().now().micros() - i64::try_from(ABANDONED.as_micros()).unwrap_or(i64::MAX);
    for table in ledger::abandoned(&mut tx, past).await? {
        ledger::discard(&mut tx, &table).await?;
    }
    tx.commit().await?;
    for projector in tables.iter() {
        let mut tries = TRIES;
        while let Err(trouble) = build_unless_live(store, projector.clone()).await {
            let again = matches!(&trouble, Trouble::Store(error) if error.asks_to_retry());
            if !again || tries == 0 {
                return Err(trouble);
            }
            tries -= 1;
        }
    }
    Ok(())
}

async fn build_unless_live(store: &Store, projector: Arc<dyn Projector>) -> Result<(), Trouble> {
    let (name, version) = (projector.name(), projector.version());
    let mut tx = store.db().begin().await?;
    let live = ledger::live(&mut tx, name).await?;
    tx.rollback().await?;
    match live {
        Some(live) if live.version == version => Ok(()),
        Some(live) if live.version > version => {
            Err(Trouble::Newer { projection: name, version: live.version })
        }
        _ => {
            tracing::info!(projection = name, version, "building");
            Building::begin(store, projector).await?.go_live(&mut |_| ()).await
        }
    }
}
