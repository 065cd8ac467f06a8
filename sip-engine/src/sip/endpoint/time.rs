//! What time brings: repeated messages, answers that never came, rings that were too long; and how legs are kept.

use super::Endpoint;
use super::incoming::STILL_RINGING;
use super::leg::{Leg, Purpose, Stage, UNREACHED};
use super::reliable::Reliable;
use crate::relax::relax;
use crate::sip::build;
use crate::sip::check::Refusal;
use crate::sip::dialog;
use crate::sip::event::{ClosedBy, Event};
use crate::sip::flow::{ConnectionId, Flow, LegKey};
use crate::sip::message::Message;
use crate::sip::session::SessionTimer;
use crate::sip::transaction::{Broken, Outcome};
use crate::sip::values::tag;
use std::net::SocketAddr;

impl Endpoint {
    /// Does everything that is due.
    pub(super) fn fire(&mut self) {
        while let Some((flow, wire, leg)) = self.servers.fire(self.now) {
            self.send(flow, &wire, leg);
        }
        while let Some(outcome) = self.clients.fire(self.now) {
            self.on_outcome(outcome);
        }
        while let Some(key) = self.wheel.pop(self.now) {
            self.on_leg_due(key);
            self.arm(key);
        }
    }

    fn on_outcome(&mut self, outcome: Outcome<Purpose>) {
        match outcome {
            Outcome::Repeat(flow, wire, leg) => self.send(flow, &wire, leg),
            Outcome::Gone(purpose) => self.release(purpose.leg()),
            Outcome::NoAnswer(purpose) => {
                self.on_no_answer(purpose);
                self.release(purpose.leg());
            }
        }
    }

    /// A request of ours got no final answer in time.
    fn on_no_answer(&mut self, purpose: Purpose) {
        let key = purpose.leg();
        let Some(leg) = self.legs.get(&key) else { return };
        match (purpose, leg.stage) {
            (Purpose::Invite(_), Stage::Early) => {
                let Some(mut leg) = self.legs.remove(&key) else { return };
                let heard = leg.placed.as_ref().is_some_and(|placed| placed.challenged);
                let reason = "No answer".to_owned();
                self.close(&mut leg, |leg| Event::Failed { leg, code: 408, reason, from_peer: false, heard });
                self.keep(leg);
            }
            (Purpose::Reinvite(_) | Purpose::Update(_), Stage::Up) => self.end(key, ClosedBy::Gone, &[]),
            _ => {}
        }
    }

    /// Only an INVITE that nobody has responded to is given up, and only the one that came back: a forged ICMP message
    /// knows no branch of ours, and where a router gives too little back, silence is waited for. BYE and CANCEL are repeated
    /// all the same, and a call that is up does not end by it; their timers decide.
    pub(super) fn on_undelivered(&mut self, peer: SocketAddr, start: &[u8]) {
        let request = request_in(start).and_then(|key| self.clients.unanswered(peer, &key));
        if let Some(Purpose::Invite(key)) = request.copied() {
            self.on_unreached(key, 503, "The network cannot reach it");
        }
    }

    pub(super) fn on_transport_failed(&mut self, flow: &Flow) {
        flow.connection.into_iter().for_each(|connection| self.lose(connection));
        // Of a leg that is over only its goodbye.
        let legs = &self.legs;
        let is_wanted = |purpose: &Purpose| {
            matches!(purpose, Purpose::Bye(_) | Purpose::Cancel(_))
                || legs.get(&purpose.leg()).is_some_and(|leg| leg.stage != Stage::Over)
        };
        for broken in self.clients.fail(flow, is_wanted) {
            match broken {
                Broken::Moves(purpose, request) => self.send_again(purpose.leg(), &request),
                Broken::Fails(Purpose::Invite(key), _) => self.on_unreached(key, 503, "Transport error"),
                Broken::Fails(purpose, request) => {
                    self.clients.abandon(&request);
                    self.on_transport_error(purpose);
                    self.release(purpose.leg());
                }
            }
        }
    }

    /// A connection is gone, and nobody uses it any more.
    fn lose(&mut self, connection: ConnectionId) {
        self.servers.lose(connection);
        for leg in self.legs.values_mut() {
            let acks = leg.acks.values_mut().map(|(flow, _)| flow);
            let flows = acks.chain([&mut leg.flow]).filter(|flow| flow.connection == Some(connection));
            flows.for_each(|flow| flow.connection = None);
            let answers =
                leg.unacked.iter_mut().filter(|unacked| unacked.flow.connection == Some(connection));
            answers.for_each(|unacked| {
                let gone = Flow { connection: None, ..unacked.flow };
                unacked.flow = self.servers.flow(&unacked.server).unwrap_or(gone);
            });
        }
    }

    /// To where its own dialog led, or the call was placed.
    fn send_again(&mut self, key: LegKey, request: &Message) {
        let Some(leg) = self.legs.get(&key) else { return };
        let flow = match tag(request, "to") {
            Some(_) => dialog::next_hop_of(request, &leg.flow, &|ip| leg.is_of_peer(ip)),
            None => leg.flow,
        };
        if let Some(again) = self.clients.send_again(request, flow) {
            self.ask(flow, again, key);
        }
    }

    /// The peer is out of reach for a request. A call that is up does not end by it: its session timer decides, or where it
    /// has none, the next such request.
    fn on_transport_error(&mut self, purpose: Purpose) {
        let key = purpose.leg();
        let Some(leg) = self.legs.get_mut(&key) else { return };
        match purpose {
            Purpose::Reinvite(_) | Purpose::Update(_) if leg.stage == Stage::Up => {
                leg.timer.iter_mut().for_each(|timer| timer.put_off(self.now));
                leg.unreached = leg.unreached.saturating_add(1);
                if leg.timer.is_none() && leg.unreached >= UNREACHED {
                    self.end(key, ClosedBy::Gone, &[]);
                } else if matches!(purpose, Purpose::Reinvite(_)) && leg.offered.take().is_some() {
                    self.tell(Event::ReofferFailed { leg: key, code: 503 });
                }
            }
            // Where it goes on ringing, the next that is heard of it brings another.
            Purpose::Cancel(_) => leg.placed.iter_mut().for_each(|placed| placed.provisional = false),
            _ => {}
        }
    }

    fn on_leg_due(&mut self, key: LegKey) {
        let now = self.now;
        let due = |at: Option<std::time::Instant>| at.is_some_and(|at| at <= now);
        let Some(leg) = self.legs.get(&key) else { return };
        let rings = leg.placed.as_ref().and_then(|placed| placed.rings_until);
        let silent = leg.placed.as_ref().and_then(|placed| placed.silent_until);
        let waits = leg.waiting.as_ref().map(|waiting| waiting.due);
        let offers = leg.offered.as_ref().map(|offered| offered.due);
        let acks = leg.unacked.as_ref().map(|unacked| unacked.due);
        let pracks = leg.reliable.as_ref().and_then(Reliable::due);
        let session = leg.timer.as_ref().map(SessionTimer::due);
        if due(rings) {
            self.give_up(key, |leg| Event::TimedOut { leg });
        } else if due(silent) {
            self.on_unreached(key, 408, "No response");
        } else if due(acks) {
            self.on_ack_due(key);
        } else if due(pracks) {
            self.on_prack_due(key);
        } else if due(session) {
            self.on_session_due(key);
        } else if due(waits) {
            self.on_waiting_due(key);
        } else if due(offers) {
            self.on_offer_due(key);
        }
    }

    /// RFC 3261 section 13.3.1.4: the 2xx is repeated until its ACK comes; without one the call is hung up.
    fn on_ack_due(&mut self, key: LegKey) {
        let now = self.now;
        let Some(unacked) = self.legs.get_mut(&key).and_then(|leg| leg.unacked.as_mut()) else { return };
        if unacked.until <= now {
            self.legs.get_mut(&key).into_iter().for_each(|leg| leg.unacked = None);
            self.end(key, ClosedBy::LostAck, &[]);
            return self.say_farewell(key);
        }
        unacked.next(now);
        let again = (unacked.flow, unacked.wire.clone());
        self.send_to(&again, Some(key));
    }

    fn on_waiting_due(&mut self, key: LegKey) {
        if let Some(again) = self.legs.get(&key).and_then(|leg| leg.reliable.as_ref()?.again()) {
            return self.respond(key, again.code, None, &[], None);
        }
        let Some(waiting) = self.legs.get_mut(&key).and_then(|leg| leg.waiting.as_mut()) else { return };
        if waiting.first {
            waiting.due = self.now + STILL_RINGING;
            let last = self.servers.last(&waiting.server);
            last.into_iter().for_each(|last| self.send_to(&last, Some(key)));
            return;
        }
        let refusal = Refusal::new(500, "No answer from the application");
        let (server, request, flow) = (waiting.server.clone(), waiting.request.clone(), waiting.flow);
        let response = self.refusal(flow, &request, &refusal);
        self.finish(&server, &response, Some(key));
        self.invites.remove(&server);
        self.legs.get_mut(&key).into_iter().for_each(|leg| leg.waiting = None);
    }

    /// Either the pause after a 491 is over, or the re-INVITE has waited too long for its final answer.
    fn on_offer_due(&mut self, key: LegKey) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        let offered = leg.offered.take();
        let busy = leg.waiting.is_some() || leg.unacked.is_some();
        let stage = leg.stage;
        let Some(offered) = offered.filter(|_| stage == Stage::Up) else { return self.keep(leg) };
        match offered.request {
            None if !busy => {
                self.keep(leg);
                self.send_reinvite(key, offered.sdp, true);
            }
            None => {
                self.keep(leg);
                self.tell(Event::ReofferFailed { leg: key, code: 491 });
            }
            Some(request) => {
                self.clients.give_up_soon(self.now, &request);
                let flow = self.clients.flow(&request).unwrap_or(leg.flow);
                self.launch(&mut leg, build::cancel(&request), flow, Purpose::Cancel(key));
                self.keep(leg);
                self.tell(Event::ReofferFailed { leg: key, code: 408 });
            }
        }
    }

    /// Closes a leg for the caller, once.
    pub(super) fn close(&mut self, leg: &mut Leg, closing: impl FnOnce(LegKey) -> Event) {
        if leg.stage == Stage::Over {
            return;
        }
        leg.stage = Stage::Over;
        (leg.timer, leg.reliable) = (None, None);
        leg.early.clear();
        // Before its BYE may leave, the 2xx must be acknowledged.
        leg.unacked.take_if(|_| leg.farewell.is_none());
        // A re-INVITE that is still open may never be answered now.
        if let Some(request) = leg.offered.take().and_then(|offered| offered.request) {
            self.clients.give_up_soon(self.now, &request);
        }
        if let Some(placed) = &mut leg.placed {
            (placed.rings_until, placed.silent_until) = (None, None);
        }
        self.tell(closing(leg.key));
    }

    /// Puts a leg back, unless it is over and nothing of it is on the wire any more.
    pub(super) fn keep(&mut self, leg: Leg) {
        let key = leg.key;
        if leg.stage == Stage::Over && leg.open == 0 && leg.farewell.is_none() {
            return self.strike(&leg);
        }
        self.wheel.set(&key, leg.due());
        self.legs.insert(leg);
        if let Some(eldest) = self.legs.surplus(self.config.max_legs)
            && let Some(leg) = self.legs.remove(&eldest)
        {
            // Who answers its INVITE all the same is hung up on as a stranger.
            leg.placed.iter().for_each(|placed| self.clients.abandon(&placed.request));
            self.strike(&leg);
        }
    }

    /// Nothing names this leg any more.
    fn strike(&mut self, leg: &Leg) {
        self.tags.remove(&leg.local_tag);
        if let Some(waiting) = &leg.waiting {
            self.invites.remove(&waiting.server);
        }
        self.wheel.set(&leg.key, None);
        self.legs.relax();
        relax(&mut self.tags);
        relax(&mut self.invites);
    }

    /// A client transaction of a leg is over.
    fn release(&mut self, key: LegKey) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        leg.open = leg.open.saturating_sub(1);
        self.keep(leg);
    }

    pub(super) fn arm(&mut self, key: LegKey) {
        let at = self.legs.get(&key).and_then(Leg::due);
        self.wheel.set(&key, at);
    }
}

/// The branch of the first Via and the method in the beginning of a request, if all of it is there.
fn request_in(start: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(start);
    let (method, rest) = text.split_once(' ')?;
    let (_, rest) = rest.split_once(";branch=")?;
    let end = rest.find(|c: char| c == ';' || c.is_whitespace())?;
    Some((rest.get(..end)?.to_owned(), method.to_owned()))
}
