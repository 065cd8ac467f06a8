//! Calls that asked for no callback: most of them, so their facts are passed over without a look into the store.

use domain::{
    Sid,
    call::{Call, CallEvent},
};
use std::collections::HashSet;
use store::Fact;

/// Most calls remembered.
const MAX_SILENT: usize = 50_000;

/// Calls that want none, from their first fact until their last.
#[derive(Default)]
pub(super) struct Silent(pub HashSet<Sid>);

impl Silent {
    /// Whether this fact's call is known to want none; learns from its first fact.
    pub fn knows(&mut self, fact: &Fact) -> bool {
        let asked = match fact.event_type.as_str() {
            "Received" | "Queued" => match fact.of::<Call>() {
                Some(Ok(CallEvent::Received(received))) => received.callback,
                Some(Ok(CallEvent::Queued(queued))) => queued.callback,
                _ => return false,
            },
            "Ended" => return self.0.remove(&fact.stream),
            _ => return self.0.contains(&fact.stream),
        };
        if asked.is_none() && self.0.len() < MAX_SILENT {
            self.0.insert(fact.stream.clone());
        }
        asked.is_none()
    }
}
