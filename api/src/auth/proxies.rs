//! Who asks when proxies of ours stand in front of us.

use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The address of whoever asked the outermost proxy that is ours. `forwarded` is read from its end, where the nearest
/// proxy writes: what one of ours wrote is true, and what it was told by a stranger is not.
pub(crate) fn behind_proxies(remote: IpAddr, forwarded: &str, trusted: &[IpNet]) -> IpAddr {
    let is_ours = |ip: &IpAddr| trusted.iter().any(|network| network.contains(ip));
    let mut nearest = remote.to_canonical();
    for entry in forwarded.rsplit(',') {
        if !is_ours(&nearest) {
            break;
        }
        let Some(next) = address(entry) else { break };
        nearest = next.to_canonical();
    }
    nearest
}

/// An address as proxies write it: bare, with a port, IPv6 in brackets, in quotes.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim().trim_matches('"');
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (remote, forwarded, peer) in [
            ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "203.0.113.9, 198.51.100.7,10.0.0.2", "198.51.100.7"),
            ("10.0.0.1", "fd00::7, 10.0.0.2", "fd00::7"),
            ("10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
            ("10.0.0.1", "[2001:db8::7]", "2001:db8::7"),
            ("10.0.0.1", "[2001:db8::7]:4711, 10.0.0.2:80", "2001:db8::7"),
            ("10.0.0.1", "\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("10.0.0.1", "[198.51.100.7:1", "10.0.0.1"),
        ] {
            let found = behind_proxies(remote.parse().unwrap(), forwarded, &trusted);
            assert_eq!(found.to_string(), peer, "{remote} says {forwarded:?}");
        }
    }
}
