//! Data keys: one per carrier, made when first needed, stored wrapped by the master key, kept open in memory.

use super::sealing;
use crate::{Db, Hash, StoreError};
use domain::{Clock, Ids, Sid, Timestamp};
use parking_lot::{Mutex, MutexGuard};
use ring::{aead::LessSafeKey, hmac};
use sea_query::{Expr, ExprTrait, OnConflict, Order, Query};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Keys kept open at once; past that all are opened again when needed.
const OPEN: usize = 10_000;
/// How long one is kept open: another node may destroy it.
const OPEN_FOR: Duration = Duration::from_secs(60);

pub(super) struct Keys {
    db: Db,
    master: [u8; 32],
    /// Derived from it, for proofs.
    proving: hmac::Key,
    open: Mutex<HashMap<Sid, Opened>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

struct Opened {
    key: Arc<LessSafeKey>,
    until: Timestamp,
}

impl Keys {
    pub fn new(db: Db, master: &[u8; 32], clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Keys {
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, master), b"trunkline proofs 1");
        let proving = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        Keys { db, master: *master, proving, open: Mutex::default(), clock, ids }
    }

    /// The carrier's key, made when it has none.
    pub async fn of(&self, carrier: &Sid) -> Result<Arc<LessSafeKey>, StoreError> {
        let now = self.clock.now();
        if let Some(opened) = self.cache().get(carrier).filter(|opened| opened.until > now) {
            return Ok(opened.key.clone());
        }
        let wrapped = match self.stored(carrier).await? {
            Some(wrapped) => wrapped,
            None => self.make(carrier).await?,
        };
        let bytes = sealing::open(&sealing::key(&self.master)?, carrier.as_str().as_bytes(), &wrapped)?;
        let key = Arc::new(sealing::key(&bytes)?);
        let mut open = self.cache();
        if open.len() >= OPEN {
            open.clear();
        }
        open.insert(carrier.clone(), Opened { key: key.clone(), until: now.plus(OPEN_FOR) });
        Ok(key)
    }

    /// Whether the first carrier's key opens with this master key; there is nothing to say while there is none.
    pub async fn check(&self) -> Result<(), StoreError> {
        let query = Query::select()
            .columns(["carrier", "wrapped"])
            .from("es_keys")
            .and_where(Expr::col("wrapped").is_not_null())
            .order_by("created_at", Order::Asc)
            .limit(1)
            .to_owned();
        let Some(row) = self.db.fetch_optional(&query).await? else { return Ok(()) };
        let (carrier, wrapped) = (row.at::<String>(0)?, row.at::<Vec<u8>>(1)?);
        sealing::open(&sealing::key(&self.master)?, carrier.as_bytes(), &wrapped).map(drop)
    }

    /// A name for `parts` that says nothing about them to whoever lacks the master key: 32 hex digits.
    pub fn name(&self, parts: &[&str]) -> String {
        let mut name = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.master));
        for part in parts {
            name.update(&(part.len() as u64).to_be_bytes());
            name.update(part.as_bytes());
        }
        name.sign().as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// HMAC-SHA256 over the parts, each with its length before it, under a key that is used for nothing else.
    pub fn mac(&self, parts: &[&[u8]]) -> Hash {
        let mut mac = hmac::Context::with_key(&self.proving);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut sum = [0; 32];
        sum.copy_from_slice(mac.sign().as_ref());
        sum
    }

    /// Destroys the carrier's key. It is never made again: a late write must not look like a fresh start.
    pub async fn destroy(&self, carrier: &Sid) -> Result<(), StoreError> {
        let now = self.clock.now().micros();
        let mut insert = Query::insert().into_table("es_keys").to_owned();
        insert.columns(["carrier", "wrapped", "created_at", "destroyed_at"]);
        insert.values_panic([carrier.as_str().into(), None::<Vec<u8>>.into(), now.into(), now.into()]);
        let gone = OnConflict::column("carrier").update_columns(["wrapped", "destroyed_at"]).to_owned();
        self.db.execute(insert.on_conflict(gone)).await?;
        self.cache().remove(carrier);
        Ok(())
    }

    fn cache(&self) -> MutexGuard<'_, HashMap<Sid, Opened>> {
        self.open.lock()
    }

    async fn stored(&self, carrier: &Sid) -> Result<Option<Vec<u8>>, StoreError> {
        let ours = Expr::col("carrier").eq(carrier.as_str());
        let query = Query::select().column("wrapped").from("es_keys").and_where(ours).to_owned();
        match self.db.fetch_optional(&query).await? {
            Some(row) => row.at::<Option<Vec<u8>>>(0)?.ok_or(StoreError::Forgotten).map(Some),
            None => Ok(None),
        }
    }

    /// Makes a key and stores it, unless another node was first: then that one's.
    async fn make(&self, carrier: &Sid) -> Result<Vec<u8>, StoreError> {
        let mut bytes = [0; 32];
        self.ids.fill(&mut bytes);
        let master = sealing::key(&self.master)?;
        let wrapped = sealing::seal(&master, carrier.as_str().as_bytes(), &bytes, &*self.ids)?;
        let mut insert =
            Query::insert().into_table("es_keys").columns(["carrier", "wrapped", "created_at"]).to_owned();
        insert.values_panic([carrier.as_str().into(), wrapped.into(), self.clock.now().micros().into()]);
        self.db.execute(insert.on_conflict(OnConflict::column("carrier").do_nothing().to_owned())).await?;
        self.stored(carrier).await?.ok_or(StoreError::Sealed)
    }
}
