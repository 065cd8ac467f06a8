//! A URL as it is requested and signed: what was written, as far as HTTP can carry it.

use super::failure::{BAD_URL, Failure};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::webhook_url::Method;
use std::borrow::Cow;
use url::{Host, Position, Url};

/// Longest URL that is requested, query parameters of ours included.
const MAX_URL: usize = 16 * 1024;

/// Whether by TLS, host and port.
pub(super) type Origin = (bool, String, u16);

/// Where one request goes.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Parsed, to know host and port, and to resolve redirects against.
    pub url: Url,
    /// `example.com:8443`, for the Host header.
    pub authority: String,
    /// `/voice?a=b`, for the request line.
    pub path: String,
}

impl Target {
    /// Reads an absolute URL.
    pub fn parse(text: &str) -> Result<Target, Failure> {
        let refused = |why: &str| Failure::refused(BAD_URL, format!("the URL cannot be requested: {why}"));
        let url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || text.len() > MAX_URL {
            return Err(refused("give an http:// or https:// address"));
        }
        let (authority, path) = as_written(text).unwrap_or_else(|| normalised(&url));
        Ok(Target { url, authority, path })
    }

    /// The same with those parameters appended to the query that are not in it: a redirect may have carried them on.
    pub fn with_query(mut self, parameters: &[(String, String)]) -> Result<Target, Failure> {
        let there: Vec<(Cow<'_, str>, Cow<'_, str>)> = self.url.query_pairs().collect();
        let is_new =
            |pair: &&(String, String)| !there.iter().any(|(name, value)| *name == pair.0 && *value == pair.1);
        let parameters: Vec<(String, String)> = parameters.iter().filter(is_new).cloned().collect();
        if !parameters.is_empty() {
            let joint = match self.path.split_once('?') {
                None => "?",
                Some((_, "")) => "",
                Some(_) => "&",
            };
            self.path = format!("{}{joint}{}", self.path, encode(&parameters));
        }
        if self.path.len() > MAX_URL {
            return Err(Failure::refused(BAD_URL, "the URL is too long with its parameters"));
        }
        Ok(self)
    }

    /// The URL that is signed and shown: without user, password and fragment.
    pub fn shown(&self) -> String {
        format!("{}://{}{}", self.url.scheme(), self.authority, self.path)
    }

    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub fn origin(&self) -> Origin {
        (self.is_tls(), self.host_text().into_owned(), self.port())
    }

    /// The path without its query.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    pub fn host(&self) -> Host<&str> {
        self.url.host().unwrap_or(Host::Domain(""))
    }

    /// The host as a name or a bare address, without IPv6's brackets.
    pub fn host_text(&self) -> Cow<'_, str> {
        match self.host() {
            Host::Domain(name) => Cow::Borrowed(name),
            Host::Ipv4(address) => Cow::Owned(address.to_string()),
            Host::Ipv6(address) => Cow::Owned(address.to_string()),
        }
    }

    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// User and password, when the URL has them.
    pub fn credentials(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let (user, password) = (self.url.username(), self.url.password());
        let has = !user.is_empty() || password.is_some();
        has.then(|| (decoded(user), decoded(password.unwrap_or_default())))
    }

    /// The Authorization header of a Basic login, when the URL has a user (RFC 7617).
    pub fn basic(&self) -> Option<String> {
        let (user, password) = self.credentials()?;
        Some(format!("Basic {}", STANDARD.encode([user, b":".to_vec(), password].concat())))
    }

    /// Where a redirect leads, and with which method (as browsers do: RFC 9110 section 15.4).
    pub fn redirected(
        &self,
        status: u16,
        location: &str,
        method: Method,
    ) -> Result<(Target, Method), Failure> {
        let next = self.url.join(location);
        let mut next = next.map_err(|error| Failure::refused(BAD_URL, format!("bad redirect: {error}")))?;
        if self.is_tls() && next.scheme() == "http" {
            return Err(Failure::refused(BAD_URL, "a redirect from https to http is not followed"));
        }
        if next.fragment().is_none() {
            // RFC 9110 section 10.2.2; ours says how to connect.
            next.set_fragment(self.url.fragment());
        }
        if next.origin() == self.url.origin() && next.username().is_empty() && next.password().is_none() {
            // Whoever signed in there is signed in still. Neither can fail where there is a host.
            let _ = next.set_username(self.url.username());
            let _ = next.set_password(self.url.password());
        }
        let kept = matches!(status, 307 | 308);
        Ok((Target::parse(next.as_str())?, if kept { method } else { Method::Get }))
    }
}

/// `application/x-www-form-urlencoded`.
pub(super) fn encode(parameters: &[(String, String)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(parameters);
    form.finish()
}

/// Authority (without user) and path exactly as written, when every character may stand in a request.
fn as_written(text: &str) -> Option<(String, String)> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    let (_, rest) = text.split_once("://").filter(|_| plain)?;
    let rest = rest.split('#').next()?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty() && !host.ends_with(':'))?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    path.parse::<hyper::http::uri::PathAndQuery>().ok()?;
    Some((host.to_owned(), path))
}

fn normalised(url: &Url) -> (String, String) {
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    (authority.to_owned(), url[Position::BeforePath..Position::AfterQuery].to_owned())
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &tail[2..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::parse(text).unwrap()
    }

    #[test]
    fn a_url_is_requested_as_it_was_written() {
        for (written, shown) in [
            ("http://example.com", "http://example.com/"),
            ("http://example.com?a=1", "http://example.com/?a=1"),
            ("https://example.com:8443/a/../b?x=%7e'y#ct=500", "https://example.com:8443/a/../b?x=%7e'y"),
            ("http://user:p%40ss@example.com:80/", "http://example.com:80/"),
            ("http://example.com/caf\u{e9}?n=\u{e9}", "http://example.com/caf%C3%A9?n=%C3%A9"),
            ("http://b\u{fc}cher.example/", "http://xn--bcher-kva.example/"),
        ] {
            assert_eq!(target(written).shown(), shown, "{written}");
        }
    }

    #[test]
    fn parameters_join_the_query_that_is_there() {
        let parameters = vec![("To".to_owned(), "+855 1".to_owned())];
        for (written, path) in [
            ("http://a.test/v", "/v?To=%2B855+1"),
            ("http://a.test/v?", "/v?To=%2B855+1"),
            ("http://a.test/v?b=c", "/v?b=c&To=%2B855+1"),
            ("http://a.test/v?To=2", "/v?To=2&To=%2B855+1"),
            ("http://a.test/v?To=%2b855%201", "/v?To=%2b855%201"),
        ] {
            assert_eq!(target(written).with_query(&parameters).unwrap().path, path);
        }
    }

    #[test]
    fn every_spelling_of_an_address_is_that_address() {
        for text in ["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/"] {
            assert_eq!(target(text).host_text(), "127.0.0.1", "{text}");
        }
        assert_eq!(target("http://[::ffff:7f00:1]:81/").host_text(), "::ffff:127.0.0.1");
    }

    #[test]
    fn user_and_password_are_in_no_url_that_is_shown() {
        let target = target("http://user:p%40ss@example.com/");
        assert_eq!(target.basic().unwrap(), "Basic dXNlcjpwQHNz");
        assert_eq!(target.shown(), "http://example.com/");
    }

    #[test]
    fn redirects_elsewhere_lose_credentials_and_the_form_but_not_encryption() {
        let from = target("https://user:secret@example.com/a");
        let (next, method) = from.redirected(302, "https://other.example/b", Method::Post).unwrap();
        assert_eq!((next.basic(), method), (None, Method::Get));
        for near in ["/b", "https://example.com/b"] {
            let (next, _) = from.redirected(302, near, Method::Post).unwrap();
            assert_eq!(next.basic(), from.basic(), "{near}");
        }
        assert_eq!(from.redirected(302, "https://example.com:8443/", Method::Post).unwrap().0.basic(), None);
        assert_eq!(from.redirected(307, "/c", Method::Post).unwrap().1, Method::Post);
        assert!(from.redirected(302, "http://example.com/", Method::Get).is_err());
        assert!(from.redirected(302, "file:///etc/passwd", Method::Get).is_err());
    }
}
