//! Whose calls from a source to a number are: sources may be shared by any trunks of any carriers, and so may numbers, so
//! two carriers can hold one pair of both.
//!
//! The rule: the earlier claim keeps the pair, and a later one never changes a route that exists. An operator may move a
//! pair; the last move counts.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Since when a trunk has what calls are routed by, as positions of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceClaims {
    /// Since when it reads national numbers as it does.
    pub country: i64,
    /// Since when it has each of its sources, and the parts of them that its carrier has had for longer.
    pub sources: Vec<(IpNet, i64)>,
}

impl SourceClaims {
    /// As they are after the trunk was configured like this at `position`. Addresses that stay keep their age, however the
    /// networks around them are written: split, widened or narrowed.
    #[must_use]
    pub fn configured(&self, sources: &[IpNet], same_country: bool, position: i64) -> SourceClaims {
        let country = if same_country { self.country } else { position };
        let sources = sources.iter().map(|source| (*source, position)).collect();
        SourceClaims { country, sources }.inheriting(self)
    }

    /// With the age of every address that `other` has had for longer: another trunk of the same carrier, or the same trunk
    /// before.
    #[must_use]
    pub fn inheriting(self, other: &SourceClaims) -> SourceClaims {
        let own = &self.sources;
        let held = other.sources.iter().flat_map(move |(held, since)| {
            let parts = own.iter().filter_map(move |(source, _)| shared(*source, *held));
            parts.map(move |part| (part, *since))
        });
        let mut sources: Vec<(IpNet, i64)> = own.iter().copied().chain(held).collect();
        sources.sort_unstable();
        sources.dedup();
        let needed = sources.iter().filter(|claim| !sources.iter().any(|other| says_all_of(other, claim)));
        SourceClaims { country: self.country, sources: needed.copied().collect() }
    }

    /// Whether both have an address.
    #[must_use]
    pub fn meets(&self, other: &SourceClaims) -> bool {
        let theirs = |own: IpNet| other.sources.iter().any(|(source, _)| shared(own, *source).is_some());
        self.sources.iter().any(|(own, _)| theirs(*own))
    }

    /// Since when it has this address, by whichever of its sources.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Option<i64> {
        let matching = self.sources.iter().filter(|(source, _)| source.contains(&address));
        matching.map(|(_, since)| *since).min()
    }
}

/// Whether the second claim adds nothing to the first.
fn says_all_of(one: &(IpNet, i64), other: &(IpNet, i64)) -> bool {
    one != other && one.0.contains(&other.0) && one.1 <= other.1
}

/// Since when a carrier has a number, and which sources an operator moved to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberClaims {
    /// Since when it has the number, as a position of the log.
    pub since: i64,
    /// Sources whose calls an operator gave it, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<(IpNet, i64)>,
}

impl NumberClaims {
    /// When calls from this address were last moved here.
    #[must_use]
    pub fn granted(&self, address: IpAddr) -> Option<i64> {
        let matching = self.granted.iter().filter(|(source, _)| source.contains(&address));
        matching.map(|(_, at)| *at).max()
    }

    /// As they are after an operator moved calls from `source` here at `position`.
    #[must_use]
    pub fn with(mut self, source: IpNet, position: i64) -> NumberClaims {
        self.granted.retain(|(known, _)| *known != source);
        self.granted.push((source, position));
        self
    }
}

/// A carrier's claim to calls from one address to one number. The greatest has the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteClaim {
    /// When an operator moved them here; later counts more, and more than any age.
    granted: Option<i64>,
    /// Since when source and number are both its own; earlier counts more.
    since: Reverse<i64>,
}

impl RouteClaim {
    /// The claim of whoever has `trunk` and `number`; `None` where the address is none of the trunk's sources. `national`
    /// says that the trunk's country made the dialled text this number.
    #[must_use]
    pub fn new(
        trunk: &SourceClaims,
        number: &NumberClaims,
        address: IpAddr,
        national: bool,
    ) -> Option<RouteClaim> {
        let source = trunk.of(address)?;
        let read = if national { trunk.country } else { 0 };
        let granted = number.granted(address);
        Some(RouteClaim { granted, since: Reverse(source.max(number.since).max(read)) })
    }
}

/// What calls to one number of a carrier are routed by.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'c> {
    /// The trunk's claims.
    pub trunk: &'c SourceClaims,
    /// The number's claims.
    pub number: &'c NumberClaims,
}

impl Holding<'_> {
    /// The networks both have whose calls the other one gets. Inside of one a narrower source, or one that an operator moved,
    /// may go another way: it is told beside it.
    #[must_use]
    pub fn loses_to(&self, other: &Holding<'_>) -> Vec<IpNet> {
        let pairs = self.sources().flat_map(|own| other.sources().map(move |other| (own, other)));
        let both: Vec<IpNet> = pairs.filter_map(|(own, other)| shared(own, other)).collect();
        let parts = self.parts().chain(other.parts());
        let within = parts.filter(|part| both.iter().any(|shared| shared.contains(part)));
        let mut parts: Vec<IpNet> = within.collect();
        parts.sort();
        parts.dedup();
        let loses = |part: IpNet| {
            own_address(part, &parts).is_some_and(|address| self.claim(address) < other.claim(address))
        };
        let around = |part: IpNet| {
            let wider = parts.iter().filter(|wider| **wider != part && wider.contains(&part));
            wider.max_by_key(|wider| wider.prefix_len()).copied()
        };
        let told = |part: &IpNet| loses(*part) && !around(*part).is_some_and(loses);
        parts.iter().copied().filter(told).collect()
    }

    fn sources(&self) -> impl Iterator<Item = IpNet> {
        self.trunk.sources.iter().map(|(source, _)| *source)
    }

    /// Networks at whose edges its claim changes.
    fn parts(&self) -> impl Iterator<Item = IpNet> {
        self.sources().chain(self.number.granted.iter().map(|(source, _)| *source))
    }

    fn claim(&self, address: IpAddr) -> Option<RouteClaim> {
        RouteClaim::new(self.trunk, self.number, address, false)
    }
}

/// An address of the network that is in none of these that is narrower.
fn own_address(network: IpNet, parts: &[IpNet]) -> Option<IpAddr> {
    let mut address = network.network();
    while network.contains(&address) {
        let narrower = parts.iter().filter(|part| **part != network && network.contains(*part));
        match narrower.filter(|part| part.contains(&address)).map(IpNet::broadcast).max() {
            Some(last) => address = next(last)?,
            None => return Some(address),
        }
    }
    None
}

fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(four) => four.to_bits().checked_add(1).map(|bits| Ipv4Addr::from_bits(bits).into()),
        IpAddr::V6(six) => six.to_bits().checked_add(1).map(|bits| Ipv6Addr::from_bits(bits).into()),
    }
}

/// The addresses two networks have in common: of two networks one lies inside the other, or there are none.
#[must_use]
pub fn shared(one: IpNet, other: IpNet) -> Option<IpNet> {
    match (one.contains(&other), other.contains(&one)) {
        (true, _) => Some(other),
        (_, true) => Some(one),
        _ => None,
    }
}

/// The part of the Internet a network lies in: the /24, or /48 of IPv6, that any carrier may name by itself; none of a wider
/// one, which lies in several. Networks that share an address lie in one part, or one of them is wide.
#[must_use]
pub fn part(network: IpNet) -> Option<IpNet> {
    let width = if network.addr().is_ipv4() { 24 } else { 48 };
    let part = IpNet::new(network.addr(), width).ok()?.trunc();
    part.contains(&network).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn networks_that_share_an_address_lie_in_one_part_of_the_internet_or_one_is_wide() {
        let texts = [
            "192.0.2.7/32",
            "192.0.2.0/24",
            "192.0.2.128/25",
            "192.0.3.1/32",
            "192.0.0.0/16",
            "2001:db8::1/128",
            "2001:db8::/48",
            "2001:db8:1::/64",
            "2001:db8::/32",
        ];
        for one in texts.map(net) {
            for other in texts.map(net).into_iter().filter(|other| shared(one, *other).is_some()) {
                let (own, theirs) = (part(one), part(other));
                assert!(own.is_none() || theirs.is_none() || own == theirs, "{one} and {other}");
            }
        }
        assert_eq!(part(net("192.0.2.7/32")), Some(net("192.0.2.0/24")));
        assert_eq!(part(net("2001:db8:0:7::1/128")), Some(net("2001:db8::/48")));
        assert_eq!((part(net("192.0.0.0/16")), part(net("2001:db8::/32"))), (None, None));
    }

    fn claim(source: i64, number: &NumberClaims) -> RouteClaim {
        let trunk = SourceClaims::default().configured(&[net("203.0.113.0/24")], false, source);
        RouteClaim::new(&trunk, number, "203.0.113.7".parse().unwrap(), false).unwrap()
    }

    fn since(since: i64) -> NumberClaims {
        NumberClaims { since, granted: vec![] }
    }

    #[test]
    fn the_earlier_claim_to_source_and_number_together_keeps_them() {
        assert!(claim(1, &since(2)) > claim(3, &since(4)));
        assert!(claim(3, &since(2)) > claim(1, &since(4)), "the later of both makes the pair");
    }

    #[test]
    fn an_operator_moves_a_pair_and_the_last_move_counts() {
        let moved = since(4).with(net("203.0.113.0/24"), 9);
        assert!(claim(3, &moved) > claim(1, &since(2)));
        assert!(claim(3, &moved) < claim(1, &since(2).with(net("203.0.113.7/32"), 12)));
        let elsewhere = since(4).with(net("198.51.100.0/24"), 9);
        assert!(claim(3, &elsewhere) < claim(1, &since(2)), "of another source");
    }

    #[test]
    fn a_source_keeps_its_age_until_it_is_given_up() {
        let first = SourceClaims::default().configured(&[net("192.0.2.1/32")], false, 5);
        let both = first.configured(&[net("192.0.2.1/32"), net("192.0.2.2/32")], true, 8);
        assert_eq!(both.sources, [(net("192.0.2.1/32"), 5), (net("192.0.2.2/32"), 8)]);
        let again = both.configured(&[], true, 9).configured(&[net("192.0.2.1/32")], false, 10);
        assert_eq!((again.country, again.sources), (10, vec![(net("192.0.2.1/32"), 10)]));
    }

    /// A victim had these sources since 1, a thief the /24 since 5, and the victim configures those at 9: whose calls from
    /// each address are.
    fn after(sources: &[&str], configured: &[&str], address: &str) -> &'static str {
        let nets = |texts: &[&str]| texts.iter().map(|text| net(text)).collect::<Vec<_>>();
        let victim = SourceClaims::default().configured(&nets(sources), false, 1);
        let victim = victim.configured(&nets(configured), true, 9);
        let thief = SourceClaims::default().configured(&[net("203.0.113.0/24")], false, 5);
        let claim = |trunk: &SourceClaims| RouteClaim::new(trunk, &since(2), address.parse().unwrap(), false);
        if claim(&victim) > claim(&thief) { "victim" } else { "thief" }
    }

    #[test]
    fn an_edit_of_ones_own_networks_hands_no_calls_to_a_squatter() {
        let all = ["203.0.113.0/24"];
        let halves = ["203.0.113.0/25", "203.0.113.128/25"];
        let hosts = ["203.0.113.7/32", "203.0.113.9/32"];
        for (before, now, address, whose) in [
            (&all[..], &halves[..], "203.0.113.7", "victim"),
            (&all[..], &halves[..], "203.0.113.200", "victim"),
            (&halves[..], &all[..], "203.0.113.200", "victim"),
            (&hosts[..], &all[..], "203.0.113.7", "victim"),
            (&hosts[..], &all[..], "203.0.113.9", "victim"),
            (&hosts[..], &all[..], "203.0.113.8", "thief"),
            (&all[..], &hosts[..1], "203.0.113.7", "victim"),
            (&hosts[..1], &hosts[..], "203.0.113.9", "thief"),
        ] {
            assert_eq!(after(before, now, address), whose, "{before:?} {now:?} {address}");
        }
        let widened = SourceClaims::default().configured(&[net(hosts[0])], false, 1);
        let widened = widened.configured(&[net(all[0])], true, 9);
        let narrowed = widened.configured(&[net(hosts[0])], true, 12);
        assert_eq!(narrowed.sources, [(net(hosts[0]), 1)], "undone it is as it was");
        assert_eq!(widened.configured(&[net(all[0])], true, 15), widened);
    }

    #[test]
    fn addresses_keep_the_age_they_have_in_another_trunk_of_the_carrier() {
        let old = SourceClaims::default().configured(&[net("203.0.113.7/32")], false, 1);
        let new = SourceClaims::default().configured(&[net("203.0.113.0/24")], false, 9);
        assert!(new.meets(&old) && old.meets(&new));
        let both = new.clone().inheriting(&old);
        assert_eq!(both.of("203.0.113.7".parse().unwrap()), Some(1));
        assert_eq!(both.of("203.0.113.8".parse().unwrap()), Some(9));
        let apart = SourceClaims::default().configured(&[net("198.51.100.0/24")], false, 1);
        assert!(!new.meets(&apart));
        assert_eq!(new.clone().inheriting(&apart), new);
    }

    #[test]
    fn whoever_comes_later_learns_which_calls_are_anothers() {
        let trunk = |source: &str, since| SourceClaims::default().configured(&[net(source)], false, since);
        let (first, second) = (trunk("203.0.113.0/24", 1), trunk("203.0.113.7/32", 3));
        let (older, newer) = (since(2), since(4));
        let (first, second) =
            (Holding { trunk: &first, number: &older }, Holding { trunk: &second, number: &newer });
        assert_eq!(second.loses_to(&first), [net("203.0.113.7/32")]);
        assert!(first.loses_to(&second).is_empty());
        let apart = trunk("198.51.100.7/32", 3);
        assert!(Holding { trunk: &apart, number: &newer }.loses_to(&first).is_empty());
    }

    #[test]
    fn after_a_move_of_one_address_each_learns_which_part_of_the_network_is_anothers() {
        let trunk = |since| SourceClaims::default().configured(&[net("203.0.113.0/24")], false, since);
        let (first, second) = (trunk(1), trunk(3));
        for moved in ["203.0.113.7/32", "203.0.113.0/32", "203.0.113.0/25"] {
            let (older, newer) = (since(2), since(4).with(net(moved), 9));
            let first = Holding { trunk: &first, number: &older };
            let second = Holding { trunk: &second, number: &newer };
            assert_eq!(first.loses_to(&second), [net(moved)]);
            assert_eq!(second.loses_to(&first), [net("203.0.113.0/24")], "without {moved}");
        }
    }

    #[test]
    fn a_number_read_by_a_country_is_claimed_since_the_trunk_reads_by_it() {
        let address = "192.0.2.1".parse().unwrap();
        let trunk = SourceClaims { country: 7, sources: vec![(net("192.0.2.1/32"), 1)] };
        let of = |national| RouteClaim::new(&trunk, &since(2), address, national).unwrap();
        assert!(of(false) > of(true));
        assert_eq!(RouteClaim::new(&trunk, &since(2), "192.0.2.2".parse().unwrap(), false), None);
    }
}
