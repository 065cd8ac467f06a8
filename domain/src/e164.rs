//! Telephone numbers: E.164 or short code.

use crate::country::Country;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Most digits of a short code.
const MAX_SHORT_CODE: usize = 6;

/// A number in international form (ITU-T E.164): 7 to 15 digits, no leading zero, kept without the plus.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(Box<str>);

/// What can be a carrier's phone number: E.164, or a short code of 2 to 6 digits that only means something inside
/// the carrier's network.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Number {
    /// An international number.
    E164(E164),
    /// A short code, digits as they are dialled.
    ShortCode(Box<str>),
}

/// Why a text is not a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a phone number: {0:?} (give 7 to 15 digits in international form, or a short code of 2 to 6 digits)"
)]
pub struct InvalidNumber(pub String);

impl E164 {
    /// The digits, without plus.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The country it belongs to, where the calling code is known.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        Country::of(&self.0)
    }

    /// The national form: the country's trunk digit and the number without calling code. Numbers of unknown
    /// countries stay as they are.
    #[must_use]
    pub fn national(&self) -> String {
        let Some(country) = self.country() else { return self.0.to_string() };
        let rest = self.0.strip_prefix(country.calling_code()).unwrap_or(&self.0);
        format!("{}{rest}", country.trunk_digit())
    }

    /// A national number of this country: with its trunk digit, or ten digits within the North American plan.
    #[must_use]
    pub fn from_national(digits: &str, country: Country) -> Option<E164> {
        let (code, trunk_digit) = (country.calling_code(), country.trunk_digit());
        if code == "1" && digits.len() == 10 {
            return format!("1{digits}").parse().ok();
        }
        let rest = digits
            .strip_prefix(trunk_digit)
            .filter(|rest| !trunk_digit.is_empty() && !rest.starts_with('0'))?;
        format!("{code}{rest}").parse().ok()
    }
}

impl FromStr for E164 {
    type Err = InvalidNumber;
    fn from_str(text: &str) -> Result<E164, InvalidNumber> {
        let digits = digits_of(text).ok_or_else(|| InvalidNumber(shorten(text)))?;
        let plausible = (7..=15).contains(&digits.len()) && !digits.starts_with('0');
        if plausible { Ok(E164(digits.into())) } else { Err(InvalidNumber(shorten(text))) }
    }
}

impl Number {
    /// The digits, without plus.
    #[must_use]
    pub fn digits(&self) -> &str {
        match self {
            Number::E164(number) => number.digits(),
            Number::ShortCode(digits) => digits,
        }
    }

    /// A number as people of a country write it: without a plus, and longer than a short code, it may be national.
    ///
    /// # Errors
    /// When it is no number.
    pub fn written_in(text: &str, country: Option<Country>) -> Result<Number, InvalidNumber> {
        let digits = digits_of(text).filter(|digits| !text.contains('+') && digits.len() > MAX_SHORT_CODE);
        let national =
            digits.zip(country).and_then(|(digits, country)| E164::from_national(&digits, country));
        national.map_or_else(|| text.parse(), |number| Ok(Number::E164(number)))
    }

    /// Whether it is a short code.
    #[must_use]
    pub fn is_short_code(&self) -> bool {
        matches!(self, Number::ShortCode(_))
    }
}

impl FromStr for Number {
    type Err = InvalidNumber;
    fn from_str(text: &str) -> Result<Number, InvalidNumber> {
        if let Ok(number) = text.parse() {
            return Ok(Number::E164(number));
        }
        match digits_of(text) {
            Some(digits) if (2..=MAX_SHORT_CODE).contains(&digits.len()) && !text.contains('+') => {
                Ok(Number::ShortCode(digits.into()))
            }
            _ => Err(InvalidNumber(shorten(text))),
        }
    }
}

/// The ASCII digits of `text`, when all else in it is spacing people put into numbers; at most 15.
fn digits_of(text: &str) -> Option<String> {
    let unsigned = text.trim().strip_prefix('+').unwrap_or(text.trim());
    let clean: String = unsigned.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let valid = (1..=15).contains(&clean.len()) && clean.bytes().all(|byte| byte.is_ascii_digit());
    valid.then_some(clean)
}

fn shorten(text: &str) -> String {
    text.chars().take(32).collect()
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

/// `+85512345678`, or the bare digits of a short code.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::E164(number) => number.fmt(f),
            Number::ShortCode(digits) => f.write_str(digits),
        }
    }
}

macro_rules! as_text {
    ($($type:ty),+) => { $(
        impl TryFrom<String> for $type {
            type Error = InvalidNumber;
            fn try_from(text: String) -> Result<Self, InvalidNumber> { text.parse() }
        }
        impl From<$type> for String {
            fn from(number: $type) -> String { number.to_string() }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
    )+ };
}
as_text!(E164, Number);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_spell_numbers_in_many_ways() {
        for text in ["+85512345678", "85512345678", " +855 12-345.678", "(855) 12345678"] {
            assert_eq!(text.parse::<Number>().unwrap().to_string(), "+85512345678", "{text}");
        }
        assert_eq!("1234".parse::<Number>().unwrap().to_string(), "1234");
    }

    // "Twilio will also accept unformatted US numbers, e.g., (415) 555-1212."

    #[test]
    fn a_number_without_plus_is_the_countrys_own_first() {
        for (text, country, number) in [
            ("(415) 555-1212", "US", "+14155551212"),
            ("14155551212", "US", "+14155551212"),
            ("012 345 678", "KH", "+85512345678"),
            ("85512345678", "KH", "+85512345678"),
            ("+4155551212", "US", "+4155551212"),
            ("4155551212", "CH", "+4155551212"),
            ("012345", "KH", "012345"),
        ] {
            assert_eq!(Number::written_in(text, country.parse().ok()).unwrap().to_string(), number, "{text}");
        }
        assert!(Number::written_in("0123456789", None).is_err());
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "+",
            "1",
            "+1234",
            "0123456789",
            "12345678901234567",
            "12a4567",
            "１２３４５６７",
            "+855;ext=1",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_national_form_has_the_trunk_digit() {
        assert_eq!("+85512345678".parse::<E164>().unwrap().national(), "012345678");
        assert_eq!("+12125551234".parse::<E164>().unwrap().national(), "12125551234");
    }

    #[test]
    fn a_number_survives_json() {
        let number: Number = "+85512345678".parse().unwrap();
        assert_eq!(serde_json::from_str::<Number>(&serde_json::to_string(&number).unwrap()).unwrap(), number);
    }
}
