//! Standing by: another node leads. Says how far it has come and what changed, and takes over when its lease runs out.

use super::{Over, POLL, Runner};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// How often the leader's progress is looked at while something of ours is on its way.
const GLANCE: Duration = Duration::from_millis(10);
/// How often the leader's lease is looked at.
const VIGIL: Duration = Duration::from_millis(250);

impl Runner {
    /// Until this node leads; returns its epoch.
    pub(super) async fn stand_by(&self) -> Result<i64, Over> {
        let mut committed = self.shared.store.watch(self.log);
        let mut vigil = tokio::time::interval(VIGIL);
        vigil.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let head = *committed.borrow_and_update();
            let standing = self.standing().await?;
            let position = standing.position;
            self.publish(standing);
            self.catch_up_telling(position).await?;
            let urgent = self.shared.state(self.log).urgent.notified();
            tokio::select! {
                () = self.stop.cancelled() => return Err(Over::Stopped),
                changed = committed.changed() => if changed.is_err() { tokio::time::sleep(POLL).await },
                () = urgent => tokio::time::sleep(GLANCE).await,
                () = tokio::time::sleep(GLANCE), if position < head => {}
                _ = vigil.tick() => if let Some(epoch) = self.take_lead(self.alone()).await? {
                    return Ok(epoch);
                },
            }
        }
    }
}
