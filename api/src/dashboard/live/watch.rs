//! Which calls a page looks at, and how far it has seen their timelines.

use super::message;
use crate::{
    App,
    carrier::{Call, Names, TimelineEntry, named},
};
use domain::{Kind, Sid};
use projections::{Change, Page, ReadError, Scope, Topic};
use serde_json::Value;
use std::collections::HashMap;

/// Most calls one page looks at.
pub(super) const MOST_CALLS: usize = 16;
/// Timeline rows read at once.
const ROWS: u32 = 100;
/// Bytes of rows in one message, as long as there are two: far less than what may wait for a page that does not read.
const BYTES: usize = 256 * 1024;

/// The calls a page looks at.
pub(super) struct Watch {
    app: App,
    scope: Scope,
    /// The last `sequence` seen of each.
    seen: HashMap<Sid, i64>,
    names: Names,
}

impl Watch {
    pub(super) fn new(app: App, carrier: Sid) -> Watch {
        Watch { app, scope: Scope::Carrier(carrier), seen: HashMap::new(), names: Names::default() }
    }

    /// Looks at nothing any more.
    pub(super) fn clear(&mut self) {
        self.seen.clear();
    }

    /// Looks at a call; what to say, with as much of its timeline as goes into one message.
    pub(super) async fn add(&mut self, id: &str) -> Result<Value, ReadError> {
        let missing = message::error("not_found", "There is no such call.");
        let Ok(sid) = Sid::parse_as(Kind::Call, id) else { return Ok(missing) };
        if self.seen.len() >= MOST_CALLS && !self.seen.contains_key(&sid) {
            return Ok(message::error("too_many", "Unsubscribe from another call first."));
        }
        let Some(call) = self.call(&sid).await? else { return Ok(missing) };
        self.seen.insert(sid.clone(), 0);
        let rows = self.news(&sid).await?;
        Ok(message::snapshot(sid.as_str(), &call, &rows))
    }

    /// Looks at a call no more.
    pub(super) fn remove(&mut self, id: &str) {
        self.seen.retain(|sid, _| sid.as_str() != id);
    }

    /// The call as it is now, with the names of what it belongs to.
    pub(super) async fn call(&mut self, sid: &Sid) -> Result<Option<Call>, ReadError> {
        let Watch { app, scope, names, .. } = self;
        let Some(row) = app.projections.calls(scope.clone()).get(sid).await? else { return Ok(None) };
        named(app, scope, row, names).await.map(Some)
    }

    /// Forgets what may have another name now.
    pub(super) fn renamed(&mut self, changes: &[Change]) {
        let named = |change: &&Change| matches!(change.topic, Topic::Accounts | Topic::Trunks);
        changes.iter().filter(named).for_each(|change| self.names.forget(&change.id));
    }

    /// The next rows of a call's timeline that the page has not seen, as many as go into one message; none when it has seen
    /// them all, or does not look at the call.
    pub(super) async fn news(&mut self, sid: &Sid) -> Result<Vec<Value>, ReadError> {
        let Some(seen) = self.seen.get_mut(sid) else { return Ok(Vec::new()) };
        let reads = self.app.projections.call_timeline(self.scope.clone());
        let page = reads.list(sid, &Page::after(seen.to_string(), ROWS)).await?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for item in page.items {
            let sequence = item.sequence;
            let row = message::row(&TimelineEntry::from(item));
            bytes += row.to_string().len();
            if bytes > BYTES && !rows.is_empty() {
                break;
            }
            *seen = sequence;
            rows.push(row);
        }
        Ok(rows)
    }
}
