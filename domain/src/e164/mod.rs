//! Telephone numbers: E.164 or short code.

mod brackets;
mod copied;
mod disguises;
mod readings;
mod search;

pub use readings::{Unclear, readings};
pub use search::sought;

use crate::{country::Country, numbering, numbering::NumberType};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most digits of a short code that is said to be one.
const LONGEST_SHORT_CODE: usize = 10;

/// A number in international form (ITU-T E.164): 7 to 15 digits, no leading zero, kept without the plus.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(Box<str>);

/// What can be a carrier's phone number: E.164, or a short code that only means something inside the carrier's network
/// (2 to 6 digits, up to 10 where it is said to be one). Stored, a plus tells them apart.
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
    "not a phone number: {0:?} (give one number, 7 to 15 digits in international form, or a short code of 2 to 6 digits)"
)]
pub struct InvalidNumber(pub String);

impl E164 {
    /// The digits, without plus.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// The country it belongs to, where its calling code is known: by libphonenumber's metadata where several share one,
    /// and for a range it does not know the one that administers the code.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        numbering::country_of(&self.0).or_else(|| Country::of(&self.0))
    }

    /// What it is for, as far as its digits tell.
    #[must_use]
    pub fn kind(&self) -> NumberType {
        numbering::type_of(&self.0)
    }

    /// Whether it is in a range that is assigned, as far as the metadata knows; it lags behind.
    #[must_use]
    pub fn is_assigned(&self) -> bool {
        self.kind() != NumberType::Unknown
    }

    /// The country it counts for where calls are from `home`. Where several share its calling code, what no range tells and
    /// what is free to call belong to all of them, and so to whoever is at home there. (Metadata lags behind what regulators
    /// assign.)
    #[must_use]
    pub fn country_for(&self, home: Option<Country>) -> Option<Country> {
        let main = Country::of(&self.0);
        let code = |country: Option<Country>| country.map(Country::calling_code);
        let is_shared = |told: &Country| Some(*told) == main && self.kind() == NumberType::TollFree;
        let told = numbering::country_of(&self.0).filter(|told| !is_shared(told));
        told.or_else(|| home.filter(|_| main.is_some() && code(home) == code(main)))
            .or_else(|| self.country())
    }

    /// Whether it belongs to no country and is free to call: ITU-T E.169.1, eight digits behind +800.
    #[must_use]
    pub fn is_international_freephone(&self) -> bool {
        self.0.len() == 11 && self.0.starts_with("800")
    }

    /// The national form, digits as they are dialled in its country, with the trunk digit where there is one. Numbers of
    /// unknown countries stay as they are.
    #[must_use]
    pub fn national(&self) -> String {
        let by_code = || {
            let country = Country::of(&self.0)?;
            let rest = self.0.strip_prefix(country.calling_code())?;
            Some(format!("{}{rest}", country.trunk_digit()))
        };
        numbering::national(&self.0).or_else(by_code).unwrap_or_else(|| self.0.to_string())
    }

    /// The digits it is found by: international, and behind its country's trunk digit where there is one.
    #[must_use]
    pub fn spellings(&self) -> Vec<String> {
        let country = Country::of(&self.0).filter(|country| !country.trunk_digit().is_empty());
        let home = country.and_then(|country| {
            Some(format!("{}{}", country.trunk_digit(), self.0.strip_prefix(country.calling_code())?))
        });
        std::iter::once(self.0.to_string()).chain(home).collect()
    }

    /// A number nobody has, to show an example with: one of this country, where the metadata has one.
    #[must_use]
    pub fn example(country: Country) -> Option<E164> {
        let unknown = || format!("{}23456789", country.calling_code());
        E164::of_digits(numbering::example(country).unwrap_or_else(unknown))
    }

    fn of_digits(digits: impl Into<Box<str>>) -> Option<E164> {
        let digits = digits.into();
        let plausible = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        plausible.then_some(E164(digits))
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

    /// A short code of up to ten digits, where whoever gives it says that it is one.
    ///
    /// # Errors
    /// When it has a plus, other characters than digits and blanks, or too few or too many of them.
    pub fn short_code(text: &str) -> Result<Number, InvalidNumber> {
        let bare = copied::copied(text);
        let spaced = bare.chars().all(|c| c.is_ascii_digit() || c.is_whitespace());
        let digits =
            readings::digits_of(&bare).filter(|digits| (2..=LONGEST_SHORT_CODE).contains(&digits.len()));
        let code = digits.filter(|_| spaced).map(|digits| Number::ShortCode(digits.into()));
        code.ok_or_else(|| InvalidNumber(shorten(text)))
    }

    /// As it was stored: E.164 has its plus, and a short code has none, and up to 15 digits whatever was taken for one once.
    ///
    /// # Errors
    /// When it is neither.
    pub fn stored(text: &str) -> Result<Number, InvalidNumber> {
        let digits =
            |text: &str| (2..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = match text.strip_prefix('+') {
            Some(international) => E164::of_digits(international).map(Number::E164),
            None => digits(text).then(|| Number::ShortCode(text.into())),
        };
        number.ok_or_else(|| InvalidNumber(shorten(text)))
    }

    /// What it is for, as far as its digits tell.
    #[must_use]
    pub fn kind(&self) -> NumberType {
        match self {
            Number::E164(number) => number.kind(),
            Number::ShortCode(_) => NumberType::ShortCode,
        }
    }

    /// Whether it is a short code.
    #[must_use]
    pub fn is_short_code(&self) -> bool {
        matches!(self, Number::ShortCode(_))
    }
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

impl From<E164> for Number {
    fn from(number: E164) -> Number {
        Number::E164(number)
    }
}

impl TryFrom<String> for Number {
    type Error = InvalidNumber;
    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        Number::stored(&text)
    }
}

impl TryFrom<String> for E164 {
    type Error = InvalidNumber;
    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        match Number::stored(&text)? {
            Number::E164(number) => Ok(number),
            Number::ShortCode(_) => Err(InvalidNumber(shorten(&text))),
        }
    }
}

macro_rules! as_text {
    ($($type:ty),+) => { $(
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
    fn a_number_of_no_known_range_is_a_number() {
        let number: E164 = "+85523456789".parse().unwrap();
        assert!(!number.is_assigned());
        assert_eq!(number.country().unwrap().code(), "KH");
        let nowhere: E164 = "+99912345678".parse().unwrap();
        assert_eq!((nowhere.country(), nowhere.national()), (None, "99912345678".to_owned()));
    }

    #[test]
    fn what_is_stored_is_read_as_it_was_written() {
        for text in ["+44020794600", "+85512345678", "1234", "12345678"] {
            assert_eq!(Number::stored(text).unwrap().to_string(), text);
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
