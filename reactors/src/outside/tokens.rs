//! Auth tokens for signing, remembered for a few seconds.

use domain::Sid;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use store::{Store, StoreError};
use tokio::time::Instant;

/// How long a token is used without asking the vault again: a replaced one signs for no longer.
const FRESH: Duration = Duration::from_secs(5);
/// Most accounts remembered.
const MAX_TOKENS: usize = 4_096;

/// The vault's kind and name of an account's auth token.
const AUTH_TOKEN: (&str, &str) = ("auth_token", "current");

/// Tokens, and when the vault was asked for them.
type Known = HashMap<Sid, (Arc<str>, Instant)>;

/// Accounts' auth tokens; clones share them.
#[derive(Clone)]
pub(crate) struct Tokens {
    store: Store,
    known: Arc<Mutex<Known>>,
}

impl Tokens {
    pub fn new(store: Store) -> Tokens {
        Tokens { store, known: Arc::default() }
    }

    /// The account's token, if it has one. While the vault is away the last known one is used.
    pub async fn of(&self, account: &Sid) -> Result<Option<Arc<str>>, StoreError> {
        let known = self.lock().get(account).cloned();
        if let Some((token, since)) = &known
            && since.elapsed() < FRESH
        {
            return Ok(Some(Arc::clone(token)));
        }
        match (self.store.vault().get(account, AUTH_TOKEN.0, AUTH_TOKEN.1).await, known) {
            (Ok(secret), _) => Ok(self.remember(account, secret.as_ref().and_then(|secret| secret.text()))),
            (Err(_), Some((token, _))) => Ok(Some(token)),
            (Err(error), None) => Err(error),
        }
    }

    fn remember(&self, account: &Sid, token: Option<&str>) -> Option<Arc<str>> {
        let token: Arc<str> = token?.into();
        let mut known = self.lock();
        if known.len() >= MAX_TOKENS {
            known.retain(|_, (_, since)| since.elapsed() < FRESH);
        }
        known.insert(account.clone(), (Arc::clone(&token), Instant::now()));
        Some(token)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
