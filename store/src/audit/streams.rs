//! What the audit remembers of each stream: where its chain stands.

use crate::{Fact, Hash, Store, StoreError, chain, read};
use domain::{Log, Sid};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};
use std::collections::HashMap;

/// Streams compared with the store's own rows at once.
const PAGE: u64 = 5_000;

/// Each stream's last sequence and hash.
#[derive(Default)]
pub(super) struct Streams(HashMap<Sid, (i64, Hash)>);

impl Streams {
    /// Whether the event follows its stream's last one; if so it is the last one now.
    pub fn follow(&mut self, fact: &Fact) -> bool {
        let last = self.0.entry(fact.stream.clone()).or_insert((0, chain::GENESIS));
        let follows = fact.sequence == last.0 + 1 && fact.prev_hash == last.1;
        if follows {
            *last = (fact.sequence, fact.hash);
        }
        follows
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A stream of which the store remembers more, or another end, than the log shows up to `last`.
    pub async fn unfinished(&self, store: &Store, log: Log, last: i64) -> Result<Option<Sid>, StoreError> {
        let mut after = String::new();
        loop {
            let rows = store.db().fetch_all(&page(log, &after)).await?;
            // Asked after the rows: whatever they say has been committed by then.
            let head = store.head(log).await?;
            for row in &rows {
                after = row.at(0)?;
                let stream = read::sid(&after, 0, "stream")?;
                let (version, hash, position): (i64, Vec<u8>, i64) = (row.at(1)?, row.at(2)?, row.at(3)?);
                let stands = self.0.get(&stream).is_some_and(|(seen, end)| *seen == version && hash == end);
                // One that moved on while the audit walked is none of its business.
                let moved_on = position > last && position <= head;
                if !stands && !moved_on {
                    return Ok(Some(stream));
                }
            }
            if rows.is_empty() {
                return Ok(None);
            }
        }
    }
}

fn page(log: Log, after: &str) -> SelectStatement {
    Query::select()
        .columns(["stream_id", "version", "hash", "position"])
        .from("es_streams")
        .and_where(Expr::col("log").eq(log.as_str()))
        .and_where(Expr::col("stream_id").gt(after))
        .order_by("stream_id", Order::Asc)
        .limit(PAGE)
        .to_owned()
}
