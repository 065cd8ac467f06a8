//! Kinds of numbers that telephone fraud is made with: expensive to call, and somebody shares in what is paid.

use crate::numbering::{NumberType, type_of};

/// Least digits of an international number.
const SHORTEST: usize = 7;

/// Codes that belong to no country, by the ITU's list of assigned codes (Annex to Operational Bulletin 1114): whoever calls
/// there pays dearly.
const INTERNATIONAL: [(&str, &str); 9] = [
    ("870", "satellite"),
    ("881", "satellite"),
    ("882", "international network"),
    ("883", "international network"),
    ("878", "universal personal"),
    ("979", "international premium rate"),
    ("808", "international shared cost"),
    ("888", "international network"),
    ("991", "international network"),
];

/// Calling code, and what national numbers of premium rate begin with there: the facts of libphonenumber's metadata 9.0.43
/// (`premiumRate`), shortened to the digits that tell.
const PREMIUM: &[(&str, &str)] = &[
    ("1", "900"),
    ("7", "803 809"),
    ("20", "90"),
    ("27", "862 863 864 865 866 867 868 869 90 91 92"),
    ("30", "90"),
    ("31", "90"),
    ("32", "70 90"),
    (
        "33",
        "812 813 814 815 816 817 818 819 822 823 824 827 828 829 83 85 86 880 881 882 883 885 886 887 888 889 89",
    ),
    ("34", "803 806 807"),
    ("36", "90 91"),
    ("39", "0878 14 16 89"),
    ("40", "90"),
    ("41", "90"),
    ("43", "86 89 90 93"),
    ("44", "84 87 90 91 98"),
    ("45", "90"),
    ("46", "649 900 939 944 99"),
    ("47", "82"),
    ("48", "70"),
    ("49", "1377 1378 1379 900"),
    ("51", "805"),
    ("52", "90"),
    ("54", "60"),
    ("55", "50 90"),
    ("57", "19 90"),
    ("58", "90"),
    ("60", "1600"),
    ("61", "19"),
    ("62", "809"),
    ("64", "11 13 14 15 17 18 19 500 503 506 507 5088 90"),
    ("65", "19"),
    ("81", "990"),
    ("82", "60"),
    ("84", "190"),
    ("86", "160 168"),
    ("90", "88 89 90"),
    ("91", "1861 1862"),
    ("92", "90"),
    ("212", "89"),
    ("213", "803 804 805 806 808 809"),
    ("216", "88"),
    ("221", "88"),
    ("227", "09"),
    ("230", "30"),
    ("231", "332"),
    ("236", "87"),
    ("240", "90"),
    ("242", "80"),
    ("248", "85"),
    ("250", "90"),
    ("254", "90"),
    ("255", "90"),
    ("256", "90"),
    ("262", "891 892 893 897 898 899"),
    ("264", "87"),
    ("267", "90"),
    ("268", "90"),
    ("269", "80 81 82 83 84 85 86 87 88 89"),
    ("297", "90"),
    ("298", "90"),
    ("351", "601 607 608 64 76"),
    ("352", "900 901 905"),
    ("353", "1512 1513 1514 1515 1516 1517 1518 1520 1530 1540 1550 1560 1570 1580 1590 1598 1599"),
    ("354", "90"),
    ("355", "90"),
    ("356", "500 506 507 509 51 52"),
    ("357", "90"),
    ("358", "600 700"),
    ("359", "90"),
    ("370", "900 902 903 909 91"),
    ("371", "90"),
    ("372", "40 90"),
    ("373", "90"),
    ("374", "90"),
    ("375", "81 90"),
    ("376", "10 11 12 13 14 15 16 17 18 19 90 91 92 93 94 95 96 97 98 99"),
    ("378", "71 77 78"),
    ("380", "90"),
    ("381", "78 90"),
    ("382", "94 95"),
    ("383", "90"),
    ("385", "60 61 64 65 69"),
    ("386", "89 90"),
    ("387", "90 92 94 96"),
    ("389", "50 51 52 53 54 55 56 57 58 59"),
    ("420", "90 976"),
    ("421", "900 97 98"),
    ("423", "90"),
    ("502", "19"),
    ("503", "90"),
    ("506", "90"),
    ("507", "822 855 86 877 878 886 900 981"),
    ("508", "81 82 89"),
    ("590", "81 82 89"),
    ("592", "90"),
    ("594", "81 82 89"),
    ("596", "81 82 89"),
    ("597", "90"),
    ("598", "90"),
    ("670", "90"),
    ("687", "36"),
    ("852", "900"),
    ("886", "20"),
    ("960", "900"),
    ("961", "90 91"),
    ("962", "90 91 92 93 94 95 96 97 98 99"),
    ("966", "925"),
    ("968", "900"),
    ("971", "90"),
    ("972", "120 121 19"),
    ("973", "87 90 91 92 93 94 95 96 97 98"),
];

/// What kind of costly number these digits, in international form without plus, are; `None` for an ordinary one.
#[must_use]
pub fn kind(digits: &str) -> Option<&'static str> {
    let international = INTERNATIONAL.iter().find(|(code, _)| digits.starts_with(code));
    let premium = |(code, prefixes): &(&str, &str)| {
        let national = digits.strip_prefix(*code);
        national.is_some_and(|national| prefixes.split(' ').any(|prefix| national.starts_with(prefix)))
    };
    let is_premium = || PREMIUM.iter().any(premium) || begins_with_premium(digits);
    international.map(|(_, kind)| *kind).or_else(|| is_premium().then_some("premium rate"))
}

/// Whether the metadata that we use knows it as one of premium rate: also where digits follow that belong to no number, for
/// a switch hears no more than it needs.
fn begins_with_premium(digits: &str) -> bool {
    let is_premium = |digits: &str| type_of(digits) == NumberType::PremiumRate;
    let known = type_of(digits);
    let beginnings = || (SHORTEST..digits.len()).filter_map(|length| digits.get(..length));
    known == NumberType::PremiumRate || (known == NumberType::Unknown && beginnings().any(is_premium))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_costly_number_is_known_by_its_beginning() {
        for (digits, known) in [
            ("870773111111", Some("satellite")),
            ("8816123456", Some("satellite")),
            ("882161234567", Some("international network")),
            ("979112345678", Some("international premium rate")),
            ("19005551234", Some("premium rate")),
            ("449012345678", Some("premium rate")),
            ("33899123456", Some("premium rate")),
            ("8551900123456", Some("premium rate")),
            ("85519001234567", Some("premium rate")),
            ("994900200123", Some("premium rate")),
            ("661900123456", Some("premium rate")),
            ("13459768291", Some("premium rate")),
            ("13459491234", None),
            ("85512345678", None),
            ("15551230000", None),
            ("442079460000", None),
            ("390811234567", None),
            ("4930123456", None),
        ] {
            assert_eq!(kind(digits), known, "{digits}");
        }
    }

    #[test]
    fn no_calling_code_begins_with_another() {
        for (code, _) in PREMIUM {
            let others = PREMIUM.iter().filter(|(other, _)| other != code);
            assert!(others.into_iter().all(|(other, _)| !other.starts_with(code)), "{code}");
        }
    }
}
