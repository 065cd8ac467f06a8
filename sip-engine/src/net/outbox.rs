//! Events on their way to the caller: in order, never lost but for traces, and never holding up a timer.

use super::config::{EVENTS, TRACES};
use super::counters::{Counters, count};
use crate::sip::Event;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Events the caller has not taken yet.
pub(super) struct Outbox {
    waiting: VecDeque<Event>,
    caller: mpsc::Sender<Event>,
    counters: Arc<Counters>,
}

impl Outbox {
    pub fn new(caller: mpsc::Sender<Event>, counters: Arc<Counters>) -> Outbox {
        Outbox { waiting: VecDeque::new(), caller, counters }
    }

    /// Queues an event, handing over as many as the caller has room for.
    pub fn push(&mut self, event: Event) {
        if matches!(event, Event::Trace(_)) && self.waiting.len() >= TRACES {
            return count(&self.counters.traces_dropped);
        }
        self.waiting.push_back(event);
        while let Ok(room) = self.caller.try_reserve() {
            let Some(event) = self.waiting.pop_front() else { break };
            room.send(event);
        }
    }

    /// True when so much waits that reading on would only make it worse.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= EVENTS
    }

    /// True with something to hand over.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Waits for room and hands over one event. False when the caller is gone.
    pub async fn hand_over(&mut self) -> bool {
        let Ok(room) = self.caller.reserve().await else { return false };
        if let Some(event) = self.waiting.pop_front() {
            room.send(event);
        }
        true
    }
}
