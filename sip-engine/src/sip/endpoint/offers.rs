//! Our re-INVITE, and what the answers to it and to a BYE mean for the dialog.

use super::Endpoint;
use super::leg::{Leg, Offered, Purpose, Stage};
use crate::sip::event::{ClosedBy, Event};
use crate::sip::flow::LegKey;
use crate::sip::message::Message;
use crate::sip::timers::GIVE_UP;
use crate::sip::values::CSeq;
use bytes::Bytes;
use std::time::Duration;

impl Endpoint {
    /// `Command::Reinvite`.
    pub(super) fn reinvite(&mut self, key: LegKey, sdp: Bytes) {
        let Some(leg) = self.legs.get(&key) else { return };
        if leg.stage != Stage::Up || leg.is_changing() {
            if leg.stage != Stage::Over {
                self.tell(Event::ReofferFailed { leg: key, code: 491 });
            }
            return;
        }
        self.send_reinvite(key, sdp, false);
    }

    pub(super) fn send_reinvite(&mut self, key: LegKey, sdp: Bytes, retried: bool) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        if let Some(mut dialog) = leg.dialog.take() {
            let (flow, mut request) = self.refreshing(&leg, &mut dialog, "INVITE");
            request.set_body("application/sdp", sdp.clone());
            leg.dialog = Some(dialog);
            leg.offered =
                Some(Offered { request: Some(request.clone()), sdp, due: self.now + GIVE_UP, retried });
            self.launch(&mut leg, request, flow, Purpose::Reinvite(key));
        }
        self.keep(leg);
    }

    pub(super) fn on_reinvite_answer(&mut self, key: LegKey, request: &Message, response: &Message) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        let code = response.code().unwrap_or_default();
        match code {
            ..200 => {}
            200..300 => self.on_reoffer_accepted(&mut leg, request, response),
            401 | 407 if self.retry(&mut leg, request, response, Purpose::Reinvite(key)) => {}
            _ if leg.stage == Stage::Over => {}
            491 if self.try_again(&mut leg) => {}
            420 | 422 if Endpoint::gives_way(&mut leg, code, response) => {
                let offered = leg.offered.take();
                self.keep(leg);
                return offered.into_iter().for_each(|offered| self.send_reinvite(key, offered.sdp, true));
            }
            408 | 481 => {
                self.keep(leg);
                return self.end(key, ClosedBy::Gone, &[]);
            }
            _ => {
                leg.timer.iter_mut().for_each(|timer| timer.put_off(self.now));
                if leg.offered.take().is_some() {
                    self.tell(Event::ReofferFailed { leg: key, code });
                }
            }
        }
        self.keep(leg);
    }

    fn on_reoffer_accepted(&mut self, leg: &mut Leg, request: &Message, response: &Message) {
        let number = CSeq::of(request).map(|cseq| cseq.number).unwrap_or_default();
        let Some(mut dialog) = leg.dialog.take() else { return };
        let id = (dialog.remote_tag.clone().unwrap_or_default(), number);
        let mut moved = false;
        if let Some(again) = leg.acks.get(&id).cloned() {
            self.send_to(&again, Some(leg.key));
        } else {
            // Old ACKs will not be asked for again once a newer INVITE is answered.
            leg.acks.retain(|(_, old), _| old + 8 > number);
            moved = dialog.refresh_target(response);
            self.acknowledge(leg, &mut dialog, number, request);
            self.report_reoffered(leg, request, response);
        }
        leg.dialog = Some(dialog);
        self.tell_if_moved(leg, moved);
    }

    fn report_reoffered(&mut self, leg: &mut Leg, request: &Message, response: &Message) {
        let current = leg.offered.as_ref().and_then(|offered| offered.request.as_ref());
        if leg.stage == Stage::Up && current.map(CSeq::of) == Some(CSeq::of(request)) {
            leg.offered = None;
            leg.described = Some(request.body.clone());
            self.note_timer(leg, response);
            self.tell(Event::Reoffered { leg: leg.key, sdp: response.sdp() });
        }
    }

    /// RFC 3261 section 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other side up to 2 s. Once.
    fn try_again(&mut self, leg: &mut Leg) -> bool {
        let step = self.tokens.number(191);
        let Some(offered) = leg.offered.as_mut().filter(|offered| !offered.retried) else { return false };
        let wait = if leg.key.is_inbound() { step * 10 } else { 2_100 + step * 10 };
        offered.request = None;
        offered.due = self.now + Duration::from_millis(wait);
        true
    }

    pub(super) fn on_bye_answer(&mut self, key: LegKey, request: &Message, response: &Message) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        if matches!(response.code(), Some(401 | 407)) {
            self.retry(&mut leg, request, response, Purpose::Bye(key));
        }
        self.keep(leg);
    }

    /// Puts a request of ours that changed hands (new CSeq) back as the one the leg waits for.
    pub(super) fn note_retry(leg: &mut Leg, purpose: Purpose, request: &Message) {
        match purpose {
            Purpose::Invite(_) => {
                if let Some(placed) = leg.placed.as_mut() {
                    placed.request = request.clone();
                    (placed.provisional, placed.rings) = (false, false);
                }
            }
            Purpose::Reinvite(_) => {
                leg.offered.as_mut().into_iter().for_each(|offered| offered.request = Some(request.clone()));
            }
            _ => {}
        }
    }
}
