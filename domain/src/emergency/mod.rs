//! Emergency numbers. A call to one goes to a trunk that says it takes such calls, or nowhere: an ordinary trunk would send
//! it to the wrong place, or to nobody, and the caller would wait for help.

mod table;

use crate::{
    country::Country,
    numbering::{NumberType, behind_international_prefix, type_of},
};
use table::{MORE, TABLE};

/// Emergency numbers wherever one is: 112 and 911 by 3GPP TS 22.101 section 10.1, and the two that people bring along
/// from the Commonwealth.
const EVERYWHERE: [&str; 4] = ["112", "911", "999", "000"];

/// Of these, the ones every mobile phone knows; and 911 as North Americans dial what is long distance.
const WORLDWIDE: [&str; 3] = ["112", "911", "1911"];

/// Digits that are dialled to get out of an office.
const WAYS_OUT: [&str; 2] = ["9", "0"];

/// What is dialled to get out of most countries, beside each country's own.
const WAYS_ABROAD: [&str; 2] = ["00", "011"];

/// Most digits of a text that is looked at: ways out, a calling code, and the number.
const MAX_DIGITS: usize = 15;

/// Most digits of a call for help: what leads out or abroad, or a calling code, and the number.
const LONGEST: usize = 10;

/// Least digits of a national number that can be somebody's though it begins as a way out does: `+852 9011 1911`.
const SOMEBODYS: usize = 6;

/// Whether this, as it is dialled in a country, calls for help: by itself, behind what gets out of an office or a country,
/// and with a plus also behind the country's calling code. What other countries' visitors dial does not count behind a
/// single digit: there it is as likely a short code; and a whole number of the country's ranges is somebody's. Where the
/// country is not known, the number of any country counts.
#[must_use]
pub fn is_emergency(dialled: &str, country: Option<Country>) -> bool {
    if dialled.contains(char::is_alphabetic) {
        // The address of a phone.
        return false;
    }
    let digits: String = dialled.chars().filter(char::is_ascii_digit).collect();
    if digits.len() > MAX_DIGITS {
        return false;
    }
    let code = country.map_or("", Country::calling_code);
    let at_home = digits.strip_prefix(code).filter(|_| dialled.contains('+'));
    let whole = country.filter(|country| country.trunk_digit().is_empty() && !dialled.contains('+'));
    let called = |(digits, of): (&str, Option<Country>)| {
        is_called(digits, country) && !of.is_some_and(|country| is_somebodys(digits, country))
    };
    [(digits.as_str(), whole)].into_iter().chain(at_home.map(|digits| (digits, country))).any(called)
}

/// Whether this may be one of those: for who cannot look at the country first. Few other numbers are as short.
#[must_use]
pub fn may_be_emergency(dialled: &str) -> bool {
    !dialled.contains(char::is_alphabetic)
        && (2..=LONGEST).contains(&dialled.chars().filter(char::is_ascii_digit).count())
}

/// Whether these digits are a national number in a range the country has given out. What leads abroad stays what it is.
fn is_somebodys(national: &str, country: Country) -> bool {
    let leads_abroad = WAYS_ABROAD.iter().any(|way| national.starts_with(way));
    let number = format!("{}{national}", country.calling_code());
    national.len() >= SOMEBODYS && !leads_abroad && type_of(&number) != NumberType::Unknown
}

/// Whether these digits are a call for help, with or without a way out before them.
fn is_called(digits: &str, country: Option<Country>) -> bool {
    let here = |digits: &str| WORLDWIDE.contains(&digits) || is_of(digits, country);
    let anywhere = |digits: &str| EVERYWHERE.contains(&digits) || here(digits);
    let office = || WAYS_OUT.iter().filter_map(|way| digits.strip_prefix(*way));
    let abroad = |digits| {
        let usual = WAYS_ABROAD.iter().filter_map(move |way| str::strip_prefix(digits, *way));
        usual.chain(behind_international_prefix(digits, country))
    };
    // Abroad by way of an office is both.
    let outside = || [digits].into_iter().chain(office()).flat_map(abroad);
    EVERYWHERE.contains(&digits) || here(digits) || office().any(here) || outside().any(anywhere)
}

fn is_of(digits: &str, country: Option<Country>) -> bool {
    let of = |row: &&(&str, &str)| country.is_none_or(|country| country.code() == row.0);
    let mut rows = TABLE.iter().chain(MORE).filter(of);
    rows.any(|(_, numbers)| numbers.split(' ').any(|number| matches(number, digits)))
}

/// Whether a switch of this country that is given these digits may have had enough after the first: an emergency number, and
/// more behind it.
pub(crate) fn is_dialled_past_one(digits: &str, country: Country) -> bool {
    (3..digits.len().min(7)).any(|length| {
        let begun = digits.get(..length).unwrap_or_default();
        WORLDWIDE.contains(&begun) || is_of(begun, Some(country))
    })
}

fn matches(number: &str, digits: &str) -> bool {
    number.len() == digits.len()
        && number.bytes().zip(digits.bytes()).all(|(known, digit)| known == b'x' || known == digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helps(dialled: &str, country: &str) -> bool {
        let helps = is_emergency(dialled, country.parse().ok());
        assert!(may_be_emergency(dialled) || !helps, "{dialled} in {country}");
        helps
    }

    #[test]
    fn an_ordinary_number_is_too_long_to_be_taken_for_a_call_for_help() {
        for number in ["+85598765432", "+1 555 123 0000", "sip:112@h", "", "1"] {
            assert!(!may_be_emergency(number), "{number}");
        }
    }

    #[test]
    fn every_country_has_its_emergency_numbers_however_they_are_dialled() {
        for (country, numbers) in [
            ("US", vec!["911", "+1911", "1911", "9911", "0911", "112", "999", "000"]),
            ("GB", vec!["999", "112", "+44999", "9999", "9112"]),
            ("KH", vec!["117", "118", "119", "+855119", "+855112", "112", "911", "9117", "0112"]),
            ("DE", vec!["110", "112", "0112", "0110", "+49110"]),
            ("JP", vec!["110", "119", "1 1 9"]),
            ("AU", vec!["000", "112", "106", "0000"]),
            ("GA", vec!["1312", "1730", "18"]),
        ] {
            for number in numbers {
                assert!(helps(number, country), "{number} in {country}");
            }
        }
    }

    #[test]
    fn the_numbers_of_a_country_are_those_that_are_published_and_no_other_short_code() {
        for (country, numbers, others) in [
            ("SE", "112 90000", "11414 113 1177 118118"),
            ("ER", "112 113 114 116 124422 127799 201606 201917 202099 202914", "115 124423"),
            ("FM", "911 320221", "320222"),
            ("NE", "15 17 18 118 723141", "723142 112345"),
            ("FR", "15 17 18 112 114 115 116000 116117 119 191 196 197", "110 118218 3615 116111"),
            ("RE", "15 17 18 112 114 115 119 196", "118"),
            ("YT", "15 17 18 112 115", "16"),
            ("CH", "112 117 118 143 144 145 147 1414", "111 140 1811 161"),
            ("CZ", "112 150 155 158 159", "116 160"),
            ("MX", "911 060 065 066 068 080", "061 089"),
            ("UZ", "01 02 03 001 002 003 050", "04 051"),
            ("NA", "10111", "10112 111"),
            ("IN", "100 101 102 108 112 1298 2611", "104 1091"),
            ("US", "911 112", "933 988 411 211"),
            ("TK", "112 911 999 000", "111"),
        ] {
            for number in numbers.split(' ') {
                assert!(helps(number, country), "{number} in {country}");
            }
            for number in others.split(' ') {
                assert!(!helps(number, country), "{number} in {country}");
            }
        }
    }

    #[test]
    fn somebodys_number_that_begins_as_a_way_out_does_is_no_call_for_help() {
        for (number, country) in [
            ("+85290111911", "HK"),
            ("9011 1911", "HK"),
            ("+6590111911", "SG"),
            ("+96890119999", "OM"),
            ("+6789011112", "VU"),
            ("+6919320221", "FM"),
        ] {
            assert!(!helps(number, country), "{number} in {country}");
        }
        for (number, country) in [("+8529999", "HK"), ("9999", "HK"), ("00112", "HK"), ("9011112", "US")] {
            assert!(helps(number, country), "{number} in {country}");
        }
    }

    #[test]
    fn a_way_out_of_an_office_or_a_country_does_not_hide_a_call_for_help() {
        for (country, numbers) in [
            ("KH", vec!["00112", "011112", "00911", "011911", "1911", "00117", "900112", "001119", "00999"]),
            ("US", vec!["00911", "011911", "011112", "011999", "91911", "9011911", "1911"]),
            ("FR", vec!["0015", "00112", "015", "114", "115", "119", "191", "196", "00114"]),
            ("GB", vec!["00999", "00112", "900999"]),
            ("AU", vec!["0011000", "0011112", "00000"]),
            ("RU", vec!["810112", "00112"]),
        ] {
            for number in numbers {
                assert!(helps(number, country), "{number} in {country}");
            }
        }
    }

    #[test]
    fn a_calling_code_with_a_way_out_behind_it_does_not_hide_a_call_for_help() {
        for (country, numbers) in [
            ("KH", vec!["+8550112", "+8550119", "+8550117", "+85500112", "+855 0 1 1 9", "+85500911"]),
            ("DE", vec!["+4900112", "+4900110", "+490112", "+49112"]),
            ("GB", vec!["+4400112", "+440999"]),
            ("US", vec!["+19911", "+1011911"]),
        ] {
            for number in numbers {
                assert!(helps(number, country), "{number} in {country}");
            }
        }
    }

    #[test]
    fn other_numbers_are_no_emergency() {
        for (number, country) in [
            ("1234", "US"),
            ("411", "US"),
            ("119", "US"),
            ("110", "GB"),
            ("12345", "KH"),
            ("+85512345678", "KH"),
            ("+19115550100", "US"),
            ("+441179112999", "GB"),
            ("", "KH"),
            // Short codes that only look like a way out, or a calling code, and another country's number.
            ("9000", "KH"),
            ("9999", "KH"),
            ("0999", "KH"),
            ("1000", "US"),
            ("1112", "US"),
            ("1999", "US"),
            ("7000", "RU"),
            ("7112", "RU"),
            ("855117", "KH"),
            ("9011", "US"),
            ("114", "GB"),
            ("sip:112@h", "KH"),
        ] {
            assert!(!helps(number, country), "{number} in {country}");
        }
    }

    #[test]
    fn where_the_country_is_unknown_any_countrys_number_counts() {
        for number in ["112", "119", "110", "999", "117", "15"] {
            assert!(is_emergency(number, None), "{number}");
        }
        assert!(!is_emergency("1234", None));
    }

    #[test]
    fn every_row_is_a_country_with_numbers() {
        for (country, numbers) in TABLE.iter().chain(MORE) {
            assert!(country.parse::<Country>().is_ok() && !numbers.is_empty(), "{country}");
            let sound = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'x');
            assert!(numbers.split(' ').all(|number| number.len() >= 2 && sound(number)), "{country}");
        }
    }
}
