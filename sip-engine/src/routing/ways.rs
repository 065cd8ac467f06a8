//! The ways one call can go, and when the next of them is tried (RFC 3263 section 4.3): every address of a trunk in turn,
//! then the carrier's next trunk, and last of all what was silent a moment ago.
//!
//! Pure: names are looked up by whoever asks, and time is what it says has passed.

use super::Route;
use std::{collections::VecDeque, net::SocketAddr, time::Duration};

/// No response at all for this long is silence: a host is dead, or as good as dead.
const SILENCE: Duration = Duration::from_secs(4);
/// So long all silences and look-ups of one call together may last.
const PATIENCE: Duration = Duration::from_secs(12);
/// Most addresses one call is sent to, those of all its trunks together.
const MAX_ATTEMPTS: usize = 16;

/// What is left to try.
#[derive(Debug)]
pub struct Ways {
    routes: VecDeque<Route>,
    addresses: VecDeque<(Route, SocketAddr)>,
    /// Those that were silent a moment ago.
    last: VecDeque<(Route, SocketAddr)>,
    attempts: usize,
    waited: Duration,
    /// How long the callee may ring, altogether.
    ring: Duration,
    /// How much of that is over, once somebody has responded.
    rung: Option<Duration>,
}

/// What to do for the next attempt.
#[derive(Debug)]
pub enum Next {
    /// Look up this route's host and say [`Ways::found`].
    LookUp(Route),
    /// Send the INVITE there. It may be silent for so long.
    Try(Box<Route>, SocketAddr, Duration),
    /// Nothing is left.
    Nothing,
    /// Something is left, but it took too long.
    TooLate,
}

impl Ways {
    /// These routes, in this order; the callee may ring for so long.
    #[must_use]
    pub fn new(routes: Vec<Route>, ring: Duration) -> Ways {
        let (routes, addresses, last) = (routes.into(), VecDeque::new(), VecDeque::new());
        Ways { routes, addresses, last, attempts: 0, waited: Duration::ZERO, ring, rung: None }
    }

    /// The next step.
    pub fn next_step(&mut self) -> Next {
        let left = PATIENCE.saturating_sub(self.waited);
        if self.is_last() {
            Next::Nothing
        } else if left.is_zero() || self.attempts >= MAX_ATTEMPTS {
            Next::TooLate
        } else if let Some(way) = self.addresses.pop_front() {
            self.attempt(way, left)
        } else if let Some(route) = self.routes.pop_front() {
            Next::LookUp(route)
        } else {
            self.last.pop_front().map_or(Next::Nothing, |way| self.attempt(way, left))
        }
    }

    fn attempt(&mut self, (route, address): (Route, SocketAddr), left: Duration) -> Next {
        self.attempts += 1;
        Next::Try(Box::new(route), address, SILENCE.min(left))
    }

    /// The addresses a route's host has, and which of them were silent a moment ago: those come after all others.
    pub fn found(
        &mut self,
        route: &Route,
        addresses: &[SocketAddr],
        mut was_silent: impl FnMut(SocketAddr) -> bool,
    ) {
        for address in addresses {
            let last = was_silent(*address);
            let ways = if last { &mut self.last } else { &mut self.addresses };
            ways.push_back((route.clone(), *address));
        }
    }

    /// So long nobody said anything.
    pub fn waited(&mut self, time: Duration) {
        self.waited = self.waited.saturating_add(time);
        self.rung = self.rung.map(|rung| rung.saturating_add(time));
    }

    /// An attempt failed after so long; whether anybody had responded to it. Dead trunks take nothing of the time that the
    /// callee may ring: it runs from the attempt on that somebody first responded to.
    pub fn failed(&mut self, after: Duration, responded: bool) {
        if responded {
            self.rung = Some(self.rung.unwrap_or_default().saturating_add(after));
        } else {
            self.waited(after);
        }
    }

    /// How long the next attempt may ring, a second at least.
    #[must_use]
    pub fn rings_for(&self) -> Duration {
        self.ring.saturating_sub(self.rung.unwrap_or_default()).max(Duration::from_secs(1))
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.routes.is_empty() && self.addresses.is_empty() && self.last.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::testing::*;

    const RING: Duration = Duration::from_secs(5);

    fn route(number: u128) -> Route {
        let directory = directory_with(out("sip.example.com", "", false, false));
        let routes = directory.outbound(&carrier(1), &account(1), "1234", "+85510000001").unwrap();
        Route { trunk: sid(number), ..routes[0].clone() }
    }

    /// Goes on until nothing is left; every look-up finds two addresses, every attempt is silent.
    fn all(ways: &mut Ways) -> Vec<String> {
        let mut steps = Vec::new();
        loop {
            match ways.next_step() {
                Next::LookUp(route) => {
                    let last = if route.trunk == sid(1) { 1 } else { 3 };
                    let address = |last: u8| SocketAddr::from(([192, 0, 2, last], 5060));
                    ways.found(&route, &[address(last), address(last + 1)], |_| false);
                }
                Next::Try(_, address, silence) => {
                    steps.push(format!("{} for {} s", address.ip(), silence.as_secs()));
                    ways.waited(silence);
                }
                end @ (Next::Nothing | Next::TooLate) => {
                    steps.push(format!("{end:?}"));
                    return steps;
                }
            }
        }
    }

    #[test]
    fn every_address_is_tried_and_then_the_next_trunk() {
        let mut ways = Ways::new(vec![route(1), route(2)], RING);
        let steps = all(&mut ways);
        assert_eq!(
            steps,
            ["192.0.2.1 for 4 s", "192.0.2.2 for 4 s", "192.0.2.3 for 4 s", "TooLate"],
            "twelve seconds of silence are enough"
        );
        assert_eq!(all(&mut Ways::new(vec![route(1)], RING)).last().unwrap(), "Nothing");
    }

    #[test]
    fn what_is_refused_at_once_costs_no_patience() {
        let mut ways = Ways::new(vec![route(1), route(2)], RING);
        let mut tried = 0;
        loop {
            match ways.next_step() {
                Next::LookUp(route) => {
                    ways.found(&route, &["192.0.2.1:5060".parse().unwrap(); 20], |_| false);
                }
                Next::Try(.., silence) => {
                    assert_eq!(silence, SILENCE);
                    tried += 1;
                }
                Next::Nothing | Next::TooLate => break,
            }
        }
        assert_eq!(tried, MAX_ATTEMPTS);
    }

    #[test]
    fn the_last_silence_is_what_is_left_of_the_patience() {
        let mut ways = Ways::new(vec![route(1)], RING);
        ways.waited(Duration::from_secs(10));
        assert_eq!(all(&mut ways), ["192.0.2.1 for 2 s", "TooLate"]);
    }

    #[test]
    fn what_was_silent_a_moment_ago_comes_last() {
        let mut ways = Ways::new(vec![route(1), route(2)], RING);
        let mut tried = Vec::new();
        loop {
            match ways.next_step() {
                Next::LookUp(route) => {
                    let last = if route.trunk == sid(1) { 1 } else { 3 };
                    let addresses = [last, last + 1].map(|last| SocketAddr::from(([192, 0, 2, last], 5060)));
                    ways.found(&route, &addresses, |address| address.ip().to_string() == "192.0.2.1");
                }
                Next::Try(_, address, _) => {
                    assert_eq!(ways.is_last(), tried.len() == 3);
                    tried.push(address.ip().to_string());
                }
                Next::Nothing => break,
                Next::TooLate => unreachable!("nobody waited"),
            }
        }
        assert_eq!(tried, ["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.1"]);
    }

    #[test]
    fn a_host_without_addresses_leads_to_the_next_trunk() {
        let mut ways = Ways::new(vec![route(1), route(2)], RING);
        assert!(matches!(ways.next_step(), Next::LookUp(first) if first.trunk == sid(1)));
        assert!(matches!(ways.next_step(), Next::LookUp(second) if second.trunk == sid(2)));
        assert!(ways.is_last());
    }

    #[test]
    fn dead_trunks_take_nothing_of_the_time_a_phone_may_ring() {
        let mut ways = Ways::new(vec![route(1)], RING);
        ways.failed(SILENCE, false);
        assert_eq!(ways.rings_for(), RING);
        ways.failed(Duration::from_secs(2), true);
        ways.failed(Duration::from_secs(1), false);
        assert_eq!(ways.rings_for(), Duration::from_secs(2), "a trunk that was full had its time");
        ways.failed(SILENCE, true);
        assert_eq!(ways.rings_for(), Duration::from_secs(1));
    }
}
