//! How far the tables of each log have come, and how they are.

use domain::Log;
use serde::Serialize;
use std::time::Duration;
use tokio::sync::watch;

/// How far the tables of one log have come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Every table of the log has passed it.
    pub(crate) position: i64,
    /// Why some table will not get any further by itself.
    pub(crate) stopped: Option<String>,
}

/// A table has not come as far as was asked for, in the time that was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tables of log {} stand at {at}, not yet at {wanted}{}", log.as_str(), because(stopped))]
pub struct Behind {
    /// Of which log.
    pub log: Log,
    /// The position that was asked for.
    pub wanted: i64,
    /// The position they stand at.
    pub at: i64,
    /// Why some table will not get any further by itself, when that is so.
    pub stopped: Option<String>,
}

fn because(stopped: &Option<String>) -> String {
    stopped.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()
}

/// How the tables of one log are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogHealth {
    /// The log.
    pub log: Log,
    /// Every table of the log has passed it.
    pub position: i64,
    /// The log's last event.
    pub head: i64,
    /// Why some table will not get any further by itself: readiness must fail.
    pub stopped: Option<String>,
    /// Streams whose events some table leaves out, because one of them could not be told.
    pub parked: i64,
}

/// Waits until a log's tables have passed `wanted`, or stopped, or the time is over.
pub(crate) async fn reached(
    mut standing: watch::Receiver<Standing>,
    log: Log,
    wanted: i64,
    within: Duration,
) -> Result<(), Behind> {
    let there = |now: &Standing| now.position >= wanted || now.stopped.is_some();
    let _ = tokio::time::timeout(within, standing.wait_for(there)).await;
    let Standing { position: at, stopped } = standing.borrow().clone();
    if at >= wanted { Ok(()) } else { Err(Behind { log, wanted, at, stopped }) }
}
