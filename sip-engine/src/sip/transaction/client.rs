//! Client transactions: requests are repeated until they are answered, and INVITE refusals are acknowledged.

use crate::relax::relax;
use crate::sip::build;
use crate::sip::flow::{ConnectionId, Flow, LegKey, Transport};
use crate::sip::message::Message;
use crate::sip::timers::{GIVE_UP, T1, T2, T4, Wheel, earliest};
use crate::sip::trace::Wire;
use crate::sip::values::{CSeq, Via};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Branch and CSeq method (RFC 3261 section 17.1.3).
pub(crate) type ClientKey = (String, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Calling or Trying.
    Waiting,
    Proceeding,
    Accepted,
    Completed,
}

#[derive(Debug)]
struct Transaction<P> {
    purpose: P,
    leg: Option<LegKey>,
    invite: bool,
    state: State,
    flow: Flow,
    request: Message,
    wire: Wire,
    ack: Option<Wire>,
    /// Timers A and E: when to repeat, and the pause before it.
    repeat: Option<(Instant, Duration)>,
    /// Timers B, F, D, K, M.
    ends: Option<Instant>,
    /// True once `ends` holds even while it rings.
    hurried: bool,
    /// It was sent again on another connection.
    moved: bool,
}

/// What a response means.
#[derive(Debug)]
pub(crate) enum Verdict<P> {
    /// For the user of the transaction, with the request it answers; an ACK may have to leave first.
    Deliver { purpose: P, request: Message, ack: Option<(Flow, Wire)> },
    /// A repetition; an ACK may have to be repeated.
    Swallow(Option<(Flow, Wire)>, Option<LegKey>),
    /// Of no transaction.
    Unknown,
}

/// What becomes of a transaction whose flow broke.
#[derive(Debug)]
pub(crate) enum Broken<P> {
    /// It may be sent once more, on another connection, see [`Clients::send_again`].
    Moves(P, Message),
    /// It has failed. What of it arrived may still be answered: it is held until [`Clients::abandon`], or its time is up.
    Fails(P, Message),
}

/// How a transaction ended or what time brought.
#[derive(Debug)]
pub(crate) enum Outcome<P> {
    /// Send this again.
    Repeat(Flow, Wire, Option<LegKey>),
    /// No final answer in time (timers B, F), or none any more after a CANCEL.
    NoAnswer(P),
    /// Over and forgotten after an answer.
    Gone(P),
}

/// All client transactions. `P` says what each is for.
#[derive(Debug)]
pub(crate) struct Clients<P> {
    held: HashMap<ClientKey, Transaction<P>>,
    wheel: Wheel<ClientKey>,
}

impl<P> Default for Clients<P> {
    fn default() -> Clients<P> {
        Clients { held: HashMap::new(), wheel: Wheel::default() }
    }
}

impl<P: Clone> Clients<P> {
    /// Starts a transaction. The request's top Via carries its branch. Send the returned message, and tell
    /// [`Clients::left_by`] where to.
    pub fn open(
        &mut self,
        now: Instant,
        request: Message,
        flow: Flow,
        leg: Option<LegKey>,
        purpose: P,
    ) -> (ClientKey, Wire) {
        let wire = Wire::new(&request);
        let key = key_of(&request).unwrap_or_default();
        let repeat = (!flow.transport.is_reliable()).then_some((now + T1, T1));
        let opened = Transaction {
            purpose,
            leg,
            invite: request.method() == Some("INVITE"),
            state: State::Waiting,
            flow,
            request,
            wire: wire.clone(),
            ack: None,
            repeat,
            ends: Some(now + GIVE_UP),
            hurried: false,
            moved: false,
        };
        self.held.insert(key.clone(), opened);
        self.arm(&key);
        (key, wire)
    }

    /// A request that any connection would do for left by this one.
    pub fn left_by(&mut self, key: &ClientKey, connection: ConnectionId) {
        self.held.get_mut(key).into_iter().for_each(|held| held.flow.connection = Some(connection));
    }

    /// The request that a response names by its branch, where it went, and what it is for.
    pub fn asked(&self, response: &Message) -> Option<(&Message, Flow, &P)> {
        self.held.get(&key_of(response)?).map(|held| (&held.request, held.flow, &held.purpose))
    }

    /// Takes a response.
    pub fn take(&mut self, now: Instant, response: &Message) -> Verdict<P> {
        let Some(key) = key_of(response) else { return Verdict::Unknown };
        let (Some(held), Some(code)) = (self.held.get_mut(&key), response.code()) else {
            return Verdict::Unknown;
        };
        let verdict =
            if held.invite { held.invite_answer(now, response, code) } else { held.answer(now, code) };
        self.arm(&key);
        verdict
    }

    /// After a CANCEL the INVITE is given 64 * T1 more (RFC 3261 section 9.1).
    pub fn give_up_soon(&mut self, now: Instant, request: &Message) {
        let Some(key) = key_of(request) else { return };
        if let Some(held) = self.held.get_mut(&key)
            && matches!(held.state, State::Waiting | State::Proceeding)
        {
            held.hurried = true;
            held.ends = Some(now + GIVE_UP);
            self.arm(&key);
        }
    }

    /// A request is not repeated any more; its late responses are still taken.
    pub fn hush(&mut self, request: &Message) {
        let Some(key) = key_of(request) else { return };
        self.held.get_mut(&key).into_iter().for_each(|held| held.repeat = None);
        self.arm(&key);
    }

    /// The flow a request left by, with the connection it got meanwhile.
    pub fn flow(&self, request: &Message) -> Option<Flow> {
        self.held.get(&key_of(request)?).map(|held| held.flow)
    }

    /// A flow broke, and with it everything still waiting on it (RFC 3261 section 17.1.4). A connection may have ended
    /// for no better reason than its age, so what is still wanted gets one other.
    pub fn fail(&mut self, broken: &Flow, is_wanted: impl Fn(&P) -> bool) -> Vec<Broken<P>> {
        let waits = |held: &Transaction<P>| {
            matches!(held.state, State::Waiting | State::Proceeding) && is_on(&held.flow, broken)
        };
        let keys: Vec<ClientKey> =
            self.held.iter().filter(|(_, held)| waits(held)).map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| self.fail_one(key, &is_wanted)).collect()
    }

    fn fail_one(&mut self, key: &ClientKey, is_wanted: &impl Fn(&P) -> bool) -> Option<Broken<P>> {
        let held = self.held.get_mut(key)?;
        held.flow.connection = None;
        let (purpose, request) = (held.purpose.clone(), held.request.clone());
        if held.flow.transport.is_reliable() && !held.moved && is_wanted(&purpose) {
            held.moved = true;
            return Some(Broken::Moves(purpose, request));
        }
        Some(Broken::Fails(purpose, request))
    }

    /// Nothing is expected of a request any more.
    pub fn abandon(&mut self, request: &Message) {
        key_of(request).into_iter().for_each(|key| drop(self.forget(&key)));
    }

    /// The same request by another path: to whom it reaches twice it is a repetition (RFC 3261 section 17.2.3).
    pub fn send_again(&mut self, request: &Message, flow: Flow) -> Option<(ClientKey, Wire)> {
        let key = key_of(request)?;
        let held = self.held.get_mut(&key)?;
        held.flow = flow;
        let wire = held.wire.clone();
        Some((key, wire))
    }

    /// What a request over UDP to this peer is for, as long as nobody has responded to it.
    pub fn unanswered(&self, peer: SocketAddr, key: &ClientKey) -> Option<&P> {
        let waits = |held: &&Transaction<P>| {
            held.state == State::Waiting && held.flow.transport == Transport::Udp && held.flow.peer == peer
        };
        self.held.get(key).filter(waits).map(|held| &held.purpose)
    }

    /// What is due.
    pub fn fire(&mut self, now: Instant) -> Option<Outcome<P>> {
        while let Some(key) = self.wheel.pop(now) {
            let Some(held) = self.held.get_mut(&key) else { continue };
            if held.ends.is_some_and(|ends| ends <= now) {
                let held = self.forget(&key)?;
                return Some(match held.state {
                    State::Waiting | State::Proceeding => Outcome::NoAnswer(held.purpose),
                    State::Accepted | State::Completed => Outcome::Gone(held.purpose),
                });
            }
            let Some((_, pause)) = held.repeat else { continue };
            let pause = held.next_pause(pause);
            held.repeat = Some((now + pause, pause));
            let fired = Outcome::Repeat(held.flow, held.wire.clone(), held.leg);
            self.arm(&key);
            return Some(fired);
        }
        None
    }

    /// When [`Clients::fire`] has something to do.
    pub fn timeout(&self) -> Option<Instant> {
        self.wheel.next()
    }

    /// Whether any waits for its final answer.
    pub fn are_waiting(&self) -> bool {
        self.held.values().any(|held| matches!(held.state, State::Waiting | State::Proceeding))
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    fn forget(&mut self, key: &ClientKey) -> Option<Transaction<P>> {
        self.wheel.set(key, None);
        let gone = self.held.remove(key);
        relax(&mut self.held);
        gone
    }

    fn arm(&mut self, key: &ClientKey) {
        let at = self.held.get(key).and_then(|held| earliest([held.repeat.map(|(at, _)| at), held.ends]));
        self.wheel.set(key, at);
    }
}

impl<P: Clone> Transaction<P> {
    /// Timer A doubles without end; timer E doubles up to T2, and is T2 once a provisional has come.
    fn next_pause(&self, pause: Duration) -> Duration {
        match (self.invite, self.state) {
            (true, _) => pause * 2,
            (false, State::Proceeding) => T2,
            (false, _) => (pause * 2).min(T2),
        }
    }

    fn deliver(&self, ack: Option<Wire>) -> Verdict<P> {
        let ack = ack.map(|wire| (self.flow, wire));
        Verdict::Deliver { purpose: self.purpose.clone(), request: self.request.clone(), ack }
    }

    fn invite_answer(&mut self, now: Instant, response: &Message, code: u16) -> Verdict<P> {
        match (self.state, code) {
            (State::Waiting | State::Proceeding, ..200) => {
                // Ringing has no limit, unless one was set that a late 180 must not lift.
                if !self.hurried {
                    self.ends = None;
                }
                self.state = State::Proceeding;
                self.repeat = None;
                self.deliver(None)
            }
            (State::Waiting | State::Proceeding | State::Accepted, 200..300) => {
                if self.state != State::Accepted {
                    self.state = State::Accepted;
                    self.ends = Some(now + GIVE_UP);
                }
                self.repeat = None;
                self.deliver(None)
            }
            (State::Waiting | State::Proceeding, _) => {
                let ack = Wire::new(&build::ack_of_refusal(&self.request, response));
                self.state = State::Completed;
                self.repeat = None;
                self.ends = Some(if self.flow.transport.is_reliable() { now } else { now + GIVE_UP });
                self.ack = Some(ack.clone());
                self.deliver(Some(ack))
            }
            (State::Completed, 300..) => {
                Verdict::Swallow(self.ack.clone().map(|ack| (self.flow, ack)), self.leg)
            }
            _ => Verdict::Swallow(None, self.leg),
        }
    }

    fn answer(&mut self, now: Instant, code: u16) -> Verdict<P> {
        match (self.state, code) {
            (State::Waiting | State::Proceeding, ..200) => {
                self.state = State::Proceeding;
                self.deliver(None)
            }
            (State::Waiting | State::Proceeding, _) => {
                self.state = State::Completed;
                self.repeat = None;
                self.ends = Some(if self.flow.transport.is_reliable() { now } else { now + T4 });
                self.deliver(None)
            }
            _ => Verdict::Swallow(None, self.leg),
        }
    }
}

fn is_on(flow: &Flow, broken: &Flow) -> bool {
    match (flow.connection, broken.connection) {
        (None, None) => (flow.transport, flow.peer) == (broken.transport, broken.peer),
        // A peer may answer on a connection of its own, from another port.
        (one, other) => one == other,
    }
}

fn key_of(message: &Message) -> Option<ClientKey> {
    Some((Via::of(message)?.branch?, CSeq::of(message)?.method))
}
