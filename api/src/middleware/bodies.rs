//! How much of requests' bodies is in memory at once, and how much of it is one address's: no more than is still free, so
//! that however many addresses hold what they can, there is room for one more.

use crate::{auth::by_address, problem::Refusal};
use parking_lot::Mutex;
use std::{collections::HashMap, net::IpAddr, sync::Arc};

/// Most bytes of a request's body.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;
/// Most bytes of all bodies that are being read or acted on.
const MOST: usize = 128 * BODY_LIMIT;
/// The same of one address; this machine's programs and proxies are not counted so.
const MOST_OF_ONE: usize = 16 * BODY_LIMIT;

/// What is held; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Bodies(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    all: usize,
    by_peer: HashMap<String, usize>,
}

/// What one request holds; given back when it is dropped, which is when nobody has its body any more.
pub(crate) struct Share {
    bodies: Bodies,
    peer: Option<String>,
    bytes: usize,
}

impl Bodies {
    /// An empty share of whoever asks from there.
    pub(crate) fn share(&self, peer: Option<IpAddr>) -> Share {
        let peer = peer.filter(|peer| !peer.is_loopback()).map(|peer| by_address(Some(peer)));
        Share { bodies: self.clone(), peer, bytes: 0 }
    }

    /// Bytes that all hold.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.0.lock().all
    }
}

impl Share {
    /// Takes so many bytes more.
    ///
    /// # Errors
    /// 429 when this address has too much, 503 when all have too much for it to have more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        let mut held = self.bodies.0.lock();
        let free = MOST.saturating_sub(held.all);
        let of_one =
            self.peer.as_ref().map_or(0, |peer| held.by_peer.get(peer).copied().unwrap_or(0)) + bytes;
        if self.peer.is_some() && of_one > MOST_OF_ONE {
            return Err(Refusal::rate_limited(std::time::Duration::from_secs(1)));
        }
        if of_one > free {
            return Err(Refusal::unavailable());
        }
        if let Some(peer) = &self.peer {
            held.by_peer.insert(peer.clone(), of_one);
        }
        held.all += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.bodies.0.lock();
        held.all -= self.bytes;
        let Some(peer) = &self.peer else { return };
        let left = held.by_peer.get(peer).copied().unwrap_or(0).saturating_sub(self.bytes);
        match left {
            0 => held.by_peer.remove(peer),
            left => held.by_peer.insert(peer.clone(), left),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_leaves_room_for_the_others_and_all_have_an_end() {
        let bodies = Bodies::default();
        let of = |text: &str| bodies.share(text.parse().ok());
        let (mut one, mut same, mut other) = (of("2001:db8::1"), of("2001:db8::2"), of("192.0.2.1"));
        one.grow(MOST_OF_ONE).unwrap();
        assert_eq!(same.grow(1).unwrap_err().status.as_u16(), 429);
        other.grow(1).unwrap();
        let mut ours = of("127.0.0.1");
        ours.grow(MOST - MOST_OF_ONE - 1).unwrap();
        assert_eq!(of("192.0.2.2").grow(1).unwrap_err().status.as_u16(), 503);
        drop((one, same, other, ours));
        let held = bodies.0.lock();
        assert_eq!((held.all, held.by_peer.len()), (0, 0));
    }

    /// Eight with sixteen bodies each, of which the last byte never came, had all there is.
    #[test]
    fn a_hundred_addresses_that_hold_what_they_can_leave_room_for_one_more() {
        let bodies = Bodies::default();
        let mut held = Vec::new();
        for host in 0..100 * 16 {
            let mut share = bodies.share(format!("192.0.2.{}", host % 100).parse().ok());
            while share.bytes < BODY_LIMIT - 1 && share.grow(16 * 1024 - 1).is_ok() {}
            held.push(share);
        }
        assert!(bodies.0.lock().all > MOST / 2);
        bodies.share("198.51.100.1".parse().ok()).grow(BODY_LIMIT).unwrap();
    }
}
