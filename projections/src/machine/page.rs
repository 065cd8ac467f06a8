//! One page: facts become rows and the checkpoint moves, in one transaction for all tables that stand together.

use super::{
    ledger::{self, Checkpoint},
    projector::{Catalogue, Fault, Projector},
};
use domain::{Log, Sid};
use std::{collections::HashMap, sync::Arc};
use store::{Fact, Store, StoreError, Tx};

/// A table somebody fills.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) projector: Arc<dyn Projector>,
    /// Its physical table.
    pub(crate) table: String,
    /// The last fact it was told.
    pub(crate) position: i64,
    /// The streams it leaves out, and from which position on.
    pub(crate) parked: HashMap<Sid, (i64, String)>,
    /// Why it does not get any further.
    pub(crate) stopped: Option<String>,
}

/// Why a page was not told.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another leads now, or a table is not live any more.
    Fenced,
    /// The database failed.
    Store(StoreError),
    /// The database will not have a row that some fact of this page makes.
    Values,
    /// This fact can't be told to this table.
    Nonsense { member: usize, position: i64, stream: Sid, reason: String },
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        Refused::Store(error)
    }
}

impl Refused {
    fn by(member: usize, fault: Fault) -> Refused {
        match fault {
            Fault::Store(error) if error.refuses_values() => Refused::Values,
            Fault::Store(error) => Refused::Store(error),
            Fault::Nonsense { position, stream, reason } => {
                Refused::Nonsense { member, position, stream, reason: reason.to_string() }
            }
        }
    }
}

impl Member {
    /// Tells it the facts that it does not leave out.
    pub(crate) async fn tell(&self, tx: &mut Tx, facts: &[Fact]) -> Result<(), Fault> {
        let left_out =
            |fact: &&Fact| self.parked.get(&fact.stream).is_some_and(|(from, _)| fact.position >= *from);
        let wanted: Vec<&Fact> = facts.iter().filter(|fact| !left_out(fact)).collect();
        self.projector.project(tx, &self.table, &wanted).await
    }
}

/// The live tables of a log as they stand, put under `epoch`, whose lease then lasts until `until`. None when another leads
/// by now, or a table is of another release: its rows are not ours to write.
pub(crate) async fn members(
    store: &Store,
    tables: &Catalogue,
    log: Log,
    (epoch, until): (i64, i64),
) -> Result<Option<Vec<Member>>, StoreError> {
    let mut tx = store.db().begin().await?;
    // First: its row lock keeps others from taking the lead before the tables are ours.
    if !ledger::keep(&mut tx, log, epoch, until).await? {
        tx.rollback().await?;
        return Ok(None);
    }
    ledger::stamp(&mut tx, log, epoch).await?;
    let checkpoints = ledger::checkpoints(&mut tx, log).await?;
    let mut members = Vec::new();
    for projector in tables.of(log) {
        let Some(checkpoint) = live(&checkpoints, &**projector) else {
            tx.rollback().await?;
            return Ok(None);
        };
        let (table, position) = (checkpoint.table.clone(), checkpoint.position);
        let parked = ledger::parked(&mut tx, &table).await?;
        let projector = projector.clone();
        members.push(Member { projector, table, position, parked, stopped: None });
    }
    tx.commit().await?;
    Ok(Some(members))
}

/// Whether every live table of a log is of the version this process tells.
pub(crate) async fn ours(tx: &mut Tx, tables: &Catalogue, log: Log) -> Result<bool, StoreError> {
    let checkpoints = ledger::checkpoints(tx, log).await?;
    Ok(tables.of(log).all(|projector| live(&checkpoints, &**projector).is_some()))
}

/// A projection's live table, if it is of the version told here.
fn live<'c>(checkpoints: &'c [Checkpoint], projector: &dyn Projector) -> Option<&'c Checkpoint> {
    let told = |checkpoint: &&Checkpoint| {
        (checkpoint.name.as_str(), checkpoint.version) == (projector.name(), projector.version())
    };
    checkpoints.iter().find(told)
}

/// Tells `facts` to live tables that all stand at the same position, under `epoch`. `group` are their places in
/// `members`.
pub(crate) async fn tell(
    store: &Store,
    members: &[Member],
    group: &[usize],
    epoch: i64,
    facts: &[Fact],
) -> Result<(), Refused> {
    let mut tx = store.db().begin().await?;
    match tell_within(&mut tx, members, group, epoch, facts).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(refused) => {
            // Best effort: dropping the transaction undoes it as well.
            let _ = tx.rollback().await;
            Err(refused)
        }
    }
}

/// The same inside a transaction: the fence first, for its row locks keep a stale leader's rows out.
pub(crate) async fn tell_within(
    tx: &mut Tx,
    members: &[Member],
    group: &[usize],
    epoch: i64,
    facts: &[Fact],
) -> Result<(), Refused> {
    let group: Vec<(usize, &Member)> = group.iter().filter_map(|at| Some((*at, members.get(*at)?))).collect();
    let (Some((_, first)), Some(last)) = (group.first(), facts.last()) else { return Ok(()) };
    let tables: Vec<&str> = group.iter().map(|(_, member)| member.table.as_str()).collect();
    if !ledger::fence(tx, &tables, epoch, (first.position, last.position)).await? {
        return Err(Refused::Fenced);
    }
    for (at, member) in group {
        member.tell(tx, facts).await.map_err(|fault| Refused::by(at, fault.pinned(facts)))?;
    }
    Ok(())
}
