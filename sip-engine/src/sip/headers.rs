//! Header fields as they stood on the wire: order, case and bytes kept.
//!
//! What we echo (Via, From, To, Call-ID, CSeq, Record-Route) is copied from here, never printed from a parsed form.

use super::text;
use bytes::Bytes;
use std::borrow::Cow;

/// Long and compact names (RFC 3261 section 20, RFC 3515, 4028, 6665).
const COMPACT: [(&str, &str); 15] = [
    ("accept-contact", "a"),
    ("allow-events", "u"),
    ("call-id", "i"),
    ("contact", "m"),
    ("content-encoding", "e"),
    ("content-length", "l"),
    ("content-type", "c"),
    ("event", "o"),
    ("from", "f"),
    ("refer-to", "r"),
    ("session-expires", "x"),
    ("subject", "s"),
    ("supported", "k"),
    ("to", "t"),
    ("via", "v"),
];

/// True if a name from the wire is `wanted`, in any case, long or compact.
#[must_use]
pub fn same_name(name: &[u8], wanted: &str) -> bool {
    Name::of(wanted).is(name)
}

/// A name looked for, in both forms; found out once for all the headers it is compared with.
#[derive(Clone, Copy)]
struct Name<'a> {
    wanted: &'a str,
    other: Option<&'static str>,
}

impl<'a> Name<'a> {
    fn of(wanted: &'a str) -> Name<'a> {
        let other = COMPACT.iter().find_map(|(long, short)| match () {
            () if long.eq_ignore_ascii_case(wanted) => Some(*short),
            () if short.eq_ignore_ascii_case(wanted) => Some(*long),
            () => None,
        });
        Name { wanted, other }
    }

    fn is(self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.wanted.as_bytes())
            || self.other.is_some_and(|other| name.eq_ignore_ascii_case(other.as_bytes()))
    }
}

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name as received.
    pub name: Bytes,
    /// The value as received, without surrounding white space; folded lines joined by one space.
    pub value: Bytes,
}

impl Header {
    /// The value as text, invalid UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.value)
    }
}

/// The header fields of one message, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// Adds a field at the end. A name or value with CR, LF or NUL is not added: nothing of ours may split a message. (A
    /// NUL that a quoted string escapes may stand; it is only ever echoed.)
    pub fn push(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let (name, value) = (name.into(), value.into());
        if !name.is_empty() && !text::breaks_out(&name) && !text::breaks_out(&value) {
            self.0.push(Header { name, value });
        }
    }

    /// The first field of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Header> {
        let name = Name::of(name);
        self.0.iter().find(|header| name.is(&header.name))
    }

    /// The first field's value as text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(Header::text)
    }

    /// All fields of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Header> {
        let name = Name::of(name);
        self.0.iter().filter(move |header| name.is(&header.name))
    }

    /// All values of a comma-separated field, in order, over all lines. Commas in quotes or angle brackets do not split.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        for header in self.all(name) {
            values.extend(super::text::split_list(&header.text()));
        }
        values
    }

    /// Every field, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Header> {
        self.0.iter()
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without any field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Replaces the value of the first field of this name.
    pub(crate) fn replace(&mut self, name: &str, value: impl Into<Bytes>) {
        if let Some(header) = self.0.iter_mut().find(|header| Name::of(name).is(&header.name)) {
            header.value = value.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_and_long_names_are_one_name() {
        for (long, short) in COMPACT {
            assert!(same_name(short.to_ascii_uppercase().as_bytes(), long));
            assert!(same_name(long.to_ascii_uppercase().as_bytes(), short));
        }
        assert!(!same_name(b"x", "via"));
    }

    #[test]
    fn a_value_cannot_smuggle_in_a_second_header() {
        let mut headers = Headers::default();
        headers.push("X-Note", "a\r\nContact: <sip:evil@example.net>");
        headers.push("X-No\nte", "a");
        assert!(headers.is_empty());
    }
}
