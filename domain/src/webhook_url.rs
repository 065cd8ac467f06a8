//! Addresses of customers' applications.

use crate::url_password::{self, KEPT, NAME, kept_name};
use serde::{Deserialize, Serialize};

/// The HTTP method a webhook is requested with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Parameters in the query.
    Get,
    /// Parameters in a form body; what Twilio defaults to everywhere.
    #[default]
    Post,
}

impl Method {
    /// `GET` or `POST`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }
}

impl std::str::FromStr for Method {
    type Err = InvalidMethod;
    fn from_str(text: &str) -> Result<Method, InvalidMethod> {
        match text.to_ascii_uppercase().as_str() {
            "GET" => Ok(Method::Get),
            "POST" => Ok(Method::Post),
            _ => Err(InvalidMethod(text.chars().take(16).collect())),
        }
    }
}

/// Why a text is not a webhook method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a webhook method (GET or POST): {0:?}")]
pub struct InvalidMethod(pub String);

/// Longest URL, in characters: Twilio's limit (error 21609).
const MAX: usize = 4_000;

/// An absolute http or https URL of at most 4,000 characters, kept as it was written (signatures cover the spelling).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(String);

/// Why a text is not a webhook URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a webhook URL (an absolute http:// or https:// address of at most 4,000 characters): {0:?}")]
pub struct InvalidUrl(pub String);

impl WebhookUrl {
    /// The URL as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL as it may be kept and told to others.
    #[must_use]
    pub fn shown(&self) -> String {
        shown(&self.0)
    }

    /// The password in it as it is written, unless it has none or it is kept in the vault.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.written_password().filter(|password| kept_name(password).is_none())
    }

    /// The vault's name for its password, when that is kept there.
    #[must_use]
    pub fn kept_password(&self) -> Option<&str> {
        self.written_password().and_then(kept_name)
    }

    /// The same URL with `name` of the vault where its password stood.
    #[must_use]
    pub fn with_kept_password(&self, name: &str) -> WebhookUrl {
        self.with_password(&format!("{KEPT}{name}"))
    }

    /// The same URL with this password, written as in a URL, where there is one.
    #[must_use]
    pub fn with_password(&self, password: &str) -> WebhookUrl {
        let mut text = self.0.clone();
        if let Some(place) = url_password::place(&text) {
            text.replace_range(place, password);
        }
        WebhookUrl(text)
    }

    /// Who its password lets in, and where: scheme, user, host and port.
    #[must_use]
    pub fn login(&self) -> String {
        let Ok(url) = url::Url::parse(&self.0) else { return String::new() };
        let port = url.port_or_known_default().unwrap_or_default();
        format!("{}://{}@{}:{port}", url.scheme(), url.username(), url.host_str().unwrap_or_default())
    }

    fn written_password(&self) -> Option<&str> {
        url_password::place(&self.0)
            .and_then(|place| self.0.get(place))
            .filter(|password| !password.is_empty())
    }
}

impl std::str::FromStr for WebhookUrl {
    type Err = InvalidUrl;
    /// What a person or a program writes: a password must stand where it can be taken out again.
    fn from_str(text: &str) -> Result<WebhookUrl, InvalidUrl> {
        let url = WebhookUrl::try_from(text.to_owned())?;
        let has_password = url::Url::parse(text).is_ok_and(|url| url.password().is_some());
        if has_password && url_password::place(text).is_none() { Err(InvalidUrl::of(text)) } else { Ok(url) }
    }
}

/// What an event holds.
impl TryFrom<String> for WebhookUrl {
    type Error = InvalidUrl;
    fn try_from(text: String) -> Result<WebhookUrl, InvalidUrl> {
        let url = url::Url::parse(&text).map_err(|_| InvalidUrl::of(&text))?;
        let spoken =
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty());
        // Ours may be longer than the password it stands for.
        let kept = url_password::place(&text).and_then(|place| kept_name(&text[place]));
        let limit = if kept.is_some() { MAX + KEPT.len() + NAME } else { MAX };
        let clean =
            text.chars().count() <= limit && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        if spoken && clean { Ok(WebhookUrl(text)) } else { Err(InvalidUrl::of(&text)) }
    }
}

impl InvalidUrl {
    fn of(text: &str) -> InvalidUrl {
        InvalidUrl(url_password::hidden(text).chars().take(80).collect())
    }
}

impl From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> String {
        url.0
    }
}

impl std::fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A URL without user, password and fragment, otherwise as it was written; in any other text passwords are hidden.
#[must_use]
pub fn shown(text: &str) -> String {
    let before = text.split('#').next().unwrap_or_default();
    match url::Url::parse(text) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            // Fails only for addresses that can have neither.
            let _ = (url.set_username(""), url.set_password(None));
            url.set_fragment(None);
            url.into()
        }
        Ok(url) if url.has_host() => before.to_owned(),
        Ok(_) | Err(_) => url_password::hidden(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_holds_no_credentials() {
        for (written, expected) in [
            ("https://bob:secret@example.com:8443/voice?a=b#rt=500", "https://example.com:8443/voice?a=b"),
            ("https://bob@example.com", "https://example.com/"),
            ("http:bob:secret@example.com/", "http://example.com/"),
            ("https://example.com/a/../b?user=bob@c#secret", "https://example.com/a/../b?user=bob@c"),
            ("/voice#1", "/voice#1"),
            ("//bob:secret@example.com/x", "//bob:***@example.com/x"),
            ("finish:1#2", "finish:1#2"),
        ] {
            assert_eq!(shown(written), expected);
        }
    }

    #[test]
    fn a_password_can_be_kept_elsewhere_and_put_back() {
        let name = "0123456789abcdef0123456789abcdef";
        for (written, password, login) in [
            ("https://bob:s%40c:ret@Example.com/a@b", "s%40c:ret", "https://bob@example.com:443"),
            ("http://:x@a.test:8080?q=://c:d@e", "x", "http://@a.test:8080"),
        ] {
            let url: WebhookUrl = written.parse().unwrap();
            assert_eq!((url.password(), url.kept_password()), (Some(password), None));
            let kept = url.with_kept_password(name);
            assert_eq!((kept.password(), kept.kept_password()), (None, Some(name)));
            assert_eq!((kept.login(), url.login()), (login.to_owned(), login.to_owned()));
            assert_eq!(kept.to_string().parse::<WebhookUrl>().unwrap().with_password(password), url);
        }
        for written in ["https://bob@a.test/", "https://a.test/:x@", "https://bob:@a.test/"] {
            assert_eq!(written.parse::<WebhookUrl>().unwrap().password(), None, "{written}");
        }
    }

    #[test]
    fn the_longest_url_is_still_one_when_its_password_is_kept() {
        let longest = format!("https://b:p@a.test/{}", "x".repeat(MAX - 19));
        let kept = longest.parse::<WebhookUrl>().unwrap().with_kept_password(&"0".repeat(NAME));
        assert!(kept.as_str().len() > MAX && kept.to_string().parse::<WebhookUrl>().is_ok());
        assert!(format!("{longest}x").parse::<WebhookUrl>().is_err());
        assert_eq!(longest.chars().count(), 4_000);
        let foreign = format!("https://a.test/{}", "\u{1797}".repeat(MAX - 15));
        assert!(foreign.parse::<WebhookUrl>().is_ok(), "characters are counted, not bytes");
        // Not taken any more, and yet what older events have.
        let odd = "http:bob:secret@example.com/";
        assert!(odd.parse::<WebhookUrl>().is_err());
        assert!(serde_json::from_value::<WebhookUrl>(odd.into()).is_ok());
    }

    #[test]
    fn only_web_addresses_are_taken() {
        assert!("https://user:secret@example.com:8443/voice?a=b#rt=500".parse::<WebhookUrl>().is_ok());
        for text in
            ["", "example.com/voice", "ftp://example.com", "http://", "javascript:alert(1)", "http://a b/"]
        {
            assert!(text.parse::<WebhookUrl>().is_err(), "{text}");
        }
    }
}
