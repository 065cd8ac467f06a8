//! Characters that change how a text looks and are not seen themselves.

use std::borrow::Cow;

/// Whether a character reorders what is around it, or takes no room at all. Joiners (U+200C, U+200D) are not among them:
/// Persian, Hindi and emoji are written with them.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        // Reordering: marks, embeddings, overrides, isolates (UAX #9).
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Nothing to see: soft hyphen, zero width space, word joiner and its like, byte order mark, old formats.
        | '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        // Fillers that are letters by name, and tags.
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// The text with such characters written out, for example `\\u202e`, as JSON does.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_deceptive(c) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}")));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reorders_or_hides_is_written_out() {
        assert_eq!(visible("pay\u{202e}fdp.exe"), "pay\\u202efdp.exe");
        assert_eq!(visible("Ban\u{200b}k\u{feff}\u{e0041}"), "Ban\\u200bk\\ufeff\\udb40\\udc41");
    }

    #[test]
    fn every_language_and_emoji_stay_as_they_are() {
        for text in ["Sok San", "שלום", "مرحبا", "می\u{200c}خواهم", "👩\u{200d}🚀", "ភាសាខ្មែរ", "क्\u{200d}ष"]
        {
            assert!(matches!(visible(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
