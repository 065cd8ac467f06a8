//! What libphonenumber's metadata says of numbers: whose they are, of which type, how they are written at home.
//!
//! It lags behind what regulators assign, so it advises and never refuses; what is a number is decided in [`crate::e164`].

use crate::country::Country;
use phonenumber::{
    Mode, Type,
    metadata::{DATABASE, Descriptor, Metadata},
};
use serde::{Deserialize, Serialize};

/// What a number is for, as far as its digits tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NumberType {
    /// It only means something inside a network.
    ShortCode,
    /// Called at a place.
    FixedLine,
    /// Called on the way.
    Mobile,
    /// One of both: the digits do not tell (North America).
    FixedLineOrMobile,
    /// Free for the caller.
    TollFree,
    /// Dearer than its distance.
    PremiumRate,
    /// The called one pays a part.
    SharedCost,
    /// Follows a person.
    Personal,
    /// Over the Internet.
    Voip,
    /// A pager.
    Pager,
    /// One number for a company's places.
    Company,
    /// A mailbox for spoken messages.
    Voicemail,
    /// In no range the metadata knows.
    Unknown,
}

/// In this order, for ranges may overlap: the dearer meaning counts.
const TYPES: [(Type, NumberType); 8] = [
    (Type::PremiumRate, NumberType::PremiumRate),
    (Type::TollFree, NumberType::TollFree),
    (Type::SharedCost, NumberType::SharedCost),
    (Type::Voip, NumberType::Voip),
    (Type::PersonalNumber, NumberType::Personal),
    (Type::Pager, NumberType::Pager),
    (Type::Uan, NumberType::Company),
    (Type::Voicemail, NumberType::Voicemail),
];

/// The type of an international number, digits without plus.
pub(crate) fn type_of(digits: &str) -> NumberType {
    region(digits).map_or(NumberType::Unknown, |(metadata, national)| kind(metadata, national))
}

/// Countries behind +1 beside the United States, with their area codes (NANPA's list of November 2026): here no lagging
/// metadata may take an island, where calls cost what fraud lives on, for a part of the United States.
const BEHIND_ONE: [(&str, &str); 24] = [
    ("AG", "268"),
    ("AI", "264"),
    ("AS", "684"),
    ("BB", "246"),
    ("BM", "441"),
    ("BS", "242"),
    (
        "CA",
        "204 226 236 249 250 257 263 289 306 343 354 365 367 368 382 387 403 416 418 428 431 437 438 450 468 474 506 514 \
         519 537 548 579 581 584 587 600 604 613 622 633 639 644 647 655 672 677 683 688 705 709 742 753 778 780 782 807 \
         819 825 867 873 879 902 905 942",
    ),
    ("DM", "767"),
    ("DO", "809 829 849"),
    ("GD", "473"),
    ("GU", "671"),
    ("JM", "658 876"),
    ("KN", "869"),
    ("KY", "345"),
    ("LC", "758"),
    ("MP", "670"),
    ("MS", "664"),
    ("PR", "787 939"),
    ("SX", "721"),
    ("TC", "649"),
    ("TT", "868"),
    ("VC", "784"),
    ("VG", "284"),
    ("VI", "340"),
];

/// The country of an international number; where several share a calling code, the one whose range it is in.
pub(crate) fn country_of(digits: &str) -> Option<Country> {
    let area = digits.strip_prefix('1').and_then(|national| national.get(..3));
    let behind_one =
        |area: &str| BEHIND_ONE.iter().find(|(_, areas)| areas.split(' ').any(|one| one == area));
    match area.and_then(behind_one) {
        Some((country, _)) => country.parse().ok(),
        None => region(digits)?.0.id().parse().ok(),
    }
}

/// The digits people of its country dial, with the trunk digit where there is one; `None` for a number of nowhere.
pub(crate) fn national(digits: &str) -> Option<String> {
    let (metadata, significant) = region(digits)?;
    let parsed = phonenumber::parse(None, format!("+{digits}")).ok()?;
    let formatted = parsed.format().mode(Mode::National).to_string();
    let formatted: String = formatted.chars().filter(char::is_ascii_digit).collect();
    // Some numbers are dialled without the trunk digit, and formatted so. Within North America all are dialled with it and
    // formatted without; and of an unknown range no format tells.
    let untold = digits.starts_with('1') || kind(metadata, significant) == NumberType::Unknown;
    Some(match metadata.national_prefix().filter(|_| untold && formatted == significant) {
        Some(prefix) => format!("{prefix}{formatted}"),
        None => formatted,
    })
}

/// How national numbers behind a calling code are parted for reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// What such numbers begin with, as a regular expression; empty for any.
    pub begins: String,
    /// All of the number, as a regular expression with its groups.
    pub groups: String,
    /// How the groups stand: `$1 $2 $3`.
    pub shown: String,
}

/// The groupings of the calling code that this country administers, the first that fits being the right one; none where
/// another one does.
#[must_use]
pub fn groupings(country: Country) -> Vec<Grouping> {
    let code = country.calling_code().parse::<u16>().ok();
    let main = code.and_then(|code| DATABASE.by_code(&code)?.into_iter().next());
    let main = main.filter(|main| main.id() == country.code());
    let formats = main.into_iter().flat_map(Metadata::international_formats);
    let bare = |pattern: &str| pattern.split_whitespace().collect::<String>();
    let grouping = |format: &phonenumber::metadata::Format| Grouping {
        begins: format.leading_digits().last().map(|digits| bare(digits.as_str())).unwrap_or_default(),
        groups: bare(format.pattern().as_str()),
        shown: format.format().to_owned(),
    };
    formats.map(grouping).collect()
}

/// A number of this country that is nobody's, international, digits without plus.
pub(crate) fn example(country: Country) -> Option<String> {
    let metadata = DATABASE.by_id(country.code())?;
    let descriptors = metadata.descriptors();
    let example = descriptors.fixed_line().and_then(Descriptor::example);
    let example = example.or_else(|| descriptors.mobile()?.example())?;
    Some(format!("{}{example}", country.calling_code()))
}

/// What is left of `dialled` behind an international prefix of this country (`00`, `011`, `0011`, …): every reading,
/// likeliest first.
pub(crate) fn behind_international_prefix(dialled: &str, country: Option<Country>) -> Vec<&str> {
    let metadata = country.and_then(|country| DATABASE.by_id(country.code()));
    let pattern = metadata.and_then(Metadata::international_prefix);
    let found = pattern.and_then(|pattern| pattern.find(dialled)).filter(|found| found.start() == 0);
    let mut readings: Vec<&str> = found.and_then(|found| dialled.get(found.end()..)).into_iter().collect();
    // Most of the world; where a carrier is chosen behind it, it is still written so.
    let is_choice = |text: &str| text.starts_with("00") && !text.bytes().all(|byte| byte.is_ascii_digit());
    let usual = pattern.is_none_or(|pattern| is_choice(pattern.as_str()) || pattern.is_match("00"));
    let plain = dialled.strip_prefix("00").filter(|_| usual);
    readings.extend(plain.filter(|plain| !readings.contains(plain)));
    readings
}

/// Whether these digits, dialled in this country, begin with an international prefix of its own.
pub(crate) fn begins_with_international_prefix(dialled: &str, country: Country) -> bool {
    let pattern = DATABASE.by_id(country.code()).and_then(Metadata::international_prefix);
    pattern.and_then(|pattern| pattern.find(dialled)).is_some_and(|found| found.start() == 0)
}

/// Whether these digits are a calling code, of a country or of none.
pub(crate) fn is_calling_code(digits: &str) -> bool {
    digits.parse::<u16>().is_ok_and(|code| !digits.starts_with('0') && DATABASE.by_code(&code).is_some())
}

/// Whether a calling code is at the beginning of these digits.
pub(crate) fn begins_with_calling_code(digits: &str) -> bool {
    (1..=3).filter_map(|length| digits.get(..length)).any(is_calling_code)
}

/// The metadata of the number's region, and what follows the calling code. Codes of no country have regions of their own.
fn region(digits: &str) -> Option<(&'static Metadata, &str)> {
    let (regions, national) = (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        Some((DATABASE.by_code(&code.parse::<u16>().ok()?)?, national))
    })?;
    let found = match regions.as_slice() {
        [only] => Some(*only),
        several => several.iter().copied().find(|metadata| has(metadata, national)),
    };
    found.map(|metadata| (metadata, national))
}

/// Whether a region that shares its calling code has this number.
fn has(metadata: &Metadata, national: &str) -> bool {
    match metadata.leading_digits() {
        Some(pattern) => pattern.find(national).is_some_and(|found| found.start() == 0),
        None => kind(metadata, national) != NumberType::Unknown,
    }
}

fn kind(metadata: &Metadata, national: &str) -> NumberType {
    let descriptors = metadata.descriptors();
    let is = |kind| descriptors.get(kind).is_some_and(|descriptor| descriptor.is_match(national));
    if !descriptors.general().is_match(national) {
        return NumberType::Unknown;
    }
    if let Some((_, kind)) = TYPES.iter().find(|(kind, _)| is(*kind)) {
        return *kind;
    }
    match (is(Type::FixedLine), is(Type::Mobile)) {
        (true, true) => NumberType::FixedLineOrMobile,
        (true, false) => NumberType::FixedLine,
        (false, true) => NumberType::Mobile,
        (false, false) => NumberType::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_calling_code_is_told_apart_by_its_ranges() {
        for (digits, country) in [
            ("14165551234", "CA"),
            ("12125551234", "US"),
            ("18765551234", "JM"),
            ("77012345678", "KZ"),
            ("74951234567", "RU"),
            ("441481960194", "GG"),
            ("442079460018", "GB"),
            ("390612345678", "IT"),
            ("85512345678", "KH"),
        ] {
            assert_eq!(country_of(digits).unwrap().code(), country, "{digits}");
        }
        assert_eq!(country_of("15551230000"), None, "no region has it");
    }

    #[test]
    fn a_national_form_is_what_people_there_dial() {
        for (digits, national) in [
            ("85512345678", "012345678"),
            ("12125551234", "12125551234"),
            ("442079460018", "02079460018"),
            ("74951234567", "84951234567"),
            ("3612345678", "0612345678"),
            ("390612345678", "0612345678"),
            ("6591234567", "91234567"),
            ("5511961234567", "11961234567"),
            ("8613812345678", "13812345678"),
            ("861012345678", "01012345678"),
            ("611300975707", "1300975707"),
            ("9721800123456", "1800123456"),
            ("5540041234", "40041234"),
        ] {
            assert_eq!(super::national(digits).as_deref(), Some(national), "{digits}");
        }
    }

    #[test]
    fn a_calling_code_has_its_groupings_once() {
        let of = |country: &str| groupings(country.parse().unwrap());
        let is_london = |grouping: &Grouping| {
            let (groups, shown) = (r"(\d{2})(\d{4})(\d{4})", "$1 $2 $3");
            grouping.begins.contains('2') && (&*grouping.groups, &*grouping.shown) == (groups, shown)
        };
        assert!(of("GB").iter().any(is_london), "{:?}", of("GB"));
        assert!(of("JE").is_empty() && of("CA").is_empty() && !of("US").is_empty() && !of("KH").is_empty());
    }

    #[test]
    fn types_are_told_where_the_digits_tell_them() {
        for (digits, kind) in [
            ("85512345678", NumberType::Mobile),
            ("12125551234", NumberType::FixedLineOrMobile),
            ("18005551234", NumberType::TollFree),
            ("390612345678", NumberType::FixedLine),
            ("80012345678", NumberType::TollFree),
            ("80812345678", NumberType::SharedCost),
            ("979123456789", NumberType::PremiumRate),
            ("8551234567079", NumberType::Unknown),
            ("99912345678", NumberType::Unknown),
        ] {
            assert_eq!(type_of(digits), kind, "{digits}");
        }
    }

    #[test]
    fn international_prefixes_are_the_countrys() {
        let behind = |dialled, country: &str| behind_international_prefix(dialled, country.parse().ok());
        assert_eq!(behind("01185512345678", "US"), ["85512345678"]);
        assert!(behind("0085512345678", "US").is_empty());
        assert_eq!(behind("001185512345678", "AU").first(), Some(&"85512345678"));
        assert_eq!(behind("0085512345678", "DE"), ["85512345678"]);
        assert_eq!(behind("0085512345678", "KH").last(), Some(&"85512345678"));
        assert_eq!(behind("00185512345678", "KH").first(), Some(&"85512345678"), "with a carrier chosen");
        assert_eq!(behind("00912125551234", "NG"), ["12125551234"]);
        assert_eq!(behind("81085512345678", "RU"), ["85512345678"]);
        assert_eq!(behind_international_prefix("0085512345678", None), ["85512345678"]);
    }

    #[test]
    fn every_country_has_an_example_of_its_own() {
        for country in Country::all() {
            let Some(example) = example(country) else { continue };
            assert_ne!(type_of(&example), NumberType::Unknown, "{country:?} {example}");
            let found = country_of(&example).map(Country::calling_code);
            assert_eq!(found, Some(country.calling_code()), "{example}");
        }
    }
}
