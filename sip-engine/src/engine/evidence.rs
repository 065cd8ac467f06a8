//! The SIP ladder: every message of a call, in batches, kept outside.

use crate::{
    outside::{CallRef, Evidence, Outside},
    sip::{Direction, LegKey, Trace},
};
use domain::Clock;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// Messages handed over at once.
const BATCH: usize = 64;
/// Messages kept of a leg whose call is not known yet.
const EARLY: usize = 8;
/// Legs remembered; beyond that the oldest are forgotten.
const MAX_LEGS: usize = 20_000;
/// How long a leg is remembered; longer than any transaction and, with the call's own limit, than any call.
const LIFETIME: Duration = Duration::from_secs(5 * 3600);

/// Collects traces and finds out whose they are.
pub(super) struct Ladder {
    outside: Arc<dyn Outside>,
    clock: Arc<dyn Clock>,
    calls: HashMap<LegKey, CallRef>,
    order: VecDeque<(Instant, LegKey)>,
    early: HashMap<LegKey, Vec<Trace>>,
    batch: Vec<Evidence>,
}

impl Ladder {
    pub(super) fn new(outside: Arc<dyn Outside>, clock: Arc<dyn Clock>) -> Ladder {
        let (calls, order, early, batch) = (HashMap::new(), VecDeque::new(), HashMap::new(), Vec::new());
        Ladder { outside, clock, calls, order, early, batch }
    }

    /// The leg is this call's; what was seen of it before is the call's as well.
    pub(super) fn belongs(&mut self, leg: LegKey, call: &CallRef) {
        self.forget();
        self.calls.insert(leg, call.clone());
        self.order.push_back((Instant::now(), leg));
        for trace in self.early.remove(&leg).unwrap_or_default() {
            self.keep(call.clone(), &trace);
        }
    }

    /// Whether the leg's call is known.
    pub(super) fn knows(&self, leg: LegKey) -> bool {
        self.calls.contains_key(&leg)
    }

    pub(super) fn seen(&mut self, trace: Trace) {
        let Some(leg) = trace.leg else { return };
        if let Some(call) = self.calls.get(&leg) {
            return self.keep(call.clone(), &trace);
        }
        if self.early.len() < MAX_LEGS {
            let early = self.early.entry(leg).or_default();
            if early.len() < EARLY {
                early.push(trace);
            }
        }
    }

    /// Hands over what is collected.
    pub(super) fn flush(&mut self) {
        if !self.batch.is_empty() {
            self.outside.evidence(std::mem::take(&mut self.batch));
        }
    }

    fn keep(&mut self, call: CallRef, trace: &Trace) {
        self.batch.push(Evidence {
            call,
            at: self.clock.now(),
            kind: "sip",
            inbound: trace.direction == Direction::In,
            peer: format!("{}/{}", trace.peer, trace.transport),
            summary: trace.summary.clone(),
            raw: String::from_utf8_lossy(&trace.raw).into_owned(),
        });
        if self.batch.len() >= BATCH {
            self.flush();
        }
    }

    fn forget(&mut self) {
        let old = |(at, _): &(Instant, LegKey)| at.elapsed() > LIFETIME;
        while self.order.len() >= MAX_LEGS || self.order.front().is_some_and(old) {
            let Some((_, leg)) = self.order.pop_front() else { break };
            self.calls.remove(&leg);
        }
        if self.early.len() >= MAX_LEGS {
            self.early.clear();
        }
    }
}
