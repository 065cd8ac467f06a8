//! The machine: its state, how it begins, and what goes where.

use super::{
    input::Happened,
    leg::{Leg, LegNo, State},
    order::{Order, Placement, TimerKey},
    script::Script,
};
use crate::{outside::CallRef, sip::MAX_FORWARDS};
use domain::{
    Ids, Number, Sid, Tenant, Timestamp,
    call::{CallCommand, Direction, EndReason, Ending, Program, Purpose, Queued, Received},
    caller_id::CallerId,
    country::Country,
    webhook_url::WebhookUrl,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

/// The longest a call may last: four hours.
pub(super) const LONGEST_CALL: Duration = Duration::from_secs(4 * 3600);
/// The longest a call lasts that was asked for with a limit of its own, as Twilio has it.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);
/// The longest a call that arrived may wait for its answer: ten minutes.
pub(super) const LONGEST_RING: Duration = Duration::from_secs(10 * 60);

/// A call and the calls it dialled.
pub struct Machine {
    pub(super) surroundings: Surroundings,
    pub(super) legs: BTreeMap<LegNo, Leg>,
    /// How the main leg begins.
    start: Option<Start>,
    /// The program that is worked on.
    pub(super) script: Script,
    /// The others, by the legs they run on.
    pub(super) others: BTreeMap<LegNo, Script>,
    /// Requests under way.
    pub(super) requests: HashMap<u64, Request>,
    /// How many hops a call of ours may take from here.
    pub(super) max_forwards: u8,
    /// All that a caller from outside says to be.
    pub(super) said: Vec<String>,
    /// Whom a trusted network vouches for as the caller.
    pub(super) asserted: Option<String>,
    pub(super) tokens: u64,
    pub(super) now: Timestamp,
    orders: Vec<Order>,
}

/// What a call is handed beside its input.
#[derive(Clone)]
pub struct Surroundings {
    /// The node's name.
    pub node: String,
    /// Where identifiers of dialled calls come from.
    pub ids: Arc<dyn Ids>,
    /// Whose national numbers the account writes.
    pub country: Option<Country>,
    /// Whether a number is an enabled one of the account's.
    pub owns: Arc<dyn Fn(&Number) -> bool + Send + Sync>,
}

/// A call that arrived.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Its stream.
    pub call: CallRef,
    /// What is recorded about it.
    pub received: Received,
    /// Turned away with this code, for this reason.
    pub refused: Option<(u16, Ending)>,
    /// How many more hops it may take.
    pub hops: u8,
    /// All that it says to be from, be it hidden from applications or not.
    pub said: Vec<String>,
    /// Whom its network vouches for as the caller, when that is trusted.
    pub asserted: Option<String>,
}

/// A call that the API asked for.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its stream.
    pub call: CallRef,
    /// What was asked for.
    pub queued: Queued,
}

enum Start {
    Incoming(Box<Incoming>),
    Outgoing(Box<Outgoing>),
}

/// A request under way.
pub(super) struct Request {
    /// The leg whose program made it.
    pub(super) leg: LegNo,
    pub(super) purpose: Purpose,
    pub(super) url: WebhookUrl,
}

/// A sound on its way to the leg that runs the program.
pub(super) struct Sound {
    pub(super) token: u64,
    pub(super) times: u32,
    /// These are the digits that precede the program.
    pub(super) is_prelude: bool,
}

impl Machine {
    /// A call that arrived and was routed.
    #[must_use]
    pub fn incoming(surroundings: Surroundings, incoming: Incoming) -> Machine {
        let Received { account, from, to, program, .. } = &incoming.received;
        let leg = Leg::new(incoming.call.clone(), account.clone(), Direction::Inbound, from, to);
        let (program, hops) = (program.clone(), incoming.hops);
        let (said, asserted) = (incoming.said.clone(), incoming.asserted.clone());
        let mut machine =
            Machine::new(surroundings, leg, program, LONGEST_CALL, Start::Incoming(Box::new(incoming)));
        // One hop was ours (RFC 7332 section 4).
        machine.max_forwards = hops.saturating_sub(1);
        (machine.said, machine.asserted) = (said, asserted);
        machine
    }

    /// A call to be placed. It is claimed already.
    #[must_use]
    pub fn outgoing(surroundings: Surroundings, outgoing: Outgoing) -> Machine {
        let Queued { account, from, to, program, time_limit, .. } = &outgoing.queued;
        let account = Some(account.clone());
        let mut leg = Leg::new(outgoing.call.clone(), account, outgoing.queued.direction, from, to);
        leg.send_digits.clone_from(&outgoing.queued.send_digits);
        leg.parent.clone_from(&outgoing.queued.parent);
        let limit = Duration::from_secs(u64::from(*time_limit)).clamp(Duration::from_secs(1), LONGEST_ASKED);
        let program = program.clone();
        Machine::new(surroundings, leg, program, limit, Start::Outgoing(Box::new(outgoing)))
    }

    fn new(
        surroundings: Surroundings,
        mut leg: Leg,
        program: Option<Program>,
        time_limit: Duration,
        start: Start,
    ) -> Machine {
        leg.limit = time_limit;
        Machine {
            surroundings,
            legs: BTreeMap::from([(LegNo::MAIN, leg)]),
            start: Some(start),
            script: Script::new(
                LegNo::MAIN,
                false,
                program.unwrap_or_else(|| Program::Inline("<Response/>".into())),
            ),
            others: BTreeMap::new(),
            requests: HashMap::new(),
            max_forwards: MAX_FORWARDS,
            said: Vec::new(),
            asserted: None,
            tokens: 0,
            now: Timestamp::from_micros(0),
            orders: Vec::new(),
        }
    }

    /// Takes in what happened at this time, and says what to do about it.
    #[must_use = "orders not carried out are lost"]
    pub fn handle(&mut self, now: Timestamp, happened: Happened) -> Vec<Order> {
        self.now = now;
        self.turn_to(self.concerned(&happened));
        match happened {
            Happened::Started => self.begin(),
            Happened::Signalled(leg, signal) => self.signalled(leg, signal),
            Happened::KeyDown(leg) => self.key_down(leg),
            Happened::Pressed(leg, digit) => self.pressed(leg, digit),
            Happened::Prepared(token, result) => self.prepared(token, result),
            Happened::Played(token) => self.played(token),
            Happened::Unplayable(token) => self.unplayable(token),
            Happened::Fetched(token, fetched) => self.fetched(token, *fetched),
            Happened::TimerFired(TimerKey::Verb(_)) if self.script.awaited.is_some() => self.begin_awaited(),
            Happened::TimerFired(TimerKey::Verb(_)) => self.script.events.push_back(twiml::Event::TimerFired),
            Happened::TimerFired(TimerKey::TimeLimit(_)) => self.time_is_up(),
            Happened::MediaLost(leg) => self.media_lost(leg),
            Happened::Unheard(leg, source, packets) => self.unheard(leg, source, packets),
            Happened::Released(leg, summary) => self.released(leg, summary),
            Happened::Redirected(leg, program) => self.redirected(leg, program),
            Happened::EndRequested(leg, status) => self.end_requested(leg, status),
            Happened::NotKept => {
                self.requests.clear();
                self.refuse(503, Ending::because(EndReason::Overloaded));
            }
            Happened::Stopped(reason) => {
                // Whatever is under way is not waited for.
                self.requests.clear();
                for leg in self.scripts() {
                    self.turn_to(leg);
                    self.finish(Ending::because(reason));
                }
            }
        }
        for leg in self.scripts() {
            self.turn_to(leg);
            self.tell_program();
        }
        std::mem::take(&mut self.orders)
    }

    /// Whether nothing more will happen: every leg is over and no request is under way.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.legs.values().all(Leg::is_over) && self.requests.is_empty()
    }

    /// Whether a call that runs a program goes on.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.scripts().into_iter().any(|no| self.leg(no).is_some_and(|leg| !leg.ended))
    }

    /// The leg of this call.
    #[must_use]
    pub fn leg_of(&self, sid: &Sid) -> Option<LegNo> {
        self.legs.iter().find(|(_, leg)| leg.call.sid == *sid).map(|(no, _)| *no)
    }

    /// The call of this leg.
    #[must_use]
    pub fn call_of(&self, no: LegNo) -> Option<&CallRef> {
        self.leg(no).map(|leg| &leg.call)
    }

    /// The calls whose end is not recorded, with the legs they have.
    #[must_use]
    pub fn live_calls(&self) -> Vec<CallRef> {
        self.legs.values().filter(|leg| !leg.ended).map(|leg| leg.call.clone()).collect()
    }

    /// How many legs there ever were, and how many of them have ended. While neither changes, `live_calls` does not.
    #[must_use]
    pub fn census(&self) -> (usize, usize) {
        (self.legs.len(), self.legs.values().filter(|leg| leg.ended).count())
    }

    fn begin(&mut self) {
        match self.start.take() {
            Some(Start::Incoming(incoming)) => self.begin_incoming(*incoming),
            Some(Start::Outgoing(outgoing)) => self.begin_outgoing(outgoing.queued),
            None => {}
        }
    }

    fn begin_incoming(&mut self, incoming: Incoming) {
        self.record(self.script.leg, CallCommand::Receive(incoming.received));
        if let Some((code, ending)) = incoming.refused {
            return self.refuse(code, ending);
        }
        self.order(Order::Ring(self.script.leg));
        self.order(Order::SetTimer(TimerKey::TimeLimit(self.script.leg), LONGEST_RING));
        self.run(self.script.source.clone(), Purpose::Document);
    }

    fn begin_outgoing(&mut self, queued: Queued) {
        let Some(call) = self.call_of(self.script.leg).cloned() else { return };
        let placement = Placement {
            sid: call.sid,
            tenant: call.tenant,
            account: queued.account,
            from: CallerId::of(queued.caller_id.as_deref().unwrap_or(&queued.from)),
            on_behalf_of: None,
            authentic: true,
            asserted: None,
            to: queued.to,
            ring_timeout: Duration::from_secs(u64::from(queued.timeout)),
            max_forwards: self.max_forwards,
        };
        self.order(Order::Place(self.script.leg, Box::new(placement)));
    }

    /// The call lasted, or rang, for as long as it may.
    fn time_is_up(&mut self) {
        if self.leg(self.script.leg).is_some_and(Leg::is_answered) {
            self.finish(Ending::because(EndReason::TimeLimit));
        } else {
            self.refuse(480, Ending::because(EndReason::NoAnswer));
        }
    }

    /// The main leg is answered by whoever: from now on it may last so long.
    pub(super) fn main_answered(&mut self) {
        self.record(self.script.leg, CallCommand::Answer);
        let limit = self.leg(self.script.leg).map_or(LONGEST_CALL, |main| main.limit);
        self.order(Order::SetTimer(TimerKey::TimeLimit(self.script.leg), limit));
    }

    /// Picks the main leg up, unless that has happened.
    pub(super) fn pick_up(&mut self) {
        let now = self.now;
        let Some(main) = self.legs.get_mut(&self.script.leg).filter(|main| main.state == State::Early) else {
            return;
        };
        main.state = State::PickedUp;
        main.answered_at = Some(now);
        self.main_answered();
        self.order(Order::Pickup(self.script.leg));
    }

    pub(super) fn leg(&self, no: LegNo) -> Option<&Leg> {
        self.legs.get(&no)
    }

    pub(super) fn tenant(&self) -> Option<Tenant> {
        self.call_of(self.script.leg).map(|call| call.tenant.clone())
    }

    pub(super) fn order(&mut self, order: Order) {
        self.orders.push(order);
    }

    pub(super) fn record(&mut self, no: LegNo, fact: CallCommand) {
        if let Some(call) = self.call_of(no).cloned() {
            self.orders.push(Order::Record(call, self.now, Box::new(fact)));
        }
    }

    pub(super) fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }
}
