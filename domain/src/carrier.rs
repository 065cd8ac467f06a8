//! A carrier: the tenant that owns everything else, and its Carrier API keys.
//!
//! New ──► Open

use crate::{Claim, Sid, aggregate::aggregate, country::Country, name::Name};
use serde::{Deserialize, Serialize};

/// Most live API keys a carrier may have.
pub const MAX_API_KEYS: usize = 50;

/// A carrier's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Carrier {
    open: bool,
    subdomain: String,
    keys: Vec<Sid>,
}

/// What can be asked of a carrier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CarrierCommand {
    /// Opens the carrier.
    SignUp {
        /// Company name.
        name: Name,
        /// Where it operates; its national numbers are read by it.
        country: Country,
        /// Names its dashboard; unique among carriers.
        subdomain: Subdomain,
    },
    /// Changes company name and country.
    UpdateSettings {
        /// Company name.
        name: Name,
        /// Where it operates.
        country: Country,
    },
    /// Records that an API key was made. The secret's digest is in the vault, never here.
    CreateApiKey {
        /// The key.
        key: Sid,
        /// What it is for.
        name: Name,
        /// Its last four characters, to tell keys apart.
        last_four: String,
    },
    /// Takes an API key back.
    RevokeApiKey {
        /// The key.
        key: Sid,
    },
}

/// What happened to a carrier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::IntoStaticStr)]
#[expect(missing_docs, reason = "the fields are the command's")]
pub enum CarrierEvent {
    /// The carrier exists.
    SignedUp { name: Name, country: Country, subdomain: Subdomain },
    /// Name and country are now these.
    SettingsUpdated { name: Name, country: Country },
    /// There is a new API key.
    ApiKeyCreated { key: Sid, name: Name, last_four: String },
    /// The key opens nothing any more.
    ApiKeyRevoked { key: Sid },
}

/// Why a carrier refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarrierError {
    /// Signing up twice.
    #[error("this carrier has already signed up")]
    AlreadySignedUp,
    /// Any command before signing up.
    #[error("there is no such carrier")]
    NotFound,
    /// More than [`MAX_API_KEYS`].
    #[error("a carrier has at most {MAX_API_KEYS} API keys; revoke one first")]
    TooManyApiKeys,
    /// Revoking a key that is not there.
    #[error("there is no such API key")]
    NoSuchApiKey,
}

/// The first label of a carrier's dashboard address: 3 to 32 lower-case letters, digits and inner hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subdomain(String);

/// Why a text is not a subdomain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a subdomain: give 3 to 32 lower-case letters, digits or inner hyphens")]
pub struct InvalidSubdomain;

impl std::str::FromStr for Subdomain {
    type Err = InvalidSubdomain;
    fn from_str(text: &str) -> Result<Subdomain, InvalidSubdomain> {
        let alphabet =
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let valid =
            (3..=32).contains(&text.len()) && alphabet && !text.starts_with('-') && !text.ends_with('-');
        if valid { Ok(Subdomain(text.into())) } else { Err(InvalidSubdomain) }
    }
}

impl TryFrom<String> for Subdomain {
    type Error = InvalidSubdomain;
    fn try_from(text: String) -> Result<Subdomain, InvalidSubdomain> {
        text.parse()
    }
}

impl From<Subdomain> for String {
    fn from(subdomain: Subdomain) -> String {
        subdomain.0
    }
}

impl Carrier {
    /// Whether this API key is live.
    #[must_use]
    pub fn has_api_key(&self, key: &Sid) -> bool {
        self.keys.contains(key)
    }

    /// Every rule about carriers is in this one table.
    fn decide(&self, command: CarrierCommand) -> Result<Vec<CarrierEvent>, CarrierError> {
        use {CarrierCommand as C, CarrierError as R, CarrierEvent as E};
        match command {
            C::SignUp { .. } if self.open => Err(R::AlreadySignedUp),
            C::SignUp { name, country, subdomain } => Ok(vec![E::SignedUp { name, country, subdomain }]),
            _ if !self.open => Err(R::NotFound),
            C::UpdateSettings { name, country } => Ok(vec![E::SettingsUpdated { name, country }]),
            C::CreateApiKey { key, .. } if self.has_api_key(&key) => Ok(vec![]),
            C::CreateApiKey { .. } if self.keys.len() >= MAX_API_KEYS => Err(R::TooManyApiKeys),
            C::CreateApiKey { key, name, last_four } => Ok(vec![E::ApiKeyCreated { key, name, last_four }]),
            C::RevokeApiKey { key } if !self.has_api_key(&key) => Err(R::NoSuchApiKey),
            C::RevokeApiKey { key } => Ok(vec![E::ApiKeyRevoked { key }]),
        }
    }

    fn on(&mut self, event: CarrierEvent) {
        match event {
            CarrierEvent::SignedUp { subdomain, .. } => (self.open, self.subdomain) = (true, subdomain.0),
            CarrierEvent::SettingsUpdated { .. } => {}
            CarrierEvent::ApiKeyCreated { key, .. } => self.keys.push(key),
            CarrierEvent::ApiKeyRevoked { key } => self.keys.retain(|known| *known != key),
        }
    }

    fn reserve(&self, event: &CarrierEvent) -> Vec<Claim> {
        match event {
            CarrierEvent::SignedUp { subdomain, .. } => vec![Claim::take("subdomain", &*subdomain.0)],
            _ => vec![],
        }
    }
}

aggregate!(Carrier, "carrier", Core, CarrierCommand, CarrierEvent, CarrierError);
