//! Where SIP is listened to, and which of our own addresses goes with a peer.

use crate::net::{own_towards, socket_towards};
use std::{
    io,
    net::{IpAddr, SocketAddr},
};

/// The addresses SIP is listened to; at least one.
#[derive(Clone, Debug)]
pub(super) struct Listening(Vec<SocketAddr>);

impl Listening {
    pub(super) fn new(addresses: Vec<SocketAddr>) -> Listening {
        Listening(addresses)
    }

    pub(super) fn all(&self) -> &[SocketAddr] {
        &self.0
    }

    /// The one that is shown.
    pub(super) fn first(&self) -> SocketAddr {
        self.0.first().copied().unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)))
    }

    /// Our address, with its port, that packets to `peer` leave from.
    ///
    /// # Errors
    /// When no socket has the peer's family, or there is no way there.
    pub(super) fn towards(&self, peer: SocketAddr) -> io::Result<SocketAddr> {
        let family = if peer.is_ipv4() { "IPv4" } else { "IPv6" };
        let missing = || io::Error::other(format!("SIP is not listened to on {family} (sip.listen)"));
        let own = socket_towards(self.0.iter().copied(), peer).ok_or_else(missing)?;
        if own.ip().is_unspecified() {
            return Ok(SocketAddr::new(own_towards(peer)?, own.port()));
        }
        Ok(own)
    }

    /// What the sockets of a leg are bound to whose media our side calls `local`.
    pub(super) fn media_of(&self, local: IpAddr) -> IpAddr {
        let family = |own: &&SocketAddr| own.is_ipv4() == local.is_ipv4();
        let all = self.0.iter().filter(family).find(|own| own.ip().is_unspecified());
        all.map_or(local, SocketAddr::ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(addresses: &[&str]) -> Listening {
        Listening::new(addresses.iter().map(|address| address.parse().unwrap()).collect())
    }

    #[test]
    fn each_family_has_its_socket_and_one_without_any_is_named() {
        let both = listening(&["0.0.0.0:5060", "[::]:5062"]);
        for (peer, own) in [("127.0.0.1:9", "127.0.0.1:5060"), ("[::1]:9", "[::1]:5062")] {
            assert_eq!(both.towards(peer.parse().unwrap()).unwrap(), own.parse().unwrap());
        }
        let old = listening(&["127.0.0.1:5060"]);
        let error = old.towards("[::1]:9".parse().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "SIP is not listened to on IPv6 (sip.listen)");
    }

    #[test]
    fn of_several_addresses_the_one_on_the_way_to_the_peer_is_used() {
        let two = listening(&["127.0.0.2:5060", "127.0.0.1:5070"]);
        assert_eq!(two.towards("127.0.0.1:9".parse().unwrap()).unwrap().port(), 5070);
        assert_eq!(two.media_of("127.0.0.1".parse().unwrap()), "127.0.0.1".parse::<IpAddr>().unwrap());
        let all = listening(&["0.0.0.0:5060"]);
        assert_eq!(all.media_of("127.0.0.1".parse().unwrap()), "0.0.0.0".parse::<IpAddr>().unwrap());
        assert_eq!(all.media_of("::1".parse().unwrap()), "::1".parse::<IpAddr>().unwrap());
    }
}
