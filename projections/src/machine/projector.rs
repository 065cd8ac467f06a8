//! One table's way from facts to rows: a page of facts in, few statements out.

use super::{
    biography::{Biography, Chronicle, Nonsense},
    column::Shape,
    error::ReadError,
    pieces::{self, Piece},
    record::{self, Record},
};
use async_trait::async_trait;
use domain::{Log, Sid, Stream};
use sea_query::{Expr, ExprTrait, IndexCreateStatement, Query, TableCreateStatement};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    marker::PhantomData,
    sync::Arc,
};
use store::{Batch, Fact, StoreError, Tx, padded};

/// Keys looked up by one statement, at most.
const MAX_KEYS: usize = 1_000;

/// A table and how it is told, whatever its row type.
#[async_trait]
pub(crate) trait Projector: Send + Sync {
    fn name(&self) -> &'static str;
    fn version(&self) -> i64;
    fn log(&self) -> Log;
    fn key(&self) -> &'static [&'static str];
    fn columns(&self) -> &'static [&'static str];
    fn shapes(&self) -> Vec<Shape>;
    fn create(&self, table: &str) -> (TableCreateStatement, Vec<IndexCreateStatement>);
    /// Whether a table of pieces stands beside it.
    fn searched(&self) -> bool {
        false
    }

    /// Tells these facts, in order, to the physical table `table`.
    async fn project(&self, tx: &mut Tx, table: &str, facts: &[&Fact]) -> Result<(), Fault>;
}

/// Why a page was not told.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The database failed.
    Store(StoreError),
    /// This fact can't be told; trying again is pointless.
    Nonsense { position: i64, stream: Sid, reason: Nonsense },
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::Store(error)
    }
}

impl Fault {
    pub(crate) fn of(fact: &Fact, reason: Nonsense) -> Fault {
        Fault::Nonsense { position: fact.position, stream: fact.stream.clone(), reason }
    }

    /// Refused values, when only one fact can have made them, are that fact's nonsense.
    pub(crate) fn pinned(self, facts: &[Fact]) -> Fault {
        match (self, facts) {
            (Fault::Store(error), [fact]) if error.refuses_values() => {
                Fault::of(fact, Nonsense::unstorable(fact, &error))
            }
            (fault, _) => fault,
        }
    }
}

/// The tables there are, in the order they are made in.
#[derive(Clone)]
pub(crate) struct Catalogue(Arc<[Arc<dyn Projector>]>);

impl Catalogue {
    pub(crate) fn new(tables: impl IntoIterator<Item = Arc<dyn Projector>>) -> Catalogue {
        Catalogue(tables.into_iter().collect())
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<dyn Projector>> {
        self.0.iter()
    }

    /// Those that one log tells.
    pub(crate) fn of(&self, log: Log) -> impl Iterator<Item = &Arc<dyn Projector>> {
        self.iter().filter(move |projector| projector.log() == log)
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.iter().map(|projector| projector.name()).collect()
    }
}

/// How a table of things is told.
pub(crate) fn rows<R: Biography>() -> Arc<dyn Projector> {
    Arc::new(Rows::<R>(PhantomData))
}

/// How a table of events is told.
pub(crate) fn entries<R: Chronicle>() -> Arc<dyn Projector> {
    Arc::new(Entries::<R>(PhantomData))
}

/// A table of things.
struct Rows<R>(PhantomData<fn() -> R>);

/// A table of events.
struct Entries<R>(PhantomData<fn() -> R>);

/// What both have from their row type.
macro_rules! described_by_its_row {
    ($log:expr) => {
        fn name(&self) -> &'static str {
            R::NAME
        }
        fn version(&self) -> i64 {
            R::VERSION
        }
        fn log(&self) -> Log {
            $log
        }
        fn key(&self) -> &'static [&'static str] {
            R::KEY
        }
        fn columns(&self) -> &'static [&'static str] {
            R::COLUMNS
        }
        fn shapes(&self) -> Vec<Shape> {
            R::shapes()
        }
        fn create(&self, table: &str) -> (TableCreateStatement, Vec<IndexCreateStatement>) {
            (record::create::<R>(table), record::indexes::<R>(table))
        }
    };
}

#[async_trait]
impl<R: Biography> Projector for Rows<R> {
    described_by_its_row!(R::Of::LOG);

    fn searched(&self) -> bool {
        R::SEARCHED
    }

    async fn project(&self, tx: &mut Tx, table: &str, facts: &[&Fact]) -> Result<(), Fault> {
        let mut told = Vec::new();
        for fact in facts {
            let Some(event) = fact.of::<R::Of>() else { continue };
            let event = event.map_err(|error| Fault::of(fact, error.into()))?;
            if let Some(subject) = R::subject(fact, &event) {
                told.push((subject, *fact, event));
            }
        }
        let subjects: HashSet<&Sid> = told.iter().map(|(subject, ..)| subject).collect();
        let mut rows = kin::<R>(tx, table, &told).await?;
        rows.extend(load::<R>(tx, table, &subjects, &told).await?);
        let known: HashMap<Sid, R> = rows.clone();
        let mut touched: Vec<Sid> = subjects.into_iter().cloned().collect();
        touched.sort_unstable();
        for (subject, fact, event) in told {
            let row = rows.remove(&subject);
            let row = R::turn_among(row, &rows, fact, event).map_err(|reason| Fault::of(fact, reason))?;
            if let Some(row) = row {
                rows.insert(subject, row);
            }
        }
        let gone: Vec<&Sid> =
            touched.iter().filter(|sid| known.contains_key(sid) && !rows.contains_key(sid)).collect();
        let changed: Vec<&R> = touched
            .iter()
            .filter_map(|sid| rows.get(sid).filter(|row| known.get(sid) != Some(*row)))
            .collect();
        let mut writes = tx.batch();
        for rows in changed.chunks(writes.rows_at_once(R::COLUMNS.len())) {
            let different =
                record::different(rows.iter().filter_map(|row| Some((known.get(row.sid())?, *row))));
            writes.add(&record::upsert(table, rows.iter().copied(), &different));
        }
        for sids in gone.chunks(MAX_KEYS) {
            let keys = sids.iter().map(|sid| sid.as_str());
            let delete = Query::delete()
                .from_table(table.to_owned())
                .and_where(Expr::col("sid").is_in(keys))
                .to_owned();
            writes.add(&delete);
        }
        if R::SEARCHED {
            search(&mut writes, &pieces::beside(table), &touched, (&known, &rows));
        }
        Ok(tx.execute_batch(writes).await?)
    }
}

/// Brings the pieces of these rows from what they were to what they are.
fn search<R: Biography>(
    writes: &mut Batch,
    table: &str,
    touched: &[Sid],
    (before, after): (&HashMap<Sid, R>, &HashMap<Sid, R>),
) {
    let all = |row: Option<&R>| row.map(|row| Piece::all(row.texts(), row.sid())).unwrap_or_default();
    let mut new = Vec::new();
    for sid in touched {
        let (before, after) = (before.get(sid), after.get(sid));
        if before.map(R::texts) == after.map(R::texts) {
            continue;
        }
        let (before, after) = (all(before), all(after));
        let gone: Vec<&Piece> = before.difference(&after).collect();
        if !gone.is_empty() {
            let pieces = padded(gone.iter().map(|piece| piece.piece.as_str()));
            let whose: BTreeSet<&str> = gone.iter().map(|piece| piece.carrier.as_str()).collect();
            let mut delete = Query::delete();
            delete.from_table(table.to_owned()).and_where(Expr::col("carrier").is_in(whose));
            delete.and_where(record::is("sid", sid.as_str())).and_where(Expr::col("piece").is_in(pieces));
            writes.add(&delete);
        }
        new.extend(after.difference(&before).cloned());
    }
    new.sort_unstable();
    for pieces in new.chunks(writes.rows_at_once(Piece::COLUMNS.len())) {
        writes.add(&record::insert(table, pieces.iter()));
    }
}

/// The rows of these subjects, as the table has them.
async fn load<R: Biography>(
    tx: &mut Tx,
    table: &str,
    subjects: &HashSet<&Sid>,
    told: &[(Sid, &Fact, <R::Of as cqrs_es::Aggregate>::Event)],
) -> Result<HashMap<Sid, R>, Fault> {
    let mut rows = HashMap::with_capacity(subjects.len());
    let subjects: Vec<&str> = subjects.iter().map(|sid| sid.as_str()).collect();
    for keys in subjects.chunks(MAX_KEYS) {
        let mut select = record::select::<R>(table);
        select.and_where(Expr::col("sid").is_in(padded(keys.iter().copied())));
        for row in tx.fetch_all(&select).await? {
            let row = R::read(&row).map_err(|error| damaged(told, error))?;
            rows.insert(row.sid().clone(), row);
        }
    }
    Ok(rows)
}

/// The rows that others depend on in these turns, as the table has them.
async fn kin<R: Biography>(
    tx: &mut Tx,
    table: &str,
    told: &[(Sid, &Fact, <R::Of as cqrs_es::Aggregate>::Event)],
) -> Result<HashMap<Sid, R>, Fault> {
    let kin: HashSet<_> = told.iter().filter_map(|(_, fact, event)| R::kin(fact, event)).collect();
    let mut rows = HashMap::new();
    for (column, value) in kin {
        let select = record::select::<R>(table).and_where(record::is(column, value)).to_owned();
        for row in tx.fetch_all(&select).await? {
            let row = R::read(&row).map_err(|error| damaged(told, error))?;
            rows.insert(row.sid().clone(), row);
        }
    }
    Ok(rows)
}

/// A row that was changed by other hands: the first fact that needs it can't be told.
fn damaged<E>(told: &[(Sid, &Fact, E)], error: ReadError) -> Fault {
    match (error, told.first()) {
        (ReadError::Store(error), _) => Fault::Store(error),
        (error, Some((_, fact, _))) => Fault::of(fact, Nonsense::unstorable(fact, &error)),
        (_, None) => Fault::Store(StoreError::Closed),
    }
}

#[async_trait]
impl<R: Chronicle> Projector for Entries<R> {
    described_by_its_row!(R::LOG);

    async fn project(&self, tx: &mut Tx, table: &str, facts: &[&Fact]) -> Result<(), Fault> {
        let mut entries = Vec::with_capacity(facts.len());
        for fact in facts {
            entries.extend(R::entry(fact).map_err(|reason| Fault::of(fact, reason))?);
        }
        let mut writes = tx.batch();
        for rows in entries.chunks(writes.rows_at_once(R::COLUMNS.len())) {
            writes.add(&record::insert(table, rows.iter()));
        }
        Ok(tx.execute_batch(writes).await?)
    }
}
