//! The SIP ladder: every message of a call, in batches, kept outside.

use crate::{
    outside::{CallRef, Evidence, Outside},
    relax::relax,
    sip::{Direction, LegKey, Trace},
};
use domain::{Clock, Steady};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Messages handed over at once.
const BATCH: usize = 64;
/// Messages kept of a leg whose call is not known yet.
const EARLY: usize = 8;
/// How long they are kept: whose they are turns out at once or never.
const EARLY_LIFETIME: Duration = Duration::from_secs(10);
/// Legs of no known call that are kept at once; beyond that their messages are dropped.
const MAX_EARLY: usize = 2_000;
/// Legs remembered; beyond that messages of further ones are dropped.
const MAX_LEGS: usize = 20_000;
/// How long a leg is remembered after its call's actor has ended: longer than any SIP transaction (32 s).
const AFTERMATH: Duration = Duration::from_secs(40);
/// How often it is looked what may be forgotten.
const TIDY: Duration = Duration::from_secs(5);

/// Collects traces and finds out whose they are.
pub(super) struct Ladder {
    outside: Arc<dyn Outside>,
    clock: Arc<dyn Clock>,
    calls: HashMap<LegKey, Known>,
    early: HashMap<LegKey, (Instant, Vec<Trace>)>,
    batch: Vec<Evidence>,
    tidied: Instant,
}

struct Known {
    call: CallRef,
    time: Steady,
    /// When it was seen that nobody has the leg any more.
    over: Option<Instant>,
}

impl Ladder {
    pub(super) fn new(outside: Arc<dyn Outside>, clock: Arc<dyn Clock>) -> Ladder {
        let (calls, early, batch) = (HashMap::new(), HashMap::new(), Vec::new());
        Ladder { outside, clock, calls, early, batch, tidied: Instant::now() }
    }

    /// The leg is this call's, and has its time; what was seen of it before is the call's as well.
    pub(super) fn belongs(&mut self, leg: LegKey, call: &CallRef, time: Steady) {
        if self.calls.len() >= MAX_LEGS {
            return;
        }
        self.calls.insert(leg, Known { call: call.clone(), time, over: None });
        let (_, early) = self.early.remove(&leg).unzip();
        for trace in early.unwrap_or_default() {
            self.keep(call.clone(), time, &trace);
        }
    }

    /// Whether the leg's call is known.
    pub(super) fn knows(&self, leg: LegKey) -> bool {
        self.calls.contains_key(&leg)
    }

    pub(super) fn seen(&mut self, trace: Trace) {
        let Some(leg) = trace.leg else { return };
        if let Some(known) = self.calls.get(&leg) {
            return self.keep(known.call.clone(), known.time, &trace);
        }
        if self.early.len() < MAX_EARLY || self.early.contains_key(&leg) {
            let (_, early) = self.early.entry(leg).or_insert_with(|| (Instant::now(), Vec::new()));
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

    fn keep(&mut self, call: CallRef, time: Steady, trace: &Trace) {
        self.batch.push(Evidence {
            call,
            at: time.now(&*self.clock),
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

    /// Now and then forgets legs nobody has any more, and messages that turned out to be nobody's.
    pub(super) fn tidy(&mut self, is_live: impl Fn(LegKey) -> bool) {
        if self.tidied.elapsed() < TIDY {
            return;
        }
        self.tidied = Instant::now();
        self.early.retain(|_, (since, _)| since.elapsed() < EARLY_LIFETIME);
        self.calls.retain(|leg, known| {
            known.over = if is_live(*leg) { None } else { known.over.or(Some(Instant::now())) };
            known.over.is_none_or(|over| over.elapsed() < AFTERMATH)
        });
        relax(&mut self.early);
        relax(&mut self.calls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outside::{DocumentRequest, FetchFailure, Fetched, MediaFile, RecordError},
        sip::Transport,
    };
    use async_trait::async_trait;
    use bytes::Bytes;
    use domain::{Kind, Sid, Tenant, Timestamp, call::CallCommand, webhook_url::WebhookUrl};
    use std::sync::Mutex;

    #[derive(Default)]
    struct Shelf(Mutex<Vec<Evidence>>);

    #[async_trait]
    impl Outside for Shelf {
        async fn record(&self, _: CallRef, _: Vec<(Timestamp, CallCommand)>) -> Result<(), RecordError> {
            Ok(())
        }

        async fn fetch(&self, _: DocumentRequest) -> Fetched {
            unreachable!("a ladder fetches nothing")
        }

        async fn media(&self, _: CallRef, _: WebhookUrl) -> Result<MediaFile, FetchFailure> {
            unreachable!("a ladder plays nothing")
        }

        fn evidence(&self, items: Vec<Evidence>) {
            self.0.lock().unwrap().extend(items);
        }
    }

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(1)
        }
    }

    fn call() -> CallRef {
        let sid = |kind| Sid::from_uuid(kind, uuid::Uuid::from_u128(1));
        CallRef { sid: sid(Kind::Call), tenant: Tenant::carrier(sid(Kind::Carrier)) }
    }

    fn trace(leg: LegKey) -> Trace {
        Trace {
            at: Instant::now().into_std(),
            direction: Direction::In,
            peer: "192.0.2.1:5060".parse().unwrap(),
            transport: Transport::Udp,
            leg: Some(leg),
            summary: "BYE".into(),
            raw: Bytes::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_leg_is_forgotten_after_its_call_and_not_before() {
        let shelf = Arc::new(Shelf::default());
        let mut ladder = Ladder::new(shelf.clone(), Arc::new(Still));
        let leg = LegKey::outbound(1);
        ladder.seen(trace(leg));
        ladder.belongs(leg, &call(), Steady::begin(&Still));
        tokio::time::advance(Duration::from_secs(4 * 3600)).await;
        ladder.tidy(|_| true);
        ladder.seen(trace(leg));
        tokio::time::advance(TIDY).await;
        ladder.tidy(|_| false);
        tokio::time::advance(Duration::from_secs(32)).await;
        ladder.tidy(|_| false);
        ladder.seen(trace(leg));
        ladder.flush();
        assert_eq!(shelf.0.lock().unwrap().len(), 3, "early, live, and a retransmission after the end");
        tokio::time::advance(AFTERMATH).await;
        ladder.tidy(|_| false);
        assert!(ladder.calls.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn messages_of_nobody_are_kept_for_seconds() {
        let mut ladder = Ladder::new(Arc::new(Shelf::default()), Arc::new(Still));
        for number in 0..=MAX_EARLY as u64 {
            ladder.seen(trace(LegKey::outbound(number)));
        }
        assert_eq!(ladder.early.len(), MAX_EARLY);
        tokio::time::advance(EARLY_LIFETIME).await;
        ladder.tidy(|_| false);
        assert!(ladder.early.is_empty());
    }
}
