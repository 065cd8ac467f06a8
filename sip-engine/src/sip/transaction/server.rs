//! Server transactions: requests are answered once, and repeated requests get the same answer again.

use crate::relax::relax;
use crate::sip::flow::{ConnectionId, Flow, LegKey};
use crate::sip::message::Message;
use crate::sip::timers::{GIVE_UP, T1, T2, T4, Wheel, earliest};
use crate::sip::trace::Wire;
use crate::sip::values::{CSeq, Via, tag};
use domain::share::kept_for_help;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Server transactions held for each leg there may be: an answered call leaves two behind for 32 s each. At the limit
/// new calls are refused, and requests of live ones answered without a transaction.
const PER_LEG: usize = 10;
/// The least that limit is.
const AT_LEAST: usize = 1_000;
/// Refused calls without their ACK of one address. Beyond it no more are taken, so that one peer cannot fill the table
/// for all. What it says inside its calls is not counted: a carrier has thousands of them behind one address.
const PER_SOURCE: usize = 1_000;

/// What makes two requests the same one: RFC 3261 section 17.2.3, the old rules of RFC 2543 without a magic cookie.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ServerKey(String);

impl ServerKey {
    /// The key of a request; an ACK and a CANCEL have the key of the INVITE they belong to with `as_method` INVITE.
    pub fn of(message: &Message, via: &Via, flow: &Flow, as_method: &str) -> ServerKey {
        match &via.branch {
            // A cookie and nothing behind it names no transaction (RFC 4475 section 3.2.1).
            Some(branch)
                if branch.len() > Via::COOKIE.len()
                    && branch.get(..7).is_some_and(|cookie| cookie.eq_ignore_ascii_case(Via::COOKIE)) =>
            {
                ServerKey(format!("{as_method} {} {branch}", via.sent_by))
            }
            _ => ServerKey::old(message, via, flow, as_method),
        }
    }

    /// RFC 2543 peers have no unique branch: everything that names the request is compared, and where it came from, so
    /// that two old peers cannot cancel each other.
    fn old(message: &Message, via: &Via, flow: &Flow, as_method: &str) -> ServerKey {
        let text = |name| message.headers.text(name).unwrap_or_default().into_owned();
        let number = CSeq::of(message).map(|cseq| cseq.number).unwrap_or_default();
        let from = tag(message, "from").unwrap_or_else(|| text("from"));
        ServerKey(format!(
            "old {as_method} {} {} {from} {} {number} {} {}",
            flow.peer.ip(),
            message.uri(),
            text("call-id"),
            via.sent_by,
            via.branch.as_deref().unwrap_or_default(),
        ))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Proceeding,
    Accepted,
    Completed,
    Confirmed,
}

#[derive(Debug)]
struct Transaction {
    invite: bool,
    /// An INVITE outside any dialog.
    call: bool,
    state: State,
    flow: Flow,
    /// The port its peer listens on, should the connection of `flow` be gone (RFC 3261 section 18.2.2).
    port: u16,
    leg: Option<LegKey>,
    last: Option<Wire>,
    /// Timer G: when to repeat a refusal, and the pause after it.
    repeat: Option<(Instant, Duration)>,
    /// Timers H, I, J, L.
    ends: Option<Instant>,
    merge: String,
}

/// What a request means to the transactions at hand.
#[derive(Debug)]
pub(crate) enum Taken {
    /// A request of no known transaction.
    New,
    /// A repetition: send this again, if anything was sent.
    Repeated(Option<(Flow, Wire)>, Option<LegKey>),
    /// The ACK of a refusal.
    Acknowledged(Option<LegKey>),
}

/// All server transactions.
#[derive(Debug)]
pub(crate) struct Servers {
    held: HashMap<ServerKey, Transaction>,
    merges: HashMap<String, ServerKey>,
    wheel: Wheel<ServerKey>,
    /// How many calls of an address are [`State::Completed`].
    refused: HashMap<IpAddr, usize>,
    limit: usize,
}

impl Servers {
    /// No transactions yet, and room for those of so many legs.
    pub fn new(max_legs: usize) -> Servers {
        Servers {
            held: HashMap::new(),
            merges: HashMap::new(),
            wheel: Wheel::default(),
            refused: HashMap::new(),
            limit: max_legs.saturating_mul(PER_LEG).max(AT_LEAST),
        }
    }

    /// Looks whether a request repeats one that is known. `method` is its own.
    pub fn take(&mut self, now: Instant, key: &ServerKey, method: &str) -> Taken {
        let Some(held) = self.held.get_mut(key) else { return Taken::New };
        if method != "ACK" {
            return Taken::Repeated(held.last.clone().map(|wire| (held.flow, wire)), held.leg);
        }
        match held.state {
            State::Completed => {
                held.state = State::Confirmed;
                held.repeat = None;
                let wait = if held.flow.transport.is_reliable() { Duration::ZERO } else { T4 };
                held.ends = Some(now + wait);
                let leg = held.leg;
                if held.call {
                    uncount(&mut self.refused, held.flow.peer.ip());
                }
                self.arm(key);
                Taken::Acknowledged(leg)
            }
            State::Confirmed => Taken::Acknowledged(held.leg),
            // The ACK of a 2xx that reuses the branch belongs to the dialog.
            State::Proceeding | State::Accepted => Taken::New,
        }
    }

    /// True if another transaction carries the same request over another path (RFC 3261 section 8.2.2.2).
    pub fn is_merged(&self, key: &ServerKey, message: &Message) -> bool {
        self.merges
            .get(&merge_key(message))
            .is_some_and(|other| other != key && self.held.contains_key(other))
    }

    /// True when no more transactions are to be opened.
    pub fn is_full(&self) -> bool {
        self.held.len() >= self.limit
    }

    /// True if another call of this address is worth remembering; see [`PER_SOURCE`].
    pub fn has_room(&self, source: IpAddr) -> bool {
        !self.is_full() && self.has_refused_fewer(source, PER_SOURCE)
    }

    /// The same for a call for help, for which some room is kept, and twice as many are remembered.
    pub fn has_room_for_help(&self, source: IpAddr) -> bool {
        let limit = self.limit.saturating_add(kept_for_help(self.limit));
        self.held.len() < limit && self.has_refused_fewer(source, 2 * PER_SOURCE)
    }

    fn has_refused_fewer(&self, source: IpAddr, most: usize) -> bool {
        self.refused.get(&source).is_none_or(|count| *count < most)
    }

    /// Opens a transaction; `flow` is where its responses go.
    pub fn open(&mut self, key: &ServerKey, message: &Message, flow: Flow, leg: Option<LegKey>) {
        let merge = merge_key(message);
        self.merges.entry(merge.clone()).or_insert_with(|| key.clone());
        let invite = message.method() == Some("INVITE");
        let via = flow.connection.and_then(|_| Via::of(message));
        let opened = Transaction {
            invite,
            call: invite && tag(message, "to").is_none(),
            state: State::Proceeding,
            flow,
            port: via.and_then(|via| via.port).unwrap_or(5060),
            leg,
            last: None,
            repeat: None,
            ends: None,
            merge,
        };
        self.held.insert(key.clone(), opened);
    }

    /// Where the responses of a transaction go.
    pub fn flow(&self, key: &ServerKey) -> Option<Flow> {
        self.held.get(key).map(|held| held.flow)
    }

    /// A connection is gone: what it still has to carry needs a new one, to where the peer says it listens.
    pub fn lose(&mut self, connection: ConnectionId) {
        for held in self.held.values_mut().filter(|held| held.flow.connection == Some(connection)) {
            held.flow.connection = None;
            held.flow.peer.set_port(held.port);
        }
    }

    /// The provisional response that would be repeated now.
    pub fn last(&self, key: &ServerKey) -> Option<(Flow, Wire)> {
        let held = self.held.get(key).filter(|held| held.state == State::Proceeding)?;
        held.last.clone().map(|wire| (held.flow, wire))
    }

    /// Takes a response of the user; `Some` is to be sent now. A second final response is not.
    pub fn respond(&mut self, now: Instant, key: &ServerKey, code: u16, wire: &Wire) -> Option<(Flow, Wire)> {
        let held = self.held.get_mut(key).filter(|held| held.state == State::Proceeding)?;
        let reliable = held.flow.transport.is_reliable();
        if held.call && code >= 300 {
            *self.refused.entry(held.flow.peer.ip()).or_default() += 1;
        }
        match (held.invite, code) {
            (_, ..200) => held.last = Some(wire.clone()),
            // Repetitions of the 2xx are the dialog's; repetitions of the INVITE are swallowed (RFC 6026).
            (true, 200..300) => {
                held.state = State::Accepted;
                held.last = None;
                held.ends = Some(now + GIVE_UP);
            }
            (true, _) => {
                held.state = State::Completed;
                held.last = Some(wire.clone());
                held.repeat = (!reliable).then_some((now + T1, T1));
                held.ends = Some(now + GIVE_UP);
            }
            (false, _) => {
                held.state = State::Completed;
                held.last = Some(wire.clone());
                held.ends = Some(if reliable { now } else { now + GIVE_UP });
            }
        }
        let flow = held.flow;
        self.arm(key);
        Some((flow, wire.clone()))
    }

    /// What is due: messages to repeat. Ended transactions are forgotten.
    pub fn fire(&mut self, now: Instant) -> Option<(Flow, Wire, Option<LegKey>)> {
        while let Some(key) = self.wheel.pop(now) {
            let Some(held) = self.held.get_mut(&key) else { continue };
            if held.ends.is_some_and(|ends| ends <= now) {
                self.forget(&key);
                continue;
            }
            let Some((_, pause)) = held.repeat else { continue };
            let pause = (pause * 2).min(T2);
            held.repeat = Some((now + pause, pause));
            let fired = held.last.clone().map(|wire| (held.flow, wire, held.leg));
            self.arm(&key);
            if fired.is_some() {
                return fired;
            }
        }
        None
    }

    /// When [`Servers::fire`] has something to do.
    pub fn timeout(&self) -> Option<Instant> {
        self.wheel.next()
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    fn forget(&mut self, key: &ServerKey) {
        let Some(gone) = self.held.remove(key) else { return };
        if gone.call && gone.state == State::Completed {
            uncount(&mut self.refused, gone.flow.peer.ip());
        }
        if self.merges.get(&gone.merge) == Some(key) {
            self.merges.remove(&gone.merge);
        }
        relax(&mut self.held);
        relax(&mut self.merges);
    }

    fn arm(&mut self, key: &ServerKey) {
        let at = self.held.get(key).and_then(|held| earliest([held.repeat.map(|(at, _)| at), held.ends]));
        self.wheel.set(key, at);
    }
}

fn uncount(counts: &mut HashMap<IpAddr, usize>, source: IpAddr) {
    if let Some(count) = counts.get_mut(&source) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&source);
        }
    }
}

fn merge_key(message: &Message) -> String {
    let text = |name| message.headers.text(name).unwrap_or_default().into_owned();
    format!("{} {} {}", tag(message, "from").unwrap_or_default(), text("call-id"), text("cseq"))
}
