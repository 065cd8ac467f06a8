//! What a number that somebody writes would be in the inventory: told before it is added, and the form it is said to have.

use super::text::Text;
use domain::Number;
use poem_openapi::{Enum, Object};

/// Which form a number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub(super) enum NumberForm {
    /// It only means something inside the carrier's network.
    ShortCode,
    /// An international number.
    E164,
}

/// A number to try out.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(super) struct PhoneNumberPreviewRequest {
    /// As for a new number.
    pub(super) number: Text,
    /// As for a new number.
    #[oai(rename = "type")]
    pub(super) kind: Option<NumberForm>,
}

/// What would be added.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct PhoneNumberPreview {
    /// E.164 with plus, or a short code.
    number: String,
    /// ISO code of the country it belongs to, where known.
    country: Option<String>,
    /// What it is for, as a phone number's `type` says it.
    #[oai(rename = "type")]
    kind: String,
}

impl From<Number> for PhoneNumberPreview {
    fn from(number: Number) -> PhoneNumberPreview {
        let country = match &number {
            Number::E164(number) => number.country(),
            Number::ShortCode(_) => None,
        };
        PhoneNumberPreview {
            number: number.to_string(),
            country: country.map(|country| country.code().to_owned()),
            kind: <&str>::from(number.kind()).to_owned(),
        }
    }
}
