//! Who is inside, and who goes when somebody else comes.

use ipnet::IpNet;
use parking_lot::Mutex;
use std::{collections::HashMap, net::IpAddr, sync::Arc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Most connections of one address at once, of IPv6 of one /64. This machine and our proxies are not counted.
const MOST_OF_ONE: usize = 64;
/// Most connections of health checks.
pub(super) const MOST_HEALTH: usize = 16;

/// The seats; clones share them.
#[derive(Clone)]
pub(super) struct Seats {
    most: usize,
    proxies: Arc<[IpNet]>,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    next: u64,
    guests: HashMap<u64, Seated>,
}

/// Its place is there until the connection is closed, also after it was told to go.
struct Seated {
    counted: Option<IpNet>,
    is_health: bool,
    stirred: Instant,
    goes: CancellationToken,
    /// Cancelled when the connection is closed.
    gone: CancellationToken,
}

impl Seats {
    pub fn new(most: usize, proxies: Vec<IpNet>) -> Seats {
        Seats { most, proxies: proxies.into(), inside: Arc::default() }
    }

    /// A seat, if need be that of whoever was idle for longest: of the same address when that has all it may have.
    pub fn take(&self, ip: Option<IpAddr>) -> Seat {
        let counted = ip.map(|ip| ip.to_canonical()).filter(|ip| !self.is_ours(ip)).and_then(subscriber);
        let mut inside = self.inside.lock();
        let of_one = counted
            .is_some()
            .then(|| inside.make_room(MOST_OF_ONE, |guest| !guest.is_health && guest.counted == counted));
        let of_all = inside.make_room(self.most, |guest| !guest.is_health);
        let before = [of_one.flatten(), of_all].into_iter().flatten().collect();
        let (number, goes) = (inside.next, CancellationToken::new());
        inside.next += 1;
        let stirred = Instant::now();
        let seated =
            Seated { counted, is_health: false, stirred, goes: goes.clone(), gone: CancellationToken::new() };
        inside.guests.insert(number, seated);
        Seat { seats: self.clone(), number, goes, before }
    }

    fn is_ours(&self, ip: &IpAddr) -> bool {
        ip.is_loopback() || self.proxies.iter().any(|network| network.contains(ip))
    }
}

impl Inside {
    /// Lets fewer than `most` of these stay: tells the one that was idle for longest to go, and says when it is gone.
    fn make_room(&self, most: usize, is_one: impl Fn(&Seated) -> bool) -> Option<CancellationToken> {
        let stay = self.guests.values().filter(|guest| !guest.goes.is_cancelled() && is_one(guest));
        let stay: Vec<&Seated> = stay.collect();
        if stay.len() < most {
            return None;
        }
        let longest = stay.into_iter().min_by_key(|guest| guest.stirred)?;
        longest.goes.cancel();
        Some(longest.gone.clone())
    }
}

/// What one subscriber has: an IPv4 address, or a /64 of IPv6.
fn subscriber(ip: IpAddr) -> Option<IpNet> {
    let length = if ip.is_ipv4() { 32 } else { 64 };
    IpNet::new(ip, length).ok().map(|network| network.trunc())
}

/// A connection's seat; free again when it is dropped.
pub(super) struct Seat {
    seats: Seats,
    number: u64,
    /// Cancelled when somebody else has it.
    pub goes: CancellationToken,
    /// Cancelled when those who were told to go for it are gone.
    before: Vec<CancellationToken>,
}

impl Seat {
    /// Waits until whoever had it is gone.
    pub async fn free(&self) {
        for gone in &self.before {
            gone.cancelled().await;
        }
    }

    /// Its guest did something.
    pub fn stirred(&self) {
        if let Some(guest) = self.seats.inside.lock().guests.get_mut(&self.number) {
            guest.stirred = Instant::now();
        }
    }

    /// Its guest checks our health, and moves to the seats for those.
    pub fn checks_health(&self) {
        let mut inside = self.seats.inside.lock();
        inside.make_room(MOST_HEALTH, |guest| guest.is_health);
        if let Some(guest) = inside.guests.get_mut(&self.number) {
            guest.is_health = true;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(guest) = self.seats.inside.lock().guests.remove(&self.number) {
            guest.gone.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MOST: usize = 200;

    fn seats() -> Seats {
        Seats::new(MOST, vec!["10.0.0.0/8".parse().unwrap()])
    }

    fn ip(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    fn stay(seats: &Seats) -> usize {
        seats.inside.lock().guests.values().filter(|guest| !guest.goes.is_cancelled()).count()
    }

    fn went(seats: &[Seat]) -> Vec<usize> {
        (0..seats.len()).filter(|index| seats[*index].goes.is_cancelled()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn one_subscriber_that_wants_more_than_its_share_gets_its_own_idlest_seat() {
        let seats = seats();
        let other = seats.take(ip("2001:db8:0:1::1"));
        let mut of_one = Vec::new();
        for host in 0..MOST_OF_ONE + 3 {
            tokio::time::advance(Duration::from_millis(1)).await;
            of_one.push(seats.take(ip(&format!("2001:db8::{host:x}"))));
            of_one[0].stirred();
        }
        assert_eq!(went(&of_one), [1, 2, 3], "the first one stirs");
        assert!(!other.goes.is_cancelled());
        drop(of_one);
        assert_eq!(seats.inside.lock().guests.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_goes_when_the_house_is_full() {
        let seats = seats();
        let mut inside = Vec::new();
        // Sixteen addresses would do: nobody can fill the house and sit.
        for number in 0..MOST {
            tokio::time::advance(Duration::from_millis(1)).await;
            inside.push(seats.take(ip(&format!("192.0.2.{}", number % 16))));
        }
        inside[0].stirred();
        let late = seats.take(ip("198.51.100.1"));
        assert_eq!((went(&inside), late.goes.is_cancelled()), (vec![1], false));
        let proxied: Vec<Seat> = (0..100).map(|_| seats.take(ip("10.1.2.3"))).collect();
        assert_eq!((went(&inside).len(), went(&proxied).len()), (101, 0), "a proxy has more than a share");
        assert_eq!(
            (stay(&seats), seats.inside.lock().guests.len()),
            (MOST, MOST + 101),
            "who is told to go is there"
        );
    }

    #[tokio::test]
    async fn a_seat_is_free_when_the_connection_that_had_it_is_closed() {
        let seats = Seats::new(1, Vec::new());
        let (first, second) = (seats.take(None), seats.take(None));
        assert!(first.goes.is_cancelled() && futures_util::FutureExt::now_or_never(second.free()).is_none());
        drop(first);
        second.free().await;
        assert_eq!(seats.inside.lock().guests.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn health_checks_sit_by_themselves() {
        let seats = seats();
        let mut checks = Vec::new();
        for _ in 0..MOST_HEALTH + 1 {
            tokio::time::advance(Duration::from_millis(1)).await;
            checks.push(seats.take(ip("192.0.2.1")));
            checks.last().unwrap().checks_health();
        }
        assert_eq!(went(&checks), [0], "the idlest of them goes");
        let crowd: Vec<Seat> = (0..2 * MOST).map(|_| seats.take(ip("10.1.2.3"))).collect();
        assert_eq!((went(&checks), went(&crowd).len()), (vec![0], MOST));
    }
}
