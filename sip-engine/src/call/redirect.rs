//! Redirection: another program for a call that runs one, or one of its own for a dialled call, which leaves its `<Dial>`.

use super::{
    leg::LegNo,
    machine::{LONGEST_CALL, Machine},
    order::{Order, TimerKey},
    script::Script,
};
use domain::call::{EndReason, Program, Purpose};
use std::time::Duration;

/// How long the action of a dial that a redirect ended may take before what it is redirected to is asked all the same. It
/// comes first, as with Twilio: an application that notes where a call is would else be overwritten by its own past.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

impl Machine {
    /// The API wants this leg to run another program.
    pub(super) fn redirected(&mut self, no: LegNo, program: Program) {
        let Some(leg) = self.leg(no).filter(|leg| !leg.ended) else { return };
        if no == self.script.leg {
            self.begin_again(program);
        } else if leg.is_answered() {
            self.leave_dial(no);
            self.begin_of_its_own(no, program);
        }
        // A dialled call that nobody answered has nothing to run a program on; the domain refuses that.
    }

    fn begin_again(&mut self, program: Program) {
        self.script.source = program;
        self.script.last_word = EndReason::ApplicationHungUp;
        let is_answered = self.leg(self.script.leg).is_some_and(super::leg::Leg::is_answered);
        let in_prelude = self.script.sound.as_ref().is_some_and(|sound| sound.is_prelude);
        if (!self.is_inbound() && !is_answered) || in_prelude || self.script.awaited.is_some() {
            return;
        }
        let farewell = self.dial_so_far().and_then(|dial| self.script.program.farewell(&dial));
        let asks = self.script.program.interrupt();
        self.honour(asks);
        self.script.events.clear();
        self.script.fetching = None;
        self.script.awaited = farewell.and_then(|farewell| self.notify(farewell));
        match self.script.awaited {
            Some(_) => self.order(Order::SetTimer(TimerKey::Verb(self.script.leg), LONGEST_WAIT)),
            None => self.run(self.script.source.clone(), Purpose::Document),
        }
    }

    /// The action has answered, or taken its time: the program that was waiting for that begins.
    pub(super) fn begin_awaited(&mut self) {
        self.script.awaited = None;
        self.order(Order::CancelTimer(TimerKey::Verb(self.script.leg)));
        self.run(self.script.source.clone(), Purpose::Document);
    }

    /// The dialled call runs a program of its own beside the one that dialled it, and lasts as long as any call may: the
    /// dial's limit was for the two of them.
    fn begin_of_its_own(&mut self, no: LegNo, program: Program) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(&no) else { return };
        (leg.script, leg.limit) = (no, LONGEST_CALL);
        let lasted = leg.answered_at.map(|at| now.since(at)).unwrap_or_default();
        self.put(Script::new(no, true, program.clone()));
        self.order(Order::SetTimer(TimerKey::TimeLimit(no), LONGEST_CALL.saturating_sub(lasted)));
        self.run(program, Purpose::Document);
    }
}
