//! What comes along when a number is copied from a page, a document or a list of contacts.

use crate::visible::is_unseen;

/// The text without what came along when it was copied: characters nobody sees, and the `tel:` of a link (RFC 3966).
pub(super) fn copied(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !is_unseen(*c)).collect();
    let bare = seen.trim();
    let link = bare.split_at_checked(4).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("tel:"));
    link.map_or(bare, |(_, number)| number.trim_start()).to_owned()
}

#[cfg(test)]
mod tests {
    use crate::Number;

    #[test]
    fn what_came_along_when_a_number_was_copied_is_no_part_of_it() {
        for text in [
            "\u{202a}+855 12 345 678\u{202c}",
            "\u{feff}+85512345678\u{200b}",
            "+855\u{2060}12\u{200e}345\u{200d}678",
            "tel:+85512345678",
            "TEL: +855-12-345-678 ",
            "\u{200f}tel:85512345678",
        ] {
            assert_eq!(text.parse::<Number>().unwrap().to_string(), "+85512345678", "{text:?}");
            let read = Number::written_in_one_of(text, &["GB".parse().unwrap()]);
            assert_eq!(read.unwrap().to_string(), "+85512345678", "{text:?}");
        }
        let local = Number::written_in("\u{202d}012 345 678\u{202c}", "KH".parse().ok());
        assert_eq!(local.unwrap().to_string(), "+85512345678");
        assert_eq!(Number::short_code("\u{200b}1234").unwrap().to_string(), "1234");
        for text in ["tel:", "tel:tel:+85512345678", "sip:+85512345678", "\u{200b}"] {
            assert!(text.parse::<Number>().is_err(), "{text:?}");
        }
    }
}
