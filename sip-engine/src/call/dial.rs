//! `<Dial>` as the call does it: children ring at once, the first to answer is connected, the others are called off.
//!
//! ringing ──answered──► (digits) ──► (parent picked up) ──► connected ──► over

use super::{
    leg::{Leg, LegNo, State},
    machine::Machine,
    order::{Order, Placement},
};
use crate::outside::CallRef;
use domain::{
    Kind, Number, Sid,
    call::{CallCommand, Callback, CallbackEvent, Direction, EndReason, Ending, Queued, Status},
    caller_id::{CallerId, Parties},
    emergency::is_emergency,
};
use std::time::Duration;
use twiml::{DialPlan, DialResult, DialStatus, DialTarget, Event};

/// Twilio's code for a number that cannot be called.
const INVALID_NUMBER: u32 = 13223;
/// Twilio's code for a call that cannot be placed.
const NOT_PLACED: u32 = 13225;
/// Calls one call may dial in its life.
const MAX_CHILDREN: usize = 100;
/// Calls for help that it may dial beyond those.
const MORE_FOR_HELP: usize = 20;
/// Twilio's code for a caller id that cannot be shown.
const INVALID_CALLER_ID: u32 = 13214;

/// A dial under way.
#[derive(Debug)]
pub(super) struct Dial {
    children: Vec<LegNo>,
    stage: Stage,
    /// The parent hears that it rings.
    ringback: bool,
    /// The parent hears what the child's network plays before the answer.
    early: bool,
    /// How children that are over ended.
    endings: Vec<Ending>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Ringing,
    /// The child is sent its digits under this token.
    Digits(LegNo, u64),
    /// The parent is being picked up.
    PickingUp(LegNo),
    Connected(LegNo),
}

impl Dial {
    /// Whether these are the digits of one of its calls.
    pub(super) fn sends(&self, token: u64) -> bool {
        matches!(self.stage, Stage::Digits(_, sent) if sent == token)
    }
}

impl Stage {
    fn winner(self) -> Option<LegNo> {
        match self {
            Stage::Ringing => None,
            Stage::Digits(child, _) | Stage::PickingUp(child) | Stage::Connected(child) => Some(child),
        }
    }
}

impl Machine {
    pub(super) fn begin_dial(&mut self, plan: DialPlan) {
        let shown = self.caller_id(plan.caller_id.as_deref());
        let dial = Dial {
            children: Vec::new(),
            stage: Stage::Ringing,
            ringback: false,
            early: false,
            endings: Vec::new(),
        };
        self.script.dial = Some(dial);
        for target in plan.targets {
            let from = if self.is_for_help(&target) { self.reachable(shown.as_ref()) } else { shown.clone() };
            if let Some(from) = from {
                self.begin_child(target, &from, (plan.timeout, plan.time_limit));
            }
        }
        if self.script.dial.as_ref().is_some_and(|dial| dial.children.is_empty()) {
            self.dial_over(DialStatus::Failed, None);
        }
    }

    /// Whom the dialled parties are shown: whom the document names, or else the caller. Somebody else's number is not
    /// replaced by another: nobody is called, for who was called back would be the wrong one.
    fn caller_id(&mut self, wanted: Option<&str>) -> Option<CallerId> {
        match self.parties()?.shown(wanted) {
            Ok(shown) => Some(shown),
            Err(refusal) => {
                self.warn(INVALID_CALLER_ID, format!("<Dial> callerId: {refusal}"));
                None
            }
        }
    }

    /// Whom a call for help shows, which is placed whatever the document says of its caller.
    fn reachable(&self, shown: Option<&CallerId>) -> Option<CallerId> {
        Some(self.parties()?.reachable(shown))
    }

    fn parties(&self) -> Option<Parties<'_>> {
        let main = self.leg(self.script.leg)?;
        Some(Parties {
            calling: Some(&main.from),
            called: Some(&main.to),
            country: self.surroundings.country,
            owns: &*self.surroundings.owns,
        })
    }

    fn is_for_help(&self, target: &DialTarget) -> bool {
        is_emergency(&target.number, self.surroundings.country)
    }

    fn begin_child(&mut self, target: DialTarget, from: &CallerId, times: (Duration, Duration)) {
        let (timeout, time_limit) = times;
        let most = MAX_CHILDREN + if self.is_for_help(&target) { MORE_FOR_HELP } else { 0 };
        if self.legs.len() > most {
            return self.warn(NOT_PLACED, format!("<Dial>: a call may dial {most} others at most"));
        }
        let own = &*self.surroundings.owns;
        let number = match Number::written_among(&target.number, self.surroundings.country, own) {
            Ok(number) => number.to_string(),
            Err(error) => return self.warn(INVALID_NUMBER, format!("<Dial>: {error}")),
        };
        let Some((main, account)) =
            self.leg(self.script.leg).and_then(|main| Some((main.call.clone(), main.account.clone()?)))
        else {
            return;
        };
        let sid = Sid::new(Kind::Call, &*self.surroundings.ids);
        let call = CallRef { sid: sid.clone(), tenant: main.tenant.clone() };
        let mut leg = Leg::new(call, Some(account.clone()), Direction::OutboundDial, from.as_str(), &number);
        (leg.script, leg.parent) = (self.script.leg, Some(main.sid.clone()));
        leg.send_digits.clone_from(&target.send_digits);
        leg.limit = time_limit;
        let no = LegNo(u32::try_from(self.legs.len()).unwrap_or(u32::MAX));
        self.legs.insert(no, leg);
        self.script.dial.iter_mut().for_each(|dial| dial.children.push(no));
        let parties = (from.as_str(), &*number);
        self.record(no, CallCommand::Queue(queued(&account, main.sid, parties, target, times)));
        self.record(no, CallCommand::Claim { node: self.surroundings.node.clone() });
        let placement = Placement {
            sid,
            tenant: main.tenant,
            account,
            from: from.clone(),
            on_behalf_of: self.far_end(),
            authentic: self.is_authentic(from),
            asserted: self.asserted.clone(),
            to: number,
            ring_timeout: timeout,
            max_forwards: self.max_forwards,
        };
        self.order(Order::Place(no, Box::new(placement)));
    }

    /// The party of the main call that is not the account's own.
    fn far_end(&self) -> Option<String> {
        let main = self.leg(self.script.leg)?;
        let far_end = if main.direction == Direction::Inbound { &main.from } else { &main.to };
        (CallerId::of(far_end) != CallerId::Hidden).then(|| far_end.clone())
    }

    /// Whether whom a dialled call shows is more than what the caller from outside, if the family began with one, says of
    /// itself, openly or hidden.
    fn is_authentic(&self, shown: &CallerId) -> bool {
        let asserted = self.asserted.as_deref();
        self.said.iter().all(|said| shown.is_authentic(Some(said), asserted))
    }

    /// A child says that it rings: the parent may hear that.
    pub(super) fn child_rings(&mut self, _no: LegNo) {
        let up = self.leg(self.script.leg).is_some_and(|main| main.state == State::Up);
        let Some(dial) = self.script.dial.as_mut().filter(|dial| up && dial.stage == Stage::Ringing) else {
            return;
        };
        if !std::mem::replace(&mut dial.ringback, true) {
            self.order(Order::Ringback(self.script.leg));
        }
    }

    /// A child's network says with a 183 that it plays the progress of the call itself. A parent that still rings is told
    /// the same, and hears it.
    pub(super) fn child_progresses(&mut self, no: LegNo) {
        if self.leg(self.script.leg).is_some_and(|main| main.state == State::Early) {
            self.child_sounds(no);
        }
    }

    /// A child is heard before its answer. The parent hears that instead of our ringback, unless others ring as well. It is
    /// not heard itself, or the two would talk and nobody pay; a menu before the answer gets its keys.
    pub(super) fn child_sounds(&mut self, no: LegNo) {
        let state = self.leg(self.script.leg).map(|main| main.state);
        let alone = |dial: &Dial| dial.stage == Stage::Ringing && dial.children == [no] && !dial.early;
        if !matches!(state, Some(State::Early | State::Up)) || !self.script.dial.as_ref().is_some_and(alone) {
            return;
        }
        self.stop_ringback();
        self.script.dial.iter_mut().for_each(|dial| dial.early = true);
        if state == Some(State::Early) {
            self.order(Order::Progress(self.script.leg));
        }
        self.order(Order::Listen(self.script.leg, no));
    }

    /// A child answered. The first one wins; a later one is hung up again.
    pub(super) fn child_answered(&mut self, no: LegNo) {
        let Some(dial) = self.script.dial.as_mut().filter(|dial| dial.stage == Stage::Ringing) else {
            return self.end_leg(no, Ending::because(EndReason::AnsweredElsewhere));
        };
        let others: Vec<_> = dial.children.iter().copied().filter(|child| *child != no).collect();
        dial.stage = Stage::PickingUp(no);
        for other in others {
            self.end_leg(other, Ending::because(EndReason::AnsweredElsewhere));
        }
        match self.legs.get_mut(&no).and_then(|leg| leg.send_digits.take()) {
            Some(digits) => {
                let token = self.token();
                self.set_stage(Stage::Digits(no, token));
                self.order(Order::SendDigits { leg: no, token, digits });
            }
            None => self.connect(no),
        }
    }

    pub(super) fn child_digits_sent(&mut self, token: u64) {
        match self.script.dial.as_ref().map(|dial| dial.stage) {
            Some(Stage::Digits(child, sent)) if sent == token => self.connect(child),
            _ => {}
        }
    }

    /// The parent is up: whoever waited for that is connected.
    pub(super) fn main_is_up(&mut self) {
        if let Some(Stage::PickingUp(child)) = self.script.dial.as_ref().map(|dial| dial.stage) {
            self.connect(child);
        }
    }

    fn connect(&mut self, child: LegNo) {
        let (Some(main), Some(other)) =
            (self.call_of(self.script.leg).cloned(), self.call_of(child).cloned())
        else {
            return;
        };
        if self.leg(self.script.leg).is_some_and(|main| main.state != State::Up) {
            self.set_stage(Stage::PickingUp(child));
            return self.pick_up();
        }
        self.stop_ringback();
        self.set_stage(Stage::Connected(child));
        self.order(Order::Bridge(self.script.leg, child));
        self.record(self.script.leg, CallCommand::Bridge { with: other.sid });
        self.record(child, CallCommand::Bridge { with: main.sid });
        self.script.events.push_back(Event::DialBridged);
    }

    /// A child is over, by itself or by the API.
    pub(super) fn child_over(&mut self, no: LegNo, ending: Ending) {
        let answered = self.leg(no).is_some_and(Leg::is_answered);
        let ended = Ending { status: ending.reason.status(answered), ..ending.clone() };
        let counts = self.leg(no).is_some_and(|leg| !leg.ended);
        let stage = self.script.dial.as_ref().map(|dial| dial.stage);
        if stage == Some(Stage::Connected(no)) {
            self.part(no);
        }
        self.end_leg(no, ending);
        let Some(dial) = self.script.dial.as_mut().filter(|dial| counts && dial.children.contains(&no))
        else {
            return;
        };
        dial.endings.push(ended);
        let all_over = dial.endings.len() == dial.children.len();
        let winner_over = dial.stage.winner() == Some(no);
        let status = summed_up(&dial.endings);
        if winner_over {
            self.dial_over(DialStatus::Completed, Some(no));
        } else if all_over {
            self.dial_over(status, Some(no));
        }
    }

    /// Ends the dialled calls because the program says so (star, time limit), and tells it.
    pub(super) fn end_dial(&mut self) {
        let Some(dial) = &self.script.dial else { return };
        let (winner, last) = (dial.stage.winner(), dial.children.last().copied());
        self.end_children();
        let status = if winner.is_some() { DialStatus::Completed } else { DialStatus::Canceled };
        self.dial_over(status, winner.or(last));
    }

    /// The dialled call goes a way of its own, and the dial is over as if it had ended.
    pub(super) fn leave_dial(&mut self, no: LegNo) {
        match self.script.dial.as_ref().map(|dial| dial.stage) {
            Some(Stage::Connected(child)) if child == no => self.part(no),
            Some(Stage::Digits(child, _)) if child == no => self.order(Order::Hush(no)),
            _ => {}
        }
        self.dial_over(DialStatus::Completed, Some(no));
    }

    /// Ends the dialled calls; nobody is told.
    pub(super) fn abandon_dial(&mut self) {
        self.end_children();
        self.stop_ringback();
        self.script.dial = None;
    }

    fn end_children(&mut self) {
        let Some(dial) = &self.script.dial else { return };
        let (stage, children) = (dial.stage, dial.children.clone());
        if let Stage::Connected(child) = stage {
            self.part(child);
        }
        for child in children {
            self.end_leg(child, Ending::because(EndReason::PeerHungUp));
        }
    }

    /// Takes the connected two apart.
    fn part(&mut self, child: LegNo) {
        let (Some(main), Some(other)) =
            (self.call_of(self.script.leg).cloned(), self.call_of(child).cloned())
        else {
            return;
        };
        self.order(Order::Unbridge(self.script.leg));
        self.record(self.script.leg, CallCommand::Unbridge { with: other.sid });
        self.record(child, CallCommand::Unbridge { with: main.sid });
    }

    fn dial_over(&mut self, status: DialStatus, child: Option<LegNo>) {
        self.stop_ringback();
        let dial = self.script.dial.take();
        let bridged = matches!(dial.as_ref().map(|dial| dial.stage), Some(Stage::Connected(_)));
        let result = self.result(status, child, bridged);
        let endings = dial.map(|dial| dial.endings).unwrap_or_default();
        // Who called a dialled call off did not mean the one that dials.
        let speaks =
            |ending: &Ending| ending.status != Status::Canceled && dial_status(ending.status) == status;
        let nobody = match status {
            DialStatus::Failed => EndReason::DestinationNotFound,
            _ => EndReason::NoAnswer,
        };
        let telling = endings.into_iter().find(speaks);
        self.script.dialled = Some(telling.unwrap_or_else(|| Ending::because(nobody)));
        self.script.events.push_back(Event::DialEnded(result));
    }

    fn result(&self, status: DialStatus, child: Option<LegNo>, bridged: bool) -> DialResult {
        let leg = child.and_then(|no| self.leg(no));
        let call_sid = leg.map(|leg| leg.call.sid.to_string());
        // As in the dialled call's own CallDuration.
        let measured = |leg: &Leg| leg.measured(Ending::because(EndReason::HungUp), self.now).duration_s;
        let duration_s = leg.and_then(measured).map(u64::from).filter(|_| status == DialStatus::Completed);
        DialResult { status, call_sid, duration_s, bridged }
    }

    /// What the dial under way would come to if it ended now.
    pub(super) fn dial_so_far(&self) -> Option<DialResult> {
        let dial = self.script.dial.as_ref()?;
        let winner = dial.stage.winner();
        let status = if winner.is_some() { DialStatus::Completed } else { DialStatus::Canceled };
        let bridged = matches!(dial.stage, Stage::Connected(_));
        Some(self.result(status, winner.or(dial.children.last().copied()), bridged))
    }

    /// What the parent heard while it waited is over.
    fn stop_ringback(&mut self) {
        if self.script.dial.as_mut().is_some_and(|dial| std::mem::take(&mut dial.ringback)) {
            self.order(Order::Hush(self.script.leg));
        }
        if self.script.dial.as_mut().is_some_and(|dial| std::mem::take(&mut dial.early)) {
            self.order(Order::Unbridge(self.script.leg));
        }
    }

    fn set_stage(&mut self, stage: Stage) {
        self.script.dial.iter_mut().for_each(|dial| dial.stage = stage);
    }
}

/// What a dial nobody answered came to: the most telling of its parts.
fn summed_up(endings: &[Ending]) -> DialStatus {
    let any = |status| endings.iter().any(|ending| dial_status(ending.status) == status);
    let telling = [DialStatus::NoAnswer, DialStatus::Busy, DialStatus::Failed];
    telling.into_iter().find(|status| any(*status)).unwrap_or(DialStatus::Canceled)
}

fn dial_status(status: Status) -> DialStatus {
    match status {
        Status::NoAnswer => DialStatus::NoAnswer,
        Status::Busy => DialStatus::Busy,
        Status::Failed => DialStatus::Failed,
        Status::Completed => DialStatus::Completed,
        _ => DialStatus::Canceled,
    }
}

fn queued(
    account: &Sid,
    parent: Sid,
    (from, to): (&str, &str),
    target: DialTarget,
    (timeout, time_limit): (Duration, Duration),
) -> Queued {
    Queued {
        account: account.clone(),
        direction: Direction::OutboundDial,
        parent: Some(parent),
        from: from.to_owned(),
        to: to.to_owned(),
        caller_id: None,
        phone_number: None,
        program: None,
        callback: target.status_callback.as_ref().and_then(callback),
        timeout: u32::try_from(timeout.as_secs()).unwrap_or(600),
        time_limit: u32::try_from(time_limit.as_secs()).unwrap_or(14_400),
        send_digits: target.send_digits,
    }
}

fn callback(asked: &twiml::Callback) -> Option<Callback> {
    let method = super::program::method(asked.method);
    let event = |event: &twiml::CallbackEvent| match event {
        twiml::CallbackEvent::Initiated => CallbackEvent::Initiated,
        twiml::CallbackEvent::Ringing => CallbackEvent::Ringing,
        twiml::CallbackEvent::Answered => CallbackEvent::Answered,
        twiml::CallbackEvent::Completed => CallbackEvent::Completed,
    };
    Some(Callback {
        url: asked.url.as_str().parse().ok()?,
        method,
        events: asked.events.iter().map(event).collect(),
    })
}
