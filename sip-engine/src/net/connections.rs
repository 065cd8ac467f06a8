//! The TCP connections there are: found by id or peer, counted against the limits.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::config::{CONNECTIONS, CONNECTIONS_PER_PEER, WRITES};
use super::counters::{Counters, count};
use super::driver::Arrival;
use super::tcp::{self, Opening};
use crate::sip::{ConnectionId, Flow};

struct Connection {
    peer: SocketAddr,
    writes: mpsc::Sender<Bytes>,
}

/// All TCP connections.
pub(super) struct Connections {
    held: HashMap<ConnectionId, Connection>,
    by_peer: HashMap<SocketAddr, ConnectionId>,
    count: u64,
    tasks: TaskTracker,
    counters: Arc<Counters>,
    arrivals: mpsc::WeakSender<Arrival>,
}

impl Connections {
    pub fn new(
        tasks: TaskTracker,
        counters: Arc<Counters>,
        arrivals: mpsc::WeakSender<Arrival>,
    ) -> Connections {
        Connections { held: HashMap::new(), by_peer: HashMap::new(), count: 0, tasks, counters, arrivals }
    }

    /// Starts a connection within the limits; its flow carries the id it got.
    pub fn start(&mut self, opening: Opening, flow: Flow) -> Option<Flow> {
        let arrivals = self.arrivals.upgrade()?;
        if self.held.len() >= CONNECTIONS || self.of(flow.peer.ip()) >= CONNECTIONS_PER_PEER {
            count(&self.counters.connections_refused);
            return None;
        }
        self.count += 1;
        let id = ConnectionId(self.count);
        let flow = Flow { connection: Some(id), ..flow };
        let (writes, queue) = mpsc::channel(WRITES);
        let pongs = writes.downgrade();
        self.tasks.spawn(tcp::run(opening, flow, queue, pongs, Arc::clone(&self.counters), arrivals));
        self.held.insert(id, Connection { peer: flow.peer, writes });
        self.by_peer.insert(flow.peer, id);
        Some(flow)
    }

    /// Sends on the flow's connection, on another one to the same peer, or on a new one. False if that cannot be.
    pub fn send(&mut self, flow: &Flow, bytes: Bytes) -> bool {
        let id = match flow.connection {
            Some(id) => Some(id),
            None => self
                .by_peer
                .get(&flow.peer)
                .copied()
                .or_else(|| self.start(Opening::Connect, *flow)?.connection),
        };
        let Some(connection) = id.and_then(|id| self.held.get(&id)) else { return false };
        connection.writes.try_send(bytes).is_ok()
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
