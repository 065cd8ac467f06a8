//! A phone's own SIP address, for a call that is to reach a phone rather than a number.

use std::{fmt, net::IpAddr, str::FromStr};

/// SIP's port where none is given (RFC 3261 section 19.1.2).
const PORT: u16 = 5060;
/// Most characters of the user part.
const MAX_USER: usize = 64;

/// `sip:user@address:port`: the host is an address, for a name could come to mean another one after it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipAddress {
    /// The user part; may be empty.
    pub user: String,
    /// The phone's address.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
}

/// Why a text is not a phone's SIP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SIP address of a phone: give one like sip:me@192.168.1.20:5060, with the phone's IP address")]
pub struct InvalidSipAddress;

impl FromStr for SipAddress {
    type Err = InvalidSipAddress;

    fn from_str(text: &str) -> Result<SipAddress, InvalidSipAddress> {
        let rest = text.strip_prefix("sip:").ok_or(InvalidSipAddress)?;
        let (user, host) = rest.rsplit_once('@').unwrap_or(("", rest));
        let fits = user.len() <= MAX_USER
            && user.chars().all(|c| c.is_ascii_alphanumeric() || "+-_.!~*'()".contains(c));
        let (ip, port) = address(host).filter(|(_, port)| fits && *port > 0).ok_or(InvalidSipAddress)?;
        Ok(SipAddress { user: user.to_owned(), ip, port })
    }
}

/// `192.0.2.1`, `192.0.2.1:5070`, `[2001:db8::1]` or `[2001:db8::1]:5070`.
fn address(host: &str) -> Option<(IpAddr, u16)> {
    let (ip, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((ip, port)) => (IpAddr::V6(ip.parse().ok()?), port),
        None => {
            let end = host.find(':').unwrap_or(host.len());
            (IpAddr::V4(host[..end].parse().ok()?), &host[end..])
        }
    };
    let port = match port {
        "" => PORT,
        _ => port.strip_prefix(':')?.parse().ok()?,
    };
    Some((ip, port))
}

impl fmt::Display for SipAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.user.is_empty() { "" } else { "@" };
        let host = std::net::SocketAddr::new(self.ip, self.port);
        write!(f, "sip:{}{at}{host}", self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phones_address_is_read_and_written_back_whole() {
        for (text, written) in [
            ("sip:me@192.0.2.1", "sip:me@192.0.2.1:5060"),
            ("sip:192.0.2.1:5070", "sip:192.0.2.1:5070"),
            ("sip:+85512345678@[2001:db8::1]:5080", "sip:+85512345678@[2001:db8::1]:5080"),
        ] {
            assert_eq!(text.parse::<SipAddress>().map(|read| read.to_string()), Ok(written.to_owned()));
        }
    }

    #[test]
    fn what_is_no_phones_address_is_refused() {
        for text in [
            "192.0.2.1",
            "sip:me@example.com",
            "sip:me@192.0.2.1:0",
            "sip:me@192.0.2.1:70000",
            "sip:m\r\ne@192.0.2.1",
            "sip:a@b@192.0.2.1",
            "sip:me@2001:db8::1",
            "sip:me@192.0.2.1;transport=tcp",
            "+85512345678",
        ] {
            assert_eq!(text.parse::<SipAddress>(), Err(InvalidSipAddress), "{text}");
        }
    }
}
