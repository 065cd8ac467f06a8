//! Which addresses a customer's URL may lead to: public unicast ones only. And which a call may: private ones as well,
//! where most session border controllers live.
//!
//! Checked on every resolved address and on every redirect, and the connection is made to the checked address, so that
//! a name that changes its mind (DNS rebinding) finds nobody between check and connect.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

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
    /// Where we listen ourselves, a wildcard for every address of this machine: nobody calls us through us.
    pub own: Vec<SocketAddr>,
    /// What we are called outside, in lower case; empty when nothing. By name and not by address: behind a shared proxy
    /// that address is many a customer's as well.
    pub own_host: String,
}

/// Services of clouds that tell secrets to whoever asks from inside, and are at no link-local address.
const CLOUD_SERVICES: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

impl Guard {
    /// Whether a connection to `address` may be made.
    #[must_use]
    pub fn allows(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        let allowed = is_public(ip) || self.allowed.iter().any(|network| network.contains(&ip));
        self.allow_private || (allowed && !self.is_own(address))
    }

    /// Whether the host may be asked for by this name (lower case).
    #[must_use]
    pub fn allows_host(&self, host: &str) -> bool {
        self.allow_private || self.own_host.is_empty() || host.trim_end_matches('.') != self.own_host
    }

    /// Whether a call may be sent to `address`: anywhere but to this machine, its link, its cloud and ourselves.
    #[must_use]
    pub fn allows_call(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.allow_private
            || self.allowed.iter().any(|network| network.contains(&ip))
            || (is_elsewhere(ip) && !self.is_own(address))
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.own.iter().any(|own| {
            let same = if own.ip().is_unspecified() {
                is_of_this_machine(ip)
            } else {
                own.ip().to_canonical() == ip
            };
            own.port() == address.port() && same
        })
    }
}

/// Whether a socket of ours can have this address. Asking costs no packet.
fn is_of_this_machine(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

/// Whether it is a unicast address of another machine beyond this link.
fn is_elsewhere(ip: IpAddr) -> bool {
    if CLOUD_SERVICES.contains(&ip) || ip.is_loopback() || ip.is_multicast() || ip.is_unspecified() {
        return false;
    }
    match ip {
        IpAddr::V4(ip) => !ip.is_link_local() && !matches!(ip.octets()[0], 0 | 240..),
        IpAddr::V6(ip) => match ip.segments() {
            // NAT64 and 6to4: what counts is where it leads.
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
                is_elsewhere(joined(high, low).into())
            }
            // The addresses IPv4 ones were once written in.
            [0, 0, 0, 0, 0, 0, _, _] => false,
            _ => !ip.is_unicast_link_local(),
        },
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
        let guard = Guard { own: vec![own], own_host: "us.example".into(), ..Guard::default() };
        for same in ["1.2.3.4:8080", "[::ffff:1.2.3.4]:8080"] {
            assert!(!guard.allows(same.parse().unwrap()), "{same}");
            assert!(!guard.allows_call(same.parse().unwrap()), "{same}");
        }
        assert!(guard.allows("1.2.3.4:80".parse().unwrap()));
        assert!(!guard.allows_host("us.example") && !guard.allows_host("us.example."));
        assert!(guard.allows_host("them.example") && Guard::default().allows_host(""));
        let open = Guard { allow_private: true, ..guard };
        assert!(open.allows(own) && open.allows_call(own) && open.allows_host("us.example"));
    }

    #[test]
    fn who_listens_everywhere_is_at_every_address_of_the_machine() {
        let allowed = vec!["127.0.0.0/8".parse().unwrap()];
        let guard = Guard { own: vec!["0.0.0.0:8080".parse().unwrap()], allowed, ..Guard::default() };
        assert!(!guard.allows("127.0.0.1:8080".parse().unwrap()));
        assert!(!guard.allows("[::ffff:127.0.0.1]:8080".parse().unwrap()));
        assert!(guard.allows("127.0.0.1:8081".parse().unwrap()));
        assert!(guard.allows("1.1.1.1:8080".parse().unwrap()), "it is not this machine's");
    }

    #[test]
    fn calls_go_to_private_networks_and_not_to_this_machine() {
        let guard = Guard::default();
        for text in
            ["10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd12::1", "1.1.1.1", "2606:4700::1"]
        {
            assert!(guard.allows_call(SocketAddr::new(text.parse().unwrap(), 5060)), "{text}");
        }
        for text in [
            "127.0.0.1",
            "127.8.8.8",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "168.63.129.16",
            "100.100.100.200",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
        ] {
            assert!(!guard.allows_call(SocketAddr::new(text.parse().unwrap(), 5060)), "{text}");
        }
    }
}
