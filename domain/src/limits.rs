//! How much an account may call, and where to: what a stolen key or a runaway program can cost.

use crate::{Number, country::Country};
use serde::{Deserialize, Serialize};

/// Calls an account may place in a second, at most.
pub const MAX_PER_SECOND: u32 = 1_000;
/// Calls an account may have placed at once, at most; of one pair of numbers too.
pub const MAX_AT_ONCE: u32 = 100_000;
/// Countries that can be ticked.
const MAX_COUNTRIES: usize = 250;

/// What an account may do. Emergency calls are outside of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Calls placed in any one second, by the API and by `<Dial>`; 1 to [`MAX_PER_SECOND`].
    pub calls_per_second: u32,
    /// Calls placed that are not over; 1 to [`MAX_AT_ONCE`].
    pub calls_at_once: u32,
    /// Dialled calls of one caller to one callee that are not over; 1 to [`MAX_AT_ONCE`]. A number that is forwarded to
    /// itself comes to rest there.
    pub same_pair_at_once: u32,
    /// Countries it may call beside its carrier's own.
    pub countries: Vec<Country>,
    /// Whether it may call satellites, premium rate numbers and others of the kind that fraud is made with.
    pub high_risk: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            calls_per_second: 10,
            calls_at_once: 100,
            same_pair_at_once: 10,
            countries: Vec::new(),
            high_risk: false,
        }
    }
}

/// Limits that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimits {
    /// A rate out of its range.
    #[error("calls per second are 1 to {MAX_PER_SECOND}")]
    PerSecond,
    /// A number of calls out of its range.
    #[error("calls at once are 1 to {MAX_AT_ONCE}")]
    AtOnce,
    /// A number of calls of one pair out of its range.
    #[error("calls of one pair at once are 1 to {MAX_AT_ONCE}")]
    SamePair,
    /// More countries than there are.
    #[error("there are too many countries")]
    Countries,
}

/// Why a number is not called (Twilio's 21215 for the Calls API, 13227 for `<Dial>`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Another number, written behind a calling code that it does not belong to.
    #[error("{0} is no number of its country: behind the calling code stands what dials another")]
    Disguised(Number),
    /// A kind of number that is off until somebody turns it on.
    #[error("{0} is a {1} number, and the account may not call such numbers (its limits: high-risk numbers)")]
    HighRisk(Number, &'static str),
    /// In a country that is not ticked.
    #[error("{0} is in {country}, which the account may not call (its limits: countries)", country = shown(*.1))]
    Country(Number, Option<Country>),
}

fn shown(country: Option<Country>) -> &'static str {
    country.map_or("no country we know", Country::code)
}

impl Limits {
    /// The limits, in order, without doubles.
    ///
    /// # Errors
    /// [`InvalidLimits`].
    pub fn checked(mut self) -> Result<Limits, InvalidLimits> {
        if !(1..=MAX_PER_SECOND).contains(&self.calls_per_second) {
            return Err(InvalidLimits::PerSecond);
        }
        if !(1..=MAX_AT_ONCE).contains(&self.calls_at_once) {
            return Err(InvalidLimits::AtOnce);
        }
        if !(1..=MAX_AT_ONCE).contains(&self.same_pair_at_once) {
            return Err(InvalidLimits::SamePair);
        }
        self.countries.sort_by_key(|country| country.code());
        self.countries.dedup();
        if self.countries.len() > MAX_COUNTRIES { Err(InvalidLimits::Countries) } else { Ok(self) }
    }

    /// Whether a number may be called by an account of a carrier in this country. Short codes are the carrier's own, and what
    /// is free to call in every country is free in this one.
    ///
    /// # Errors
    /// [`Forbidden`].
    pub fn allow(&self, to: &Number, own: Option<Country>) -> Result<(), Forbidden> {
        let Number::E164(number) = to else { return Ok(()) };
        if number.hides_another() {
            return Err(Forbidden::Disguised(to.clone()));
        }
        if let Some(kind) = crate::high_risk::kind(number.digits()) {
            return if self.high_risk { Ok(()) } else { Err(Forbidden::HighRisk(to.clone(), kind)) };
        }
        let country = number.country_for(own);
        let may = |country| Some(country) == own || self.countries.contains(&country);
        let allowed = number.is_international_freephone() || country.is_some_and(may);
        if allowed { Ok(()) } else { Err(Forbidden::Country(to.clone(), country)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(limits: &Limits, to: &str) -> bool {
        limits.allow(&to.parse().unwrap(), "KH".parse().ok()).is_ok()
    }

    #[test]
    fn a_new_account_calls_its_carriers_country_and_no_other() {
        let limits = Limits::default();
        for (to, may) in [
            ("+85512345678", true),
            ("1234", true),
            ("+15551230000", false),
            ("+442079460000", false),
            ("+99912345678", false),
        ] {
            assert_eq!(allowed(&limits, to), may, "{to}");
        }
        let limits = Limits { countries: vec!["GB".parse().unwrap()], ..limits };
        assert!(allowed(&limits, "+442079460000") && !allowed(&limits, "+15551230000"));
    }

    #[test]
    fn satellites_and_premium_rates_are_off_until_they_are_turned_on() {
        let countries = Country::all().collect();
        let limits = Limits { countries, ..Limits::default() };
        let on = Limits { high_risk: true, ..limits.clone() };
        for to in [
            "+870773111111",
            "+881612345678",
            "+882161234567",
            "+883510000000",
            "+979112345678",
            "+19005551234",
            "+449012345678",
            "+4990012345678",
            "+8551900123456",
            "+994900200123",
            "+661900123456",
            "+661900401252",
            "+13459768291",
        ] {
            assert!(!allowed(&limits, to), "{to}");
            assert!(allowed(&on, to), "{to}");
        }
    }

    #[test]
    fn a_range_that_is_younger_than_the_metadata_is_at_home_where_its_calling_code_is() {
        let home = |to: &str, own: &str| Limits::default().allow(&to.parse().unwrap(), own.parse().ok());
        for (to, own) in [
            ("+85523456789", "KH"),
            ("+85519000000", "KH"),
            ("+446011112222", "GB"),
            ("+446011112222", "GG"),
            ("+15551230000", "CA"),
            ("+78591234567", "RU"),
            ("+76001234567", "KZ"),
            // Free to call for all who share the code.
            ("+18005551234", "CA"),
            ("+448081570001", "JE"),
        ] {
            assert_eq!(home(to, own), Ok(()), "{to} from {own}");
        }
        for (to, own, country) in [
            ("+446011112222", "KH", "GB"),
            ("+15551230000", "KH", "US"),
            ("+14162345678", "JM", "CA"),
            ("+12423001234", "US", "BS"),
            ("+85523456789", "GB", "KH"),
        ] {
            let refused = Forbidden::Country(to.parse().unwrap(), country.parse().ok());
            assert_eq!(home(to, own), Err(refused), "{to} from {own}");
        }
    }

    #[test]
    fn what_is_free_in_every_country_is_called_from_every_country() {
        assert!(allowed(&Limits::default(), "+80012345678"));
        for (to, why) in [
            ("+800123456", "no country we know"),
            ("+80812345678", "shared cost"),
            ("+870773111111", "satellite"),
        ] {
            let refused = Limits::default().allow(&to.parse().unwrap(), "KH".parse().ok()).unwrap_err();
            assert!(refused.to_string().contains(why), "{refused}");
        }
    }

    #[test]
    fn a_number_that_is_another_behind_a_calling_code_is_called_by_nobody() {
        let countries = Country::all().collect();
        let everything = Limits { countries, high_risk: true, ..Limits::default() };
        for to in ["+855088163123456", "+440881631234567", "+44012025550123", "+3400881631234", "+610001234"]
        {
            let refused = everything.allow(&to.parse().unwrap(), "KH".parse().ok());
            assert!(matches!(refused, Err(Forbidden::Disguised(_))), "{to}");
        }
    }

    #[test]
    fn limits_that_cannot_be_are_refused() {
        let limits = Limits::default;
        for (limits, wrong) in [
            (Limits { calls_per_second: 0, ..limits() }, InvalidLimits::PerSecond),
            (Limits { calls_per_second: 1_001, ..limits() }, InvalidLimits::PerSecond),
            (Limits { calls_at_once: 0, ..limits() }, InvalidLimits::AtOnce),
            (Limits { same_pair_at_once: 100_001, ..limits() }, InvalidLimits::SamePair),
        ] {
            assert_eq!(limits.checked(), Err(wrong));
        }
        let twice: Vec<Country> = ["US", "GB", "US"].iter().map(|code| code.parse().unwrap()).collect();
        let checked = Limits { countries: twice, ..limits() }.checked().unwrap();
        assert_eq!(checked.countries.iter().map(|country| country.code()).collect::<Vec<_>>(), ["GB", "US"]);
    }

    #[test]
    fn canada_and_the_islands_behind_plus_one_are_countries_of_their_own() {
        let us = "US".parse().ok();
        let home = |to: &str| Limits::default().allow(&to.parse().unwrap(), us);
        // What fraud is known for, an overlay younger than the metadata, and a range that is nobody's yet.
        for (to, country) in [
            ("+18762345678", "JM"),
            ("+16582345678", "JM"),
            ("+14732345678", "GD"),
            ("+18092345678", "DO"),
            ("+18490000000", "DO"),
            ("+12682345678", "AG"),
            ("+12642345678", "AI"),
            ("+17842345678", "VC"),
            ("+16492345678", "TC"),
            ("+17212345678", "SX"),
            ("+14412345678", "BM"),
            ("+17872345678", "PR"),
            ("+14162345678", "CA"),
            ("+13872345678", "CA"),
            ("+19422345678", "CA"),
        ] {
            let refused = home(to).unwrap_err();
            assert_eq!(refused, Forbidden::Country(to.parse().unwrap(), country.parse().ok()), "{to}");
            assert!(refused.to_string().contains("its limits: countries"), "it names the setting: {refused}");
            let ticked = Limits { countries: vec![country.parse().unwrap()], ..Limits::default() };
            assert!(ticked.allow(&to.parse().unwrap(), "KH".parse().ok()).is_ok(), "{to}");
        }
        for own in ["+12125551234", "+14155551234", "+18005551234", "+15551230000"] {
            assert!(home(own).is_ok(), "{own}");
        }
    }
}
