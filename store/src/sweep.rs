//! Removal of what has expired: ledger entries, secrets, evidence.

use crate::{Evidence, Vault, engine::Engine, ledger};
use domain::Timestamp;
use std::{sync::Arc, time::Duration};

/// How often it is done.
const EVERY: Duration = Duration::from_secs(3600);

/// Removes expired ledger entries, secrets and evidence older than `kept`, now and then.
pub(crate) async fn sweep(engine: Arc<Engine>, vault: Vault, evidence: Evidence, kept: Duration) {
    loop {
        let now = engine.clock.now();
        let kept = i64::try_from(kept.as_micros()).unwrap_or(i64::MAX);
        let too_old = Timestamp::from_micros(now.micros().saturating_sub(kept));
        let swept = [
            ledger::forget(&engine.db, &vault, now.micros()).await,
            vault.forget_expired(now.micros()).await,
            evidence.prune(too_old).await,
        ];
        for error in swept.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "expired rows stay for now");
        }
        tokio::time::sleep(EVERY).await;
    }
}
