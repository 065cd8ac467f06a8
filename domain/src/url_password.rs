//! Passwords in the addresses of customers' applications (`https://user:password@host/`): where they stand, and what stands
//! for one that is kept in the vault.

use std::ops::Range;

/// What stands for a password that is kept in the vault: this and the vault's name for it, 32 hex digits.
pub(crate) const KEPT: &str = "kept-";
/// How long such a name is.
pub(crate) const NAME: usize = 32;
/// What stands for one in a text that is only looked at.
const HIDDEN: &str = "***";

/// Where the password stands in a URL that is written the usual way (RFC 3986 section 3.2.1).
#[must_use]
pub fn place(text: &str) -> Option<Range<usize>> {
    let start = text.find("://")? + "://".len();
    in_authority(start, text[start..].split(ends_authority).next()?)
}

/// The vault's name in what stands for a password.
pub(crate) fn kept_name(password: &str) -> Option<&str> {
    let name = password.strip_prefix(KEPT)?;
    (name.len() == NAME && name.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(name)
}

/// A text, for example TwiML, without the passwords in its addresses, relative to a protocol or not.
#[must_use]
pub fn hidden(text: &str) -> String {
    let mut hidden = text.to_owned();
    let place = |(at, slashes): (usize, &str)| {
        let start = at + slashes.len();
        in_authority(start, text[start..].split(|c| ends_authority(c) || ends_address(c)).next()?)
    };
    let places: Vec<_> = text.match_indices("//").filter_map(place).collect();
    for place in places.into_iter().rev() {
        hidden.replace_range(place, HIDDEN);
    }
    hidden
}

/// Where addresses that have a password stand in a text, first to last; each ends where a quote, a tag or a space does.
#[must_use]
pub fn addresses(text: &str) -> Vec<Range<usize>> {
    let schemes = ["http://", "https://"];
    let starts = schemes.iter().flat_map(|scheme| text.match_indices(scheme)).map(|(start, _)| start);
    let end = |start: usize| text[start..].find(ends_address).map_or(text.len(), |length| start + length);
    let whole = |start: usize| start..end(start);
    let mut found: Vec<Range<usize>> =
        starts.map(whole).filter(|address| place(&text[address.clone()]).is_some()).collect();
    found.sort_by_key(|address| address.start);
    found
}

/// Characters of a text as people wrote it: what stands for a kept password is not counted.
#[must_use]
pub fn written_length(text: &str) -> usize {
    let password =
        |address: &Range<usize>| place(&text[address.clone()]).map(|at| &text[address.clone()][at]);
    let found = addresses(text);
    let kept = found.iter().filter_map(password).filter(|password| kept_name(password).is_some());
    text.chars().count() - kept.count() * (KEPT.len() + NAME)
}

/// Where an address in a text ends.
fn ends_address(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>')
}

fn ends_authority(c: char) -> bool {
    matches!(c, '/' | '\\' | '?' | '#')
}

/// The password in this authority, which starts there.
fn in_authority(start: usize, authority: &str) -> Option<Range<usize>> {
    let user = &authority[..authority.rfind('@')?];
    let colon = user.find(':')?;
    Some(start + colon + 1..start + user.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_without_its_passwords() {
        let text = r#"<Gather action="https://bob:secret@a.test/x"/><Redirect>//b:c:d@b.test</Redirect> http://c.test:80/@"#;
        let kept = r#"<Gather action="https://bob:***@a.test/x"/><Redirect>//b:***@b.test</Redirect> http://c.test:80/@"#;
        assert_eq!(hidden(text), kept);
        assert_eq!(hidden("// a: b@c"), "// a: b@c");
    }

    #[test]
    fn addresses_with_a_password_are_found_in_a_text() {
        let text = r#"<Play>http://a.test/</Play><Gather action="https://bob:secret@a.test/x"/>http://b:c@d"#;
        let found: Vec<&str> = addresses(text).into_iter().map(|place| &text[place]).collect();
        assert_eq!(found, ["https://bob:secret@a.test/x", "http://b:c@d"]);
    }
}
