//! Passwords in webhook addresses (`https://user:password@host/`): the log has a name in their place, the vault has them.

use super::Vault;
use crate::StoreError;
use domain::{Sid, url_password, webhook_url::WebhookUrl};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

/// The vault's kind of such a password. Its owner is the carrier.
const KIND: &str = "url_password";
/// Most passwords remembered.
const MAX_KNOWN: usize = 4_096;

/// Passwords by name, as far as this process has seen them. None ever changes under its name.
#[derive(Default)]
pub(super) struct Known(Mutex<HashMap<String, Arc<str>>>);

impl Vault {
    /// Moves the password in an address into the vault. The same one at the same address has the same name each time, so
    /// that a repeated command is still the same command. Whether all is well: a name that somebody wrote must be that of
    /// a password for this very host and user.
    ///
    /// # Errors
    /// As `put`.
    pub(crate) async fn keep_password(
        &self,
        carrier: &Sid,
        url: &mut WebhookUrl,
    ) -> Result<bool, StoreError> {
        if url.kept_password().is_some() {
            return Ok(self.with_password(carrier, url).await?.kept_password().is_none());
        }
        let Some(password) = url.password() else { return Ok(true) };
        let name = self.name_of(carrier, url, password);
        if self.known.get(&name).is_none() {
            self.put_new(carrier, carrier, KIND, &name, password.as_bytes()).await?;
            self.known.keep(&name, password);
        }
        *url = url.with_kept_password(&name);
        Ok(true)
    }

    /// The same for every address in TwiML.
    ///
    /// # Errors
    /// As `put`.
    pub(crate) async fn keep_passwords(&self, carrier: &Sid, twiml: &mut String) -> Result<bool, StoreError> {
        let mut well = true;
        for place in url_password::addresses(twiml).into_iter().rev() {
            let written = &twiml[place.clone()];
            let Some(password) = url_password::place(written) else { continue };
            // What we would not ask is no address, and hidden all the same.
            let Ok(mut url) = written.replace("&amp;", "&").parse::<WebhookUrl>() else {
                twiml.replace_range(place.clone(), &url_password::hidden(written));
                continue;
            };
            well &= self.keep_password(carrier, &mut url).await?;
            let kept =
                url_password::place(url.as_str()).map(|place| &url.as_str()[place]).unwrap_or_default();
            twiml.replace_range(place.start + password.start..place.start + password.end, kept);
        }
        Ok(well)
    }

    /// The address as it is to be requested: with the password that is kept of it. One that is kept of another address is
    /// not given away: who may change where a webhook goes shall not learn it.
    ///
    /// # Errors
    /// As `get`.
    pub async fn with_password(&self, carrier: &Sid, url: &WebhookUrl) -> Result<WebhookUrl, StoreError> {
        let Some(name) = url.kept_password() else { return Ok(url.clone()) };
        let password = match self.known.get(name) {
            Some(password) => Some(password),
            None => self.kept(carrier, name).await?,
        };
        let password = password.filter(|password| self.name_of(carrier, url, password) == name);
        Ok(password.map_or_else(|| url.clone(), |password| url.with_password(&password)))
    }

    async fn kept(&self, carrier: &Sid, name: &str) -> Result<Option<Arc<str>>, StoreError> {
        let secret = self.get(carrier, KIND, name).await?;
        let password = secret.as_ref().and_then(|secret| secret.text());
        Ok(password.map(|password| self.known.keep(name, password)))
    }

    fn name_of(&self, carrier: &Sid, url: &WebhookUrl, password: &str) -> String {
        self.keys.name(&[KIND, carrier.as_str(), &url.login(), password])
    }
}

impl Known {
    fn get(&self, name: &str) -> Option<Arc<str>> {
        self.0.lock().get(name).cloned()
    }

    fn keep(&self, name: &str, password: &str) -> Arc<str> {
        let (mut known, password) = (self.0.lock(), Arc::<str>::from(password));
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(name.to_owned(), Arc::clone(&password));
        password
    }

    pub(super) fn forget(&self) {
        self.0.lock().clear();
    }
}
