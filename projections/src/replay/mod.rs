//! Tables from the log anew: rebuilding one while it serves, and verifying that all are what the log says.

mod compare;

use crate::{
    Trouble,
    building::{self, Building},
    ledger,
    projector::{self, Projector},
};
use domain::Log;
use serde::Serialize;
use std::sync::Arc;
use store::Store;

/// Differences `verify` reports of one table, at most.
pub const MAX_DIFFERENCES: usize = 100;

/// How far a long work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The table that is being worked on.
    pub projection: &'static str,
    /// Which one it is, from 0.
    pub index: usize,
    /// How many there are to do.
    pub of: usize,
    /// Events told to it.
    pub done: i64,
    /// Events there are.
    pub total: i64,
}

/// Hears of progress, after each page.
pub type Hear<'h> = &'h (dyn Fn(Progress) + Send + Sync);

/// A place where a live table is not what the log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The table.
    pub projection: &'static str,
    /// The row's key; several columns are separated by `/`.
    pub key: String,
    /// The column that differs; empty when a whole row is missing or too many.
    pub column: Option<&'static str>,
    /// What the live table has; empty for nothing.
    pub live: Option<String>,
    /// What the log says; empty for nothing.
    pub rebuilt: Option<String>,
}

/// The names of all projections.
#[must_use]
pub fn names() -> Vec<&'static str> {
    projector::all().iter().map(|projector| projector.name()).collect()
}

/// Builds a table anew from the first event while the live one serves, and switches to it in one transaction. Streams the
/// old one left out get another chance.
///
/// # Errors
/// When there is no such projection, an event can't be told, or the database fails. The live table serves on then.
pub async fn rebuild(store: &Store, name: &str, hear: Hear<'_>) -> Result<(), Trouble> {
    building::set_up(store).await?;
    let projector = projector::all().into_iter().find(|projector| projector.name() == name);
    let projector = projector.ok_or_else(|| Trouble::Unknown(name.chars().take(64).collect()))?;
    let total = store.head(projector.log()).await?;
    let projection = projector.name();
    let seen = |done: i64| hear(Progress { projection, index: 0, of: 1, done, total: total.max(done) });
    let mut building = Building::begin(store, projector).await?;
    match building.fill(total, &seen).await {
        Ok(()) => building.go_live(&seen).await,
        Err(trouble) => {
            building.discard().await?;
            Err(trouble)
        }
    }
}

/// Builds every table anew beside the live one, up to the same event, and reports where they differ: nowhere, unless
/// somebody changed a table by hand, or a biography without changing its version. The live ones serve on.
///
/// # Errors
/// When an event can't be told, or the database fails.
pub async fn verify(store: &Store, hear: Hear<'_>) -> Result<Vec<Difference>, Trouble> {
    building::set_up(store).await?;
    let all = projector::all();
    let mut differences = Vec::new();
    let of = all.len();
    for (index, projector) in all.into_iter().enumerate() {
        let total = standing(store, &projector).await?;
        let projection = projector.name();
        let seen = |done: i64| hear(Progress { projection, index, of, done, total: total.max(done) });
        let mut building = Building::begin(store, projector).await?;
        let found = compare::differences(store, &mut building, total, &seen).await;
        building.discard().await?;
        differences.extend(found?);
    }
    Ok(differences)
}

/// Where the live table stands.
async fn standing(store: &Store, projector: &Arc<dyn Projector>) -> Result<i64, Trouble> {
    let log: Log = projector.log();
    let mut tx = store.db().snapshot().await?;
    let checkpoints = ledger::checkpoints(&mut tx, log).await?;
    tx.rollback().await?;
    let live = checkpoints.into_iter().find(|checkpoint| checkpoint.name == projector.name());
    Ok(live.map_or(0, |live| live.position))
}
