//! Raw evidence (SIP messages, RTCP samples): written in batches, kept for a while, never computed from.

use crate::{Db, Row, StoreError};
use domain::{Ids, Sid, Timestamp};
use sea_query::{Expr, ExprTrait, Order, Query};
use std::sync::Arc;

/// Items read at once, at most.
pub const EVIDENCE_PAGE: usize = 2_000;
/// Bytes of one raw message that are kept: a SIP message over UDP fits.
const RAW: usize = 65_536;
const COLUMNS: [&str; 8] = ["id", "call", "occurred_at", "kind", "direction", "peer", "summary", "raw"];

/// The evidence table; clones share it.
#[derive(Clone)]
pub struct Evidence {
    db: Db,
    ids: Arc<dyn Ids>,
}

/// One piece of evidence about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceItem {
    /// The call.
    pub call: Sid,
    /// When it was seen.
    pub at: Timestamp,
    /// What it is, for example `sip`.
    pub kind: String,
    /// `in` or `out`.
    pub direction: String,
    /// The other end's address.
    pub peer: String,
    /// One line, for example `INVITE sip:1234@…`.
    pub summary: String,
    /// As seen on the wire; at most 64 KiB are kept.
    pub raw: String,
}

impl Evidence {
    pub(crate) fn new(db: Db, ids: Arc<dyn Ids>) -> Evidence {
        Evidence { db, ids }
    }

    /// Stores items, in one transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn append(&self, items: &[EvidenceItem]) -> Result<(), StoreError> {
        if items.is_empty() {
            return Ok(());
        }
        let tx = self.db.begin().await?;
        let mut inserts = tx.batch();
        for chunk in items.chunks(inserts.rows_at_once(COLUMNS.len())) {
            let mut insert = Query::insert().into_table("es_evidence").columns(COLUMNS).to_owned();
            for item in chunk {
                let (raw, id) =
                    (item.raw.get(..floor(&item.raw)).unwrap_or_default(), self.ids.uuid().to_string());
                let first = [id.into(), item.call.as_str().into(), item.at.micros().into()];
                let texts =
                    [&item.kind, &item.direction, &item.peer, &item.summary].map(|text| clean(text).into());
                insert.values_panic(first.into_iter().chain(texts).chain([clean(raw).into()]));
            }
            inserts.add(&insert);
        }
        tx.commit_with(inserts).await
    }

    /// A call's evidence in order, at most 2,000 items after the first `skip`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&self, call: &Sid, skip: u64) -> Result<Vec<EvidenceItem>, StoreError> {
        let query = Query::select()
            .columns(COLUMNS)
            .from("es_evidence")
            .and_where(Expr::col("call").eq(call.as_str()))
            .order_by("occurred_at", Order::Asc)
            .order_by("id", Order::Asc)
            .limit(EVIDENCE_PAGE as u64)
            .offset(skip)
            .to_owned();
        self.db.fetch_all(&query).await?.iter().map(|row| item(call, row)).collect()
    }

    /// Removes what is older; returns how much.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let old = Expr::col("occurred_at").lt(before.micros());
        self.db.delete_old("es_evidence", &["id"], old).await
    }
}

fn item(call: &Sid, row: &Row) -> Result<EvidenceItem, StoreError> {
    let at = Timestamp::from_micros(row.at(2)?);
    let (kind, direction, peer) = (row.at(3)?, row.at(4)?, row.at(5)?);
    Ok(EvidenceItem { call: call.clone(), at, kind, direction, peer, summary: row.at(6)?, raw: row.at(7)? })
}

/// PostgreSQL's text cannot hold NUL; a stranger's message can.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Where to cut so that at most `RAW` bytes and whole characters remain.
fn floor(text: &str) -> usize {
    (0..=text.len().min(RAW)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}
