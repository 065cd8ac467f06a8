//! URIs as telephone networks write them: `sip:`, `sips:`, `tel:`; hosts with `_`, users with `#`. Never fails on taste.

use super::text;
use ezk_sip_types::host::Host;
use std::net::{IpAddr, SocketAddr};

/// The scheme of a URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966)
    Tel,
    /// Anything else: answered with 416.
    Other(String),
}

/// A URI taken apart. Parts are as written; [`Uri::dialled`] decodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// The scheme.
    pub scheme: Scheme,
    /// The user part with its own parameters, without password; for `tel:` the number.
    pub user: String,
    /// The host, lower case, IPv6 without brackets; empty for `tel:`.
    pub host: String,
    /// The port.
    pub port: Option<u16>,
    /// `;name=value` parameters, names in lower case.
    pub parameters: Vec<(String, Option<String>)>,
}

impl Uri {
    /// Takes a URI apart; `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Uri> {
        let (scheme, rest) = text.split_once(':')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        if scheme.is_empty() || !scheme.bytes().all(plain) || rest.is_empty() {
            return None;
        }
        match scheme.to_ascii_lowercase().as_str() {
            "sip" => Uri::parse_sip(Scheme::Sip, rest),
            "sips" => Uri::parse_sip(Scheme::Sips, rest),
            "tel" => Some(Uri::parse_tel(rest)),
            other => Some(Uri::bare(Scheme::Other(other.to_owned()))),
        }
    }

    fn bare(scheme: Scheme) -> Uri {
        Uri { scheme, user: String::new(), host: String::new(), port: None, parameters: Vec::new() }
    }

    fn parse_sip(scheme: Scheme, rest: &str) -> Option<Uri> {
        // The user part may hold ';', '?' and '#', so the '@' is looked for first and from the right.
        let (user, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let user = user.split(':').next().unwrap_or_default();
        let rest = rest.split('?').next().unwrap_or_default();
        let (host, parameters) = match rest.split_once(';') {
            Some((host, _)) => (host, text::parameters(rest)),
            None => (rest, Vec::new()),
        };
        let (host, port) = host_port(&host.to_ascii_lowercase())?;
        Some(Uri { scheme, user: user.to_owned(), host, port, parameters })
    }

    fn parse_tel(rest: &str) -> Uri {
        let number = rest.split(';').next().unwrap_or_default();
        Uri { user: number.to_owned(), parameters: text::parameters(rest), ..Uri::bare(Scheme::Tel) }
    }

    /// True for `sip:` and `sips:`.
    #[must_use]
    pub fn is_sip(&self) -> bool {
        matches!(self.scheme, Scheme::Sip | Scheme::Sips)
    }

    /// The number or name that was dialled: decoded, without parameters, for `tel:` without visual separators.
    #[must_use]
    pub fn dialled(&self) -> String {
        let user = text::percent_decode(self.user.split(';').next().unwrap_or_default());
        if self.scheme == Scheme::Tel || self.parameter("user") == Some("phone") {
            return user.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect();
        }
        user
    }

    /// A parameter's value; empty for one without.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(have, _)| have == name)?;
        Some(found.1.as_deref().unwrap_or_default())
    }

    /// The address, if the host is a literal one.
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(ip, self.port.unwrap_or(5060)))
    }
}

/// Splits `host:port`, `[v6]:port` or a bare host. Hosts may hold `_`, as the DNS does.
pub(crate) fn host_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some(""))?)
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let port = if port.is_empty() { None } else { Some(port.parse::<u16>().ok().filter(|port| *port != 0)?) };
    is_host(host).then(|| (host.to_owned(), port))
}

fn is_host(host: &str) -> bool {
    let literal = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    literal.parse::<Host>().is_ok() || (!host.is_empty() && host.bytes().all(name))
}
