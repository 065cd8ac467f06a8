//! Which addresses a customer's URL may lead to: public unicast ones only.
//!
//! Checked on every resolved address and on every redirect, and the connection is made to the checked address, so that
//! a name that changes its mind (DNS rebinding) finds nobody between check and connect.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Networks nobody's application is in (IANA special-purpose registries), as address and prefix length.
const FORBIDDEN_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    // A cloud's metadata and wire services outside the link-local network.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// Decides about addresses.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Every address is allowed: for demonstrations and networks without strangers.
    pub allow_private: bool,
    /// Networks of the operator's own that may be called beside the public internet.
    pub allowed: Vec<IpNet>,
    /// Where our own APIs answer: nobody calls us through us.
    pub own: Vec<SocketAddr>,
}

impl Guard {
    /// Whether a connection to `address` may be made.
    #[must_use]
    pub fn allows(&self, address: SocketAddr) -> bool {
        let ip = address.ip();
        let allowed = is_public(ip) || self.allowed.iter().any(|network| network.contains(&ip));
        self.allow_private || (allowed && !self.own.contains(&address))
    }
}

/// Whether it is a unicast address of the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(network, length): &(Ipv4Addr, u32)| {
        (address.to_bits() ^ network.to_bits()).checked_shr(32 - length).unwrap_or(0) == 0
    };
    !FORBIDDEN_V4.iter().any(within)
}

/// Only global unicast (2000::/3) without the parts that are tunnels to IPv4, documentation or benchmarks.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let segments = address.segments();
    match segments {
        // NAT64 (RFC 6052): what counts is where it leads.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(joined(high, low)),
        // 6to4 (RFC 3056), likewise.
        [0x2002, high, low, ..] => is_public_v4(joined(high, low)),
        // Teredo, benchmarking, ORCHID and the rest of the IETF's own 2001::/23.
        [0x2001, second, ..] if second < 0x200 => false,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_inside_is_reached() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:0:1:2::3",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_public_internet_is_reached() {
        for text in
            ["1.1.1.1", "100.128.0.1", "172.32.0.1", "11.0.0.1", "2606:4700:4700::1111", "64:ff9b::101:101"]
        {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn our_own_addresses_are_not_called() {
        let own: SocketAddr = "1.2.3.4:8080".parse().unwrap();
        let guard = Guard { own: vec![own], ..Guard::default() };
        assert!(!guard.allows(own));
        assert!(guard.allows("1.2.3.4:80".parse().unwrap()));
        assert!(Guard { allow_private: true, ..guard }.allows(own));
    }
}
