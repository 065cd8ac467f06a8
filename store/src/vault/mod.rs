//! The vault: the one place for recoverable secrets (SIP passwords, auth tokens, TOTP seeds, signing secrets).
//!
//! AES-256-GCM under a data key per carrier, which is stored wrapped by the master key. A secret is bound to its carrier,
//! owner, kind and name, so a stored one opens nowhere else; destroying the data key erases all of a carrier's.

mod addresses;
mod keys;
mod sealing;

use crate::{Db, Hash, StoreError, StoreOptions};
use domain::{Clock, Ids, Sid, Timestamp};
use keys::Keys;
use sea_query::{Expr, ExprTrait, OnConflict, Order, Query, SimpleExpr};
use std::{fmt, sync::Arc};

/// Names listed at once, at most.
pub const NAMES: u64 = 1_000;

/// The vault; clones share it.
#[derive(Clone)]
pub struct Vault {
    db: Db,
    keys: Arc<Keys>,
    known: Arc<addresses::Known>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

/// A secret out of the vault. It does not print itself, and its memory is overwritten when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Vault {
    pub(crate) fn new(db: Db, options: &StoreOptions) -> Vault {
        let keys = Keys::new(db.clone(), &options.master_key, options.clock.clone(), options.ids.clone());
        let known = Arc::default();
        Vault { db, keys: Arc::new(keys), known, clock: options.clock.clone(), ids: options.ids.clone() }
    }

    /// Stores a secret, in place of the one of the same owner, kind and name. `carrier` is whose key seals it.
    ///
    /// # Errors
    /// When the database fails or the carrier's key has been destroyed.
    pub async fn put(
        &self,
        carrier: &Sid,
        owner: &Sid,
        kind: &str,
        name: &str,
        secret: &[u8],
        expires: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let slot = Slot { owner, kind, name };
        let sealed = self.seal(carrier, &slot, secret).await?;
        let columns = ["owner", "kind", "name", "carrier", "sealed", "expires_at"];
        let mut insert = Query::insert().into_table("es_secrets").columns(columns).to_owned();
        let place = [owner.as_str().into(), kind.into(), name.into(), carrier.as_str().into()];
        insert.values_panic(place.into_iter().chain([sealed.into(), expires.map(Timestamp::micros).into()]));
        let again = OnConflict::columns(columns.into_iter().take(3))
            .update_columns(columns.into_iter().skip(3))
            .to_owned();
        self.db.execute(insert.on_conflict(again)).await.map(drop)
    }

    /// Stores a secret that does not expire, unless there is one of that owner, kind and name; whether it did.
    ///
    /// # Errors
    /// As `put`.
    pub async fn put_new(
        &self,
        carrier: &Sid,
        owner: &Sid,
        kind: &str,
        name: &str,
        secret: &[u8],
    ) -> Result<bool, StoreError> {
        let sealed = self.seal(carrier, &Slot { owner, kind, name }, secret).await?;
        let mut insert = Query::insert().into_table("es_secrets").to_owned();
        insert.columns(["owner", "kind", "name", "carrier", "sealed"]);
        let place = [owner.as_str().into(), kind.into(), name.into(), carrier.as_str().into(), sealed.into()];
        insert.values_panic(place);
        let there = OnConflict::columns(["owner", "kind", "name"]).do_nothing().to_owned();
        Ok(self.db.execute(insert.on_conflict(there)).await? > 0)
    }

    /// The secret, unless there is none or it has expired.
    ///
    /// # Errors
    /// When the database fails, or what is stored does not open.
    pub async fn get(&self, owner: &Sid, kind: &str, name: &str) -> Result<Option<Secret>, StoreError> {
        let slot = Slot { owner, kind, name };
        match self.stored(&slot).await? {
            Some(stored) => self.open(&slot, &stored).await.map(Some),
            None => Ok(None),
        }
    }

    /// Removes the secret; whether there was one. Of several callers one is told so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, owner: &Sid, kind: &str, name: &str) -> Result<bool, StoreError> {
        let slot = Slot { owner, kind, name };
        let gone =
            Query::delete().from_table("es_secrets").and_where(slot.is()).and_where(self.alive()).to_owned();
        Ok(self.db.execute(&gone).await? > 0)
    }

    /// Puts `new` in place of `old` if `old` is what is there; of several callers one succeeds. The expiry stays.
    ///
    /// # Errors
    /// As `get` and `put`.
    pub async fn replace_if(
        &self,
        owner: &Sid,
        kind: &str,
        name: &str,
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, StoreError> {
        let slot = Slot { owner, kind, name };
        let Some(stored) = self.stored(&slot).await? else { return Ok(false) };
        if !sealing::same(self.open(&slot, &stored).await?.bytes(), old) {
            return Ok(false);
        }
        let sealed = self.seal(&stored.carrier, &slot, new).await?;
        let still = Expr::col("sealed").eq(stored.sealed);
        let update = Query::update()
            .table("es_secrets")
            .value("sealed", sealed)
            .and_where(slot.is())
            .and_where(still)
            .to_owned();
        Ok(self.db.execute(&update).await? > 0)
    }

    /// The names of an owner's secrets of a kind, in order; at most 1,000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names(&self, owner: &Sid, kind: &str) -> Result<Vec<String>, StoreError> {
        let query = Query::select()
            .column("name")
            .from("es_secrets")
            .and_where(Expr::col("owner").eq(owner.as_str()))
            .and_where(Expr::col("kind").eq(kind))
            .and_where(self.alive())
            .order_by("name", Order::Asc)
            .limit(NAMES)
            .to_owned();
        self.db.fetch_all(&query).await?.iter().map(|row| row.at(0)).collect()
    }

    /// Removes all of an owner's secrets of a kind, but the one of this name; returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_all(&self, owner: &Sid, kind: &str, except: Option<&str>) -> Result<u64, StoreError> {
        let mut gone = Query::delete().from_table("es_secrets").to_owned();
        gone.and_where(Expr::col("owner").eq(owner.as_str())).and_where(Expr::col("kind").eq(kind));
        if let Some(stays) = except {
            gone.and_where(Expr::col("name").ne(stays));
        }
        self.db.execute(&gone).await
    }

    /// A sum over `parts` that nobody makes without the master key.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Hash {
        self.keys.mac(parts)
    }

    /// Whether they are the same, in time that does not depend on where they differ.
    pub(crate) fn same(ours: &[u8], theirs: &[u8]) -> bool {
        sealing::same(ours, theirs)
    }

    /// Destroys a carrier's data key: everything it sealed is gone for good, in backups too; on other nodes that have
    /// used it, within a minute.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&self, carrier: &Sid) -> Result<(), StoreError> {
        self.known.forget();
        self.keys.destroy(carrier).await
    }

    /// Whether it opens with the master key it was given.
    pub(crate) async fn check(&self) -> Result<(), StoreError> {
        self.keys.check().await
    }

    pub(crate) async fn forget_expired(&self, now: i64) -> Result<u64, StoreError> {
        let expired = Expr::col("expires_at").lte(now);
        self.db.delete_old("es_secrets", &["owner", "kind", "name"], expired).await
    }

    async fn stored(&self, slot: &Slot<'_>) -> Result<Option<Stored>, StoreError> {
        let query = Query::select()
            .columns(["carrier", "sealed"])
            .from("es_secrets")
            .and_where(slot.is())
            .and_where(self.alive())
            .to_owned();
        let Some(row) = self.db.fetch_optional(&query).await? else { return Ok(None) };
        let carrier = crate::read::sid(&row.at::<String>(0)?, 0, "secret's carrier")?;
        Ok(Some(Stored { carrier, sealed: row.at(1)? }))
    }

    async fn seal(&self, carrier: &Sid, slot: &Slot<'_>, secret: &[u8]) -> Result<Vec<u8>, StoreError> {
        let key = self.keys.of(carrier).await?;
        sealing::seal(&key, &slot.bound_to(carrier), secret, &*self.ids)
    }

    async fn open(&self, slot: &Slot<'_>, stored: &Stored) -> Result<Secret, StoreError> {
        let key = self.keys.of(&stored.carrier).await?;
        sealing::open(&key, &slot.bound_to(&stored.carrier), &stored.sealed).map(Secret)
    }

    fn alive(&self) -> SimpleExpr {
        Expr::col("expires_at").is_null().or(Expr::col("expires_at").gt(self.clock.now().micros()))
    }
}

/// Where a secret is kept.
struct Slot<'a> {
    owner: &'a Sid,
    kind: &'a str,
    name: &'a str,
}

struct Stored {
    carrier: Sid,
    sealed: Vec<u8>,
}

impl Slot<'_> {
    fn is(&self) -> SimpleExpr {
        let owner = Expr::col("owner").eq(self.owner.as_str());
        owner.and(Expr::col("kind").eq(self.kind)).and(Expr::col("name").eq(self.name))
    }

    /// What the seal covers beside the secret; lengths first, so that no two places look alike.
    fn bound_to(&self, carrier: &Sid) -> Vec<u8> {
        let parts = [carrier.as_str(), self.owner.as_str(), self.kind, self.name];
        parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes(), part.as_bytes()].concat()).collect()
    }
}

impl Secret {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text; nothing when they are not UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
