//! Addresses of customers' applications.

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

/// An absolute http or https URL of at most 2,048 characters, kept as it was written (signatures cover the spelling).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(String);

/// Why a text is not a webhook URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a webhook URL (an absolute http:// or https:// address of at most 2,048 characters): {0:?}")]
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
}

impl std::str::FromStr for WebhookUrl {
    type Err = InvalidUrl;
    fn from_str(text: &str) -> Result<WebhookUrl, InvalidUrl> {
        let refused = || InvalidUrl(text.chars().take(80).collect());
        let url = url::Url::parse(text).map_err(|_| refused())?;
        let spoken =
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty());
        let clean = text.len() <= 2048 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        if spoken && clean { Ok(WebhookUrl(text.into())) } else { Err(refused()) }
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = InvalidUrl;
    fn try_from(text: String) -> Result<WebhookUrl, InvalidUrl> {
        text.parse()
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

/// A URL without user, password and fragment, otherwise as it was written; a text that is none stays as it is.
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
        Ok(_) | Err(_) => text.to_owned(),
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
            ("finish:1#2", "finish:1#2"),
        ] {
            assert_eq!(shown(written), expected);
        }
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
