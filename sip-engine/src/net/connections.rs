//! The TCP connections there are: found by id or peer, counted against the limits.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::config::WRITES;
use super::counters::{Counters, count};
use super::driver::Arrival;
use super::tcp::{self, Opening};
use crate::sip::{ConnectionId, Flow};

struct Connection {
    peer: SocketAddr,
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
}

impl Connections {
    pub fn new(
        most: usize,
        tasks: TaskTracker,
        counters: Arc<Counters>,
        arrivals: mpsc::WeakSender<Arrival>,
        per_peer: usize,
    ) -> Connections {
        let (held, by_peer) = (HashMap::new(), HashMap::new());
        Connections { most, held, by_peer, count: 0, tasks, counters, arrivals, per_peer }
    }

    /// Starts a connection within the limits; its flow carries the id it got.
    pub fn start(&mut self, opening: Opening, flow: Flow) -> Option<Flow> {
        let arrivals = self.arrivals.upgrade()?;
        if self.held.len() >= self.most || self.of(flow.peer.ip()) >= self.per_peer {
            count(&self.counters.connections_refused);
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
        self.held.insert(id, Connection { peer: flow.peer, writes, used });
        self.by_peer.insert(flow.peer, id);
        Some(flow)
    }

    /// Sends on the flow's connection, on another one to the same peer, or on a new one. False if that cannot be; a
    /// connection whose queue is full is given up.
    pub fn send(&mut self, flow: &Flow, bytes: Bytes) -> bool {
        let id = match flow.connection {
            Some(id) => Some(id),
            None => self
                .by_peer
                .get(&flow.peer)
                .copied()
                .or_else(|| self.start(Opening::Connect, *flow)?.connection),
        };
        let Some((id, connection)) = id.and_then(|id| Some((id, self.held.get(&id)?))) else { return false };
        let sent = connection.writes.try_send(bytes).is_ok();
        if !sent {
            self.ended(id);
        }
        sent
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

    fn of(&self, ip: IpAddr) -> usize {
        self.held.values().filter(|connection| connection.peer.ip() == ip).count()
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
        let mut connections = Connections::new(10, TaskTracker::new(), Arc::default(), arrivals, 32);
        let (peer, local) = (listener.local_addr().unwrap(), "127.0.0.1:5060".parse().unwrap());
        let flow = Flow { transport: Transport::Tcp, peer, local, connection: None };
        // Its task does not run meanwhile: this one never waits.
        for _ in 0..WRITES {
            assert!(connections.send(&flow, Bytes::from_static(b"x")));
        }
        assert!(!connections.send(&flow, Bytes::from_static(b"x")));
        assert!(connections.held.is_empty() && connections.by_peer.is_empty());
        assert!(connections.send(&flow, Bytes::from_static(b"x")), "the next message has a new one");
    }
}
