//! A carrier: the tenant that owns everything else, and its Carrier API keys.
//!
//! New ──► Open

use crate::{Claim, Sid, aggregate::aggregate, country::Country, name::Name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most live API keys a carrier may have.
pub const MAX_API_KEYS: usize = 50;

/// A carrier's state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Carrier {
    open: bool,
    subdomain: String,
    keys: Vec<Sid>,
    /// Every key there ever was: a revoked one's identifier is not given to another.
    made: BTreeSet<Sid>,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(CarrierEventKind),
    derive(Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    doc = "What kind of thing happened to a carrier."
)]
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
    /// Making a key of an identifier that one has or had.
    #[error("this request made its key already, and a key is shown once; revoke it and make another")]
    KeyMadeBefore,
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
    /// Every rule about carriers is in this one table.
    fn decide(&self, command: CarrierCommand) -> Result<Vec<CarrierEvent>, CarrierError> {
        use {CarrierCommand as C, CarrierError as R, CarrierEvent as E};
        match command {
            C::SignUp { .. } if self.open => Err(R::AlreadySignedUp),
            C::SignUp { name, country, subdomain } => Ok(vec![E::SignedUp { name, country, subdomain }]),
            _ if !self.open => Err(R::NotFound),
            C::UpdateSettings { name, country } => Ok(vec![E::SettingsUpdated { name, country }]),
            C::CreateApiKey { key, .. } if self.made.contains(&key) => Err(R::KeyMadeBefore),
            C::CreateApiKey { .. } if self.keys.len() >= MAX_API_KEYS => Err(R::TooManyApiKeys),
            C::CreateApiKey { key, name, last_four } => Ok(vec![E::ApiKeyCreated { key, name, last_four }]),
            C::RevokeApiKey { key } if !self.keys.contains(&key) => Err(R::NoSuchApiKey),
            C::RevokeApiKey { key } => Ok(vec![E::ApiKeyRevoked { key }]),
        }
    }

    fn on(&mut self, event: CarrierEvent) {
        match event {
            CarrierEvent::SignedUp { subdomain, .. } => (self.open, self.subdomain) = (true, subdomain.0),
            CarrierEvent::SettingsUpdated { .. } => {}
            CarrierEvent::ApiKeyCreated { key, .. } => {
                self.made.insert(key.clone());
                self.keys.push(key);
            }
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

impl CarrierEvent {
    /// Whether a person sees the carrier otherwise after it ([`crate::Stream::is_change`]). Every event says so for itself.
    fn is_change(&self) -> bool {
        match self {
            Self::SignedUp { .. } | Self::SettingsUpdated { .. } => true,
            // An API key is a thing of its own.
            Self::ApiKeyCreated { .. } | Self::ApiKeyRevoked { .. } => false,
        }
    }
}

aggregate!(Carrier, "carrier", Core, CarrierCommand, CarrierEvent as CarrierEventKind, CarrierError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{given, name, sid};
    use crate::{Kind, Stream};
    use {CarrierCommand as C, CarrierEvent as E};

    fn signed_up() -> E {
        E::SignedUp { name: name("Acme"), country: "KH".parse().unwrap(), subdomain: "acme".parse().unwrap() }
    }

    fn key_created(n: u128) -> E {
        E::ApiKeyCreated { key: sid(Kind::ApiKey, n), name: name("CI"), last_four: "abcd".into() }
    }

    #[test]
    fn a_carrier_signs_up_once() {
        let again = C::SignUp {
            name: name("Acme"),
            country: "KH".parse().unwrap(),
            subdomain: "acme".parse().unwrap(),
        };
        given::<Carrier>(vec![], again.clone()).then_expect_events(vec![signed_up()]);
        given::<Carrier>(vec![signed_up()], again).then_expect_error(CarrierError::AlreadySignedUp);
    }

    #[test]
    fn nothing_can_be_asked_of_a_carrier_that_is_not_there() {
        let command = C::RevokeApiKey { key: sid(Kind::ApiKey, 1) };
        given::<Carrier>(vec![], command).then_expect_error(CarrierError::NotFound);
    }

    #[test]
    fn a_revoked_key_is_gone() {
        let key = sid(Kind::ApiKey, 1);
        let revoke = C::RevokeApiKey { key: key.clone() };
        given::<Carrier>(vec![signed_up(), key_created(1)], revoke.clone())
            .then_expect_events(vec![E::ApiKeyRevoked { key: key.clone() }]);
        given::<Carrier>(vec![signed_up(), key_created(1), E::ApiKeyRevoked { key }], revoke)
            .then_expect_error(CarrierError::NoSuchApiKey);
    }

    #[test]
    fn a_keys_identifier_is_used_once() {
        let again = C::CreateApiKey { key: sid(Kind::ApiKey, 1), name: name("CI"), last_four: "wxyz".into() };
        given::<Carrier>(vec![signed_up(), key_created(1)], again.clone())
            .then_expect_error(CarrierError::KeyMadeBefore);
        let revoked = E::ApiKeyRevoked { key: sid(Kind::ApiKey, 1) };
        given::<Carrier>(vec![signed_up(), key_created(1), revoked], again)
            .then_expect_error(CarrierError::KeyMadeBefore);
    }

    #[test]
    fn keys_have_a_limit() {
        let history =
            std::iter::once(signed_up()).chain((0..MAX_API_KEYS as u128).map(key_created)).collect();
        let one_more =
            C::CreateApiKey { key: sid(Kind::ApiKey, 999), name: name("x"), last_four: "zzzz".into() };
        given::<Carrier>(history, one_more).then_expect_error(CarrierError::TooManyApiKeys);
    }

    #[test]
    fn a_subdomain_is_one_carriers() {
        assert_eq!(Carrier::default().claims(&signed_up()), vec![Claim::take("subdomain", "acme")]);
        for bad in ["ab", "-abc", "Abc", "a b c", "abc-"] {
            assert!(bad.parse::<Subdomain>().is_err(), "{bad}");
        }
    }
}
