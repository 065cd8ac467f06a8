//! The characters of an answer: by its byte order mark, by what its header says, by what it declares, else UTF-8.

use crate::element::quote;
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

/// An XML declaration is no longer than this; what it may say takes about sixty bytes.
const MAX_DECLARATION: usize = 256;
/// How compressed files begin, and by what they are.
const COMPRESSED: [(&[u8], &str); 2] = [(b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd")];

/// Reads the bytes of an answer as text. A byte order mark is believed before everything; then the header's `charset` (RFC
/// 7303 section 3.2) before the document's own declaration (XML section 4.3.3), each where the bytes are text in it. Only a
/// declaration of UTF-8 that the bytes bear out is better than any header: nothing else reads so by chance, and headers are
/// often a server's default.
///
/// # Errors
/// One sentence for the document's author.
pub(crate) fn text_of(body: &[u8], content_type: Option<&str>) -> Result<String, String> {
    let unreadable = || "it is not in the encoding it declares, nor UTF-8".to_owned();
    if let Some((_, name)) = COMPRESSED.iter().find(|(start, _)| body.starts_with(start)) {
        return Err(format!("it is compressed ({name}), and nobody asked for that"));
    }
    if let Some((encoding, length)) = Encoding::for_bom(body) {
        return body.get(length..).and_then(|rest| read(encoding, rest)).ok_or_else(unreadable);
    }
    let wide = match body {
        [0, b'<', 0, ..] => Some(UTF_16BE),
        [b'<', 0, _, 0, ..] => Some(UTF_16LE),
        _ => None,
    };
    // Without a zero byte it is hardly in a wide encoding, but nearly all bytes can be read as if they were.
    let likely = |encoding: &&'static Encoding| !is_wide(encoding) || body.contains(&0);
    let header = charset(content_type);
    let label = declared(body).filter(|label| !label.is_empty());
    let declared = label.and_then(known);
    let borne_out = declared.filter(|encoding| *encoding == UTF_8);
    let told = [wide, borne_out, header.filter(likely)];
    if let Some(text) = told.into_iter().flatten().find_map(|encoding| read(encoding, body)) {
        return Ok(text);
    }
    // Read as if it were UTF-8 it would be text, and another.
    let unknown = |label| format!("it declares the encoding {:?}, which is none of the web's", quote(label));
    if let Some(label) = label.filter(|label| is_ascii_in_disguise(label)) {
        return Err(unknown(label));
    }
    // A declaration that can be read byte by byte is in no wide encoding, whatever it says.
    let told = [declared.filter(|encoding| !is_wide(encoding)), Some(UTF_8), header];
    let found = told.into_iter().flatten().find_map(|encoding| read(encoding, body));
    found.ok_or_else(|| label.filter(|_| declared.is_none()).map_or_else(unreadable, unknown))
}

/// Whether this is an encoding we do not know whose text is ASCII that says something else, as UTF-7.
fn is_ascii_in_disguise(label: &str) -> bool {
    let utf_7 = label.len() >= 4 && label.to_ascii_lowercase().replace('-', "").ends_with("utf7");
    utf_7 || Encoding::for_label(label.as_bytes()) == Some(REPLACEMENT)
}

fn is_wide(encoding: &'static Encoding) -> bool {
    [UTF_16BE, UTF_16LE].contains(&encoding)
}

fn read(encoding: &'static Encoding, body: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(body).map(Into::into)
}

fn known(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(label.as_bytes())
}

/// What stands in `<?xml version="1.0" encoding="ISO-8859-1"?>`.
fn declared(body: &[u8]) -> Option<&str> {
    let head = body.trim_ascii_start().strip_prefix(b"<?xml")?;
    let head = head.get(..head.len().min(MAX_DECLARATION)).unwrap_or_default();
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let head = std::str::from_utf8(head.get(..end)?).ok()?;
    let (_, value) = head.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split(quote).next().map(str::trim)
}

/// `text/xml; charset="utf-8"`.
fn charset(content_type: Option<&str>) -> Option<&'static Encoding> {
    content_type?.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let label = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("charset").then(|| known(label))?
    })
}

#[cfg(test)]
mod tests {
    fn utf_16(text: &str, little: bool, mark: bool) -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    fn text_of(body: &[u8], content_type: Option<&str>) -> Option<String> {
        super::text_of(body, content_type).ok()
    }

    #[test]
    fn a_document_is_read_in_the_encoding_it_declares() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><Response><Say>Caf\xe9</Say></Response>";
        for header in [None, Some("text/xml"), Some("text/xml; charset=utf-8")] {
            assert!(text_of(latin, header).unwrap().contains("<Say>Café</Say>"), "{header:?}");
        }
        let cyrillic = b"<?xml version=\"1.0\" encoding = \"windows-1251\" ?><Response>\xcf\xf0\xe8\xe2\xe5\xf2</Response>";
        assert!(text_of(cyrillic, None).unwrap().contains("Привет"));
        let japanese = b"<?xml version='1.0' encoding='ISO-2022-JP'?><Say>\x1b$B$3$s\x1b(B</Say>";
        assert!(text_of(japanese, None).unwrap().contains("<Say>こん</Say>"));
    }

    #[test]
    fn utf_16_is_read_with_a_mark_and_without() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><Response><Say>ជំរាបសួរ</Say></Response>";
        for (little, mark) in [(true, true), (false, true), (true, false), (false, false)] {
            assert_eq!(text_of(&utf_16(text, little, mark), Some("text/xml")).as_deref(), Some(text));
        }
    }

    #[test]
    fn the_header_tells_where_the_document_does_not() {
        assert_eq!(text_of(b"Caf\xe9", Some("text/plain; Charset=\"latin1\"")).as_deref(), Some("Café"));
        assert_eq!(text_of("Café".as_bytes(), Some("text/plain")).as_deref(), Some("Café"));
        assert_eq!(text_of(b"Caf\xe9", Some("text/plain")), None);
    }

    #[test]
    fn a_header_that_says_utf_16_falsely_does_not_harm_what_is_utf_8() {
        for text in ["<Response><Hangup/></Response>", "<Response><Say>é</Say></Response>!", "Good day"] {
            for label in ["utf-16", "UTF-16BE", "utf-16le"] {
                let header = format!("text/xml; charset={label}");
                assert_eq!(text_of(text.as_bytes(), Some(&header)).as_deref(), Some(text), "{label}");
            }
        }
        for text in ["Good day", "今日は"] {
            let body = utf_16(text, true, false);
            assert_eq!(text_of(&body, Some("text/plain; charset=utf-16le")).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_false_declaration_does_not_harm_what_is_utf_8() {
        for label in ["UTF-16", "", "no-such-thing", "utf8mb4"] {
            let text = format!("<?xml version=\"1.0\" encoding=\"{label}\"?><Response>é</Response>");
            assert_eq!(text_of(text.as_bytes(), None).as_deref(), Some(text.as_str()), "{label}");
        }
        let marked =
            [&b"\xef\xbb\xbf"[..], b"<?xml version='1.0' encoding='ISO-8859-1'?><R>\xc3\xa9</R>"].concat();
        assert!(text_of(&marked, None).unwrap().contains("<R>é</R>"));
    }

    #[test]
    fn the_header_stands_above_the_declaration_where_the_bytes_are_text_in_it() {
        let text = |encoding: &str| format!("<?xml version='1.0' encoding='{encoding}'?><R>Caf\u{e9}</R>");
        let utf_8 = |encoding: &str| text(encoding).into_bytes();
        let latin =
            |encoding: &str| text(encoding).chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let cases: [(Vec<u8>, &str); 5] = [
            (utf_8("ISO-8859-1"), "utf-8"),
            (utf_8("x-foo"), "UTF-8"),
            (latin("windows-1251"), "iso-8859-1"),
            // Both against a header that is only a server's default.
            (utf_8("UTF-8"), "iso-8859-1"),
            (latin("ISO-8859-1"), "utf-8"),
        ];
        for (body, header) in cases {
            let read = text_of(&body, Some(&format!("text/xml; charset={header}")));
            assert!(read.as_ref().is_some_and(|read| read.contains("<R>Café</R>")), "{header}: {read:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (label, text) in [
            ("x-foo", &b"caf\xe9"[..]),
            ("UTF-7", b"+AOk-"),
            ("unicode-1-1-utf-7", b"+AOk-"),
            ("ISO-2022-KR", b"\x0e"),
        ] {
            let declaration = format!("<?xml version=\"1.0\" encoding=\"{label}\"?><Response>");
            let why = super::text_of(&[declaration.as_bytes(), text].concat(), Some("text/xml")).unwrap_err();
            assert!(why.contains(label), "{why}");
        }
        let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xb3\x09";
        for header in [None, Some("text/xml; charset=iso-8859-1")] {
            let why = super::text_of(gzip, header).unwrap_err();
            assert!(why.contains("gzip"), "{why}");
        }
    }
}
