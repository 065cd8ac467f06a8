//! How calls of the family end, and what a closed leg's code means.

use super::{
    input::Closing,
    leg::{LegNo, State},
    machine::Machine,
    order::{Order, TimerKey},
};
use domain::call::{CallCommand, EndReason, Ending};

impl Machine {
    /// The call that runs the program ends, and with it everything that does.
    pub(super) fn finish(&mut self, ending: Ending) {
        if self.leg(self.script.leg).is_none_or(|main| main.ended) {
            return;
        }
        let farewell = self.dial_so_far().and_then(|dial| self.script.program.farewell(&dial));
        let asks = self.script.program.interrupt();
        self.honour(asks);
        self.script.events.clear();
        (self.script.fetching, self.script.awaited) = (None, None);
        self.script.sound = None;
        self.abandon_dial();
        self.order(Order::CancelTimer(TimerKey::Verb(self.script.leg)));
        self.order(Order::CancelTimer(TimerKey::TimeLimit(self.script.leg)));
        self.end_leg(self.script.leg, ending);
        if let Some(farewell) = farewell {
            // Nobody waits for it.
            let _ = self.notify(farewell);
        }
    }

    /// Hangs the leg up where signalling is not over, records its end, and closes its media. Once.
    pub(super) fn end_leg(&mut self, no: LegNo, ending: Ending) {
        let Some(leg) = self.legs.get_mut(&no) else { return };
        if leg.ended {
            return;
        }
        leg.ended = true;
        leg.final_status = Some(ending.reason.status(leg.is_answered()));
        if !matches!(leg.state, State::Closing | State::Closed) {
            leg.state = State::Closing;
            self.order(Order::HangUp(no));
        }
        let ending = self.leg(no).map(|leg| leg.measured(ending.clone(), self.now)).unwrap_or(ending);
        self.record(no, CallCommand::End(ending));
        self.order(Order::Release(no));
    }

    /// Turns the leg that runs the program away with this code.
    pub(super) fn refuse(&mut self, code: u16, ending: Ending) {
        if let Some(main) = self.legs.get_mut(&self.script.leg).filter(|main| main.state == State::Early) {
            main.state = State::Closing;
            self.order(Order::Refuse(self.script.leg, code));
        }
        self.finish(ending.with_code(code));
    }
}

/// Why a leg that closed like this has ended.
pub(super) fn ending_of(closing: Closing) -> Ending {
    match closing {
        Closing::Ordered => Ending::because(EndReason::ApplicationHungUp),
        Closing::HungUp => Ending::because(EndReason::HungUp),
        Closing::Cancelled => Ending::because(EndReason::CanceledByCaller),
        Closing::TimedOut => Ending::because(EndReason::NoAnswer),
        Closing::Lost(how) => Ending::because(EndReason::ConnectionLost).with_detail(how),
        Closing::NoMedia { code, detail } => {
            Ending::because(EndReason::MediaFailed).with_code(code).with_detail(detail)
        }
        Closing::Failed { code, reason, from_peer: true, .. } => {
            Ending::because(reason_of(code)).with_code(code).with_detail(reason)
        }
        Closing::Failed { code, reason, from_peer: false, .. } => {
            Ending::because(EndReason::TrunkUnreachable).with_code(code).with_detail(reason)
        }
    }
}

/// Whether another address or trunk may do what this one did not: nobody responded or could be reached, or it said 503.
/// Any other response speaks of the call, and would be the same elsewhere (RFC 3263 section 4.3); so does one that wanted
/// credentials, got them, and is silent.
pub(super) fn is_elsewhere_perhaps(closing: &Closing) -> bool {
    matches!(
        closing,
        Closing::Failed { from_peer: false, heard: false, .. }
            | Closing::Failed { from_peer: true, code: 503, .. }
    )
}

/// The code a caller is turned away with when the party his call was passed on to was not reached: the far end's own,
/// where it speaks of that party. What speaks of our own request (its credentials, extensions, body) is our failure, and a
/// 503 would make the caller's side avoid us for every other number (RFC 3261 section 16.7).
pub(super) fn passed_on(ending: &Ending) -> u16 {
    match (ending.sip_code, ending.reason) {
        (Some(400 | 401 | 405..=407 | 411..=417 | 420..=439 | 481 | 488 | 491..=494 | 503), _) => 500,
        (Some(300..400 | 487), _) => 480,
        (Some(code), _) => code,
        (None, EndReason::Busy) => 486,
        (None, EndReason::NoRoute | EndReason::DestinationNotFound) => 404,
        (None, EndReason::AccountDisabled) => 403,
        (None, EndReason::TrunkUnreachable) => 408,
        (None, EndReason::MediaFailed | EndReason::TrunkFailed | EndReason::InternalError) => 500,
        (None, _) => 480,
    }
}

/// What a final response to our INVITE means (RFC 3261 section 21).
fn reason_of(code: u16) -> EndReason {
    match code {
        486 | 600 => EndReason::Busy,
        603 => EndReason::Declined,
        408 | 480 | 487 => EndReason::NoAnswer,
        404 | 410 | 484 | 604 => EndReason::DestinationNotFound,
        401 | 403 | 407 => EndReason::TrunkRefused,
        488 | 606 => EndReason::MediaFailed,
        _ => EndReason::TrunkFailed,
    }
}
