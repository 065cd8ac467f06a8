//! Where each secret lives in the vault: owner, kind, name. Nothing else in the API knows these words.

use domain::Sid;
use store::{Secret, Store, StoreError};

/// Kind of an account's auth tokens (owner: the account), each named by its version; 32 lower-case hex digits. Only the
/// version the account has now opens it, and webhooks are signed with that one.
pub const AUTH_TOKEN: &str = "auth_token";
/// The digest password an outbound trunk was made with (owner: the trunk). Later ones are named by the event that makes
/// them the one; until then they open nothing.
pub const SIP_PASSWORD: (&str, &str) = ("sip_password", "current");
/// A Carrier API key's carrier and the SHA-256 of its secret, as `VC…:hex` (owner: the key).
pub const API_KEY: (&str, &str) = ("api_key", "sha256");
/// A user's password hash in PHC form (owner: the user).
pub const PASSWORD: (&str, &str) = ("password", "phc");
/// A user's TOTP seed, 20 bytes, once the first code was right.
pub const TOTP_SEED: (&str, &str) = ("totp", "seed");
/// A TOTP seed whose first code has not come yet.
pub const TOTP_PENDING: (&str, &str) = ("totp", "pending");
/// The last TOTP step used, eight bytes; a code works once.
pub const TOTP_STEP: (&str, &str) = ("totp", "step");
/// Kind of recovery codes; each is named by its SHA-256.
pub const RECOVERY: &str = "recovery_code";
/// Kind of sessions; each is named by the SHA-256 of its id.
pub const SESSION: &str = "session";
/// Kind of devices that somebody has signed in from; each is named by the SHA-256 of its cookie.
pub const DEVICE: &str = "device";

/// The vault, by the words above.
#[derive(Clone)]
pub struct Secrets {
    store: Store,
}

impl Secrets {
    /// The vault of this store.
    #[must_use]
    pub fn new(store: Store) -> Secrets {
        Secrets { store }
    }

    /// The secret, if there is one and it has not expired.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn get(&self, owner: &Sid, what: (&str, &str)) -> Result<Option<Secret>, StoreError> {
        self.store.vault().get(owner, what.0, what.1).await
    }

    /// Puts or replaces a secret that does not expire.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn put(
        &self,
        carrier: &Sid,
        owner: &Sid,
        what: (&str, &str),
        secret: &[u8],
    ) -> Result<(), StoreError> {
        self.store.vault().put(carrier, owner, what.0, what.1, secret, None).await
    }

    /// The account's auth token of this version.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn auth_token(&self, account: &Sid, version: i64) -> Result<Option<Secret>, StoreError> {
        self.store.vault().get(account, AUTH_TOKEN, &version.to_string()).await
    }

    /// Puts the account's auth token of this version, unless there is one. It opens nothing before the account has it.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn put_auth_token(
        &self,
        (carrier, account): (&Sid, &Sid),
        version: i64,
        token: &str,
    ) -> Result<(), StoreError> {
        let vault = self.store.vault();
        vault.put_new(carrier, account, AUTH_TOKEN, &version.to_string(), token.as_bytes()).await.map(drop)
    }

    /// Forgets a secret; whether there was one.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn delete(&self, owner: &Sid, what: (&str, &str)) -> Result<bool, StoreError> {
        self.store.vault().delete(owner, what.0, what.1).await
    }
}

/// SHA-256 in lower-case hex: what is kept of tokens that are random enough to need no slow hash.
#[must_use]
pub fn digest(token: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, token);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
