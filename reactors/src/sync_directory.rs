//! `sync_directory`: keeps the engine's snapshot of trunks, numbers and accounts as the core log has it. While the
//! database is away the last snapshot serves.

use crate::Common;
use arc_swap::ArcSwap;
use domain::{Log, Sid, country::Country};
use projections::{CarrierRow, DirectoryRows, PhoneNumberRow, Projections, ReadError, TrunkRow};
use sip_engine::routing::{AccountEntry, Directory, NumberEntry, TrunkEntry};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use store::{StoreError, Vault};

/// How often the log is looked at without a signal.
const POLL: Duration = Duration::from_secs(1);
/// How long changes gather before the snapshot is made anew.
const GATHER: Duration = Duration::from_millis(20);
/// How long the projections may take to come as far as the log.
const WAIT: Duration = Duration::from_secs(5);
/// The vault's kind and name of a trunk's digest password.
const SIP_PASSWORD: (&str, &str) = ("sip_password", "current");

/// The snapshot and where it stands; clones share it.
#[derive(Clone, Default)]
pub struct DirectoryMirror {
    directory: Arc<ArcSwap<Directory>>,
    position: Arc<AtomicI64>,
}

impl DirectoryMirror {
    /// What the engine routes by.
    #[must_use]
    pub fn directory(&self) -> Arc<ArcSwap<Directory>> {
        Arc::clone(&self.directory)
    }

    /// The position of the core log it knows of.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Makes the snapshot anew from the projections.
    ///
    /// # Errors
    /// When the database fails; the old one stays.
    pub async fn load(&self, projections: &Projections, vault: &Vault) -> Result<(), ReadError> {
        let rows = projections.system().directory().await?;
        let position = rows.position;
        let directory = directory_of(rows, vault).await?;
        self.directory.store(Arc::new(directory));
        self.position.store(position, Ordering::Relaxed);
        Ok(())
    }
}

/// Follows the core log until told to stop.
pub(crate) async fn run(mirror: DirectoryMirror, projections: Projections, common: Common) {
    let follow = async {
        let mut committed = common.store.watch(Log::Core);
        loop {
            // Either outcome, a signal or the poll, means: look.
            let _ = tokio::time::timeout(POLL, committed.changed()).await;
            tokio::time::sleep(GATHER).await;
            if let Err(error) = catch_up(&mirror, &projections, &common).await {
                tracing::warn!(%error, position = mirror.position(), "calls are routed by the last known directory");
                tokio::time::sleep(POLL).await;
            }
        }
    };
    common.stop.run_until_cancelled(follow).await;
}

async fn catch_up(
    mirror: &DirectoryMirror,
    projections: &Projections,
    common: &Common,
) -> Result<(), ReadError> {
    let head = common.store.head(Log::Core).await?;
    if head <= mirror.position() {
        return Ok(());
    }
    if let Err(behind) = projections.reached(Log::Core, head, WAIT).await {
        tracing::warn!(%behind, "the directory follows as far as the projections have come");
    }
    if projections.position(Log::Core) > mirror.position() {
        mirror.load(projections, common.store.vault()).await?;
    }
    Ok(())
}

async fn directory_of(rows: DirectoryRows, vault: &Vault) -> Result<Directory, StoreError> {
    let DirectoryRows { carriers, accounts, trunks, phone_numbers, .. } = rows;
    let countries: HashMap<Sid, Country> =
        carriers.into_iter().map(|CarrierRow { sid, country, .. }| (sid, country)).collect();
    let mut entries = Vec::with_capacity(trunks.len());
    for trunk in trunks {
        let password = password_of(&trunk, vault).await?;
        entries.push(trunk_entry(trunk, &countries, password));
    }
    let accounts = accounts.into_iter().map(|account| AccountEntry {
        sid: account.sid,
        carrier: account.carrier,
        enabled: account.enabled,
    });
    let numbers = phone_numbers.into_iter().map(number_entry);
    Ok(Directory::new(entries, numbers.collect(), accounts.collect()))
}

async fn password_of(trunk: &TrunkRow, vault: &Vault) -> Result<Option<Arc<str>>, StoreError> {
    let user = trunk.outbound.as_ref().and_then(|outbound| outbound.username.as_ref());
    if user.is_none() {
        return Ok(None);
    }
    let secret = vault.get(&trunk.sid, SIP_PASSWORD.0, SIP_PASSWORD.1).await?;
    Ok(secret.as_ref().and_then(|secret| secret.text()).map(Arc::from))
}

fn trunk_entry(trunk: TrunkRow, countries: &HashMap<Sid, Country>, password: Option<Arc<str>>) -> TrunkEntry {
    let (sources, country) =
        trunk.inbound.map(|inbound| (inbound.sources, inbound.country)).unwrap_or_default();
    TrunkEntry {
        country: country.or_else(|| countries.get(&trunk.carrier).copied()),
        sid: trunk.sid,
        carrier: trunk.carrier,
        sources,
        outbound: trunk.outbound,
        password,
    }
}

fn number_entry(row: PhoneNumberRow) -> NumberEntry {
    let PhoneNumberRow { sid, carrier, account, number, enabled, voice, .. } = row;
    NumberEntry { sid, carrier, number, account, enabled, voice }
}
