//! Countries: ISO 3166-1 codes, their calling codes (ITU-T E.164) and the digit they put before national numbers.

use serde::{Deserialize, Serialize};

/// A country, by its ISO 3166-1 alpha-2 code in capitals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(&'static (&'static str, &'static str, &'static str));

/// Why a text is not a country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 3166-1 alpha-2 country code: {0:?}")]
pub struct UnknownCountry(pub String);

impl Country {
    /// The ISO code, for example `KH`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.0
    }

    /// The calling code without plus, for example `855`.
    #[must_use]
    pub fn calling_code(self) -> &'static str {
        self.0.1
    }

    /// The digits dialled before a national number, for example `0`; empty where there are none.
    #[must_use]
    pub fn trunk_digit(self) -> &'static str {
        self.0.2
    }

    /// The country an E.164 number belongs to. Where several share a calling code, the one that administers it.
    #[must_use]
    pub fn of(e164_digits: &str) -> Option<Country> {
        let main = MAIN.iter().find(|(code, _)| e164_digits.starts_with(code));
        main.and_then(|(_, iso)| iso.parse().ok()).or_else(|| {
            (1..=3)
                .rev()
                .filter_map(|length| e164_digits.get(..length))
                .find_map(|code| COUNTRIES.iter().find(|country| country.1 == code).map(Country))
        })
    }

    /// Every country, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Country> {
        COUNTRIES.iter().map(Country)
    }
}

impl std::str::FromStr for Country {
    type Err = UnknownCountry;
    fn from_str(text: &str) -> Result<Country, UnknownCountry> {
        let found = COUNTRIES.iter().find(|country| country.0.eq_ignore_ascii_case(text));
        found.map(Country).ok_or_else(|| UnknownCountry(text.chars().take(8).collect()))
    }
}

impl TryFrom<String> for Country {
    type Error = UnknownCountry;
    fn try_from(text: String) -> Result<Country, UnknownCountry> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> String {
        country.code().into()
    }
}

impl std::fmt::Debug for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// Calling codes several countries share, with the one a bare number is taken to belong to.
const MAIN: &[(&str, &str)] = &[
    ("1", "US"),
    ("7", "RU"),
    ("39", "IT"),
    ("44", "GB"),
    ("47", "NO"),
    ("61", "AU"),
    ("64", "NZ"),
    ("212", "MA"),
    ("262", "RE"),
    ("290", "SH"),
    ("358", "FI"),
    ("500", "FK"),
    ("590", "GP"),
    ("599", "CW"),
];

/// ISO code, calling code, trunk digit.
const COUNTRIES: &[(&str, &str, &str)] = &[
    ("AC", "247", ""),
    ("AD", "376", ""),
    ("AE", "971", "0"),
    ("AF", "93", "0"),
    ("AG", "1", "1"),
    ("AI", "1", "1"),
    ("AL", "355", "0"),
    ("AM", "374", "0"),
    ("AO", "244", ""),
    ("AR", "54", "0"),
    ("AS", "1", "1"),
    ("AT", "43", "0"),
    ("AU", "61", "0"),
    ("AW", "297", ""),
    ("AX", "358", "0"),
    ("AZ", "994", "0"),
    ("BA", "387", "0"),
    ("BB", "1", "1"),
    ("BD", "880", "0"),
    ("BE", "32", "0"),
    ("BF", "226", ""),
    ("BG", "359", "0"),
    ("BH", "973", ""),
    ("BI", "257", ""),
    ("BJ", "229", ""),
    ("BL", "590", "0"),
    ("BM", "1", "1"),
    ("BN", "673", ""),
    ("BO", "591", "0"),
    ("BQ", "599", ""),
    ("BR", "55", "0"),
    ("BS", "1", "1"),
    ("BT", "975", ""),
    ("BW", "267", ""),
    ("BY", "375", "8"),
    ("BZ", "501", ""),
    ("CA", "1", "1"),
    ("CC", "61", "0"),
    ("CD", "243", "0"),
    ("CF", "236", ""),
    ("CG", "242", ""),
    ("CH", "41", "0"),
    ("CI", "225", ""),
    ("CK", "682", ""),
    ("CL", "56", ""),
    ("CM", "237", ""),
    ("CN", "86", "0"),
    ("CO", "57", "0"),
    ("CR", "506", ""),
    ("CU", "53", "0"),
    ("CV", "238", ""),
    ("CW", "599", ""),
    ("CX", "61", "0"),
    ("CY", "357", ""),
    ("CZ", "420", ""),
    ("DE", "49", "0"),
    ("DJ", "253", ""),
    ("DK", "45", ""),
    ("DM", "1", "1"),
    ("DO", "1", "1"),
    ("DZ", "213", "0"),
    ("EC", "593", "0"),
    ("EE", "372", ""),
    ("EG", "20", "0"),
    ("EH", "212", "0"),
    ("ER", "291", "0"),
    ("ES", "34", ""),
    ("ET", "251", "0"),
    ("FI", "358", "0"),
    ("FJ", "679", ""),
    ("FK", "500", ""),
    ("FM", "691", ""),
    ("FO", "298", ""),
    ("FR", "33", "0"),
    ("GA", "241", ""),
    ("GB", "44", "0"),
    ("GD", "1", "1"),
    ("GE", "995", "0"),
    ("GF", "594", "0"),
    ("GG", "44", "0"),
    ("GH", "233", "0"),
    ("GI", "350", ""),
    ("GL", "299", ""),
    ("GM", "220", ""),
    ("GN", "224", ""),
    ("GP", "590", "0"),
    ("GQ", "240", ""),
    ("GR", "30", ""),
    ("GT", "502", ""),
    ("GU", "1", "1"),
    ("GW", "245", ""),
    ("GY", "592", ""),
    ("HK", "852", ""),
    ("HN", "504", ""),
    ("HR", "385", "0"),
    ("HT", "509", ""),
    ("HU", "36", "06"),
    ("ID", "62", "0"),
    ("IE", "353", "0"),
    ("IL", "972", "0"),
    ("IM", "44", "0"),
    ("IN", "91", "0"),
    ("IO", "246", ""),
    ("IQ", "964", "0"),
    ("IR", "98", "0"),
    ("IS", "354", ""),
    ("IT", "39", ""),
    ("JE", "44", "0"),
    ("JM", "1", "1"),
    ("JO", "962", "0"),
    ("JP", "81", "0"),
    ("KE", "254", "0"),
    ("KG", "996", "0"),
    ("KH", "855", "0"),
    ("KI", "686", "0"),
    ("KM", "269", ""),
    ("KN", "1", "1"),
    ("KP", "850", "0"),
    ("KR", "82", "0"),
    ("KW", "965", ""),
    ("KY", "1", "1"),
    ("KZ", "7", "8"),
    ("LA", "856", "0"),
    ("LB", "961", "0"),
    ("LC", "1", "1"),
    ("LI", "423", "0"),
    ("LK", "94", "0"),
    ("LR", "231", "0"),
    ("LS", "266", ""),
    ("LT", "370", "0"),
    ("LU", "352", ""),
    ("LV", "371", ""),
    ("LY", "218", "0"),
    ("MA", "212", "0"),
    ("MC", "377", "0"),
    ("MD", "373", "0"),
    ("ME", "382", "0"),
    ("MF", "590", "0"),
    ("MG", "261", "0"),
    ("MH", "692", "1"),
    ("MK", "389", "0"),
    ("ML", "223", ""),
    ("MM", "95", "0"),
    ("MN", "976", "0"),
    ("MO", "853", ""),
    ("MP", "1", "1"),
    ("MQ", "596", "0"),
    ("MR", "222", ""),
    ("MS", "1", "1"),
    ("MT", "356", ""),
    ("MU", "230", ""),
    ("MV", "960", ""),
    ("MW", "265", "0"),
    ("MX", "52", ""),
    ("MY", "60", "0"),
    ("MZ", "258", ""),
    ("NA", "264", "0"),
    ("NC", "687", ""),
    ("NE", "227", ""),
    ("NF", "672", ""),
    ("NG", "234", "0"),
    ("NI", "505", ""),
    ("NL", "31", "0"),
    ("NO", "47", ""),
    ("NP", "977", "0"),
    ("NR", "674", ""),
    ("NU", "683", ""),
    ("NZ", "64", "0"),
    ("OM", "968", ""),
    ("PA", "507", ""),
    ("PE", "51", "0"),
    ("PF", "689", ""),
    ("PG", "675", ""),
    ("PH", "63", "0"),
    ("PK", "92", "0"),
    ("PL", "48", ""),
    ("PM", "508", "0"),
    ("PR", "1", "1"),
    ("PS", "970", "0"),
    ("PT", "351", ""),
    ("PW", "680", ""),
    ("PY", "595", "0"),
    ("QA", "974", ""),
    ("RE", "262", "0"),
    ("RO", "40", "0"),
    ("RS", "381", "0"),
    ("RU", "7", "8"),
    ("RW", "250", "0"),
    ("SA", "966", "0"),
    ("SB", "677", ""),
    ("SC", "248", ""),
    ("SD", "249", "0"),
    ("SE", "46", "0"),
    ("SG", "65", ""),
    ("SH", "290", ""),
    ("SI", "386", "0"),
    ("SJ", "47", ""),
    ("SK", "421", "0"),
    ("SL", "232", "0"),
    ("SM", "378", ""),
    ("SN", "221", ""),
    ("SO", "252", "0"),
    ("SR", "597", ""),
    ("SS", "211", "0"),
    ("ST", "239", ""),
    ("SV", "503", ""),
    ("SX", "1", "1"),
    ("SY", "963", "0"),
    ("SZ", "268", ""),
    ("TA", "290", ""),
    ("TC", "1", "1"),
    ("TD", "235", ""),
    ("TG", "228", ""),
    ("TH", "66", "0"),
    ("TJ", "992", ""),
    ("TK", "690", ""),
    ("TL", "670", ""),
    ("TM", "993", "8"),
    ("TN", "216", ""),
    ("TO", "676", ""),
    ("TR", "90", "0"),
    ("TT", "1", "1"),
    ("TV", "688", ""),
    ("TW", "886", "0"),
    ("TZ", "255", "0"),
    ("UA", "380", "0"),
    ("UG", "256", "0"),
    ("US", "1", "1"),
    ("UY", "598", "0"),
    ("UZ", "998", ""),
    ("VA", "39", ""),
    ("VC", "1", "1"),
    ("VE", "58", "0"),
    ("VG", "1", "1"),
    ("VI", "1", "1"),
    ("VN", "84", "0"),
    ("VU", "678", ""),
    ("WF", "681", ""),
    ("WS", "685", ""),
    ("XK", "383", "0"),
    ("YE", "967", "0"),
    ("YT", "262", "0"),
    ("ZA", "27", "0"),
    ("ZM", "260", "0"),
    ("ZW", "263", "0"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_finds_its_country() {
        for (digits, iso) in
            [("85512345678", "KH"), ("12125551234", "US"), ("447700900123", "GB"), ("4930123456", "DE")]
        {
            assert_eq!(Country::of(digits).map(Country::code), Some(iso), "{digits}");
        }
        assert_eq!(Country::of("99912345"), None);
    }

    #[test]
    fn a_country_knows_its_trunk_digit() {
        let cambodia: Country = "kh".parse().unwrap();
        assert_eq!((cambodia.calling_code(), cambodia.trunk_digit()), ("855", "0"));
        assert!("XX".parse::<Country>().is_err());
    }
}
