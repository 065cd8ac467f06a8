//! Standing by: another node leads. Says how far it has come and what changed, and takes over when its lease runs out.

use super::{Over, POLL, Runner};
use crate::Change;
use std::time::Duration;

/// How often the leader's progress is looked at while something of ours is on its way.
const GLANCE: Duration = Duration::from_millis(10);
/// How often the leader's lease is looked at.
const VIGIL: Duration = Duration::from_millis(250);
/// Facts read at once to say what changed.
const PAGE: usize = 500;

impl Runner {
    /// Until this node leads; returns its epoch.
    pub(super) async fn stand_by(&self) -> Result<i64, Over> {
        let mut committed = self.shared.store.watch(self.log);
        let mut told = self.standing().await?.position;
        loop {
            let head = *committed.borrow_and_update();
            let standing = self.standing().await?;
            told = self.tell_changes(told, standing.position).await?;
            let pause = if standing.position < head { GLANCE } else { VIGIL };
            self.publish(standing);
            let urgent = self.shared.lane(self.log).urgent.notified();
            tokio::select! {
                changed = committed.changed() => if changed.is_err() { tokio::time::sleep(POLL).await },
                () = urgent => tokio::time::sleep(GLANCE).await,
                () = tokio::time::sleep(pause) => {}
            }
            if let Some(epoch) = self.take_lead(false).await? {
                return Ok(epoch);
            }
        }
    }

    /// Says what changed up to where the leader has come.
    async fn tell_changes(&self, mut told: i64, reached: i64) -> Result<i64, Over> {
        while told < reached {
            let missing = usize::try_from(reached - told).unwrap_or(PAGE).min(PAGE);
            let facts = self.shared.store.read(self.log, told, missing).await?;
            let Some(last) = facts.last() else { break };
            told = last.position;
            facts.iter().filter_map(Change::of).for_each(|change| self.shared.tell(change));
        }
        Ok(told)
    }
}
