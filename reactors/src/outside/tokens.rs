//! Auth tokens for signing, remembered for a few seconds.

use domain::Sid;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use store::{Store, StoreError};
use tokio::time::{Instant, timeout};

/// How long a token is used without asking the vault again: a replaced one signs for no longer.
const FRESH: Duration = Duration::from_secs(5);
/// How long the vault may take while there is a token to go on with.
const PATIENCE: Duration = Duration::from_millis(250);
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
        let asked = self.ask(account);
        match known {
            None => asked.await,
            Some((token, _)) => match timeout(PATIENCE, asked).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_)) | Err(_) => Ok(Some(token)),
            },
        }
    }

    async fn ask(&self, account: &Sid) -> Result<Option<Arc<str>>, StoreError> {
        let secret = self.store.vault().get(account, AUTH_TOKEN.0, AUTH_TOKEN.1).await?;
        Ok(self.remember(account, secret.as_ref().and_then(|secret| secret.text())))
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;
    use store::testing::{sid, sqlite};

    #[tokio::test]
    async fn the_last_known_token_signs_while_the_vault_is_away() {
        let (store, carrier, account) = (sqlite().await, sid(Kind::Carrier), sid(Kind::Account));
        store.vault().put(&carrier, &account, AUTH_TOKEN.0, AUTH_TOKEN.1, b"secret", None).await.unwrap();
        let tokens = Tokens::new((*store).clone());
        assert_eq!(tokens.of(&account).await.unwrap().as_deref(), Some("secret"));
        store.close().await;
        tokens.lock().values_mut().for_each(|(_, since)| *since -= FRESH);
        assert_eq!(tokens.of(&account).await.unwrap().as_deref(), Some("secret"));
        assert!(tokens.of(&sid(Kind::Account)).await.is_err(), "nothing leaves unsigned");
    }

    #[tokio::test]
    async fn a_replaced_token_is_used_once_the_old_one_is_not_fresh() {
        let (store, carrier, account) = (sqlite().await, sid(Kind::Carrier), sid(Kind::Account));
        let tokens = Tokens::new((*store).clone());
        assert_eq!(tokens.of(&account).await.unwrap(), None);
        for token in ["one", "two"] {
            let vault = store.vault();
            vault.put(&carrier, &account, AUTH_TOKEN.0, AUTH_TOKEN.1, token.as_bytes(), None).await.unwrap();
            tokens.lock().values_mut().for_each(|(_, since)| *since -= FRESH);
            assert_eq!(tokens.of(&account).await.unwrap().as_deref(), Some(token));
        }
    }
}
