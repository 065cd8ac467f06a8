//! Auth tokens for signing, remembered for a few seconds, and until anything happens that may have replaced one.

use domain::{Log, Sid, account::Account};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc, time::Duration};
use store::{Store, StoreError};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// How long a token is used without asking the vault again: one that another node replaced signs for no longer.
const FRESH: Duration = Duration::from_secs(5);
/// How long the vault may take while there is a token to go on with.
const PATIENCE: Duration = Duration::from_millis(250);
/// Most accounts remembered.
const MAX_TOKENS: usize = 4_096;

/// The vault's kind of an account's auth tokens; each is named by its version.
const AUTH_TOKEN: &str = "auth_token";

/// Tokens, and when the vault was asked for them.
type Known = HashMap<Sid, (Arc<str>, Asked)>;

/// When the vault was asked: the time, and the log's end as this process knew it.
#[derive(Clone, Copy)]
struct Asked {
    at: Instant,
    head: i64,
}

/// Accounts' auth tokens; clones share them.
#[derive(Clone)]
pub(crate) struct Tokens {
    store: Store,
    /// Accounts change seldom, and so does the log they are in.
    head: watch::Receiver<i64>,
    known: Arc<Mutex<Known>>,
}

impl Tokens {
    pub fn new(store: Store) -> Tokens {
        Tokens { head: store.watch(Log::Core), store, known: Arc::default() }
    }

    /// The account's token, if it has one. While the vault is away the last known one is used.
    pub async fn of(&self, account: &Sid) -> Result<Option<Arc<str>>, StoreError> {
        let known = self.known.lock().get(account).cloned();
        let now = Asked { at: Instant::now(), head: *self.head.borrow() };
        if let Some((token, asked)) = &known
            && asked.head == now.head
            && asked.at.elapsed() < FRESH
        {
            return Ok(Some(Arc::clone(token)));
        }
        let asked = self.ask(account, now);
        match known {
            None => asked.await,
            Some((token, _)) => match timeout(PATIENCE, asked).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_)) | Err(_) => Ok(Some(token)),
            },
        }
    }

    async fn ask(&self, account: &Sid, now: Asked) -> Result<Option<Arc<str>>, StoreError> {
        let version = self.store.load::<Account>(account).await?.aggregate.auth_token_version();
        let secret = self.store.vault().get(account, AUTH_TOKEN, &version.to_string()).await?;
        Ok(self.remember(account, secret.as_ref().and_then(|secret| secret.text()), now))
    }

    fn remember(&self, account: &Sid, token: Option<&str>, now: Asked) -> Option<Arc<str>> {
        let token: Arc<str> = token?.into();
        let mut known = self.known.lock();
        if known.len() >= MAX_TOKENS {
            known.retain(|_, (_, asked)| asked.at.elapsed() < FRESH);
        }
        known.insert(account.clone(), (Arc::clone(&token), now));
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Actor, Clock, Kind, Meta, Tenant, account::AccountCommand};
    use store::{
        SystemClock,
        testing::{TestStore, sid, sqlite},
    };

    /// Has the account do this, with `token` in the vault before.
    async fn tell(store: &TestStore, tenant: &Tenant, command: AccountCommand, token: (&str, &str)) {
        let account = tenant.account.as_ref().unwrap();
        let (version, token) = (token.0, token.1.as_bytes());
        store.vault().put_new(&tenant.carrier, account, AUTH_TOKEN, version, token).await.unwrap();
        let meta = Meta::new(tenant.clone(), Actor::system("test"), SystemClock.now());
        store.execute::<Account>(account, command, &meta).await.unwrap();
    }

    fn create(tenant: &Tenant) -> AccountCommand {
        AccountCommand::create(tenant.carrier.clone(), "A".parse().unwrap())
    }

    #[tokio::test]
    async fn the_last_known_token_signs_while_the_vault_is_away() {
        let (store, account) = (sqlite().await, sid(Kind::Account));
        let tenant = Tenant::account(sid(Kind::Carrier), account.clone());
        tell(&store, &tenant, create(&tenant), ("1", "secret")).await;
        let tokens = Tokens::new((*store).clone());
        assert_eq!(tokens.of(&account).await.unwrap().as_deref(), Some("secret"));
        store.close().await;
        tokens.known.lock().values_mut().for_each(|(_, asked)| asked.at -= FRESH);
        assert_eq!(tokens.of(&account).await.unwrap().as_deref(), Some("secret"));
        assert!(tokens.of(&sid(Kind::Account)).await.is_err(), "nothing leaves unsigned");
    }

    #[tokio::test]
    async fn a_replaced_token_signs_from_then_on() {
        let (store, account) = (sqlite().await, sid(Kind::Account));
        let tenant = Tenant::account(sid(Kind::Carrier), account.clone());
        let tokens = Tokens::new((*store).clone());
        assert_eq!(tokens.of(&account).await.unwrap(), None);
        let replace = AccountCommand::ReplaceAuthToken { version: 2 };
        for (command, version, token) in [(create(&tenant), "1", "one"), (replace, "2", "two")] {
            tell(&store, &tenant, command, (version, token)).await;
            assert_eq!(tokens.of(&account).await.unwrap().as_deref(), Some(token));
        }
    }
}
