//! Where a call's parties are, as far as their numbers tell.

use domain::E164;

/// What Twilio tells of a party's place besides its country. It is sent empty where it is not known, and programs that are
/// written for it read these without asking whether they are there.
const UNKNOWN: [&str; 3] = ["City", "State", "Zip"];

/// `FromCountry` and the like of four parties: the country where the number tells it; nothing tells the rest.
pub(crate) fn places(from: &str, to: &str) -> Vec<(String, String)> {
    let sides = [("From", from), ("Caller", from), ("To", to), ("Called", to)];
    let place = |(side, party): (&str, &str)| {
        let known = (format!("{side}Country"), country(party).unwrap_or_default().to_owned());
        let unknown = UNKNOWN.map(|what| (format!("{side}{what}"), String::new()));
        std::iter::once(known).chain(unknown).collect::<Vec<_>>()
    };
    sides.into_iter().flat_map(place).collect()
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
        let pairs = places("+85512345678", "1234");
        let told: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
        let expected = [("FromCountry", "KH"), ("CallerCountry", "KH")];
        assert_eq!(told, expected.map(|(name, code)| (name.to_owned(), code.to_owned())));
    }

    #[test]
    fn what_nothing_tells_of_a_place_is_sent_empty() {
        let pairs = places("anonymous", "+000");
        assert_eq!(pairs.len(), 16);
        for side in ["From", "To", "Caller", "Called"] {
            for what in ["City", "State", "Zip", "Country"] {
                assert!(pairs.contains(&(format!("{side}{what}"), String::new())), "{side}{what}");
            }
        }
    }
}
