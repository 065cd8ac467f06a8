//! For tests of this and other crates (feature `testing`): a store of every kind, throw-away PostgreSQL databases, a
//! clock that is moved by hand, and a small aggregate.

mod cluster;
mod no_kind;
mod plan;
mod tally;

pub use cluster::{durable_postgres, postgres};
pub use no_kind::NoKind;
pub use plan::plan;
pub use tally::{Tally, TallyCommand, TallyError, TallyEvent};

use crate::{RandomIds, Store, StoreOptions};
use domain::{Actor, Clock, Ids, Kind, Meta, Sid, Tenant, Timestamp};
use parking_lot::Mutex;
use std::{ops::Deref, path::Path, sync::Arc, time::Duration};

/// The master key of test stores.
pub const MASTER_KEY: [u8; 32] = [7; 32];
/// Longer than production's: test machines are busy.
const DEADLINE: Duration = Duration::from_secs(30);

/// A store for one test. Dereferences to it.
pub struct TestStore {
    /// `memory`, `sqlite`, `postgres` or `postgres-portable`.
    pub name: &'static str,
    /// The store.
    pub store: Store,
    /// What it was opened with.
    pub options: StoreOptions,
    _folder: Option<Arc<tempfile::TempDir>>,
}

impl Deref for TestStore {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

/// One fresh store of every kind.
pub async fn stores() -> Vec<TestStore> {
    let mut stores = vec![memory().await];
    stores.extend(durable_stores().await);
    stores
}

/// One fresh store of every kind that outlives its process.
pub async fn durable_stores() -> Vec<TestStore> {
    vec![sqlite().await, on_postgres().await, on_postgres_portable().await]
}

/// A fresh memory store.
pub async fn memory() -> TestStore {
    open("memory", options("memory:"), None).await
}

/// A fresh store on a file of its own, removed with it.
///
/// # Panics
/// When there is no temporary folder.
pub async fn sqlite() -> TestStore {
    let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
    let url = format!("sqlite://{}", folder.path().join("store.sqlite").display());
    open("sqlite", options(url), Some(folder)).await
}

/// A fresh store on a PostgreSQL database of its own.
pub async fn on_postgres() -> TestStore {
    open("postgres", options(postgres().await), None).await
}

/// The same, appending by portable statements.
pub async fn on_postgres_portable() -> TestStore {
    open("postgres-portable", options(postgres().await), None).await
}

/// The day the stores in schema/kept were written, at noon.
const KEPT_ON: i64 = 1_796_040_000_000_000;

/// A copy of the store that an earlier release left in schema/kept, opened on the day it was written: its ledger forgets
/// after seven.
///
/// # Panics
/// When there is none, or it does not open.
pub async fn kept(release: &str) -> TestStore {
    let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
    let file = folder.path().join("store.db");
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema/kept");
    std::fs::copy(Path::new(kept).join(release).join("store.db"), &file).expect("it is kept");
    let clock = Arc::new(ManualClock::at(KEPT_ON));
    let options = StoreOptions { clock, ..options(format!("sqlite://{}", file.display())) };
    open("kept", options, Some(folder)).await
}

/// Options for a test: the system's clock, a generous deadline.
pub fn options(url: impl Into<String>) -> StoreOptions {
    StoreOptions { deadline: DEADLINE, ..StoreOptions::new(url, MASTER_KEY) }
}

async fn open(
    name: &'static str,
    options: StoreOptions,
    folder: Option<Arc<tempfile::TempDir>>,
) -> TestStore {
    let opened = match name {
        "postgres-portable" => Store::open_portable(options.clone()).await,
        _ => Store::open(options.clone()).await,
    };
    let store = opened.unwrap_or_else(|error| panic!("{name} opens: {error}"));
    TestStore { name, store, options, _folder: folder }
}

impl TestStore {
    /// Closes it and opens it again.
    pub async fn reopen(self) -> TestStore {
        self.store.close().await;
        let TestStore { name, store, options, _folder: folder } = self;
        drop(store);
        open(name, options, folder).await
    }
}

/// A clock that stands until it is moved.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// A clock that stands at `micros` after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn at(micros: i64) -> ManualClock {
        ManualClock(Arc::new(Mutex::new(Timestamp::from_micros(micros))))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock();
        *now = now.plus(by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

/// A new identifier.
#[must_use]
pub fn sid(kind: Kind) -> Sid {
    Sid::new(kind, &RandomIds::default())
}

/// `Meta` of the test carrier, by the system part `test`, now.
#[must_use]
pub fn meta() -> Meta {
    let carrier = Sid::from_uuid(Kind::Carrier, uuid::Uuid::from_u128(1));
    Meta::new(Tenant::carrier(carrier), Actor::system("test"), crate::SystemClock.now())
}

/// A random text of 32 hex digits.
#[must_use]
pub fn token() -> String {
    RandomIds::default().token()
}
