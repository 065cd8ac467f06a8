//! The one guard in front of everything that leaves on a customer's word: webhooks, sounds, calls. The rule is
//! `domain::outbound`'s; here is what it has to be told about this machine.
//!
//! Checked on every resolved address and on every redirect, and the connection is made to the checked address, so that
//! a name that changes its mind (DNS rebinding) finds nobody between check and connect.

use domain::outbound::{self, Place};
use ipnet::IpNet;
use parking_lot::RwLock;
use sip_engine::net::own_towards;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// Decides about addresses; clones know the same doors.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Networks of the operator's own that may be reached beside the public internet.
    pub allowed: Vec<IpNet>,
    /// Addresses that lead to this machine though it does not have them, for example that of the NAT in front.
    pub outside: Vec<IpAddr>,
    /// What we are called outside, in lower case; empty when nothing. By name and not by address: behind a shared proxy
    /// that address is many a customer's as well.
    pub own_host: String,
    /// Where we listen.
    pub doors: Doors,
}

/// Sockets that listen, a wildcard for every address of this machine; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Doors(Arc<RwLock<Vec<SocketAddr>>>);

impl Doors {
    /// We listen there, from now on.
    pub fn add(&self, door: SocketAddr) {
        self.0.write().push(door);
    }
}

impl Guard {
    /// Whether a connection to `address` may be made, or a call be sent there.
    #[must_use]
    pub fn allows(&self, address: SocketAddr) -> bool {
        let ip = outbound::leads_to(address.ip());
        outbound::may_reach(ip, self.place(ip, address.port()), &self.allowed)
    }

    /// Whether sound may be sent to the address a session description names, by a peer whose SIP comes from `source`.
    #[must_use]
    pub fn allows_sound(&self, address: SocketAddr, source: Option<IpAddr>) -> bool {
        let (ip, source) = (outbound::leads_to(address.ip()), source.map(outbound::leads_to));
        let place = self.place(ip, address.port());
        let source = source.map(|source| match source {
            // It is where its sound is; asking again would say the same.
            same if same == ip && place != Place::OurDoor => (same, place),
            other => (other, self.place(other, 0)),
        });
        outbound::may_be_sent_sound(ip, place, source, &self.allowed)
    }

    /// Whether the host may be asked for by this name (lower case).
    #[must_use]
    pub fn allows_host(&self, host: &str) -> bool {
        self.own_host.is_empty() || host.trim_end_matches('.') != self.own_host
    }

    fn place(&self, ip: IpAddr, port: u16) -> Place {
        let here = self.outside.contains(&ip) || is_of_this_machine(ip);
        let doors = self.doors.0.read();
        let is_door = |door: &SocketAddr| {
            let door_ip = door.ip().to_canonical();
            // What the NAT in front hands on to us, it hands on to a door.
            door.port() == port && (door_ip == ip || (here && (door_ip.is_unspecified() || !has(ip))))
        };
        match here {
            _ if doors.iter().any(is_door) => Place::OurDoor,
            true => Place::ThisMachine,
            false => Place::Elsewhere,
        }
    }
}

/// Whether a connection to this address would end on this machine. Asking the system sends no packet.
fn is_of_this_machine(ip: IpAddr) -> bool {
    let answers_itself = |own: IpAddr| own == ip || own.is_loopback();
    ip.is_loopback()
        || ip.is_unspecified()
        || own_towards((ip, 9).into()).is_ok_and(answers_itself)
        || has(ip)
}

/// Whether an interface of this machine has it.
fn has(ip: IpAddr) -> bool {
    ip.is_loopback() || if_addrs::get_if_addrs().is_ok_and(|all| all.iter().any(|one| one.ip() == ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_doors_are_not_reached_whatever_is_allowed() {
        let allowed = vec!["0.0.0.0/0".parse().unwrap()];
        let guard = Guard { allowed, own_host: "us.example".into(), ..Guard::default() };
        let known_before = guard.clone();
        guard.doors.add("1.2.3.4:8080".parse().unwrap());
        for same in ["1.2.3.4:8080", "[::ffff:1.2.3.4]:8080", "[64:ff9b::102:304]:8080"] {
            assert!(!known_before.allows(same.parse().unwrap()), "{same}");
        }
        assert!(guard.allows("1.2.3.4:80".parse().unwrap()));
        assert!(!guard.allows_host("us.example") && !guard.allows_host("us.example."));
        assert!(guard.allows_host("them.example") && Guard::default().allows_host(""));
    }

    #[test]
    fn who_listens_everywhere_is_at_every_address_of_the_machine() {
        let guard = Guard { allowed: vec!["127.0.0.0/8".parse().unwrap()], ..Guard::default() };
        guard.doors.add("0.0.0.0:8080".parse().unwrap());
        assert!(!guard.allows("127.0.0.1:8080".parse().unwrap()));
        assert!(!guard.allows("[::ffff:127.0.0.1]:8080".parse().unwrap()));
        assert!(guard.allows("127.0.0.1:8081".parse().unwrap()));
        assert!(guard.allows("1.1.1.1:8080".parse().unwrap()), "it is not this machine's");
    }

    #[test]
    fn nobody_outside_has_sound_sent_to_this_machine_and_a_phone_on_it_has() {
        let guard = Guard { outside: vec!["1.2.3.4".parse().unwrap()], ..Guard::default() };
        guard.doors.add("0.0.0.0:5060".parse().unwrap());
        let allows = |address: &str, source: &str| {
            guard.allows_sound(address.parse().unwrap(), Some(source.parse().unwrap()))
        };
        for own in ["127.0.0.1:4000", "[::ffff:127.0.0.1]:4000", "[64:ff9b::7f00:1]:4000", "1.2.3.4:4000"] {
            assert!(!allows(own, "8.8.8.8"), "{own}");
            assert!(!allows(own, "192.168.77.5"), "{own}");
            assert!(allows(own, "127.0.0.1"), "{own}");
        }
        assert!(!allows("127.0.0.1:5060", "127.0.0.1"), "our own door");
        assert!(allows("192.168.77.6:4000", "192.168.77.5") && !allows("192.168.77.6:4000", "8.8.8.8"));
        assert!(allows("8.8.4.4:4000", "8.8.8.8"));
    }

    #[test]
    fn this_machine_is_refused_by_any_of_its_addresses() {
        let public = "1.2.3.4".parse().unwrap();
        let guard = Guard { outside: vec![public], ..Guard::default() };
        guard.doors.add("10.0.0.9:5060".parse().unwrap());
        let own = if_addrs::get_if_addrs().unwrap().into_iter().map(|interface| interface.ip());
        for ip in own.chain([public]) {
            assert_eq!(guard.place(ip, 9), Place::ThisMachine, "{ip}");
            assert!(!guard.allows((ip, 9).into()), "{ip}");
        }
        assert_eq!(guard.place(public, 5060), Place::OurDoor, "the NAT hands it on to us");
        assert!(guard.allows("1.1.1.1:5060".parse().unwrap()));
    }
}
