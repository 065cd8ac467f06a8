//! Telephone numbers: E.164 or short code.

use crate::{country::Country, numbering, numbering::NumberType};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, str::FromStr};
use unicode_normalization::UnicodeNormalization;

/// Most digits that are a short code by themselves; more are E.164 unless whoever gives them says otherwise.
const SHORT_CODE: usize = 6;
/// Most digits of a short code that is said to be one.
const LONGEST_SHORT_CODE: usize = 10;
/// What people put between digits: blanks, hyphens, dots, parentheses.
const SPACING: [char; 9] = [' ', '\u{a0}', '\u{202f}', '-', '\u{2010}', '\u{2011}', '.', '(', ')'];

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

/// Why a text is not one number, where national forms of several countries are read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// It is none.
    #[error(transparent)]
    None(#[from] InvalidNumber),
    /// It is another one in each country.
    #[error("it may be {0} or {1}: write it with + and its country's calling code")]
    Either(Number, Number),
}

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

    /// Whether it only looks like a number: it is in no known range, and what stands behind its calling code begins with the
    /// country's trunk digit, or with what is dialled there to get out of the country. A switch that is given it in its
    /// national form would read the rest, and call somebody else: `+44 0 0 881 …` is a satellite for it.
    #[must_use]
    pub fn hides_another(&self) -> bool {
        let Some(country) = self.country().filter(|_| !self.is_assigned()) else { return false };
        let Some(rest) = self.0.strip_prefix(country.calling_code()) else { return false };
        let trunk_digit = country.trunk_digit();
        let leads_abroad = |dialled: &str| {
            dialled.starts_with("00") || numbering::begins_with_international_prefix(dialled, country)
        };
        let begins = !trunk_digit.is_empty() && rest.starts_with(trunk_digit);
        // Behind +7 and its like, numbers begin with an 8 as well, and are no longer for it.
        let usual = E164::example(country).map_or(0, |example| example.0.len());
        let is_part = trunk_digit == "8" && self.0.len() <= usual;
        (begins && !is_part) || leads_abroad(rest) || leads_abroad(&self.national())
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

    fn of_digits(digits: impl Into<Box<str>>) -> Option<E164> {
        let digits = digits.into();
        let plausible = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        plausible.then_some(E164(digits))
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
        one_number(text, E164::international).ok_or_else(|| InvalidNumber(shorten(text)))
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

    /// A number as people of a country write it: without a plus, and longer than a short code, it may be national, or begin
    /// with the country's international prefix (`00`, `011`).
    ///
    /// # Errors
    /// When it is no number.
    pub fn written_in(text: &str, country: Option<Country>) -> Result<Number, InvalidNumber> {
        let local = digits_of(text).filter(|digits| !text.contains('+') && digits.len() > SHORT_CODE);
        let written = local.and_then(|_| one_number(text, |digits| local_reading(&digits, country)));
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
            (_, []) => Ok(Number::written_in(text, None)?),
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

    /// A short code of up to ten digits, where whoever gives it says that it is one.
    ///
    /// # Errors
    /// When it has a plus, other characters than digits and blanks, or too few or too many of them.
    pub fn short_code(text: &str) -> Result<Number, InvalidNumber> {
        let spaced = text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace());
        let digits = digits_of(text).filter(|digits| (2..=LONGEST_SHORT_CODE).contains(&digits.len()));
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

impl FromStr for Number {
    type Err = InvalidNumber;
    fn from_str(text: &str) -> Result<Number, InvalidNumber> {
        if let Ok(number) = text.parse() {
            return Ok(Number::E164(number));
        }
        match digits_of(text) {
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
fn digits_of(text: &str) -> Option<String> {
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

/// The digits of what somebody typed who looks for a number, be it all of one or a part: what [`Number::written_in`] takes
/// for the plus, and a trunk digit behind a calling code, are in no number. Wide digits are digits.
#[must_use]
pub fn sought(typed: &str) -> String {
    let typed: String = typed.nfkc().collect();
    let typed = typed.trim();
    let (plus, rest) = typed.strip_prefix('+').map_or((false, typed), |rest| (true, rest));
    // A parenthesis that is not closed yet.
    let closing = if rest.contains('(') && !rest.contains(')') { ")" } else { "" };
    let rest = format!("{rest}{closing}");
    let bare = without_optional_digit(&rest);
    let groups: Vec<&str> =
        bare.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let international = if plus { Some(groups.concat()) } else { behind_way_abroad(&groups) };
    international.map_or_else(|| groups.concat(), without_trunk_digit)
}

/// What stands behind `00` or `011`, where it begins with a calling code. Any number may end in 0018, so that is told from the
/// groups, or the length.
fn behind_way_abroad(groups: &[&str]) -> Option<String> {
    let (first, rest) = groups.split_first()?;
    if let Some(after) = first.strip_prefix("00") {
        let digits = format!("{after}{}", rest.concat());
        let enough = digits.len() >= 4 || !rest.is_empty();
        return (enough && numbering::begins_with_calling_code(&digits)).then_some(digits);
    }
    let digits = groups.concat().strip_prefix("011")?.to_owned();
    let apart = *first == "011" && rest.first().is_some_and(|group| numbering::is_calling_code(group));
    let is_whole = || E164::of_digits(&*digits).is_some_and(|number| number.is_assigned());
    (apart || is_whole()).then_some(digits)
}

/// Without the zero that is dialled at home only; nowhere does a number begin with it.
fn without_trunk_digit(international: String) -> String {
    let shorter = Country::of(&international).filter(|country| country.trunk_digit().starts_with('0'));
    let shorter = shorter.and_then(|country| {
        let rest = international.strip_prefix(country.calling_code())?.strip_prefix(country.trunk_digit())?;
        Some(format!("{}{rest}", country.calling_code()))
    });
    shorter.unwrap_or(international)
}

fn without_optional_digit(text: &str) -> Cow<'_, str> {
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
    fn who_looks_for_a_number_may_type_it_in_any_way() {
        for text in [
            "+44 (0)20 7946",
            "+44 020 7946",
            "+44(020)7946",
            "0044 20 7946",
            "00 44 (0)20 7946",
            "0044207946",
            "011 44 20 7946",
            "011-44-20-7946",
            "+44.20.7946",
            "４４ ２０ ７９４６",
            "＋４４（０）２０ ７９４６",
        ] {
            assert_eq!(sought(text), "44207946", "{text}");
        }
        for (text, digits) in [
            ("020 7946", "0207946"),
            ("(020) 7946-0018", "02079460018"),
            ("+44 (0", "44"),
            ("+44 (02", "442"),
            ("00 44", "44"),
            ("01144207946 0018", "442079460018"),
            ("0080012345678", "80012345678"),
            // At home in Cambodia as well as the way to Nigeria: what is left is in either.
            ("011 234 567", "234567"),
            // Parts of numbers, an Italian one, and a short code.
            ("0018", "0018"),
            ("00", "00"),
            ("01123", "01123"),
            ("+39 06 1234", "39061234"),
            ("1234", "1234"),
            ("", ""),
            ("Acme", ""),
        ] {
            assert_eq!(sought(text), digits, "{text}");
        }
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
    fn another_number_behind_a_calling_code_is_no_number_of_that_country() {
        for text in [
            "+440881631234567",
            "+44012025550123",
            "+440 252612345678",
            "+44 0 53 52345678",
            "+34 00 1 202 555 0123",
            "+3400881631234",
            "+39 00 1 202 555 0123",
            "+390088163123456",
            "+45 00 1 202 555 0123",
            "+450088163123456",
            "+855088163123456",
            "+855 0 1 202 5550123",
            "+85500 2526123456",
            "+610001234",
            "+972 12 44 2079460",
            "+1 011 855 12 345 678",
            "+65 001 1202555012",
            "+7 810 12025550123",
            "+7 810 1202555",
        ] {
            assert!(text.parse::<E164>().unwrap().hides_another(), "{text}");
        }
        for text in [
            "+442079460018",
            "+390612345678",
            // The zero is one too many, and what is left is somebody's in Weilheim.
            "+490881631234567",
            "+2250712345678",
            "+85523456789",
            "+15551230000",
            "+12125551234",
            "+74951234567",
            "+78001234567",
            // Ranges of an 8 that nobody has yet.
            "+78591234567",
            "+375851234567",
            "+99912345678",
            "+4521234567",
            "+34910123456",
        ] {
            assert!(!text.parse::<E164>().unwrap().hides_another(), "{text}");
        }
    }

    #[test]
    fn no_number_in_a_known_range_leads_abroad_where_it_is_dialled() {
        for country in Country::all() {
            let Some(number) = numbering::example(country).and_then(E164::of_digits) else { continue };
            let national = number.national();
            let abroad = numbering::begins_with_international_prefix(&national, country);
            assert!(!number.hides_another() && !abroad, "{number} is dialled {national}");
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
