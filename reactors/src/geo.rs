//! Where a call's parties are, as far as their numbers tell.

use domain::E164;

/// `FromCountry` and the like, for parties whose country is known.
pub(crate) fn countries(from: &str, to: &str) -> Vec<(String, String)> {
    let sides = [(["FromCountry", "CallerCountry"], from), (["ToCountry", "CalledCountry"], to)];
    let known = sides.into_iter().filter_map(|(names, party)| Some((names, country(party)?)));
    known.flat_map(|(names, code)| names.map(|name| (name.to_owned(), code.to_owned()))).collect()
}

fn country(party: &str) -> Option<&'static str> {
    let number: E164 = party.strip_prefix('+')?.parse().ok()?;
    Some(number.country()?.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_told_where_the_number_tells_it() {
        let pairs = countries("+85512345678", "1234");
        let expected = [("FromCountry", "KH"), ("CallerCountry", "KH")];
        assert_eq!(pairs, expected.map(|(name, code)| (name.to_owned(), code.to_owned())));
        assert!(countries("anonymous", "+000").is_empty());
    }
}
