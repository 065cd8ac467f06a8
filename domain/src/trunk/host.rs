//! Where a trunk's calls go to: a name or address, perhaps with a port.

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host name or IP address with an optional port, for example `sip.example.com:5080` or `[2001:db8::1]:5060`. What is
/// stored is read as it is, whatever was taken for a host once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Host(String);

/// Why a text is not a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHost {
    /// No name and no address.
    #[error("not a host: give a host name or IP address, with :port if it is not 5060 (IPv6 in brackets)")]
    NoHost,
    /// Digits and dots that are no IPv4 address, such as `0` or `1.2.3`: resolvers guess what they mean.
    #[error("{0} is no host name and no whole IPv4 address: give all four numbers, like 203.0.113.7")]
    HalfAnAddress(String),
    /// An address nobody answers at.
    #[error("{0} is an address no host has (unspecified, multicast or broadcast)")]
    Nobody(IpAddr),
}

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
        let (name, _) = split_host(text).ok_or(InvalidHost::NoHost)?;
        if let Ok(address) = name.parse::<IpAddr>() {
            return of_address(text, address);
        }
        if !is_name(name) {
            return Err(InvalidHost::NoHost);
        }
        // As WHATWG's URL standard has it: what ends in a number is an IPv4 address, or a mistake.
        let last = name.rsplit('.').next().unwrap_or_default();
        let hex = last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
        if hex || last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidHost::HalfAnAddress(name.into()));
        }
        Ok(Host(text.into()))
    }
}

fn of_address(text: &str, address: IpAddr) -> Result<Host, InvalidHost> {
    let canonical = address.to_canonical();
    let broadcast = canonical == IpAddr::V4(Ipv4Addr::BROADCAST);
    if broadcast || canonical.is_unspecified() || canonical.is_multicast() {
        return Err(InvalidHost::Nobody(address));
    }
    let bare = text.parse::<Ipv6Addr>().is_ok();
    Ok(Host(if bare { format!("[{text}]") } else { text.into() }))
}

/// RFC 1123 section 2.1, and the underscores that are about.
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        let alphabet = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        (1..=63).contains(&label.len()) && alphabet && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn split_host(text: &str) -> Option<(&str, u16)> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']')?;
        address.parse::<Ipv6Addr>().ok()?;
        return Some((address, port_of(rest)?));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
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
        for bad in [
            "",
            "a b",
            "host:0",
            "host:99999",
            "[::1",
            "sip:host",
            "-a.example",
            "a-.example",
            "host:5060:1",
            "a..b",
        ] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_that_are_no_address_are_no_host() {
        for half in [
            "0",
            "9",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "127.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "sip.0",
            "1.2.3:5060",
        ] {
            assert!(matches!(half.parse::<Host>(), Err(InvalidHost::HalfAnAddress(_))), "{half}");
        }
        for name in ["3com.example", "1.2.3.example"] {
            assert!(name.parse::<Host>().is_ok(), "{name}");
        }
    }

    #[test]
    fn an_address_nobody_has_is_no_host() {
        for nobody in
            ["0.0.0.0", "224.0.0.1", "255.255.255.255:5060", "[::]:5060", "ff02::1", "::ffff:0.0.0.0"]
        {
            assert!(matches!(nobody.parse::<Host>(), Err(InvalidHost::Nobody(_))), "{nobody}");
        }
    }

    #[test]
    fn an_ipv6_address_gets_its_brackets() {
        let host: Host = "2001:db8::1".parse().unwrap();
        assert_eq!(host.as_str(), "[2001:db8::1]");
        assert_eq!("[2001:db8::1]:5080".parse::<Host>().unwrap().as_str(), "[2001:db8::1]:5080");
    }

    #[test]
    fn a_host_that_was_stored_is_still_read() {
        let stored: Host = serde_json::from_str("\"1.2.3\"").unwrap();
        assert_eq!(stored.name_and_port(), ("1.2.3", 5060));
    }
}
