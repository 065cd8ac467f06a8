//! Who asked to be told of a call: most calls asked for no callback, so their facts are passed over without a look into
//! the store.

use super::{accounts::Whose, story};
use crate::http::application;
use domain::{
    Sid,
    call::{Call, CallEvent, Callback},
};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};
use store::{Fact, Store, StoreError};

/// Most calls remembered; of others the log is asked.
const MAX_KNOWN: usize = 50_000;

/// The application each call tells, or that it tells none, from its first fact until its last.
#[derive(Default)]
pub(super) struct Asked(Mutex<HashMap<Sid, Option<Arc<str>>>>);

impl Asked {
    /// Whom the call of this fact tells, if the fact is of a moment that is told; learns from a call's first fact.
    pub async fn whose(&self, fact: &Fact, store: &Store) -> Result<Option<Whose>, StoreError> {
        if let Some(callback) = asked(fact) {
            self.remember(fact, callback.as_ref());
        }
        if story::moment(&fact.event_type).is_none() {
            return Ok(None);
        }
        let known = self.0.lock().get(&fact.stream).cloned();
        let application = match known {
            Some(known) => known,
            None => {
                let stream = store.stream(&fact.stream).await?;
                let callback = stream.first().and_then(asked).flatten();
                self.remember(fact, callback.as_ref())
            }
        };
        if fact.event_type == "Ended" {
            self.0.lock().remove(&fact.stream);
        }
        let carrier = fact.tenant.carrier.clone();
        let payer = fact.tenant.account.as_ref().unwrap_or(&carrier).clone();
        Ok(application.map(|application| Whose { carrier, payer, application }))
    }

    fn remember(&self, fact: &Fact, callback: Option<&Callback>) -> Option<Arc<str>> {
        let application = callback.map(|callback| application(callback.url.as_str()).into());
        let mut known = self.0.lock();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(fact.stream.clone(), application.clone());
        application
    }

    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.0.lock().len()
    }
}

/// What a call's first fact asks for.
fn asked(fact: &Fact) -> Option<Option<Callback>> {
    match (fact.event_type.as_str(), fact.of::<Call>()?) {
        ("Received", Ok(CallEvent::Received(received))) => Some(received.callback),
        ("Queued", Ok(CallEvent::Queued(queued))) => Some(queued.callback),
        _ => None,
    }
}
