//! The one task that owns the endpoint: feeds it what arrives, sends what it says, wakes it when its time has come.

use super::config::{ARRIVALS, KEEP_ALIVE, LAST_WORDS, NetConfig};
use super::connections::{Connections, Most};
use super::counters::{Counters, count};
use super::local::{Gate, LocalAddresses, socket_towards};
use super::outbox::Outbox;
use super::sockets::{self, Pair};
use super::tcp::{self, Opening};
use super::udp;
use crate::sip::framing::Frame;
use crate::sip::{Command, Endpoint, Event, Flow, Input, Output, Tokens, Transmit, Transport};
use bytes::Bytes;
use ipnet::IpNet;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often a datagram is handed to the kernel until it takes it.
const SENDINGS: usize = 4;
/// How often a request is sent on a connection.
const TRIES: usize = 2;

/// What the readers hand to the driver.
pub(super) enum Arrival {
    Datagram {
        peer: SocketAddr,
        bound: SocketAddr,
        bytes: Bytes,
    },
    /// The network says that one of ours did not arrive; its beginning, as far as it came back.
    Undelivered {
        peer: SocketAddr,
        start: Bytes,
    },
    Accepted {
        stream: TcpStream,
        peer: SocketAddr,
        bound: SocketAddr,
    },
    Frame {
        flow: Flow,
        frame: Frame,
    },
    Closed {
        flow: Flow,
    },
}

/// Open SIP sockets, before [`Sip::run`].
pub struct Sip {
    config: NetConfig,
    pairs: Vec<Pair>,
    counters: Arc<Counters>,
}

impl Sip {
    /// Opens the sockets. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub fn bind(config: NetConfig) -> io::Result<Sip> {
        let pairs = sockets::open_all(&config.listen)?;
        if pairs.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on"));
        }
        Ok(Sip { config, pairs, counters: Arc::default() })
    }

    /// The addresses listened on, each for UDP and TCP.
    #[must_use]
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.pairs.iter().map(|pair| pair.addr).collect()
    }

    /// The counters; they stay readable while and after it runs.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Runs until `stop`, and then for as long as peers owe answers, until `commands` is closed or until nobody takes
    /// `events`. Give `events` room for some hundreds. Returns when every task it started has ended.
    pub async fn run(
        self,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
        stop: CancellationToken,
    ) {
        let tasks = TaskTracker::new();
        let (sender, arrivals) = mpsc::channel(ARRIVALS);
        let endpoint = &self.config.endpoint;
        let notice = Arc::clone(&endpoint.turned_away);
        let gate = Gate::new(Arc::clone(&endpoint.known), Arc::clone(&notice), Arc::clone(&self.counters));
        let most = Most { all: self.config.connections, per_peer: self.config.connections_per_peer };
        let ended = CancellationToken::new();
        let mut sockets = Vec::new();
        for Pair { udp, tcp, addr } in self.pairs {
            let udp = Arc::new(udp);
            // Sending never waits, so the socket must be known to be ready.
            if let Err(error) = udp.writable().await {
                tracing::error!(%error, %addr, "the SIP socket cannot send");
            }
            sockets.push((addr, Arc::clone(&udp)));
            let read = udp::read(udp, addr, gate.clone(), sender.clone());
            tasks.spawn(ended.clone().run_until_cancelled_owned(read));
            let accept = tcp::accept(tcp, addr, gate.clone(), sender.clone());
            tasks.spawn(ended.clone().run_until_cancelled_owned(accept));
        }
        let now = Instant::now().into_std();
        let mut driver = Driver {
            endpoint: Endpoint::new(self.config.endpoint, Tokens::new(&self.config.seed), now),
            sockets,
            connections: Connections::new(
                most,
                tasks.clone(),
                Arc::clone(&self.counters),
                sender.downgrade(),
                notice,
            ),
            locals: LocalAddresses::default(),
            gate,
            outbox: Outbox::new(events, Arc::clone(&self.counters)),
            counters: self.counters,
        };
        driver.run(arrivals, commands, &stop).await;
        ended.cancel();
        drop((driver, sender));
        tasks.close();
        tasks.wait().await;
    }
}

struct Driver {
    endpoint: Endpoint,
    sockets: Vec<(SocketAddr, Arc<UdpSocket>)>,
    connections: Connections,
    locals: LocalAddresses,
    gate: Gate,
    outbox: Outbox,
    counters: Arc<Counters>,
}

impl Driver {
    async fn run(
        &mut self,
        mut arrivals: mpsc::Receiver<Arrival>,
        mut commands: mpsc::Receiver<Command>,
        stop: &CancellationToken,
    ) {
        let mut keep_alive = tokio::time::interval(KEEP_ALIVE);
        let mut ends_by = None;
        while ends_by.is_none() || self.endpoint.has_last_words() {
            let wake = self.endpoint.timeout().map(Instant::from_std);
            let (room, waiting) = (!self.outbox.is_full(), self.outbox.is_waiting());
            tokio::select! {
                () = stop.cancelled(), if ends_by.is_none() => {
                    self.last_commands(&mut commands);
                    ends_by = Some(Instant::now() + LAST_WORDS);
                }
                () = sleep(ends_by), if ends_by.is_some() => return,
                arrival = arrivals.recv(), if room => match arrival {
                    Some(arrival) => self.on_arrival(arrival),
                    None => return,
                },
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => return,
                },
                handed = self.outbox.hand_over(), if waiting => if !handed { return },
                () = sleep(wake), if wake.is_some() => self.handle(Input::Tick),
                _ = keep_alive.tick() => self.connections.keep_alive(&self.endpoint.connections().collect()),
            }
        }
    }

    /// What was ordered before the stop still leaves: the BYEs of a shutdown.
    fn last_commands(&mut self, commands: &mut mpsc::Receiver<Command>) {
        while let Ok(command) = commands.try_recv() {
            self.on_command(command);
        }
    }

    fn on_arrival(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Undelivered { peer, start } => self.handle(Input::Undelivered { peer, start }),
            Arrival::Datagram { peer, bound, bytes } => {
                count(&self.counters.received);
                let local = self.locals.towards(peer, bound, Instant::now());
                let flow = Flow { transport: Transport::Udp, peer, local, connection: None };
                self.handle(Input::Datagram { flow, bytes });
            }
            Arrival::Accepted { stream, peer, bound } => {
                let local = tcp::own_address(&stream, bound);
                let flow = Flow { transport: Transport::Tcp, peer, local, connection: None };
                self.connections.start(Opening::Accepted(stream), flow);
            }
            Arrival::Frame { flow, frame } => {
                count(&self.counters.received);
                self.handle(Input::Frame { flow, frame });
            }
            Arrival::Closed { flow } => {
                flow.connection.into_iter().for_each(|id| self.connections.ended(id));
                self.handle(Input::TransportFailed { flow });
            }
        }
    }

    fn on_command(&mut self, mut command: Command) {
        match &mut command {
            Command::Invite(invite) => {
                invite.target.local = self.towards(invite.target.next_hop, &invite.target.networks);
            }
            Command::Farewell(farewell) => {
                farewell.local = self.towards(farewell.dialog.peer, &farewell.networks);
            }
            _ => {}
        }
        self.handle(Input::Command(command));
    }

    /// Our address towards a peer, which may answer from any of these hosts.
    fn towards(&mut self, peer: SocketAddr, networks: &[IpNet]) -> Option<SocketAddr> {
        let now = Instant::now();
        let bound = socket_towards(self.sockets.iter().map(|(addr, _)| *addr), peer);
        self.gate.open(peer.ip(), now);
        let hosts = networks.iter().filter(|network| network.prefix_len() == network.max_prefix_len());
        hosts.for_each(|host| self.gate.open(host.addr(), now));
        bound.map(|bound| self.locals.towards(peer, bound, now))
    }

    /// One input, and everything it brings. A panic costs this input only.
    fn handle(&mut self, input: Input) {
        let now = Instant::now().into_std();
        let result = std::panic::catch_unwind(AssertUnwindSafe(|| self.endpoint.handle(now, input)));
        if result.is_err() {
            count(&self.counters.panics);
            tracing::error!("the SIP endpoint panicked on one input");
        }
        self.counters.dropped(&self.endpoint.counts());
        let mut failed = self.carry_out();
        // What a broken flow brings may break as well: after its second try it has failed, and so has what calls it off.
        for _ in 0..2 * TRIES {
            for flow in std::mem::take(&mut failed) {
                self.endpoint.handle(now, Input::TransportFailed { flow });
                failed.extend(self.carry_out());
            }
        }
    }

    /// Does what the endpoint wants done; the flows come back that are known to have failed.
    fn carry_out(&mut self) -> Vec<Flow> {
        let mut failed = Vec::new();
        while let Some(output) = self.endpoint.poll() {
            match output {
                Output::Event(event) => self.outbox.push(event),
                Output::Transmit(transmit) => failed.extend(self.transmit(transmit)),
            }
        }
        failed
    }

    /// Sends; the flow comes back if that is known to have failed.
    fn transmit(&mut self, Transmit { flow, bytes, request }: Transmit) -> Option<Flow> {
        count(&self.counters.sent);
        let (flow, sent) = match flow.transport {
            Transport::Tcp => self.connections.send(&flow, bytes),
            Transport::Udp => (flow, self.send_datagram(&flow, &bytes)),
        };
        let left_by = request.as_ref().zip(flow.connection);
        left_by.into_iter().for_each(|(request, connection)| self.endpoint.left_by(request, connection));
        if sent {
            return None;
        }
        count(&self.counters.send_failed);
        Some(flow)
    }

    /// A full socket buffer is a lost datagram like any other: the transaction repeats it. What the network said of an
    /// earlier datagram to somebody else is told by the next sending as its own error, so that is tried again.
    fn send_datagram(&self, flow: &Flow, bytes: &[u8]) -> bool {
        let family = |addr: &SocketAddr| addr.is_ipv4() == flow.peer.is_ipv4();
        let fits = |addr: &SocketAddr| {
            family(addr) && addr.port() == flow.local.port() && addr.ip().is_unspecified()
        };
        let own = self.sockets.iter().find(|(addr, _)| *addr == flow.local);
        let socket = own.or_else(|| self.sockets.iter().find(|(addr, _)| fits(addr)));
        let Some((_, socket)) = socket else { return false };
        let sent = || match socket.try_send_to(bytes, flow.peer) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        (0..SENDINGS).any(|_| sent())
    }
}

async fn sleep(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}
