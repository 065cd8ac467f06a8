//! One SIP endpoint: transactions and dialogs put together, still without a socket.
//!
//! Call [`Endpoint::handle`], then [`Endpoint::poll`] until it is empty, then sleep until [`Endpoint::timeout`] or the
//! next input, and so on. Nothing happens between `handle` calls.

mod admit;
mod config;
mod farewell;
mod incoming;
mod info;
mod leg;
mod legs;
mod offers;
mod outgoing;
mod receive;
mod refresh;
mod reliable;
mod retry;
mod time;
mod turned_away;
mod within;

use super::command::Command;
use super::event::{Direction, Event, Trace};
use super::flow::{ConnectionId, Flow, LegKey};
use super::framing::Frame;
use super::message::Message;
use super::timers::{Wheel, earliest};
use super::tokens::Tokens;
use super::trace::Wire;
use super::transaction::{ClientKey, Clients, ServerKey, Servers};
use bytes::Bytes;
pub use config::{Counts, Doorkeeper, EndpointConfig, Helpline, Notice, SourceFilter, TurnedAway};
pub(crate) use config::{NO_SOURCE, RETRY_AFTER};
use leg::Purpose;
use legs::Legs;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;
use turned_away::Repetitions;

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A datagram arrived.
    Datagram {
        /// The path it came by.
        flow: Flow,
        /// Its bytes.
        bytes: Bytes,
    },
    /// A TCP stream yielded a frame.
    Frame {
        /// The path it came by.
        flow: Flow,
        /// The frame.
        frame: Frame,
    },
    /// The caller wants something.
    Command(Command),
    /// `timeout()` has passed.
    Tick,
    /// The network says that a datagram of ours did not arrive (RFC 3261 section 18.4).
    Undelivered {
        /// Where it was sent.
        peer: SocketAddr,
        /// Its beginning, as far as it came back.
        start: Bytes,
    },
    /// A connection broke or could not be made; what waits on it fails.
    TransportFailed {
        /// The path.
        flow: Flow,
    },
}

/// What must be done.
#[derive(Debug)]
pub enum Output {
    /// Send these bytes.
    Transmit(Transmit),
    /// Tell the caller.
    Event(Event),
}

/// Bytes to send.
#[derive(Debug, Clone)]
pub struct Transmit {
    /// The path. Without a connection a TCP peer must be connected to.
    pub flow: Flow,
    /// The message.
    pub bytes: Bytes,
    /// A request that any connection to its peer will do for: tell [`Endpoint::left_by`] which one it was.
    pub(crate) request: Option<ClientKey>,
}

/// The endpoint.
pub struct Endpoint {
    config: EndpointConfig,
    tokens: Tokens,
    now: Instant,
    servers: Servers,
    clients: Clients<Purpose>,
    legs: Legs,
    /// Our tag of a dialog to its leg; 128 random bits each.
    tags: HashMap<String, LegKey>,
    /// The INVITE a CANCEL may still name.
    invites: HashMap<ServerKey, LegKey>,
    wheel: Wheel<LegKey>,
    inbound: u64,
    turned_away: Repetitions,
    out: VecDeque<Output>,
    /// Where in `out` the answer to the present input begins: an incoming message is told before its consequences.
    mark: usize,
    counts: Counts,
}

impl Endpoint {
    /// An endpoint. `tokens` makes branches and tags, `now` is the time until the first `handle`.
    #[must_use]
    pub fn new(config: EndpointConfig, tokens: Tokens, now: Instant) -> Endpoint {
        let servers = Servers::new(config.max_legs);
        Endpoint {
            config,
            tokens,
            now,
            servers,
            clients: Clients::default(),
            legs: Legs::default(),
            tags: HashMap::new(),
            invites: HashMap::new(),
            wheel: Wheel::default(),
            inbound: 0,
            turned_away: Repetitions::default(),
            out: VecDeque::new(),
            mark: 0,
            counts: Counts::default(),
        }
    }

    /// Takes one input. `now` never goes back.
    pub fn handle(&mut self, now: Instant, input: Input) {
        self.now = self.now.max(now);
        self.mark = self.out.len();
        match input {
            Input::Datagram { flow, bytes } => self.on_datagram(flow, &bytes),
            Input::Frame { flow, frame } => self.on_frame(flow, frame),
            Input::Command(command) => self.on_command(command),
            Input::Tick => {}
            Input::Undelivered { peer, start } => self.on_undelivered(peer, &start),
            Input::TransportFailed { flow } => self.on_transport_failed(&flow),
        }
        self.fire();
    }

    /// The next thing to do; call until `None`.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// A request left by this connection, or failed to. Only when this one breaks, the request breaks with it.
    pub(crate) fn left_by(&mut self, request: &ClientKey, connection: ConnectionId) {
        self.clients.left_by(request, connection);
    }

    /// When to call `handle` with [`Input::Tick`].
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        earliest([self.servers.timeout(), self.clients.timeout(), self.wheel.next()])
    }

    /// Whether anything is still to be said before an end: a request of ours waits for its answer, or a BYE for the ACK
    /// that must come before it.
    #[must_use]
    pub fn has_last_words(&self) -> bool {
        self.clients.are_waiting() || self.legs.values().any(|leg| leg.farewell.is_some())
    }

    /// The connections that legs need.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> {
        self.legs.values().filter_map(|leg| leg.flow.connection)
    }

    /// What it holds and what it dropped.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            legs: self.legs.len(),
            transactions: self.servers.len() + self.clients.len(),
            invites: self.invites.len(),
            tags: self.tags.len(),
            ..self.counts
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Respond { leg, code, reason, headers, sdp } => {
                self.respond(leg, code, reason.as_deref(), &headers, sdp);
            }
            Command::Confine { leg, networks } => self.confine(leg, &networks),
            Command::Invite(invite) => self.invite(*invite),
            Command::Bye { leg, headers } => self.hang_up(leg, &headers),
            Command::Farewell(farewell) => self.farewell(*farewell),
            Command::Reinvite { leg, sdp } => self.reinvite(leg, sdp),
            Command::Info { leg, content_type, body } => self.inform(leg, content_type, body),
        }
    }

    fn tell(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    /// Tells an event ahead of everything else this input brought.
    fn tell_first(&mut self, event: Event) {
        self.out.insert(self.mark, Output::Event(event));
        self.mark += 1;
    }

    fn send(&mut self, flow: Flow, wire: &Wire, leg: Option<LegKey>) {
        self.transmit(flow, wire, None, leg);
    }

    /// Sends a request that waits for its answer.
    fn ask(&mut self, flow: Flow, (request, wire): (ClientKey, Wire), leg: LegKey) {
        let any = flow.transport.is_reliable() && flow.connection.is_none();
        self.transmit(flow, &wire, any.then_some(request), Some(leg));
    }

    fn transmit(&mut self, flow: Flow, wire: &Wire, request: Option<ClientKey>, leg: Option<LegKey>) {
        self.out.push_back(Output::Transmit(Transmit { flow, bytes: wire.bytes.clone(), request }));
        if let Some(leg) = leg {
            self.tell(self.trace(Direction::Out, flow, wire, leg));
        }
    }

    fn send_to(&mut self, (flow, wire): &(Flow, Wire), leg: Option<LegKey>) {
        self.send(*flow, wire, leg);
    }

    fn trace_in(&mut self, flow: Flow, message: &Message, bytes: &Bytes, leg: LegKey) {
        let trace = self.trace(Direction::In, flow, &Wire::received(message, bytes), leg);
        self.tell_first(trace);
    }

    fn trace(&self, direction: Direction, flow: Flow, wire: &Wire, leg: LegKey) -> Event {
        Event::Trace(Box::new(Trace {
            at: self.now,
            direction,
            peer: flow.peer,
            transport: flow.transport,
            leg: Some(leg),
            summary: wire.summary.to_string(),
            raw: wire.shown.clone(),
        }))
    }
}
