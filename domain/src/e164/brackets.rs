//! Area codes in brackets: `(415) 555-2671`.

use super::E164;
use crate::country::Country;

/// What stands in brackets at the start of a number.
pub(super) fn in_brackets(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('(')?;
    Some(rest.split_once(')').map_or(rest, |(inside, _)| inside).trim())
}

/// The number in a known range of this country that has these digits, of which the first stood in brackets: an area code,
/// with or without trunk digit, or the country's own calling code.
pub(super) fn behind_area_code(digits: &str, (country, bracketed): (Country, &str)) -> Option<E164> {
    let code = country.calling_code();
    let international = E164::of_digits(digits).filter(|_| bracketed == code);
    let area = || E164::of_digits(format!("{code}{digits}"));
    international.filter(E164::is_assigned).or_else(|| area().filter(E164::is_assigned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Number, e164::Unclear};

    #[test]
    fn an_area_code_in_brackets_is_no_calling_code() {
        let countries = |codes: &str| -> Vec<Country> {
            codes.split_whitespace().map(|code| code.parse().unwrap()).collect()
        };
        let read = |text: &str, codes: &str| Number::written_in_one_of(text, &countries(codes));
        for (text, codes, number) in [
            ("(415) 555-2671", "KH US", "+14155552671"),
            ("(12) 345 678", "KH", "+85512345678"),
            ("(012) 345 678", "KH US", "+85512345678"),
            ("(020) 7946 0018", "GB", "+442079460018"),
            ("(06) 1234 5678", "IT", "+390612345678"),
            ("(812) 345-67-89", "RU", "+78123456789"),
            // Its own calling code leads nowhere else.
            ("(855) 12345678", "KH", "+85512345678"),
            ("(0044) 20 7946 0018", "KH", "+442079460018"),
        ] {
            assert_eq!(read(text, codes).unwrap().to_string(), number, "{text} in {codes}");
        }
        for (text, codes) in [
            // Without brackets and with a plus this is a number in Switzerland.
            ("(415) 555-2671", "KH"),
            ("(415 555 2671", "KH"),
            ("(415) 555-2671", ""),
            ("(855) 12345678", "GB"),
            ("(91) 98765 43210", "KH GB"),
        ] {
            assert_eq!(read(text, codes), Err(Unclear::AreaCode), "{text} in {codes}");
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
        assert!(matches!(read("(100) 12", "KH"), Err(Unclear::None(_))));
    }
}
