//! What somebody types who looks for numbers.

use super::{E164, copied::copied, readings::without_optional_digit};
use crate::{country::Country, numbering};
use unicode_normalization::UnicodeNormalization;

/// The digits of what somebody typed who looks for a number, be it all of one or a part: what [`super::Number::written_in`]
/// takes for the plus, and a trunk digit behind a calling code, are in no number. Wide digits are digits.
#[must_use]
pub fn sought(typed: &str) -> String {
    let wide: String = typed.nfkc().collect();
    let typed = copied(&wide);
    let (plus, rest) = typed.strip_prefix('+').map_or((false, &*typed), |rest| (true, rest));
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

#[cfg(test)]
mod tests {
    use super::*;

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
            "\u{202a}+44 020 7946\u{202c}",
            "tel:+44-020-7946",
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
}
