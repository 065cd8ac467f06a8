//! Names people give to things.

use crate::visible::unseen;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// A name of 1 to 64 characters that can all be seen, trimmed. What is stored is read as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Empty, too long, or with a line break or another control character.
    #[error("not a name: give 1 to 64 characters on one line")]
    Shape,
    /// It has a character that cannot be seen, or that turns the direction of what follows.
    #[error("not a name: it has an invisible character (U+{0:04X}); type it anew instead of pasting it")]
    Invisible(u32),
}

/// What names are compared by: Unicode's full case folding (Unicode 3.13, `CaseFolding.txt` statuses C and F, none of
/// the Turkic ones) of the compatibility form (NFKC), without accents, and with one blank where there are several. `STRASSE`
/// and `straße` are the same, and so are `É` and `e`: not every keyboard has both.
#[must_use]
pub fn folded(text: &str) -> String {
    let folded = caseless::default_case_fold_str(&text.nfkc().collect::<String>());
    let folded: String = folded.nfkd().filter(|c| !is_accent(*c)).nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether it stands over or under the letter before it (Combining Diacritical Marks). Vowels of other scripts that combine
/// are letters, and stay.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

impl Name {
    /// A name that was stored, whatever was taken for one once.
    #[must_use]
    pub fn stored(text: String) -> Name {
        Name(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Name {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Name, InvalidName> {
        let text = text.trim();
        if !(1..=64).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(InvalidName::Shape);
        }
        match unseen(text) {
            Some(hidden) => Err(InvalidName::Invisible(hidden.into())),
            None => Ok(Name(text.into())),
        }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_seen_is_none() {
        for hidden in [
            "\u{200b}",
            "Acme\u{202e}moc",
            "\u{2066}Acme\u{2069}",
            "Ac\u{ad}me",
            "\u{3164}",
            "\u{2800}\u{2800}",
            "Acme\u{e0041}",
            "\u{200d}",
            "A\u{200d}B",
            "\u{feff}Acme",
            "A\u{fe0f}B",
            "Ac\u{2028}me",
        ] {
            assert!(matches!(hidden.parse::<Name>(), Err(InvalidName::Invisible(_))), "{hidden:?}");
        }
    }

    #[test]
    fn scripts_and_emoji_that_need_joiners_have_names() {
        for name in [
            "Acme Telecom",
            "ក្រុមហ៊ុន",
            "می\u{200c}خواهم",
            "👨\u{200d}👩\u{200d}👧",
            "❤\u{fe0f}",
            "❤\u{fe0f} Acme",
            "❤\u{fe0f}\u{200d}🔥",
            "1\u{fe0f}\u{20e3}",
            "葛\u{e0100}城 Telecom",
            "Ünïcödé",
        ] {
            assert!(name.parse::<Name>().is_ok(), "{name:?}");
        }
        for shape in ["", "  ", "two\nlines"] {
            assert_eq!(shape.parse::<Name>(), Err(InvalidName::Shape));
        }
    }

    #[test]
    fn names_that_differ_in_case_or_accents_only_are_the_same() {
        for (one, other) in [
            ("STRASSE 7", "straße  7"),
            ("ÉCOLE", "e\u{301}cole"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("ﬁnance", "FINANCE"),
            ("Ｔｏｋｙｏ", "tokyo"),
            ("ДОМ", "дом"),
            ("Zürich Ré", "zurich re"),
            ("CAFE", "Café"),
            ("Điện thoại Việt", "đien thoai viet"),
            ("Артём", "артем"),
        ] {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(
            folded("ISIK"),
            folded("ısık"),
            "a dotless i is another letter: nobody said that this is Turkish"
        );
        for (one, other) in [("កិ", "ក"), ("が", "か"), ("कि", "क"), ("한", "하")] {
            assert_ne!(folded(one), folded(other), "what combines there is no accent");
        }
    }

    #[test]
    fn a_name_that_was_stored_is_still_read() {
        let stored: Name = serde_json::from_str("\"A\u{200b}\"").unwrap();
        assert_eq!(stored.as_str(), "A\u{200b}");
    }
}
