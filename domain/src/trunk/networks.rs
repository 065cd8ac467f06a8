//! Which networks a trunk may name, for signalling and for media.

use super::TrunkError;
use ipnet::{IpNet, Ipv4Net};

/// Most networks in one list.
pub const MAX_NETWORKS: usize = 64;
/// The widest networks a carrier names by itself, as prefix lengths for IPv4 and IPv6.
const SELF_SERVICE: (u8, u8) = (24, 48);
/// The widest networks anybody names.
const WIDEST: (u8, u8) = (8, 32);
/// What no packet of a peer comes from: "this network" with the unspecified address (RFC 1122 section 3.2.1.3), multicast
/// (RFC 5771, RFC 4291 section 2.7) and broadcast (RFC 919).
const NOBODY: [&str; 5] = ["0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8"];

/// One of a trunk's lists of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkList {
    /// Where its INVITEs come from; at least one.
    Sources,
    /// Where the RTP of its calls to us may come from.
    InboundMedia,
    /// Where the RTP of our calls to it may come from.
    OutboundMedia,
}

/// What is wrong with a list of networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkFault {
    /// Sources that are none, or too many of them.
    #[error("give 1 to {MAX_NETWORKS} source addresses")]
    SourceCount,
    /// Too many media networks.
    #[error("give at most {MAX_NETWORKS} networks")]
    TooMany,
    /// The same one twice.
    #[error("{0} is given twice")]
    Repeated(IpNet),
    /// So wide that strangers are in it.
    #[error(
        "{0} is too wide: at most /24 for IPv4 and /48 for IPv6; wider ones are the operator's to allow (setting sip.wide_networks)"
    )]
    TooWide(IpNet),
    /// Addresses that are no peer's.
    #[error("{0} has addresses no call comes from (unspecified, multicast or broadcast)")]
    Nobody(IpNet),
}

impl NetworkList {
    /// The networks as they are kept, or what is wrong with this list.
    pub(super) fn checked(self, given: &[IpNet]) -> Result<Vec<IpNet>, TrunkError> {
        let wrong = |fault| TrunkError::Networks(self, fault);
        match self {
            NetworkList::Sources if !(1..=MAX_NETWORKS).contains(&given.len()) => {
                Err(wrong(NetworkFault::SourceCount))
            }
            _ if given.len() > MAX_NETWORKS => Err(wrong(NetworkFault::TooMany)),
            _ => distinct(given).map_err(wrong),
        }
    }
}

/// A network as it is kept: an IPv4 address written as IPv6 (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) is IPv4, and
/// host bits are dropped.
#[must_use]
pub fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(network) if network.prefix_len() >= 96 => {
            let address = network.addr().to_ipv4_mapped();
            address.and_then(|address| Ipv4Net::new(address, network.prefix_len() - 96).ok())
        }
        _ => None,
    };
    mapped.map_or(network, IpNet::V4).trunc()
}

/// What is wrong with the width of one of `networks`, and which: a carrier names /24 and /48 by itself, wider ones only
/// inside of what the operator allows, and keeps what it has.
#[must_use]
pub fn too_wide(networks: &[IpNet], held: &[IpNet], allowed: &[IpNet]) -> Option<(usize, NetworkFault)> {
    let may = |network: &IpNet| {
        !is_wider(*network, SELF_SERVICE)
            || held.contains(network)
            || allowed.iter().any(|allowed| allowed.contains(network))
    };
    let mut named = networks.iter().copied().map(canonical).enumerate();
    named.find(|(_, network)| !may(network)).map(|(at, network)| (at, NetworkFault::TooWide(network)))
}

fn is_wider(network: IpNet, (v4, v6): (u8, u8)) -> bool {
    network.prefix_len() < if network.addr().is_ipv4() { v4 } else { v6 }
}

fn distinct(given: &[IpNet]) -> Result<Vec<IpNet>, NetworkFault> {
    let mut seen: Vec<IpNet> = Vec::new();
    for network in given.iter().copied().map(canonical) {
        if is_wider(network, WIDEST) {
            return Err(NetworkFault::TooWide(network));
        }
        if is_nobodys(network) {
            return Err(NetworkFault::Nobody(network));
        }
        if seen.contains(&network) {
            return Err(NetworkFault::Repeated(network));
        }
        seen.push(network);
    }
    Ok(seen)
}

/// Whether any of its addresses is one no peer has.
fn is_nobodys(network: IpNet) -> bool {
    let mut nobodys = NOBODY.iter().filter_map(|text| text.parse::<IpNet>().ok());
    nobodys.any(|nobody| nobody.contains(&network) || network.contains(&nobody))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn kept(text: &str) -> Result<String, NetworkFault> {
        let checked = NetworkList::Sources.checked(&nets(&[text]));
        checked.map(|kept| kept[0].to_string()).map_err(|error| match error {
            TrunkError::Networks(NetworkList::Sources, fault) => fault,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn an_ipv4_address_written_as_ipv6_is_ipv4() {
        assert_eq!(kept("::ffff:203.0.113.7/128").unwrap(), "203.0.113.7/32");
        assert_eq!(kept("::ffff:203.0.113.7/120").unwrap(), "203.0.113.0/24");
        assert_eq!(kept("2001:db8::7/64").unwrap(), "2001:db8::/64");
        let twice = NetworkList::Sources.checked(&nets(&["203.0.113.7/32", "::ffff:203.0.113.7/128"]));
        let fault = NetworkFault::Repeated("203.0.113.7/32".parse().unwrap());
        assert_eq!(twice, Err(TrunkError::Networks(NetworkList::Sources, fault)));
    }

    #[test]
    fn what_no_packet_comes_from_is_no_source() {
        for text in [
            "0.0.0.0/32",
            "0.1.2.3/32",
            "224.0.0.1/32",
            "239.0.0.0/8",
            "255.255.255.255/32",
            "255.255.255.0/24",
            "::/128",
            "ff02::1/128",
            "::ffff:224.0.0.1/128",
            "::ffff:0.0.0.0/128",
        ] {
            assert!(matches!(kept(text), Err(NetworkFault::Nobody(_))), "{text}");
        }
    }

    #[test]
    fn a_carrier_names_narrow_networks_and_the_operator_allows_wider_ones() {
        let none: &[IpNet] = &[];
        let wide = |texts: &[&str], held: &[IpNet], allowed: &[IpNet]| {
            too_wide(&nets(texts), held, allowed).map(|(at, _)| at)
        };
        assert_eq!(wide(&["203.0.113.0/24", "2001:db8::/48"], none, none), None);
        assert_eq!(wide(&["203.0.113.0/24", "198.51.0.0/23"], none, none), Some(1));
        assert_eq!(wide(&["2001:db8::/47"], none, none), Some(0));
        assert_eq!(wide(&["::ffff:198.51.0.0/118"], none, none), Some(0), "a /22 in another spelling");
        assert_eq!(wide(&["198.51.0.0/16"], none, &nets(&["198.51.0.0/16"])), None);
        assert_eq!(
            wide(&["198.51.4.0/22"], none, &nets(&["198.51.0.0/16"])),
            None,
            "inside of what is allowed"
        );
        assert_eq!(wide(&["198.0.0.0/8"], none, &nets(&["198.51.0.0/16"])), Some(0));
        assert_eq!(wide(&["198.51.0.0/16"], &nets(&["198.51.0.0/16"]), none), None, "what it has it keeps");
    }
}
