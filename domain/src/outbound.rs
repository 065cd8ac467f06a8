//! Where customers may make us go: with webhooks, fetched sounds and calls alike.
//!
//! The public internet, and what the operator names (`outbound.allow_networks`). Never where we listen ourselves: nobody
//! calls us through us.

use ipnet::IpNet;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// How long every refusal takes, so that the time it took tells nothing of what is behind the address.
pub const REFUSAL_TIME: Duration = Duration::from_millis(500);
/// Where mail servers take what others send (RFC 5321, 8314, 6409): a request there would be spam in our name.
pub const MAIL_PORTS: [u16; 3] = [25, 465, 587];

/// Networks nobody's application is in (IANA special-purpose registries), as address and prefix length.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
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
    (AZURE, 32),
];
const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Services of clouds that tell secrets to whoever asks from inside. A network around one does not name it.
const CLOUD_SERVICES: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(AZURE),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Where an address is, seen from the machine we run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On another machine.
    Elsewhere,
    /// On this machine, by whatever address of it.
    ThisMachine,
    /// Where we listen ourselves.
    OurDoor,
}

/// What is said about every host that is not reached, whatever the reason: which one it is would tell strangers what is
/// inside.
#[must_use]
pub fn refusal(host: &str) -> String {
    format!(
        "{host} is not reached from here: it is unknown, this machine, or in a private network (the setting \
         outbound.allow_networks names those that may be reached)"
    )
}

/// Whether a connection may be made to an address (see [`leads_to`]) that is at this place.
#[must_use]
pub fn may_reach(ip: IpAddr, place: Place, allowed: &[IpNet]) -> bool {
    if place == Place::OurDoor || ip.is_unspecified() || ip.is_multicast() || is_broadcast(ip) {
        return false;
    }
    let is_cloud = CLOUD_SERVICES.contains(&ip);
    let named = |network: &IpNet| network.contains(&ip) && (!is_cloud || network.addr() == ip);
    allowed.iter().any(named) || (place == Place::Elsewhere && is_public(ip))
}

/// Whether sound may be sent to an address (see [`leads_to`]) at this place that a peer names in a session description;
/// `source` is where its SIP comes from, and where that is. The public internet and what the operator names, as for
/// everything else; besides, what is no nearer to us than the peer itself: a phone in our own network names an address of
/// that network, one on this machine one of this machine. Nobody else makes us send into our network, or to ourselves.
#[must_use]
pub fn may_be_sent_sound(
    ip: IpAddr,
    place: Place,
    source: Option<(IpAddr, Place)>,
    allowed: &[IpNet],
) -> bool {
    if may_reach(ip, place, allowed) {
        return true;
    }
    let nobodys =
        ip.is_unspecified() || ip.is_multicast() || is_broadcast(ip) || CLOUD_SERVICES.contains(&ip);
    let beside_it = source.is_some_and(|(source, at)| match place {
        Place::OurDoor => false,
        Place::ThisMachine => at == Place::ThisMachine,
        Place::Elsewhere => reach(source) <= reach(ip),
    });
    !nobodys && beside_it
}

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The machine that has it.
    Machine,
    /// Its link.
    Link,
    /// Its site, or a provider's network (RFC 1918, 4193, 6598).
    Site,
    /// The world.
    World,
}

/// How far the address reaches.
#[must_use]
pub fn reach(ip: IpAddr) -> Reach {
    match ip {
        ip if ip.is_loopback() => Reach::Machine,
        IpAddr::V4(ip) if ip.is_link_local() => Reach::Link,
        IpAddr::V6(ip) if ip.is_unicast_link_local() => Reach::Link,
        // 100.64.0.0/10 is carrier-grade NAT.
        IpAddr::V4(ip) if ip.is_private() || (ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64) => {
            Reach::Site
        }
        IpAddr::V6(ip) if ip.is_unique_local() => Reach::Site,
        _ => Reach::World,
    }
}

fn is_broadcast(ip: IpAddr) -> bool {
    ip == IpAddr::V4(Ipv4Addr::BROADCAST)
}

/// The address at the end: of IPv4 ones written as IPv6 (mapped, NAT64 of RFC 6052, 6to4 of RFC 3056) the IPv4 one.
#[must_use]
pub fn leads_to(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = ip else { return ip };
    match six.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)).into()
        }
        _ => ip.to_canonical(),
    }
}

/// Whether it is a unicast address of the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match leads_to(address) {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(network, length): &(Ipv4Addr, u32)| {
        (address.to_bits() ^ network.to_bits()).checked_shr(32 - length).unwrap_or(0) == 0
    };
    !SPECIAL_V4.iter().any(within)
}

/// Only global unicast (2000::/3) without the parts that are tunnels to IPv4, documentation or benchmarks.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Teredo, benchmarking, ORCHID and the rest of the IETF's own 2001::/23.
        [0x2001, second, ..] if second < 0x200 => false,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaches(ip: &str, allowed: &[&str]) -> bool {
        let allowed: Vec<IpNet> = allowed.iter().map(|text| text.parse().unwrap()).collect();
        may_reach(leads_to(ip.parse().unwrap()), Place::Elsewhere, &allowed)
    }

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
            assert!(!reaches(text, &[]), "{text}");
        }
    }

    #[test]
    fn the_public_internet_is_reached() {
        for text in
            ["1.1.1.1", "100.128.0.1", "172.32.0.1", "11.0.0.1", "2606:4700:4700::1111", "64:ff9b::101:101"]
        {
            assert!(reaches(text, &[]), "{text}");
        }
    }

    #[test]
    fn a_private_network_is_reached_when_it_is_named() {
        let allowed = ["10.1.0.0/16", "127.0.0.0/8"];
        for text in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "127.0.0.1"] {
            assert!(reaches(text, &allowed), "{text}");
        }
        for text in ["10.2.0.1", "::1", "192.168.0.1"] {
            assert!(!reaches(text, &allowed), "{text}");
        }
    }

    #[test]
    fn what_gives_secrets_away_and_what_is_no_host_is_not_named_by_a_network() {
        let everything = ["0.0.0.0/0", "::/0"];
        for text in ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "::", "ff02::1"] {
            assert!(!reaches(text, &everything), "{text}");
        }
        assert!(reaches("169.254.169.254", &["169.254.169.254/32"]), "named itself it is meant");
    }

    #[test]
    fn our_own_doors_are_never_reached_and_this_machine_only_when_named() {
        let (ip, all) = ("1.1.1.1".parse().unwrap(), ["0.0.0.0/0".parse().unwrap()]);
        assert!(!may_reach(ip, Place::OurDoor, &all));
        assert!(!may_reach(ip, Place::ThisMachine, &[]));
        assert!(may_reach(ip, Place::ThisMachine, &all));
    }

    #[test]
    fn sound_goes_no_nearer_to_us_than_the_peer_that_asks_for_it() {
        use Place::{Elsewhere, OurDoor, ThisMachine};
        let may = |ip: &str, place, source: &str, at| {
            may_be_sent_sound(ip.parse().unwrap(), place, Some((source.parse().unwrap(), at)), &[])
        };
        for (ip, place, source, at, may_be) in [
            ("198.18.0.1", Elsewhere, "1.2.3.4", Elsewhere, true),
            ("192.168.1.20", Elsewhere, "192.168.1.1", Elsewhere, true),
            ("10.0.0.5", Elsewhere, "192.168.1.1", Elsewhere, true),
            ("192.168.1.20", Elsewhere, "127.0.0.1", ThisMachine, true),
            ("8.8.4.4", Elsewhere, "10.0.0.2", Elsewhere, true),
            ("127.0.0.1", ThisMachine, "127.0.0.1", ThisMachine, true),
            ("192.168.1.7", ThisMachine, "127.0.0.1", ThisMachine, true),
            // From outside into our network, our link, this machine.
            ("10.0.0.5", Elsewhere, "1.2.3.4", Elsewhere, false),
            ("100.64.0.5", Elsewhere, "1.2.3.4", Elsewhere, false),
            ("fd00::5", Elsewhere, "2606:4700::1", Elsewhere, false),
            ("169.254.7.7", Elsewhere, "10.0.0.5", Elsewhere, false),
            ("127.0.0.1", ThisMachine, "10.0.0.5", Elsewhere, false),
            ("1.2.3.9", ThisMachine, "1.2.3.4", Elsewhere, false),
            // Nobody's, whoever asks.
            ("127.0.0.1", OurDoor, "127.0.0.1", ThisMachine, false),
            ("169.254.169.254", Elsewhere, "127.0.0.1", ThisMachine, false),
            ("168.63.129.16", Elsewhere, "1.2.3.4", Elsewhere, false),
            ("224.0.0.5", Elsewhere, "10.0.0.5", Elsewhere, false),
            ("255.255.255.255", Elsewhere, "10.0.0.5", Elsewhere, false),
        ] {
            assert_eq!(may(ip, place, source, at), may_be, "{ip} {place:?} for {source}");
        }
        let named = ["10.0.0.0/8".parse().unwrap()];
        let from_outside = Some(("1.2.3.4".parse().unwrap(), Elsewhere));
        assert!(
            may_be_sent_sound("10.0.0.5".parse().unwrap(), Elsewhere, from_outside, &named),
            "the operator says so"
        );
        assert!(!may_be_sent_sound("10.0.0.5".parse().unwrap(), Elsewhere, None, &[]));
    }
}
