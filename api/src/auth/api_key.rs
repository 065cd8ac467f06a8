//! Carrier API keys: `tlk_<AK…>_<64 hex digits>`. The vault holds the SHA-256 of the last part; a revoked key's is gone.

use crate::secrets::{API_KEY, Secrets, digest};
use domain::{Ids, Kind, Sid};
use store::StoreError;
use subtle::ConstantTimeEq;

/// What every key begins with, so that scanners of public code can find leaked ones.
const PREFIX: &str = "tlk";

/// Makes, checks and forgets keys.
#[derive(Clone)]
pub struct ApiKeys {
    secrets: Secrets,
}

impl ApiKeys {
    /// Keys kept among these secrets.
    #[must_use]
    pub fn new(secrets: Secrets) -> ApiKeys {
        ApiKeys { secrets }
    }

    /// A new secret for `key`, as text to show once. It opens nothing before [`ApiKeys::keep`].
    #[must_use]
    pub fn generate(key: &Sid, ids: &dyn Ids) -> String {
        format!("{PREFIX}_{key}_{}{}", ids.token(), ids.token())
    }

    /// Keeps the digest of `text`, which opens `carrier` from now on.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn keep(&self, carrier: &Sid, key: &Sid, text: &str) -> Result<(), StoreError> {
        let secret = text.rsplit('_').next().unwrap_or_default();
        let kept = format!("{carrier}:{}", digest(secret.as_bytes()));
        self.secrets.put(carrier, key, API_KEY, kept.as_bytes()).await
    }

    /// The key opens nothing any more, at once.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn forget(&self, key: &Sid) -> Result<(), StoreError> {
        self.secrets.delete(key, API_KEY).await.map(drop)
    }

    /// The carrier and key that `text` opens, in time that does not depend on where a wrong one differs.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn check(&self, text: &str) -> Result<Option<(Sid, Sid)>, StoreError> {
        let Some((key, secret)) = parse(text) else { return Ok(None) };
        let Some(kept) = self.secrets.get(&key, API_KEY).await? else { return Ok(None) };
        let kept = kept.text().and_then(|kept| kept.split_once(':'));
        let Some((carrier, kept)) = kept else { return Ok(None) };
        let same: bool = digest(secret.as_bytes()).as_bytes().ct_eq(kept.as_bytes()).into();
        Ok(carrier.parse().ok().filter(|_| same).map(|carrier| (carrier, key)))
    }
}

fn parse(text: &str) -> Option<(Sid, &str)> {
    let (key, secret) = text.strip_prefix(PREFIX)?.strip_prefix('_')?.split_once('_')?;
    let key = Sid::parse_as(Kind::ApiKey, key).ok()?;
    (secret.len() == 64).then_some((key, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_keys_are_no_keys() {
        let key = Sid::new(Kind::ApiKey, &store::RandomIds::default());
        let good = ApiKeys::generate(&key, &store::RandomIds::default());
        assert_eq!(parse(&good).map(|(key, _)| key), Some(key.clone()));
        for odd in ["", "tlk", "tlk_", "tlk_AK_", &good[4..], &good[..good.len() - 1], &format!("{good}0")] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }
}
