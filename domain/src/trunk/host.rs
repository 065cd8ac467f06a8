//! Where a trunk's calls go to: a name or address, perhaps with a port.

use serde::{Deserialize, Serialize};

/// A host name or IP address with an optional port, for example `sip.example.com:5080` or `[2001:db8::1]:5060`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Host(String);

/// Why a text is not a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a host: give a host name or IP address, with :port if it is not 5060 (IPv6 in brackets)")]
pub struct InvalidHost;

impl Host {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name or address without brackets, and the port (5060 when none is given, RFC 3261 section 19.1.2).
    #[must_use]
    pub fn name_and_port(&self) -> (&str, u16) {
        split_host(&self.0).unwrap_or((&self.0, 5060))
    }
}

impl Host {
    /// Whether a port is written in it.
    #[must_use]
    pub fn names_port(&self) -> bool {
        let (name, _) = self.name_and_port();
        let bare = self.0.trim_matches(['[', ']']);
        !bare.eq_ignore_ascii_case(name)
    }

    /// True for the same name and port in whatever way they are written; nothing is looked up.
    #[must_use]
    pub fn is_same(&self, other: &Host) -> bool {
        let canonical = |host: &Host| {
            let (name, port) = host.name_and_port();
            let address = name.parse::<std::net::IpAddr>();
            (address.map_or_else(|_| name.to_ascii_lowercase(), |ip| ip.to_string()), port)
        };
        canonical(self) == canonical(other)
    }
}

impl std::str::FromStr for Host {
    type Err = InvalidHost;
    fn from_str(text: &str) -> Result<Host, InvalidHost> {
        let text = text.trim();
        let (name, _) = split_host(text).ok_or(InvalidHost)?;
        let label = |label: &str| {
            let alphabet =
                label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
            (1..=63).contains(&label.len()) && alphabet && !label.starts_with('-')
        };
        let valid = name.parse::<std::net::IpAddr>().is_ok() || name.split('.').all(label);
        if valid && name.len() <= 253 { Ok(Host(text.into())) } else { Err(InvalidHost) }
    }
}

fn split_host(text: &str) -> Option<(&str, u16)> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']')?;
        address.parse::<std::net::Ipv6Addr>().ok()?;
        return Some((address, port_of(rest)?));
    }
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Some((text, 5060));
    }
    let end = text.find(':').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    Some((name, port_of(rest)?))
}

fn port_of(rest: &str) -> Option<u16> {
    match rest.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0),
        None if rest.is_empty() => Some(5060),
        None => None,
    }
}

impl TryFrom<String> for Host {
    type Error = InvalidHost;
    fn try_from(text: String) -> Result<Host, InvalidHost> {
        text.parse()
    }
}

impl From<Host> for String {
    fn from(host: Host) -> String {
        host.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_a_port() {
        for (text, parts) in [
            ("sip.example.com", ("sip.example.com", 5060)),
            ("127.0.0.1:5070", ("127.0.0.1", 5070)),
            ("[2001:db8::1]:5080", ("2001:db8::1", 5080)),
            ("2001:db8::1", ("2001:db8::1", 5060)),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().name_and_port(), parts, "{text}");
        }
        let host = |text: &str| text.parse::<Host>().unwrap();
        for (text, given) in [
            ("sip.example.com", false),
            ("sip.example.com:5060", true),
            ("[::1]", false),
            ("[::1]:5060", true),
        ] {
            assert_eq!(host(text).names_port(), given, "{text}");
        }
        assert!(host("SIP.example.com:5060").is_same(&host("sip.example.com")));
        assert!(host("[2001:db8:0::1]").is_same(&host("2001:db8::1")));
        assert!(!host("sip.example.com:5061").is_same(&host("sip.example.com")));
        for bad in ["", "a b", "host:0", "host:99999", "[::1", "sip:host", "-a.example", "host:5060:1"] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
    }
}
