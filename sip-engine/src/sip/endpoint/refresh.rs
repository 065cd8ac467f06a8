//! Session timers of a dialog (RFC 4028): agreed on with every INVITE, re-INVITE and UPDATE, kept with an UPDATE where the
//! peer takes one and else with a re-INVITE that changes nothing.

use super::Endpoint;
use super::leg::{Leg, Purpose, Stage};
use crate::sip::build;
use crate::sip::event::{ClosedBy, Event};
use crate::sip::flow::{Flow, LegKey};
use crate::sip::message::Message;
use crate::sip::session::{self, Agreed, Due, OFFERED, SessionTimer};

/// How often an interval that is too short for the peer is made longer (RFC 4028 section 7.3).
const LONGER: u8 = 3;
/// The extension whose absence takes Session-Expires with it.
const TIMER: &str = "timer";
/// Under which these tries are counted with the leg.
const TRIES: &str = "Session-Expires";

impl Endpoint {
    /// Our 2xx to an INVITE or UPDATE says what becomes of the session's timer.
    pub(super) fn agree(&self, leg: &mut Leg, request: &Message, response: &mut Message) {
        leg.heed(request);
        response.headers.push("Supported", build::SUPPORTED);
        let agreed = Agreed::with(request);
        if let Some(agreed) = &agreed {
            response.headers.push("Session-Expires", agreed.header());
            if agreed.told {
                response.headers.push("Require", "timer");
            }
        }
        leg.timer = agreed.map(|agreed| SessionTimer::begin(self.now, agreed.interval, agreed.refresher));
    }

    /// A 2xx of the peer inside the dialog may name another target.
    pub(super) fn move_to(&mut self, leg: &mut Leg, response: &Message) {
        let moved = leg.dialog.as_mut().is_some_and(|dialog| dialog.refresh_target(response));
        self.tell_if_moved(leg, moved);
    }

    pub(super) fn tell_if_moved(&mut self, leg: &Leg, moved: bool) {
        let kept = leg.kept().filter(|_| moved && leg.stage == Stage::Up);
        kept.into_iter().for_each(|dialog| self.tell(Event::Moved { leg: leg.key, dialog }));
    }

    /// What a request of ours says of extensions.
    fn offer(leg: &Leg, request: &mut Message) {
        let known = build::SUPPORTED.split(", ").filter(|known| !leg.left_out.contains(known));
        let known = known.collect::<Vec<_>>().join(", ");
        if !known.is_empty() {
            request.headers.push("Supported", known);
        }
    }

    /// What a request of ours says of extensions, and of the session's timer.
    pub(super) fn offer_timer(leg: &Leg, request: &mut Message) {
        Endpoint::offer(leg, request);
        match (&leg.timer, leg.stage) {
            _ if leg.left_out.contains(&TIMER) => {}
            (Some(timer), _) => request.headers.push("Session-Expires", timer.header()),
            (None, Stage::Early) => request.headers.push("Session-Expires", OFFERED.to_string()),
            (None, _) => {}
        }
    }

    /// A 2xx to such a request.
    pub(super) fn note_timer(&self, leg: &mut Leg, response: &Message) {
        leg.heed(response);
        leg.timer = session::of_answer(self.now, response);
    }

    pub(super) fn on_session_due(&mut self, key: LegKey) {
        let now = self.now;
        let due = self.legs.get_mut(&key).and_then(|leg| leg.timer.as_mut()?.take_due(now));
        match due {
            Some(Due::End) => {
                let reason = "SIP;cause=408;text=\"Session expired\"".to_owned();
                self.end(key, ClosedBy::Expired, &[("Reason".to_owned(), reason)]);
            }
            Some(Due::Refresh) => self.refresh(key),
            None => {}
        }
    }

    fn refresh(&mut self, key: LegKey) {
        let Some(leg) = self.legs.get_mut(&key) else { return };
        let described = leg.described.clone();
        if leg.stage != Stage::Up || leg.is_changing() {
            leg.timer.iter_mut().for_each(|timer| timer.put_off(self.now));
        } else if leg.updates {
            self.send_update(key);
        } else if let Some(sdp) = described {
            self.send_reinvite(key, sdp, false);
        }
    }

    fn send_update(&mut self, key: LegKey) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        if let Some(mut dialog) = leg.dialog.take() {
            let (flow, update) = self.refreshing(&leg, &mut dialog, "UPDATE");
            leg.dialog = Some(dialog);
            self.launch(&mut leg, update, flow, Purpose::Update(key));
        }
        self.keep(leg);
    }

    pub(super) fn on_update_answer(&mut self, key: LegKey, request: &Message, response: &Message) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        let code = response.code().unwrap_or_default();
        match code {
            _ if leg.stage != Stage::Up => {}
            ..200 => {}
            200..300 => {
                self.move_to(&mut leg, response);
                self.note_timer(&mut leg, response);
            }
            401 | 407 if self.retry(&mut leg, request, response, Purpose::Update(key)) => {}
            420 | 422 if Endpoint::gives_way(&mut leg, code, response) => {
                self.keep(leg);
                return self.refresh(key);
            }
            408 | 481 => {
                self.keep(leg);
                return self.end(key, ClosedBy::Gone, &[]);
            }
            405 | 501 => {
                leg.updates = false;
                self.keep(leg);
                return self.refresh(key);
            }
            _ => leg.timer.iter_mut().for_each(|timer| timer.put_off(self.now)),
        }
        self.keep(leg);
    }

    /// The peer wants a change of the session without an extension, or a longer one: from now on it gets it so.
    pub(super) fn gives_way(leg: &mut Leg, code: u16, response: &Message) -> bool {
        if code == 420 { leg.leave_out(response) } else { Endpoint::lengthen(leg, response) }
    }

    fn lengthen(leg: &mut Leg, response: &Message) -> bool {
        let tries = leg.tries.entry(TRIES.to_owned()).or_default();
        *tries += 1;
        let (allowed, least) = (*tries <= LONGER, session::least(response));
        match (&mut leg.timer, least) {
            (Some(timer), Some(least)) if allowed && least > timer.interval => {
                timer.interval = least;
                true
            }
            _ => false,
        }
    }

    /// 420 to the INVITE that makes the leg: it is sent again without what the peer does not know (RFC 3261 section 8.1.3.5).
    pub(super) fn retry_without(
        &mut self,
        leg: &mut Leg,
        flow: Flow,
        request: &Message,
        response: &Message,
    ) -> bool {
        if !leg.leave_out(response) {
            return false;
        }
        let path = self.clients.flow(request).unwrap_or(flow);
        let mut said = vec!["authorization", "proxy-authorization", "supported"];
        if leg.left_out.contains(&TIMER) {
            said.extend(["session-expires", "min-se"]);
        }
        let mut again = self.renewed(leg, request, path, &said);
        Endpoint::offer(leg, &mut again);
        Endpoint::note_retry(leg, Purpose::Invite(leg.key), &again);
        self.launch(leg, again, path, Purpose::Invite(leg.key));
        true
    }

    /// 422 to the INVITE that makes the leg: it is sent again with the interval the peer takes.
    pub(super) fn retry_longer(
        &mut self,
        leg: &mut Leg,
        flow: Flow,
        request: &Message,
        response: &Message,
    ) -> bool {
        let Some(least) = session::least(response).filter(|least| *least > session::interval(request)) else {
            return false;
        };
        let tries = leg.tries.entry(TRIES.to_owned()).or_default();
        *tries += 1;
        if *tries > LONGER {
            return false;
        }
        let path = self.clients.flow(request).unwrap_or(flow);
        let mut again = self.renewed(leg, request, path, &["authorization", "proxy-authorization", "min-se"]);
        again.headers.replace("session-expires", least.to_string());
        again.headers.push("Min-SE", least.to_string());
        Endpoint::note_retry(leg, Purpose::Invite(leg.key), &again);
        self.launch(leg, again, path, Purpose::Invite(leg.key));
        true
    }
}
