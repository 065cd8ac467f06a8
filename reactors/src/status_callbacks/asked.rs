//! Who asked to be told of a call: most calls asked for no callback, so their facts are passed over without a look into
//! the store.

use super::{accounts::Whose, story};
use crate::http::application;
use domain::{
    Sid,
    call::{Call, CallEvent, CallEventKind, Callback},
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
        if story::moment(fact).is_none() {
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
        if fact.kind::<Call>() == Some(CallEventKind::Ended) {
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

/// What a call's first fact asks for. All others stay text: they are many, and some are large.
fn asked(fact: &Fact) -> Option<Option<Callback>> {
    if !matches!(fact.kind::<Call>()?, CallEventKind::Received | CallEventKind::Queued) {
        return None;
    }
    match fact.of::<Call>()? {
        Ok(CallEvent::Received(received)) => Some(received.callback),
        Ok(CallEvent::Queued(queued)) => Some(queued.callback),
        _ => None,
    }
}
