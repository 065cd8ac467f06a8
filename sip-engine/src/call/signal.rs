//! What signalling, media and the API say, and what the call makes of it.

use super::{
    ending::{ending_of, is_elsewhere_perhaps},
    input::{Closing, Prepared, Signal},
    leg::{Attempt, LegNo, State},
    machine::{Machine, Sound},
    order::Order,
};
use crate::outside::FetchFailure;
use domain::call::{CallCommand, EndReason, Ending, MediaSummary, Purpose, Status};
use std::net::SocketAddr;

/// Twilio's code for bad digits, for want of one for too many.
const TOO_MANY_DIGITS: u32 = 13410;
/// Twilio's code for media that did not come about.
const NO_MEDIA: u32 = 53405;
/// Keys one leg may press; a person does not, and each is a fact for ever.
const MAX_PRESSES: u32 = 1_000;

impl Machine {
    pub(super) fn signalled(&mut self, no: LegNo, signal: Signal) {
        if self.leg(no).is_none_or(|leg| leg.state == State::Closed) {
            return;
        }
        match signal {
            Signal::Closed(closing) => self.closed(no, closing),
            _ if self.leg(no).is_some_and(|leg| leg.ended) => {}
            Signal::Placed { trunk, address, request_uri, sip_call_id, more } => {
                let attempt = Attempt { trunk: trunk.clone(), address: address.clone(), more };
                let leg = self.legs.get_mut(&no);
                let again = leg.is_some_and(|leg| leg.attempt.replace(attempt).is_some());
                self.record(
                    no,
                    if again {
                        CallCommand::Reroute { trunk, address, request_uri, sip_call_id }
                    } else {
                        CallCommand::Initiate { trunk, request_uri, sip_call_id }
                    },
                );
            }
            Signal::Blocked { trunk, address, reason } => {
                self.record(no, CallCommand::FailAttempt { trunk, address, sip_code: None, reason });
            }
            Signal::NotPlaced { reason, code, detail } => self.not_placed(no, reason, code, detail),
            Signal::Ringing(code) => self.rings(no, code, false),
            Signal::BeginsToRing(code) => self.rings(no, code, true),
            Signal::Progress => self.child_progresses(no),
            Signal::EarlyMedia => self.child_sounds(no),
            Signal::Answered => self.answered(no),
            Signal::Acknowledged => self.acknowledged(no),
            Signal::Held(held) => self.record(no, CallCommand::Hold { held }),
        }
    }

    fn not_placed(&mut self, no: LegNo, reason: EndReason, code: Option<u32>, detail: String) {
        if let Some(code) = code {
            let message = detail.clone();
            self.record(self.script.leg, CallCommand::Warn { code, message });
        }
        self.mark_closed(no);
        self.over(no, Ending::because(reason).with_detail(detail));
    }

    fn rings(&mut self, no: LegNo, sip_code: u16, begins: bool) {
        let Some(leg) = self.legs.get_mut(&no) else { return };
        let first = !std::mem::replace(&mut leg.rang, true);
        if first || begins {
            self.record(no, CallCommand::Ring { sip_code, invite: None });
        }
        if first {
            self.child_rings(no);
        }
    }

    fn answered(&mut self, no: LegNo) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(&no).filter(|leg| leg.state == State::Early) else { return };
        leg.state = State::Up;
        leg.answered_at = Some(now);
        if no == self.script.leg {
            self.main_answered();
            self.begin_program();
        } else {
            self.record(no, CallCommand::Answer);
            self.child_answered(no);
        }
    }

    fn acknowledged(&mut self, no: LegNo) {
        let Some(leg) = self.legs.get_mut(&no).filter(|leg| leg.state == State::PickedUp) else { return };
        leg.state = State::Up;
        self.script.events.push_back(twiml::Event::Answered);
        self.main_is_up();
    }

    /// A call we placed is answered: first the digits, then the program.
    fn begin_program(&mut self) {
        self.script.program = twiml::Machine::new(true);
        match self.legs.get_mut(&self.script.leg).and_then(|main| main.send_digits.take()) {
            Some(digits) => {
                let token = self.token();
                self.script.sound = Some(Sound { token, times: 1, is_prelude: true });
                self.order(Order::SendDigits { leg: self.script.leg, token, digits });
            }
            None => self.run(self.script.source.clone(), Purpose::Document),
        }
    }

    fn closed(&mut self, no: LegNo, closing: Closing) {
        let early = self.leg(no).is_some_and(|leg| leg.state == State::Early);
        let elsewhere = early && self.may_go_another_way(no, &closing);
        match closing {
            Closing::NoMedia { code, detail } if early && no == self.script.leg && self.is_inbound() => {
                self.refuse(code, Ending::because(EndReason::MediaFailed).with_detail(detail));
            }
            Closing::Failed { code, reason, from_peer, .. } if elsewhere => {
                let Some(attempt) = self.legs.get(&no).and_then(|leg| leg.attempt.as_ref()) else { return };
                let (trunk, address) = (attempt.trunk.clone(), Some(attempt.address.clone()));
                let sip_code = from_peer.then_some(code);
                self.record(no, CallCommand::FailAttempt { trunk, address, sip_code, reason });
                self.order(Order::TryNext(no));
            }
            closing => {
                self.mark_closed(no);
                self.over(no, ending_of(closing));
            }
        }
    }

    /// RFC 3263 section 4.3: an attempt that met an error, silence or a 503 is made elsewhere, unless somebody's phone
    /// rang already.
    fn may_go_another_way(&self, no: LegNo, closing: &Closing) -> bool {
        let leg = self.leg(no).filter(|leg| !leg.ended && !leg.rang);
        is_elsewhere_perhaps(closing) && leg.and_then(|leg| leg.attempt.as_ref()).is_some_and(|one| one.more)
    }

    pub(super) fn is_inbound(&self) -> bool {
        self.leg(self.script.leg).is_some_and(|main| main.direction == domain::call::Direction::Inbound)
    }

    fn mark_closed(&mut self, no: LegNo) {
        if let Some(leg) = self.legs.get_mut(&no) {
            leg.state = State::Closed;
        }
    }

    /// The leg is over by itself.
    pub(super) fn over(&mut self, no: LegNo, ending: Ending) {
        if no == self.script.leg { self.finish(ending) } else { self.child_over(no, ending) }
    }

    /// A key is held that will be heard when it is let go.
    pub(super) fn key_down(&mut self, no: LegNo) {
        let is_heard = self.leg(no).is_some_and(|leg| !leg.ended && leg.presses < MAX_PRESSES);
        if is_heard && no == self.script.leg {
            self.script.events.push_back(twiml::Event::KeyDown);
        }
    }

    pub(super) fn pressed(&mut self, no: LegNo, digit: char) {
        let Some(leg) = self.legs.get_mut(&no).filter(|leg| !leg.ended && leg.presses <= MAX_PRESSES) else {
            return;
        };
        leg.presses += 1;
        if leg.presses > MAX_PRESSES {
            let message = format!("more than {MAX_PRESSES} keys were pressed; no more are heard");
            return self.record(no, CallCommand::Warn { code: TOO_MANY_DIGITS, message });
        }
        self.record(no, CallCommand::Press { digits: digit.to_string() });
        if no == self.script.leg {
            self.script.events.push_back(twiml::Event::Digit(digit));
        }
    }

    pub(super) fn prepared(&mut self, token: u64, result: Result<Prepared, FetchFailure>) {
        let Some(sound) = self.script.sound.as_ref().filter(|sound| sound.token == token) else { return };
        let times = sound.times;
        match result {
            Ok(Prepared { prompt, warning }) => {
                if let Some(message) = warning {
                    self.record(self.script.leg, CallCommand::Warn { code: 13510, message });
                }
                self.order(Order::Play { leg: self.script.leg, token, prompt, times });
            }
            Err(FetchFailure { code, message }) => {
                self.record(self.script.leg, CallCommand::Warn { code, message });
                self.played(token);
            }
        }
    }

    pub(super) fn played(&mut self, token: u64) {
        if self.script.sound.as_ref().is_some_and(|sound| sound.token == token) {
            let is_prelude = self.script.sound.take().is_some_and(|sound| sound.is_prelude);
            if is_prelude {
                self.run(self.script.source.clone(), Purpose::Document);
            } else {
                self.script.events.push_back(twiml::Event::PlayFinished);
            }
        } else {
            self.child_digits_sent(token);
        }
    }

    pub(super) fn unplayable(&mut self, token: u64) {
        let message = "digits were not sent: at most 256 of 0-9, *, #, A-D, w and W can be".to_owned();
        self.record(self.script.leg, CallCommand::Warn { code: 13410, message });
        self.played(token);
    }

    /// Nobody is heard on this leg any more, whatever signalling says.
    pub(super) fn media_lost(&mut self, no: LegNo) {
        let Some(leg) = self.leg(no).filter(|leg| !leg.ended) else { return };
        let rings = leg.state == State::Early && no == self.script.leg && self.is_inbound();
        let ending = Ending::because(EndReason::MediaFailed).with_detail("its media ended by itself");
        if rings { self.refuse(500, ending) } else { self.over(no, ending) }
    }

    pub(super) fn unheard(&mut self, no: LegNo, source: SocketAddr, packets: u64) {
        let message = format!(
            "nothing was heard: {packets} packets of sound came from elsewhere than the far end said, the last from \
             {source}, and were dropped; if that is its gateway, its network belongs to the trunk's media networks"
        );
        self.record(no, CallCommand::Warn { code: NO_MEDIA, message });
    }

    pub(super) fn released(&mut self, no: LegNo, summary: Option<MediaSummary>) {
        let Some(leg) = self.legs.get_mut(&no).filter(|leg| !leg.released) else { return };
        leg.released = true;
        if let Some(summary) = summary {
            self.record(no, CallCommand::Summarize(summary));
        }
    }

    pub(super) fn end_requested(&mut self, no: LegNo, status: Status) {
        let Some(leg) = self.leg(no) else { return };
        // Who was told that it is canceled was told before the log had the answer that crossed it: it ends all the same
        // (RFC 3261, 9.1: a CANCEL that comes too late is followed by a BYE).
        let reason = match status {
            Status::Canceled if !leg.is_answered() => EndReason::CanceledByApi,
            Status::Completed | Status::Canceled => EndReason::CompletedByApi,
            _ => return,
        };
        self.over(no, Ending::because(reason));
    }
}
