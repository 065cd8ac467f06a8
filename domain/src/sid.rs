//! String identifiers as Twilio's clients demand them: two upper-case letters and 32 hex digits.
//!
//! The digits are a UUIDv7, so identifiers sort by the time they were made.

use crate::Ids;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What an identifier names; its prefix on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `VC`: a carrier (voice carrier).
    Carrier,
    /// `AC`: an account.
    Account,
    /// `TK`: a SIP trunk.
    Trunk,
    /// `PN`: a phone number.
    PhoneNumber,
    /// `US`: a user of the dashboard.
    User,
    /// `CA`: a call.
    Call,
    /// `AK`: a Carrier API key.
    ApiKey,
}

const PREFIXES: [(Kind, &str); 7] = [
    (Kind::Carrier, "VC"),
    (Kind::Account, "AC"),
    (Kind::Trunk, "TK"),
    (Kind::PhoneNumber, "PN"),
    (Kind::User, "US"),
    (Kind::Call, "CA"),
    (Kind::ApiKey, "AK"),
];

impl Kind {
    /// The two letters identifiers of this kind begin with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        PREFIXES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, prefix)| prefix)
    }
}

/// An identifier: 34 characters, for example `CA0190c5a1e3f27a4b8d1e2f3a4b5c6d7e`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sid(Box<str>);

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier (two letters of a known kind and 32 hex digits): {0:?}")]
pub struct InvalidSid(pub String);

impl Sid {
    /// A new identifier of this kind.
    #[must_use]
    pub fn new(kind: Kind, ids: &dyn Ids) -> Sid {
        Sid::from_uuid(kind, ids.uuid())
    }

    /// The identifier of this kind with these 128 bits; the same bits always give the same one.
    #[must_use]
    pub fn from_uuid(kind: Kind, uuid: uuid::Uuid) -> Sid {
        Sid(format!("{}{}", kind.prefix(), uuid.simple()).into())
    }

    /// Parses an identifier and demands its kind.
    ///
    /// # Errors
    /// When the text is not an identifier, or one of another kind.
    pub fn parse_as(kind: Kind, text: &str) -> Result<Sid, InvalidSid> {
        let sid: Sid = text.parse()?;
        if sid.kind() == kind { Ok(sid) } else { Err(InvalidSid(text.into())) }
    }

    /// What it names.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let known = PREFIXES.iter().find(|(_, prefix)| self.0.starts_with(prefix));
        known.map_or(Kind::Call, |(kind, _)| *kind)
    }

    /// The 34 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sid {
    type Err = InvalidSid;

    fn from_str(text: &str) -> Result<Sid, InvalidSid> {
        let known = text.len() == 34 && PREFIXES.iter().any(|(_, prefix)| text.starts_with(prefix));
        let hex = text.bytes().skip(2).all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if known && hex { Ok(Sid(text.into())) } else { Err(InvalidSid(text.chars().take(64).collect())) }
    }
}

impl TryFrom<String> for Sid {
    type Error = InvalidSid;
    fn try_from(text: String) -> Result<Sid, InvalidSid> {
        text.parse()
    }
}

impl From<Sid> for String {
    fn from(sid: Sid) -> String {
        sid.0.into()
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_round_trip() {
        for (kind, prefix) in PREFIXES {
            let sid = Sid::from_uuid(kind, uuid::Uuid::from_u128(7));
            assert_eq!((sid.kind(), &sid.as_str()[..2], sid.as_str().len()), (kind, prefix, 34));
            assert_eq!(sid.as_str().parse::<Sid>(), Ok(sid));
        }
    }

    #[test]
    fn odd_texts_are_refused() {
        for text in [
            "",
            "CA",
            "CAzz90c5a1e3f27a4b8d1e2f3a4b5c6d7e",
            "XX0190c5a1e3f27a4b8d1e2f3a4b5c6d7e",
            "CA0190C5A1e3f27a4b8d1e2f3a4b5c6d7e",
        ] {
            assert!(text.parse::<Sid>().is_err(), "{text}");
        }
    }
}
