//! Webhook addresses as they are requested: with the password that the vault has of them.

use domain::{Sid, webhook_url::WebhookUrl};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use store::{Store, StoreError};

/// Most addresses remembered.
const MAX_KNOWN: usize = 4_096;

/// Addresses; clones share what they remember. A password never changes under its name.
#[derive(Clone)]
pub(crate) struct Addresses {
    store: Store,
    known: Arc<Mutex<HashMap<(Sid, WebhookUrl), WebhookUrl>>>,
}

impl Addresses {
    pub fn new(store: Store) -> Addresses {
        Addresses { store, known: Arc::default() }
    }

    /// The address of a carrier's webhook as it is requested.
    pub async fn of(&self, carrier: &Sid, url: &WebhookUrl) -> Result<WebhookUrl, StoreError> {
        if url.kept_password().is_none() {
            return Ok(url.clone());
        }
        let key = (carrier.clone(), url.clone());
        if let Some(known) = self.known().get(&key) {
            return Ok(known.clone());
        }
        let requested = self.store.vault().with_password(carrier, url).await?;
        if requested.kept_password().is_none() {
            let mut known = self.known();
            if known.len() >= MAX_KNOWN {
                known.clear();
            }
            known.insert(key, requested.clone());
        }
        Ok(requested)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<(Sid, WebhookUrl), WebhookUrl>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
