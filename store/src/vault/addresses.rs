//! Passwords in webhook addresses (`https://user:password@host/`): the log has a name in their place, the vault has them.

use super::Vault;
use crate::StoreError;
use domain::{Sid, webhook_url::WebhookUrl};

/// The vault's kind of such a password. Its owner is the carrier.
const KIND: &str = "url_password";

impl Vault {
    /// Moves the password in an address into the vault. The same one at the same address has the same name each time, so
    /// that a repeated command is still the same command.
    ///
    /// # Errors
    /// As `put`.
    pub(crate) async fn keep_password(&self, carrier: &Sid, url: &mut WebhookUrl) -> Result<(), StoreError> {
        let Some(password) = url.password() else { return Ok(()) };
        let name = self.name_of(carrier, url, password);
        self.put_new(carrier, carrier, KIND, &name, password.as_bytes()).await?;
        *url = url.with_kept_password(&name);
        Ok(())
    }

    /// The address as it is to be requested: with the password that is kept of it. One that is kept of another address is
    /// not given away: who may change where a webhook goes shall not learn it.
    ///
    /// # Errors
    /// As `get`.
    pub async fn with_password(&self, carrier: &Sid, url: &WebhookUrl) -> Result<WebhookUrl, StoreError> {
        let Some(name) = url.kept_password() else { return Ok(url.clone()) };
        let kept = self.get(carrier, KIND, name).await?;
        let password = kept.as_ref().and_then(|secret| secret.text());
        let password = password.filter(|password| self.name_of(carrier, url, password) == name);
        Ok(password.map_or_else(|| url.clone(), |password| url.with_password(password)))
    }

    fn name_of(&self, carrier: &Sid, url: &WebhookUrl, password: &str) -> String {
        self.keys.name(&[KIND, carrier.as_str(), &url.login(), password])
    }
}
