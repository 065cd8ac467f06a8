//! Provisional responses that arrive for certain (RFC 3262): those we give are repeated until their PRACK, those we get
//! are answered with one.

use super::Endpoint;
use super::leg::{Leg, Purpose, Stage};
use super::receive::Request;
use crate::sip::build;
use crate::sip::check::Refusal;
use crate::sip::dialog::Dialog;
use crate::sip::event::{ClosedBy, Event};
use crate::sip::flow::{Flow, LegKey};
use crate::sip::message::Message;
use crate::sip::timers::{GIVE_UP, T1};
use crate::sip::trace::Wire;
use crate::sip::values::{CSeq, has_option, tag};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Most answers that wait for a PRACK.
const MAX_QUEUED: usize = 8;
/// Most forks whose early dialog is kept.
const MAX_EARLY: usize = 16;

/// What the caller wants said to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub code: u16,
    pub reason: Option<String>,
    pub extra: Vec<(String, String)>,
    pub sdp: Option<Bytes>,
}

impl Answer {
    /// Nothing but a code.
    pub fn plain(code: u16) -> Answer {
        Answer { code, reason: None, extra: Vec::new(), sdp: None }
    }
}

/// What is remembered of our reliable answers to a call that arrived; absent where the peer does not know them.
#[derive(Debug)]
pub(crate) struct Reliable {
    /// The peer wants every provisional so.
    required: bool,
    /// The peer made an offer.
    offered: bool,
    /// The last RSeq used.
    rseq: u32,
    /// The last code that was said so.
    last: Option<u16>,
    unpracked: Option<Unpracked>,
    /// What is said after the PRACK.
    queued: VecDeque<Answer>,
}

/// A provisional of ours the peer has not acknowledged.
#[derive(Debug)]
struct Unpracked {
    cseq: u32,
    described: bool,
    flow: Flow,
    wire: Wire,
    /// When it is repeated; never once the call is answered.
    due: Option<Instant>,
    pause: Duration,
    until: Instant,
}

impl Reliable {
    /// As the INVITE wants it; `rseq` is where counting begins (RFC 3262 section 3).
    pub fn of(invite: &Message, rseq: u32) -> Option<Reliable> {
        let required = has_option(invite, "require", "100rel");
        let known = required || has_option(invite, "supported", "100rel");
        let offered = invite.sdp().is_some();
        known.then(|| Reliable {
            required,
            offered,
            rseq,
            last: None,
            unpracked: None,
            queued: VecDeque::new(),
        })
    }

    /// When the provisional is to be repeated, or given up.
    pub fn due(&self) -> Option<Instant> {
        self.unpracked.as_ref().and_then(|unpracked| unpracked.due)
    }

    /// Whether this one is to be acknowledged: one that describes media, since nothing is heard without it, and all where
    /// the peer says so.
    fn is_wanted(&self, answer: &Answer) -> bool {
        (101..200).contains(&answer.code) && (self.required || answer.sdp.is_some())
    }

    /// Whether it must wait for a PRACK. A refusal never does, and an answer only for a description under way.
    fn waits(&self, answer: &Answer) -> bool {
        let Some(unpracked) = &self.unpracked else { return false };
        answer.code < 200 || (answer.code < 300 && unpracked.described)
    }

    /// A reliable response to an INVITE without an offer would have to carry ours (RFC 3261 section 13.2.1); it is better
    /// not given.
    fn may_not(&self, answer: &Answer) -> bool {
        self.is_wanted(answer) && !self.offered && answer.sdp.is_none()
    }
}

/// A fork that rang reliably.
#[derive(Debug)]
pub(crate) struct Early {
    pub dialog: Dialog,
    /// The last RSeq taken.
    rseq: u32,
    /// Our offer has its answer: the session may be changed from now on.
    pub described: bool,
}

impl Endpoint {
    /// Answers the request that waits: now, or once what was said before has arrived.
    pub(super) fn say(&mut self, leg: &mut Leg, answer: Answer) {
        let first = leg.waiting.as_ref().is_some_and(|waiting| waiting.first);
        if let Some(reliable) = leg.reliable.as_mut().filter(|_| first) {
            if reliable.may_not(&answer) {
                return;
            }
            if reliable.waits(&answer) {
                if reliable.queued.len() < MAX_QUEUED || answer.code >= 200 {
                    reliable.queued.push_back(answer);
                }
                return;
            }
        }
        self.say_now(leg, &answer);
    }

    fn say_now(&mut self, leg: &mut Leg, answer: &Answer) {
        let Some(waiting) = leg.waiting.take_if(|waiting| waiting.accepts(answer.code)) else { return };
        let mut response = self.response_of(leg, &waiting, answer);
        let reliable = leg.reliable.as_mut().filter(|reliable| waiting.first && reliable.is_wanted(answer));
        if let Some(reliable) = reliable {
            reliable.rseq += 1;
            reliable.last = Some(answer.code);
            response.headers.push("Require", "100rel");
            response.headers.push("RSeq", reliable.rseq.to_string());
            reliable.unpracked = Some(Unpracked {
                cseq: CSeq::of(&waiting.request).map(|cseq| cseq.number).unwrap_or_default(),
                described: answer.sdp.is_some(),
                flow: self.servers.flow(&waiting.server).unwrap_or(waiting.flow),
                wire: Wire::new(&response),
                due: Some(self.now + T1),
                pause: T1,
                until: self.now + GIVE_UP,
            });
        }
        if answer.code >= 200 && waiting.first {
            leg.reliable.iter_mut().for_each(Reliable::rest);
        }
        self.conclude(leg, waiting, &response);
    }

    /// A PRACK: it acknowledges the provisional it names, or none (481). An offer in it, a second one before the call is
    /// answered, is refused, which takes nothing from that.
    pub(super) fn on_prack(&mut self, key: LegKey, request: &Request) -> Option<LegKey> {
        let Some(mut leg) = self.legs.remove(&key) else { return Some(key) };
        let acknowledged =
            leg.reliable.as_mut().is_some_and(|reliable| reliable.acknowledge(&request.message));
        self.legs.insert(leg);
        match acknowledged {
            false => {
                let refusal = Refusal::new(481, "No such provisional response");
                return self.refuse(request, &refusal, Some(key));
            }
            true if request.message.body.is_empty() => self.ok(key, request),
            true => self.refuse(request, &Refusal::new(488, "Not Acceptable Here"), Some(key)),
        };
        leg = self.legs.remove(&key)?;
        while let Some(next) = leg.reliable.as_mut().and_then(Reliable::next) {
            self.say_now(&mut leg, &next);
        }
        self.keep(leg);
        Some(key)
    }

    /// The provisional is repeated: after T1, twice as long each time. Who never acknowledges it is refused (RFC 3262
    /// section 3).
    pub(super) fn on_prack_due(&mut self, key: LegKey) {
        let now = self.now;
        let unpracked = self.legs.get_mut(&key).and_then(|leg| leg.reliable.as_mut()?.unpracked.as_mut());
        let Some(unpracked) = unpracked else { return };
        if unpracked.until <= now {
            return self.refuse_waiting(key, 504, |leg| Event::Ended { leg, by: ClosedBy::LostAck });
        }
        unpracked.pause *= 2;
        unpracked.due = Some((now + unpracked.pause).min(unpracked.until));
        let again = (unpracked.flow, unpracked.wire.clone());
        self.send_to(&again, Some(key));
    }

    /// A provisional of the peer. False if it is one that was taken already, or that came before its turn (RFC 3262
    /// section 4).
    pub(super) fn take_progress(&mut self, leg: &mut Leg, request: &Message, response: &Message) -> bool {
        let rseq = response.headers.text("rseq").and_then(|text| text.trim().parse::<u32>().ok());
        let (Some(rseq), Some(theirs)) = (rseq, tag(response, "to")) else { return true };
        if !has_option(response, "require", "100rel") {
            return true;
        }
        let described = response.sdp().is_some();
        let fork = leg.early.iter().position(|early| early.dialog.remote_tag.as_ref() == Some(&theirs));
        let mut early = match fork.map(|fork| leg.early.swap_remove(fork)) {
            Some(early) if early.rseq.checked_add(1) != Some(rseq) => {
                leg.early.push(early);
                return false;
            }
            Some(early) => Early { rseq, described: early.described || described, ..early },
            None if leg.early.len() >= MAX_EARLY => return false,
            None => Early { dialog: Dialog::of_outgoing(request, response), rseq, described },
        };
        early.dialog.refresh_target(response);
        self.send_prack(leg, &mut early, request);
        leg.early.push(early);
        true
    }

    fn send_prack(&mut self, leg: &mut Leg, early: &mut Early, invite: &Message) {
        let (flow, mut prack) = self.in_dialog(leg, &mut early.dialog, "PRACK");
        let number = CSeq::of(invite).map(|cseq| cseq.number).unwrap_or_default();
        prack.headers.push("RAck", format!("{} {number} INVITE", early.rseq));
        prack.headers.push("Allow", build::ALLOW);
        self.launch(leg, prack, flow, Purpose::Prack(leg.key));
    }

    /// What is answered to our PRACK is of no consequence, but for a challenge.
    pub(super) fn on_prack_answer(&mut self, key: LegKey, request: &Message, response: &Message) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        if leg.stage != Stage::Over && matches!(response.code(), Some(401 | 407)) {
            self.retry(&mut leg, request, response, Purpose::Prack(key));
        }
        self.keep(leg);
    }
}

impl Reliable {
    /// Takes a PRACK; false if it names no provisional that waits for one.
    fn acknowledge(&mut self, prack: &Message) -> bool {
        let named = prack.headers.text("rack").unwrap_or_default();
        let mut words = named.split_ascii_whitespace();
        let mut number = || words.next().and_then(|word| word.parse::<u32>().ok());
        let (rseq, cseq) = (number(), number());
        let own = |unpracked: &Unpracked| rseq == Some(self.rseq) && cseq == Some(unpracked.cseq);
        let matches = words.next() == Some("INVITE") && words.next().is_none();
        matches && self.unpracked.take_if(|unpracked| own(unpracked)).is_some()
    }

    /// The call is answered: nothing is repeated any more, though a late PRACK is still taken.
    fn rest(&mut self) {
        self.queued.clear();
        self.unpracked.iter_mut().for_each(|unpracked| unpracked.due = None);
    }

    /// The provisional that a call which rings for a minute is given again: a new one, where the last was acknowledged.
    pub fn again(&self) -> Option<Answer> {
        self.last.filter(|_| self.unpracked.is_none()).map(Answer::plain)
    }

    /// What is to be said next, if nothing waits for its PRACK.
    fn next(&mut self) -> Option<Answer> {
        let next = self.queued.front()?;
        if self.waits(next) { None } else { self.queued.pop_front() }
    }
}
