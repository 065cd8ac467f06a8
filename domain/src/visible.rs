//! Characters that change how a text looks and are not seen themselves.

use std::borrow::Cow;

/// First and last of characters without a shape of their own (the dashboard has the same in `visible.ts`, and tests of both
/// read `schema/unseen.json`): soft hyphen, grapheme joiner, Arabic letter mark, fillers that are letters by name, inherent
/// vowels, the Mongolian separator, zero-width characters and direction marks (UAX #9), separators, invisible operators, the
/// blank of braille, byte order mark, annotations, and tags. What joins letters is not among them.
const UNSEEN: [(char, char); 19] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e00ff}'),
    ('\u{e01f0}', '\u{e0fff}'),
];

/// Whether a character reorders what is around it, or is nothing to see wherever it stands.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Whether a number loses nothing without this character: it came along from where the number was copied.
pub(crate) fn is_unseen(c: char) -> bool {
    is_deceptive(c) || is_joiner(c)
}

/// Whether it joins or separates the letters around it: Persian, Hindi and emoji are written with such.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether it chooses a form of the letter before it: Mongolian, Japanese names and emoji are written with such.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// The first character of `text` that cannot be seen: a deceptive one, a control character, or what joins or chooses where
/// there is no letter that needs it.
#[must_use]
pub fn unseen(text: &str) -> Option<char> {
    let letters: Vec<char> = text.chars().collect();
    let is_letter = |c: char| !c.is_ascii() && !is_deceptive(c) && !is_joiner(c) && !is_selector(c);
    let serves = |at: usize, c: char| {
        let before = at.checked_sub(1).and_then(|before| letters.get(before)).copied();
        let after = letters.get(at + 1).copied();
        let keycap = after == Some('\u{20e3}');
        match before {
            Some(before) if is_selector(c) => is_letter(before) || keycap,
            Some(before) => (is_letter(before) || is_selector(before)) && after.is_none_or(is_letter),
            None => false,
        }
    };
    let hidden = |(at, c): &(usize, &char)| {
        let helps = is_joiner(**c) || is_selector(**c);
        c.is_control() || is_deceptive(**c) || (helps && !serves(*at, **c))
    };
    letters.iter().enumerate().find(hidden).map(|(_, c)| *c)
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
    fn the_dashboard_writes_out_the_same_characters() {
        let told: Vec<(u32, u32)> = serde_json::from_str(include_str!("../../schema/unseen.json")).unwrap();
        let own: Vec<(u32, u32)> =
            UNSEEN.iter().map(|(first, last)| (u32::from(*first), u32::from(*last))).collect();
        assert_eq!(own, told);
    }

    #[test]
    fn every_language_and_emoji_stay_as_they_are() {
        for text in [
            "Sok San",
            "שלום",
            "مرحبا",
            "می\u{200c}خواهم",
            "👩\u{200d}🚀",
            "ភាសាខ្មែរ",
            "क्\u{200d}ष",
            "葛\u{e0100}城",
        ] {
            assert!(matches!(visible(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
