//! Numbers behind a calling code that they do not belong to.

use super::E164;
use crate::{emergency, numbering};

impl E164 {
    /// Whether it only looks like a number: it is in no known range, and what stands behind its calling code begins with the
    /// country's trunk digit, or with what is dialled there to get out of the country. A switch that is given it in its
    /// national form would read the rest, and call somebody else: `+44 0 0 881 …` is a satellite for it. Where numbers are
    /// dialled without a trunk digit, or behind the calling code's own, an emergency number with digits behind it is one
    /// that calls for help: a switch may have had enough after three digits.
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
        let is_bare = trunk_digit.is_empty() || trunk_digit == country.calling_code();
        (begins && !is_part)
            || (is_bare && emergency::is_dialled_past_one(rest, country))
            || leads_abroad(rest)
            || leads_abroad(&self.national())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::country::Country;

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
            "+45 112 12345",
            "+34 061 123456",
            "+39 113 1234567",
            "+1 911 555 1234",
            "+1 911911",
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
}
