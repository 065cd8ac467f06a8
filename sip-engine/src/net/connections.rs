//! The TCP connections there are: found by id or peer, counted against the limits.

use super::config::WRITES;
use super::counters::{Counters, count};
use super::driver::Arrival;
use super::tcp::{self, Opening};
use crate::sip::endpoint::{Notice, TurnedAway};
use crate::sip::{ConnectionId, Flow};
use bytes::Bytes;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

/// One connection of this many is kept for those that we open, and this many at most: to whom a call goes is not what
/// others may decide by connecting to us.
const KEPT_OF: usize = 8;
const KEPT: usize = 16;

struct Connection {
    peer: SocketAddr,
    /// We opened it.
    ours: bool,
    writes: mpsc::Sender<Bytes>,
    /// A call needs it.
    used: Arc<AtomicBool>,
}

/// All TCP connections.
pub(super) struct Connections {
    most: usize,
    held: HashMap<ConnectionId, Connection>,
    by_peer: HashMap<SocketAddr, ConnectionId>,
    count: u64,
    tasks: TaskTracker,
    counters: Arc<Counters>,
    arrivals: mpsc::WeakSender<Arrival>,
    per_peer: usize,
    turned_away: Notice,
}

/// How many connections there may be.
pub(super) struct Most {
    /// In all.
    pub all: usize,
    /// Of one address; of IPv6, of one /64 where the peers open them.
    pub per_peer: usize,
}

impl Connections {
    pub fn new(
        Most { all: most, per_peer }: Most,
        tasks: TaskTracker,
        counters: Arc<Counters>,
        arrivals: mpsc::WeakSender<Arrival>,
        turned_away: Notice,
    ) -> Connections {
        let (held, by_peer) = (HashMap::new(), HashMap::new());
        Connections { most, held, by_peer, count: 0, tasks, counters, arrivals, per_peer, turned_away }
    }

    /// Starts a connection within the limits; its flow carries the id it got.
    pub fn start(&mut self, opening: Opening, flow: Flow) -> Option<Flow> {
        let arrivals = self.arrivals.upgrade()?;
        let ours = matches!(opening, Opening::Connect);
        if let Some(reason) = self.is_full_for(flow.peer.ip(), ours) {
            count(&self.counters.connections_refused);
            let (source, method) = (flow.peer.ip(), "TCP".to_owned());
            (self.turned_away)(TurnedAway { source, code: None, method, reason });
            return None;
        }
        self.count += 1;
        let id = ConnectionId(self.count);
        let flow = Flow { connection: Some(id), ..flow };
        let (writes, queue) = mpsc::channel(WRITES);
        let pongs = writes.downgrade();
        let (counters, used) = (Arc::clone(&self.counters), Arc::new(AtomicBool::new(false)));
        let task = tcp::run(opening, flow, queue, pongs, counters, arrivals, Arc::clone(&used));
        self.tasks.spawn(task);
        self.held.insert(id, Connection { peer: flow.peer, ours, writes, used });
        self.by_peer.insert(flow.peer, id);
        Some(flow)
    }

    /// Sends on the flow's connection, on another one to the same peer, or on a new one: which one that was, and whether
    /// it took the message. A connection whose queue is full is given up.
    pub fn send(&mut self, flow: &Flow, bytes: Bytes) -> (Flow, bool) {
        let connection = flow
            .connection
            .or_else(|| self.by_peer.get(&flow.peer).copied())
            .or_else(|| self.start(Opening::Connect, *flow)?.connection);
        let held = connection.and_then(|id| self.held.get(&id));
        let sent = held.is_some_and(|held| held.writes.try_send(bytes).is_ok());
        if !sent {
            connection.into_iter().for_each(|id| self.ended(id));
        }
        (Flow { connection, ..*flow }, sent)
    }

    /// Lets every connection know whether a call needs it, and keeps those alive.
    pub fn keep_alive(&self, used: &HashSet<ConnectionId>) {
        for (id, connection) in &self.held {
            connection.used.store(used.contains(id), Ordering::Relaxed);
            if used.contains(id) {
                // A full queue is a sign of life of its own.
                drop(connection.writes.try_send(Bytes::from_static(b"\r\n\r\n")));
            }
        }
    }

    /// A connection ended. Dropping its queue ends its writer if that still runs.
    pub fn ended(&mut self, id: ConnectionId) {
        let Some(gone) = self.held.remove(&id) else { return };
        if self.by_peer.get(&gone.peer) == Some(&id) {
            self.by_peer.remove(&gone.peer);
        }
    }

    /// Why there is no further connection with this address, opened by us or by it.
    fn is_full_for(&self, ip: IpAddr, ours: bool) -> Option<String> {
        if self.of(ip, ours) >= self.per_peer {
            count(&self.counters.connections_over_peer);
            let most = self.per_peer;
            return Some(format!("it has {most} TCP connections already (sip.connections_per_peer)"));
        }
        let kept = if ours { 0 } else { (self.most / KEPT_OF).min(KEPT) };
        let full = self.held.len() + kept >= self.most;
        full.then(|| format!("there are {} TCP connections already", self.most - kept))
    }

    fn of(&self, ip: IpAddr, ours: bool) -> usize {
        let whose: fn(IpAddr) -> IpAddr = if ours { |ip: IpAddr| ip } else { subscriber };
        let counts = |held: &&Connection| held.ours == ours && whose(held.peer.ip()) == whose(ip);
        self.held.values().filter(counts).count()
    }
}

/// Whose an address is: one subscriber has a whole /64 of IPv6, and a new address in it for every connection.
fn subscriber(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Transport;

    #[tokio::test]
    async fn a_connection_nobody_reads_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (arrivals, _kept) = mpsc::channel(8);
        let arrivals = arrivals.downgrade();
        let most = Most { all: 10, per_peer: 32 };
        let mut connections =
            Connections::new(most, TaskTracker::new(), Arc::default(), arrivals, Arc::new(|_| {}));
        let (peer, local) = (listener.local_addr().unwrap(), "127.0.0.1:5060".parse().unwrap());
        let flow = Flow { transport: Transport::Tcp, peer, local, connection: None };
        // Its task does not run meanwhile: this one never waits.
        for _ in 0..WRITES {
            assert!(connections.send(&flow, Bytes::from_static(b"x")).1);
        }
        let mut send = || connections.send(&flow, Bytes::from_static(b"x"));
        let on = |id| Flow { connection: Some(ConnectionId(id)), ..flow };
        assert_eq!(send(), (on(1), false), "whoever waits for an answer on it must know");
        assert_eq!(send(), (on(2), true), "the next message has a new one");
        assert_eq!((connections.held.len(), connections.by_peer.len()), (1, 1));
    }

    #[tokio::test]
    async fn a_connection_too_many_is_counted_by_its_limit_and_told_with_its_address() {
        let (arrivals, _kept) = mpsc::channel(8);
        let told: Arc<std::sync::Mutex<Vec<TurnedAway>>> = Arc::default();
        let (log, counters) = (Arc::clone(&told), Arc::new(Counters::default()));
        let notice: Notice = Arc::new(move |what| log.lock().unwrap().push(what));
        let most = Most { all: 3, per_peer: 2 };
        let arrivals = arrivals.downgrade();
        let mut connections =
            Connections::new(most, TaskTracker::new(), Arc::clone(&counters), arrivals, notice);
        let local = "127.0.0.1:5060".parse().unwrap();
        let mut start = |peer: &str| {
            let flow =
                Flow { transport: Transport::Tcp, peer: peer.parse().unwrap(), local, connection: None };
            connections.start(Opening::Connect, flow).is_some()
        };
        let started =
            ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.2:1", "127.0.0.3:1"].map(&mut start);
        assert_eq!(started, [true, true, false, true, false]);
        let counted = [&counters.connections_refused, &counters.connections_over_peer];
        assert_eq!(counted.map(|counter| counter.load(Ordering::Relaxed)), [2, 1]);
        let told = told.lock().unwrap();
        let told: Vec<_> = told.iter().map(|what| (what.source.to_string(), &*what.reason)).collect();
        let peer = ("127.0.0.1".into(), "it has 2 TCP connections already (sip.connections_per_peer)");
        assert_eq!(told, [peer, ("127.0.0.3".into(), "there are 3 TCP connections already")]);
    }

    #[tokio::test]
    async fn who_connects_to_us_leaves_connections_for_our_own_calls() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (arrivals, _kept) = mpsc::channel(32);
        let (most, arrivals) = (Most { all: 16, per_peer: 15 }, arrivals.downgrade());
        let mut connections =
            Connections::new(most, TaskTracker::new(), Arc::default(), arrivals, Arc::new(|_| {}));
        let flow = |peer| {
            let local = "127.0.0.1:5060".parse().unwrap();
            Flow { transport: Transport::Tcp, peer, local, connection: None }
        };
        let mut accepted = 0;
        for _ in 0..16 {
            let stream = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let peer = stream.local_addr().unwrap();
            accepted += usize::from(connections.start(Opening::Accepted(stream), flow(peer)).is_some());
        }
        assert_eq!(accepted, 14);
        let mut connect =
            |peer: &str| connections.start(Opening::Connect, flow(peer.parse().unwrap())).is_some();
        assert!(connect("127.0.0.1:1") && connect("127.0.0.1:2"), "the same address as theirs");
        assert!(!connect("127.0.0.2:1"));
    }

    #[test]
    fn whoever_has_an_ipv6_network_is_one_peer_from_all_of_its_addresses() {
        let whose = |ip: &str| subscriber(ip.parse().unwrap());
        assert_eq!(whose("2001:db8::1"), whose("2001:db8::ffff:0:0:1"));
        assert_ne!(whose("2001:db8::1"), whose("2001:db8:0:1::1"));
        assert_eq!(whose("::ffff:203.0.113.7"), whose("203.0.113.7"));
        assert_ne!(whose("203.0.113.7"), whose("203.0.113.8"));
    }
}
