//! What people write for a number, and which one they mean.

use super::{
    E164, InvalidNumber, Number,
    brackets::{behind_area_code, in_brackets},
    copied::copied,
    shorten,
};
use crate::{country::Country, numbering, numbering::NumberType};
use std::{borrow::Cow, str::FromStr};

/// Most digits that are a short code by themselves; more are E.164 unless whoever gives them says otherwise.
const SHORT_CODE: usize = 6;
/// What people put between digits: blanks, hyphens, dots, parentheses.
const SPACING: [char; 9] = [' ', '\u{a0}', '\u{202f}', '-', '\u{2010}', '\u{2011}', '.', '(', ')'];

/// Why a text is not one number, where national forms of several countries are read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// It is none.
    #[error(transparent)]
    None(#[from] InvalidNumber),
    /// It is another one in each country.
    #[error("it may be {0} or {1}: write it with + and its country's calling code")]
    Either(Number, Number),
    /// It begins with an area code in brackets, which none of the countries has.
    #[error(
        "digits in brackets at the start are an area code, and no country of this carrier or its trunks has that number: \
         write it with + and its country's calling code"
    )]
    AreaCode,
}

impl E164 {
    /// A national number of this country: with its trunk digit, or ten digits within the North American plan.
    #[must_use]
    pub fn from_national(digits: &str, country: Country) -> Option<E164> {
        let (code, trunk_digit) = (country.calling_code(), country.trunk_digit());
        if code == "1" && digits.len() == 10 {
            return E164::of_digits(format!("1{digits}"));
        }
        let rest = digits
            .strip_prefix(trunk_digit)
            .filter(|rest| !trunk_digit.is_empty() && !rest.starts_with('0'))?;
        E164::of_digits(format!("{code}{rest}"))
    }

    /// The digits as an international number: a trunk digit between calling code and number (`+44 020 …`) is dropped where
    /// that, and only that, makes it one that is assigned.
    fn international(digits: String) -> Option<E164> {
        let number = E164::of_digits(digits)?;
        if number.is_assigned() {
            return Some(number);
        }
        let without = Country::of(&number.0).and_then(|country| {
            let rest = number.0.strip_prefix(country.calling_code())?;
            let rest =
                rest.strip_prefix(country.trunk_digit()).filter(|_| !country.trunk_digit().is_empty())?;
            E164::of_digits(format!("{}{rest}", country.calling_code()))
        });
        Some(without.filter(E164::is_assigned).unwrap_or(number))
    }
}

impl FromStr for E164 {
    type Err = InvalidNumber;
    fn from_str(text: &str) -> Result<E164, InvalidNumber> {
        let bare = copied(text);
        // Digits in brackets at the start are an area code; as a calling code they would lead into another country.
        let number = one_number(&bare, E164::international).filter(|_| in_brackets(&bare).is_none());
        number.ok_or_else(|| InvalidNumber(shorten(text)))
    }
}

impl Number {
    /// A number as people of a country write it: without a plus, and longer than a short code, it may be national, or begin
    /// with the country's international prefix (`00`, `011`). What begins in brackets begins with an area code of the country,
    /// or its calling code.
    ///
    /// # Errors
    /// When it is no number.
    pub fn written_in(text: &str, country: Option<Country>) -> Result<Number, InvalidNumber> {
        let bare = copied(text);
        let local = digits_of(&bare).filter(|digits| !bare.contains('+') && digits.len() > SHORT_CODE);
        let read = |digits: String| {
            let area = || country.zip(in_brackets(&bare)).and_then(|at| behind_area_code(&digits, at));
            area().or_else(|| local_reading(&digits, country))
        };
        let written = local.and_then(|_| one_number(&bare, read));
        written.map_or_else(|| text.parse(), |number| Ok(Number::E164(number)))
    }

    /// The same where people of any of these countries may have written it. Where the countries make several numbers of it,
    /// it is the only one in a known range.
    ///
    /// # Errors
    /// When it is no number, or nobody can tell which.
    pub fn written_in_one_of(text: &str, countries: &[Country]) -> Result<Number, Unclear> {
        let mut found: Vec<Number> = Vec::new();
        for number in countries.iter().filter_map(|country| Number::written_in(text, Some(*country)).ok()) {
            if !found.contains(&number) {
                found.push(number);
            }
        }
        let known: Vec<&Number> =
            found.iter().filter(|number| number.kind() != NumberType::Unknown).collect();
        match (known.as_slice(), found.as_slice()) {
            ([only], _) => Ok((*only).clone()),
            (_, [only]) => Ok(only.clone()),
            ([one, other, ..], _) => Err(Unclear::Either((*one).clone(), (*other).clone())),
            (_, [one, other, ..]) => Err(Unclear::Either(one.clone(), other.clone())),
            (_, []) => Number::written_in(text, None).map_err(|none| {
                let bare = copied(text);
                let area = in_brackets(&bare).and_then(|_| digits_of(&bare));
                area.filter(|digits| digits.len() > SHORT_CODE).map_or(none.into(), |_| Unclear::AreaCode)
            }),
        }
    }

    /// The same where some longer short codes are known: by their digits nobody can tell them from other numbers.
    ///
    /// # Errors
    /// When it is no number.
    pub fn written_among(
        text: &str,
        country: Option<Country>,
        is_known: impl Fn(&Number) -> bool,
    ) -> Result<Number, InvalidNumber> {
        let code = Number::short_code(text).ok().filter(|code| is_known(code));
        code.map_or_else(|| Number::written_in(text, country), Ok)
    }
}

impl FromStr for Number {
    type Err = InvalidNumber;
    fn from_str(text: &str) -> Result<Number, InvalidNumber> {
        if let Ok(number) = text.parse() {
            return Ok(Number::E164(number));
        }
        match digits_of(&copied(text)) {
            Some(digits) if digits.len() <= SHORT_CODE => Number::short_code(text),
            _ => Err(InvalidNumber(shorten(text))),
        }
    }
}

/// What digits without a plus stand for in this country: behind its international prefix, or national.
fn local_reading(digits: &str, country: Option<Country>) -> Option<E164> {
    let abroad: Vec<E164> = numbering::behind_international_prefix(digits, country)
        .into_iter()
        .filter_map(|rest| E164::international(rest.to_owned()))
        .collect();
    let national = || E164::from_national(digits, country?);
    // Where no reading is in a known range, the one of the own country is likelier, and plain 00 than a carrier chosen.
    let home = || abroad.iter().find(|number| number.country() == country);
    let assigned = abroad.iter().find(|number| number.is_assigned()).cloned();
    assigned.or_else(national).or_else(|| home().or(abroad.last()).cloned())
}

/// Every number that digits dialled without a plus may stand for, likeliest first: as they are, national with the trunk
/// digit, with an international prefix of the country, national without a trunk digit. With each whether it was the
/// country that made it so.
#[must_use]
pub fn readings(dialled: &str, country: Option<Country>) -> Vec<(String, bool)> {
    let Some(digits) = digits_of(dialled) else { return vec![(dialled.to_owned(), false)] };
    if dialled.contains('+') {
        return vec![(digits, false)];
    }
    let national = country.and_then(|country| {
        let rest =
            digits.strip_prefix(country.trunk_digit()).filter(|_| !country.trunk_digit().is_empty())?;
        Some(format!("{}{rest}", country.calling_code()))
    });
    let abroad = numbering::behind_international_prefix(&digits, country).into_iter().map(str::to_owned);
    let bare = country.map(|country| format!("{}{digits}", country.calling_code()));
    let of_country = national.into_iter().chain(abroad).chain(bare).map(|digits| (digits, true));
    [(digits.clone(), false)].into_iter().chain(of_country).collect()
}

/// What `read` makes of the text's digits, unless they are a range or a number with an extension: `+85512345670-79`.
fn one_number(text: &str, read: impl Fn(String) -> Option<E164>) -> Option<E164> {
    let number = read(digits_of(text)?)?;
    let parts = text.rsplit_once(['-', '\u{2010}', '\u{2011}']);
    let Some((before, after)) = parts else { return Some(number) };
    let count = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let halves = !text.contains('+') && count(before) == count(after) && !before.contains('-');
    let longer =
        !number.is_assigned() && digits_of(before).and_then(&read).is_some_and(|before| before.is_assigned());
    (!halves && !longer).then_some(number)
}

/// The ASCII digits of `text`, when all else in it is spacing people put into numbers; at most 15. A trunk digit in
/// parentheses behind the calling code, as in `+44 (0)20 …`, is not dialled from abroad and left out.
pub(super) fn digits_of(text: &str) -> Option<String> {
    let text = text.trim();
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let spaced = |pair: &[char]| matches!(pair, [one, other] if one == other && matches!(one, '.' | '-'));
    let letters: Vec<char> = unsigned.chars().collect();
    if letters.windows(2).any(spaced) {
        return None;
    }
    let bare = without_optional_digit(unsigned);
    let clean: String = bare.chars().filter(|c| !SPACING.contains(c)).collect();
    let valid = (1..=15).contains(&clean.len()) && clean.bytes().all(|byte| byte.is_ascii_digit());
    valid.then_some(clean)
}

pub(super) fn without_optional_digit(text: &str) -> Cow<'_, str> {
    let parts = text.split_once('(').and_then(|(before, rest)| Some((before, rest.split_once(')')?)));
    let Some((before, (digit, after))) = parts else { return text.into() };
    let code: String = before.chars().filter(char::is_ascii_digit).collect();
    let codes = [Some(code.as_str()), code.strip_prefix("00"), code.strip_prefix("011")];
    let optional = |code: &str| {
        let mut countries = Country::all().filter(|country| country.calling_code() == code);
        countries.any(|country| !digit.is_empty() && country.trunk_digit() == digit)
    };
    if codes.into_iter().flatten().any(optional) { format!("{before}{after}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_spell_numbers_in_many_ways() {
        for text in ["+85512345678", "85512345678", " +855 12-345.678"] {
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
    fn a_trunk_digit_behind_the_calling_code_is_not_part_of_the_number() {
        for text in [
            "+44 (0)20 7946 0018",
            "44 (0) 20 7946 0018",
            "+44 020 7946 0018",
            "+44(0)2079460018",
            "+442079460018",
        ] {
            assert_eq!(text.parse::<Number>().unwrap().to_string(), "+442079460018", "{text}");
        }
        for (text, kept) in [
            ("+39 (06) 1234 5678", "+390612345678"),
            ("+1 (212) 555-1234", "+12125551234"),
            ("+7 (8) 495 123-45-67", "+74951234567"),
        ] {
            assert_eq!(text.parse::<Number>().unwrap().to_string(), kept, "{text}");
        }
        let from_germany = Number::written_in("00 44 (0)20 7946 0018", "DE".parse().ok()).unwrap();
        assert_eq!(from_germany.to_string(), "+442079460018");
    }

    #[test]
    fn a_national_form_is_read_by_the_countries_one_works_in() {
        let countries = |codes: &str| -> Vec<Country> {
            codes.split_whitespace().map(|code| code.parse().unwrap()).collect()
        };
        for (text, codes, number) in [
            ("020 7946 0018", "GB", "+442079460018"),
            ("020 7946 0018", "GB KH", "+442079460018"),
            ("012 345 678", "KH", "+85512345678"),
            ("(212) 555-1234", "US", "+12125551234"),
            ("0044 20 7946 0018", "KH", "+442079460018"),
            ("+44 (0)20 7946 0018", "KH US", "+442079460018"),
            ("85512345678", "GB KH US", "+85512345678"),
            ("1234", "KH US", "1234"),
            ("44 20 7946 0018", "", "+442079460018"),
        ] {
            let read = Number::written_in_one_of(text, &countries(codes)).unwrap();
            assert_eq!(read.to_string(), number, "{text} in {codes}");
        }
        let unclear = Number::written_in_one_of("020 123 4567", &countries("DE NL")).unwrap_err();
        assert!(unclear.to_string().contains("write it with +"), "{unclear}");
        assert!(matches!(Number::written_in_one_of("020 7946 0018", &[]), Err(Unclear::None(_))));
    }

    #[test]
    fn a_range_is_no_number() {
        for text in [
            "+85512345670-79",
            "+855 12 345 670 - 79",
            "+85512345670..79",
            "+8551234567--79",
            "+85512345670-85512345679",
            "1000-1999",
            "12345600-12345699",
            "100-199",
            "10..19",
            "1.234",
            "(100)",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
        assert!(Number::written_in("012 345 670-79", "KH".parse().ok()).is_err());
        for text in ["+1 212-555-1234", "+49 30 901820-100", "1-212-555-1234", "+999 123-4567"] {
            assert!(text.parse::<Number>().is_ok(), "{text}");
        }
    }

    #[test]
    fn an_international_prefix_is_the_countrys() {
        for (text, country, number) in [
            ("011 855 12 345 678", Some("US"), "+85512345678"),
            ("00 855 12 345 678", Some("DE"), "+85512345678"),
            ("00 855 12 345 678", Some("KH"), "+85512345678"),
            ("0011 855 12 345 678", Some("AU"), "+85512345678"),
            ("010 855 12 345 678", Some("JP"), "+85512345678"),
            ("8 10 855 12 345 678", Some("RU"), "+85512345678"),
            ("00 855 12 345 678", None, "+85512345678"),
            ("009 1 212 555 1234", Some("NG"), "+12125551234"),
            ("009 44 20 7946 0018", Some("NG"), "+442079460018"),
            ("001 1 212 555 1234", Some("KH"), "+12125551234"),
            ("00 1 212 555 1234", Some("KH"), "+12125551234"),
            ("00 855 23 456 789", Some("KH"), "+85523456789"),
            ("00 44 20 7946 0018", Some("TH"), "+442079460018"),
            ("009 44 20 7946 0018", Some("TH"), "+442079460018"),
        ] {
            let country = country.and_then(|country| country.parse().ok());
            assert_eq!(Number::written_in(text, country).unwrap().to_string(), number, "{text}");
        }
        assert!(Number::written_in("00 855 12 345 678", "US".parse().ok()).is_err(), "it dials 011");
    }

    #[test]
    fn a_longer_short_code_is_one_when_it_is_said_to_be() {
        assert_eq!("1234567".parse::<Number>().unwrap().to_string(), "+1234567");
        let code = Number::short_code("1234567").unwrap();
        assert_eq!((code.to_string().as_str(), code.is_short_code()), ("1234567", true));
        let stored: Number = serde_json::from_str(&serde_json::to_string(&code).unwrap()).unwrap();
        assert_eq!(stored, code, "it stays one");
        let written = |text| Number::written_among(text, None, |known| *known == code).unwrap().to_string();
        assert_eq!((written("1234567"), written("1234568")), ("1234567".into(), "+1234568".into()));
        assert_eq!(Number::short_code(" 12 34 ").unwrap().to_string(), "1234");
        for text in ["+1234", "12345678901", "1000-1999", "100-199", "1.234", "(100) 199"] {
            assert!(Number::short_code(text).is_err(), "{text}");
        }
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
}
