//! Tables from the log anew: rebuilding one while it serves, and verifying that all are what the log says.

mod compare;

use crate::{
    Trouble,
    machine::{
        building::{self, Building},
        ledger,
        projector::{Catalogue, Projector},
    },
    tables,
};
use domain::Log;
use serde::Serialize;
use std::{fmt, sync::Arc};
use store::{Store, StoreOptions};

/// Differences `verify` reports of one table, at most.
pub const MAX_DIFFERENCES: usize = 100;

/// How far a long work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The table that is being worked on.
    pub projection: &'static str,
    /// Events told, to it and those before it.
    pub done: u64,
    /// Events there are to tell, to all of them.
    pub total: u64,
}

/// A place where a live table is not what the log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The table.
    pub projection: &'static str,
    /// The row's key; several columns are separated by `/`. `as a whole` when the table itself has stopped.
    pub key: String,
    /// The column that differs; empty when a whole row is missing or too many.
    pub column: Option<&'static str>,
    /// What the live table has; empty for nothing.
    pub live: Option<String>,
    /// What the log says; empty for nothing.
    pub rebuilt: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column.map(|column| format!(" {column}")).unwrap_or_default();
        let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let (live, rebuilt) = (side(&self.live), side(&self.rebuilt));
        write!(f, "{} {}{column}: the table has {live}, the log says {rebuilt}", self.projection, self.key)
    }
}

/// The names of all projections.
#[must_use]
pub fn names() -> Vec<&'static str> {
    tables::all().names()
}

/// Whether no table was built by a newer release: what `Projections::start` refuses, without a change.
///
/// # Errors
/// `Newer` when one was; else when the database fails, or never had tables.
pub async fn of_this_release(store: &Store) -> Result<(), Trouble> {
    let mut tx = store.db().snapshot().await?;
    for projector in tables::all().iter() {
        let (projection, version) = (projector.name(), projector.version());
        if let Some(live) = ledger::live(&mut tx, projection).await?.filter(|live| live.version > version) {
            return Err(Trouble::Newer { projection, version: live.version });
        }
    }
    Ok(tx.rollback().await?)
}

/// Builds a table anew from the first event while the live one serves, and switches to it in one transaction. Streams the
/// old one left out get another chance. `hear` hears of progress after each page.
///
/// # Errors
/// When there is no such projection, an event can't be told, or the database fails. The live table serves on then.
pub async fn rebuild(
    store: &Store,
    name: &str,
    mut hear: impl FnMut(Progress) + Send,
) -> Result<(), Trouble> {
    let tables = tables::all();
    let unknown = || Trouble::Unknown { name: name.chars().take(64).collect(), known: tables.names() };
    let projector = tables.iter().find(|projector| projector.name() == name).ok_or_else(unknown)?;
    building::set_up(store, &tables).await?;
    let total = store.head(projector.log()).await?;
    let projection = projector.name();
    let mut seen =
        |done: i64| hear(Progress { projection, done: count(done), total: count(total.max(done)) });
    let mut building = Building::begin(store, projector.clone()).await?;
    match building.fill(total, &mut seen).await {
        Ok(()) => building.go_live(&mut seen).await,
        Err(trouble) => {
            building.discard().await?;
            Err(trouble)
        }
    }
}

/// Builds every table anew, up to the same event as the live one, and reports where they differ: nowhere, unless somebody
/// changed a table by hand, or a biography without changing its version, or a table has stopped. The rebuilt ones are in
/// a temporary database, so a store opened to read is enough, and whoever writes to it goes on. `hear` hears of progress after
/// each page.
///
/// # Errors
/// When an event can't be told, or a database fails.
pub async fn verify(
    store: &Store,
    mut hear: impl FnMut(Progress) + Send,
) -> Result<Vec<Difference>, Trouble> {
    let positions = positions(store).await?;
    let scratch = Store::open(StoreOptions::new("memory:", [0; 32])).await?;
    let mut tx = scratch.db().begin().await?;
    ledger::create(&mut tx).await?;
    tx.commit().await?;
    let total = count(positions.iter().map(|(_, position)| position).sum());
    let (mut before, mut differences) = (0, Vec::new());
    for (projector, position) in positions {
        let projection = projector.name();
        let mut seen = |done: i64| {
            let done = before + count(done);
            hear(Progress { projection, done, total: total.max(done) });
        };
        let mut building = Building::begin_in(scratch.db(), store, projector).await?;
        match compare::differences(store, &mut building, position, &mut seen).await {
            Err(Trouble::Store(error)) if error.misses_a_table() => differences.push(dropped(projection)),
            found => differences.extend(found?),
        }
        building.discard().await?;
        before += count(position);
    }
    scratch.close().await;
    Ok(differences)
}

/// A live table that somebody dropped, or the one beside it that it is searched by.
fn dropped(projection: &'static str) -> Difference {
    let live = Some("been dropped".to_owned());
    let rebuilt = Some("that it is there".to_owned());
    Difference { projection, key: "as a whole".into(), column: None, live, rebuilt }
}

/// Where each live table stands. Makes tables that are missing, in a store that was never served.
async fn positions(store: &Store) -> Result<Vec<(Arc<dyn Projector>, i64)>, Trouble> {
    let tables = tables::all();
    let known = known_positions(store, &tables).await?;
    if known.len() == tables.iter().count() {
        return Ok(known);
    }
    building::set_up(store, &tables).await?;
    known_positions(store, &tables).await
}

async fn known_positions(
    store: &Store,
    tables: &Catalogue,
) -> Result<Vec<(Arc<dyn Projector>, i64)>, Trouble> {
    let mut tx = store.db().snapshot().await?;
    let mut known = Vec::new();
    for log in Log::ALL {
        let checkpoints = ledger::checkpoints(&mut tx, log).await?;
        for projector in tables.iter() {
            let live = checkpoints.iter().find(|checkpoint| checkpoint.name == projector.name());
            known.extend(live.map(|live| (projector.clone(), live.position)));
        }
    }
    tx.rollback().await?;
    Ok(known)
}

fn count(position: i64) -> u64 {
    u64::try_from(position).unwrap_or(0)
}
