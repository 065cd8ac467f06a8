//! Which addresses were silent or out of reach a moment ago, so that not every call waits for them again: they are tried
//! after everything else. After a while one call tries such an address as before, and what comes of that counts.
//!
//! Pure, and of this process only.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// How long an address that did not respond comes last.
const REST: Duration = Duration::from_secs(30);
/// Most addresses remembered; the one whose rest ends first is forgotten for another.
const MOST: usize = 1_024;

/// The addresses that rest, and until when.
#[derive(Debug, Default)]
pub struct Silent(HashMap<SocketAddr, Instant>);

impl Silent {
    /// Nothing came from there, or nothing gets there.
    pub fn failed(&mut self, address: SocketAddr, now: Instant) {
        if self.0.len() >= MOST && !self.0.contains_key(&address) {
            let first = self.0.iter().min_by_key(|(_, until)| **until).map(|(address, _)| *address);
            first.map(|first| self.0.remove(&first));
        }
        self.0.insert(address, now + REST);
    }

    /// Somebody is there, whatever he said.
    pub fn responded(&mut self, address: SocketAddr) {
        self.0.remove(&address);
    }

    /// Whether a call tries this address last. The first one to ask after the rest does not, and the others do until it is
    /// known what came of that.
    pub fn rests(&mut self, address: SocketAddr, now: Instant) -> bool {
        match self.0.get_mut(&address) {
            None => false,
            Some(until) if *until > now => true,
            Some(until) => {
                *until = now + REST;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[expect(clippy::disallowed_methods, reason = "some moment to count from")]
    fn began() -> Instant {
        Instant::now()
    }

    #[test]
    fn one_call_in_thirty_seconds_finds_out_whether_an_address_is_back() {
        let (mut silent, began) = (Silent::default(), began());
        let at = |seconds| began + Duration::from_secs(seconds);
        assert!(!silent.rests(address(5060), at(0)));
        silent.failed(address(5060), at(0));
        assert!(silent.rests(address(5060), at(1)) && silent.rests(address(5060), at(29)));
        assert!(!silent.rests(address(5061), at(1)), "another port is another server");
        assert!(!silent.rests(address(5060), at(30)), "this one tries");
        assert!(silent.rests(address(5060), at(30)), "and the next one does not wait for what comes of it");
        silent.failed(address(5060), at(34));
        assert!(silent.rests(address(5060), at(63)));
        assert!(!silent.rests(address(5060), at(64)));
        silent.responded(address(5060));
        assert!(!silent.rests(address(5060), at(65)), "it is back");
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let (mut silent, began) = (Silent::default(), began());
        for number in 0..=MOST as u32 {
            let address = SocketAddr::from((Ipv4Addr::from(0x0a00_0000 + number), 5060));
            silent.failed(address, began + Duration::from_millis(number.into()));
        }
        assert_eq!(silent.0.len(), MOST);
        assert!(!silent.rests(SocketAddr::from(([10, 0, 0, 0], 5060)), began), "the oldest one made room");
    }
}
