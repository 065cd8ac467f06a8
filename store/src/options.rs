//! What a store is opened with.

use domain::{Clock, Ids};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Where the store is and what it is handed.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite://path` (made when missing), `postgres://…`, or `memory:` (gone when the store is).
    pub url: String,
    /// Wraps the data keys of the vault. Losing it loses every secret.
    pub master_key: [u8; 32],
    /// Tells when facts were recorded and when secrets expire.
    pub clock: Arc<dyn Clock>,
    /// Makes event ids, nonces and keys.
    pub ids: Arc<dyn Ids>,
    /// How long any one call of the database may take. Not under tokio's paused time: the database keeps its own.
    pub deadline: Duration,
    /// How long to wait, at opening, for a database that does not take us in yet; none unless the settings say otherwise.
    pub patience: Duration,
    /// How long raw evidence (SIP messages) is kept.
    pub evidence_kept: Duration,
    /// A file that every new seal is noted in, a line each: copied elsewhere, it proves later that the log was not cut off.
    pub seals_file: Option<PathBuf>,
}

/// How long any one call of the database may take, unless the settings say otherwise.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// How long raw evidence is kept, unless the settings say otherwise: 30 days.
pub const EVIDENCE_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

impl StoreOptions {
    /// Options with the usual deadline (5 s) and retention of evidence (30 days), the system's clock and its generator.
    pub fn new(url: impl Into<String>, master_key: [u8; 32]) -> StoreOptions {
        let (clock, ids) = (Arc::new(crate::SystemClock), Arc::new(crate::RandomIds::default()));
        let (deadline, evidence_kept) = (DEADLINE, EVIDENCE_KEPT);
        let (url, seals_file, patience) = (url.into(), None, Duration::ZERO);
        StoreOptions { url, master_key, clock, ids, deadline, patience, evidence_kept, seals_file }
    }
}
