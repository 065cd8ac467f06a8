//! The last facts this process appended, still in memory: whoever follows a log closely needs no database.

use crate::Fact;
use parking_lot::Mutex;
use std::collections::VecDeque;

/// Facts kept of one log.
const FACTS: usize = 1_024;
/// Bytes of their payloads.
const BYTES: usize = 2 << 20;

/// The last facts of one log, without gaps.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    facts: VecDeque<Fact>,
    bytes: usize,
}

impl Recent {
    /// Takes in what was committed, in order. After another node's commits what was kept before them is dropped.
    pub fn add(&self, facts: impl IntoIterator<Item = Fact>) {
        let mut kept = self.0.lock();
        for fact in facts {
            if kept.facts.back().is_some_and(|last| last.position + 1 != fact.position) {
                *kept = Kept::default();
            }
            kept.bytes += fact.payload.len();
            kept.facts.push_back(fact);
            while kept.facts.len() > FACTS || kept.bytes > BYTES {
                let Some(oldest) = kept.facts.pop_front() else { break };
                kept.bytes -= oldest.payload.len();
            }
        }
    }

    /// Up to `limit` facts after the position; none when they do not reach back that far, or there is nothing newer.
    pub fn after(&self, position: i64, limit: usize) -> Option<Vec<Fact>> {
        let kept = self.0.lock();
        let first = kept.facts.front()?.position;
        let skip = usize::try_from(position + 1 - first).ok()?;
        let facts: Vec<Fact> = kept.facts.range(skip.min(kept.facts.len())..).take(limit).cloned().collect();
        (!facts.is_empty()).then_some(facts)
    }
}
