//! Seals: a Merkle root over a range of positions, chained to the seal before it and signed.
//!
//! The hash chain of a stream shows an edit; a seal also shows that events changed places, even when whoever did it can
//! rewrite every table, but does not have the master key. That the end was cut off, seals included, only a seal shows
//! that was kept elsewhere: hence each one is noted in a file and in the program's own log.

mod merkle;
mod noted;
mod sealer;
mod signer;

pub(crate) use merkle::{leaf, root};
pub use noted::{Noted, noted};
pub(crate) use sealer::Sealer;
pub(crate) use signer::{Signer, Verifier};

use crate::{Db, Hash, Row, StoreError, chain::Fields};
use domain::{Log, Timestamp};
use sea_query::{Expr, ExprTrait, Order, Query};

/// Positions one seal covers, at most.
pub(crate) const RANGE: usize = 4096;
/// Bytes of each leaf that a seal keeps, to name the position that differs.
pub(crate) const LEAF: usize = 8;
/// What the first seal of a log follows.
pub(crate) const FIRST: Hash = [0; 32];

/// A signed statement about a range of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The log.
    pub log: Log,
    /// The first position it covers.
    pub from: i64,
    /// The last.
    pub to: i64,
    /// The Merkle root over the leaves, each a position with its event's hash.
    pub root: Hash,
    /// The digest of the seal before it; zeros for the first.
    pub previous: Hash,
    /// The first 8 bytes of each leaf.
    pub leaves: Vec<u8>,
    /// When it was made.
    pub sealed_at: Timestamp,
    /// Ed25519 over its digest.
    pub signature: Vec<u8>,
}

impl Seal {
    /// Its name, 64 hex digits: enough to prove later that the log once reached as far as this seal.
    #[must_use]
    pub fn name(&self) -> String {
        self.digest().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What is signed, and what the next seal names as its predecessor.
    pub(crate) fn digest(&self) -> Hash {
        let mut fields = Fields::new(b"trunkline seal 1");
        fields
            .text(self.log.as_str())
            .number(self.from)
            .number(self.to)
            .bytes(&self.root)
            .bytes(&self.previous);
        fields.bytes(&self.leaves).number(self.sealed_at.micros());
        fields.finish()
    }

    /// The leaf as kept for a position within the seal.
    pub(crate) fn kept(&self, position: i64) -> Option<&[u8]> {
        self.leaves.chunks(LEAF).nth(usize::try_from(position - self.from).ok()?)
    }
}

/// The columns of `es_seals` in the order `seal` reads them.
const COLUMNS: [&str; 7] =
    ["from_position", "to_position", "root", "previous", "leaves", "signature", "sealed_at"];

/// Up to `limit` seals of a log from a position on.
pub(crate) async fn from(db: &Db, log: Log, position: i64, limit: u64) -> Result<Vec<Seal>, StoreError> {
    let query = Query::select()
        .columns(COLUMNS)
        .from("es_seals")
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("from_position").gte(position))
        .order_by("from_position", Order::Asc)
        .limit(limit)
        .to_owned();
    db.fetch_all(&query).await?.iter().map(|row| seal(log, row)).collect()
}

/// The newest seal of a log.
pub(crate) async fn last(db: &Db, log: Log) -> Result<Option<Seal>, StoreError> {
    let query = Query::select()
        .columns(COLUMNS)
        .from("es_seals")
        .and_where(Expr::col("log").eq(log.as_str()))
        .order_by("from_position", Order::Desc)
        .limit(1)
        .to_owned();
    db.fetch_optional(&query).await?.map(|row| seal(log, &row)).transpose()
}

fn seal(log: Log, row: &Row) -> Result<Seal, StoreError> {
    let from = row.at(0)?;
    let hash = |index| crate::read::hash(&row.at::<Vec<u8>>(index)?, "seal", from);
    let (root, previous) = (hash(2)?, hash(3)?);
    let sealed_at = Timestamp::from_micros(row.at(6)?);
    Ok(Seal {
        log,
        from,
        to: row.at(1)?,
        root,
        previous,
        leaves: row.at(4)?,
        signature: row.at(5)?,
        sealed_at,
    })
}
