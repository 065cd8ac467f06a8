//! Small cuts through header text that respect quotes and angle brackets. Nothing here can fail or panic.

/// Walks `text` and tells `visit` each character with its byte offset, whether it lies inside quotes, and how deep in
/// angle brackets.
fn walk(text: &str, mut visit: impl FnMut(usize, char, bool, bool) -> bool) {
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    for (at, c) in text.char_indices() {
        let inside = quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angle = true,
            '>' if !quoted => angle = false,
            _ => {}
        }
        if !visit(at, c, inside || quoted, angle) {
            return;
        }
    }
}

/// True for a header value that would end before its end: CR or LF anywhere, or a NUL that no quoted string escapes (RFC
/// 3261 section 25.1, `quoted-pair`).
pub(crate) fn breaks_out(value: &[u8]) -> bool {
    if !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return false;
    }
    let (mut quoted, mut escaped) = (false, false);
    value.iter().any(|byte| {
        let was_escaped = std::mem::take(&mut escaped);
        match byte {
            b'\r' | b'\n' => return true,
            0 => return !was_escaped,
            _ if was_escaped => {}
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ => {}
        }
        false
    })
}

/// True where separators stand side by side with nothing between them, outside quotes and angle brackets: a parameter or
/// list element that is not there. A single one at the end is let pass.
pub(crate) fn has_empty_piece(text: &str) -> bool {
    let (mut found, mut last) = (false, None);
    walk(text, |_, c, quoted, angle| {
        let separates = !quoted && !angle && matches!(c, ';' | ',');
        found |= separates && last == Some(true);
        if !c.is_whitespace() {
            last = Some(separates);
        }
        !found
    });
    found
}

/// The byte offsets of `separator` outside quotes and angle brackets.
fn cuts(text: &str, separator: char) -> Vec<usize> {
    let mut found = Vec::new();
    walk(text, |at, c, quoted, angle| {
        if c == separator && !quoted && !angle {
            found.push(at);
        }
        true
    });
    found
}

/// The pieces of `text` between separators outside quotes and angle brackets, trimmed, empty ones left out.
pub(crate) fn split(text: &str, separator: char) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for cut in cuts(text, separator) {
        pieces.push(text.get(start..cut).unwrap_or_default());
        start = cut + separator.len_utf8();
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty()).map(str::to_owned).collect()
}

/// The values of a comma-separated header.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    split(text, ',')
}

/// The byte offset of the first `wanted` outside quotes.
pub(crate) fn find_unquoted(text: &str, wanted: char) -> Option<usize> {
    let mut found = None;
    walk(text, |at, c, quoted, _| {
        if c == wanted && !quoted {
            found = Some(at);
        }
        found.is_none()
    });
    found
}

/// The `;name=value` parameters behind a value's own part: everything after the closing `>` or the first `;`.
pub(crate) fn parameters(text: &str) -> Vec<(String, Option<String>)> {
    let mut pieces = split(text, ';').into_iter();
    if !text.trim_start().starts_with(';') {
        pieces.next();
    }
    pieces.map(|piece| parameter(&piece)).collect()
}

fn parameter(piece: &str) -> (String, Option<String>) {
    match piece.split_once('=') {
        Some((name, value)) => (name.trim().to_ascii_lowercase(), Some(value.trim().to_owned())),
        None => (piece.trim().to_ascii_lowercase(), None),
    }
}

/// The value of one parameter, quotes left as they are.
pub(crate) fn parameter_value(text: &str, name: &str) -> Option<String> {
    parameters(text).into_iter().find(|(have, _)| have == name).and_then(|(_, value)| value)
}

/// A quoted string without its quotes and escapes; anything else as it is.
pub(crate) fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// Decodes `%41`; a broken escape stays as it is, invalid UTF-8 is replaced.
pub(crate) fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let pair = (byte == b'%').then(|| (hex(ahead.next()), hex(ahead.next())));
        if let Some((Some(high), Some(low))) = pair {
            out.push(high * 16 + low);
            bytes = ahead;
        } else {
            out.push(byte);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(byte: Option<u8>) -> Option<u8> {
    byte.and_then(|byte| char::from(byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_a_display_name_does_not_split_a_list() {
        let list = split_list(r#""Doe, \", Jane" <sip:a@b;x=1,2>;tag=1, <sip:c@d>"#);
        assert_eq!(list, [r#""Doe, \", Jane" <sip:a@b;x=1,2>;tag=1"#, "<sip:c@d>"]);
    }

    #[test]
    fn parameters_of_the_uri_are_not_parameters_of_the_header() {
        assert_eq!(parameter_value("<sip:a@b;tag=uri>;tag=header", "tag").as_deref(), Some("header"));
        assert_eq!(parameter_value("sip:a@b;tag=header", "tag").as_deref(), Some("header"));
        assert_eq!(parameter_value("<sip:a@b;tag=uri>", "tag"), None);
    }

    #[test]
    fn a_nul_may_stand_where_a_quoted_string_escapes_it() {
        for (value, breaks) in [
            (&b"\"NUL:\\\0 DEL:\\\x7f\" <sip:a@b>"[..], false),
            (b"\"NUL:\0\" <sip:a@b>", true),
            (b"NUL:\\\0 <sip:a@b>", true),
            (b"\"a\\\\\0\"", true),
            (b"\"a\\\r\"", true),
            (b"\"a\" \\\0", true),
        ] {
            assert_eq!(breaks_out(value), breaks, "{:?}", String::from_utf8_lossy(value));
        }
    }

    #[test]
    fn a_separator_with_nothing_before_the_next_is_found() {
        for (value, empty) in [
            ("SIP/2.0/UDP 192.0.2.15;;,;,,", true),
            ("\"Joe\" <sip:joe@example.org>;;;;", true),
            ("<sip:a@b>; ;x=1", true),
            ("<sip:a;;b@c>;tag=1;", false),
            ("\"a;;b\" <sip:a@b>;x=\";;\", <sip:c@d>", false),
        ] {
            assert_eq!(has_empty_piece(value), empty, "{value}");
        }
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(percent_decode("%2B1%zz%4"), "+1%zz%4");
        assert_eq!(percent_decode("%ff"), "\u{fffd}");
    }

    #[test]
    fn quotes_and_escapes_are_taken_off() {
        assert_eq!(unquote(r#""a \"b\" \\c""#), r#"a "b" \c"#);
        assert_eq!(unquote("plain"), "plain");
    }
}
