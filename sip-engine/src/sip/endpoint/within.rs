//! Requests inside a dialog: BYE, re-INVITE, UPDATE, INFO, OPTIONS, and what is refused there.

use super::Endpoint;
use super::incoming::STILL_RINGING;
use super::leg::{Stage, Waiting};
use super::receive::Request;
use crate::sip::build;
use crate::sip::check::{self, Refusal};
use crate::sip::event::{ClosedBy, Event};
use crate::sip::flow::LegKey;
use crate::sip::message::{Message, media_type};
use crate::sip::values::tag;
use std::time::Duration;

/// A change of session the caller has not answered after this is refused with 500, before the peer's transaction ends.
const ANSWER_OFFER: Duration = Duration::from_secs(20);
/// Longest INFO body handed on, bytes.
const MAX_INFO: usize = 4 * 1024;

impl Endpoint {
    /// The leg whose dialog a request names by Call-ID and both tags.
    pub(super) fn leg_of(&self, message: &Message) -> Option<LegKey> {
        let key = *self.tags.get(&tag(message, "to")?)?;
        self.legs.get(&key)?.owns(message).then_some(key)
    }

    pub(super) fn on_request_within(&mut self, request: Request) -> Option<LegKey> {
        let key = self.leg_of(&request.message);
        let ours =
            key.filter(|key| self.legs.get(key).is_some_and(|leg| leg.is_of_peer(request.flow.peer.ip())));
        let Some(key) = ours else {
            // A stranger who knows the tags learns nothing, and nothing happens to the call.
            return self.refuse(&request, &Refusal::new(481, "Call/Transaction Does Not Exist"), None);
        };
        let bye = request.message.method() == Some("BYE");
        if self.legs.get(&key).is_some_and(|leg| leg.stage == Stage::Over && (leg.hung_up || !bye)) {
            return self.refuse(&request, &Refusal::new(481, "Call/Transaction Does Not Exist"), Some(key));
        }
        if let Err(refusal) = check::acceptable(&request.message) {
            return self.refuse(&request, &refusal, Some(key));
        }
        let counted = self.legs.get_mut(&key).and_then(|leg| leg.dialog_of(&request.message));
        if !counted.is_some_and(|dialog| dialog.count_in(&request.message)) {
            return self.refuse(&request, &Refusal::new(500, "CSeq out of order"), Some(key));
        }
        match request.message.method().unwrap_or_default() {
            "BYE" => self.on_bye(key, &request),
            "INVITE" | "UPDATE" => self.on_offer(key, request),
            "PRACK" => self.on_prack(key, &request),
            "INFO" => self.on_info(key, &request),
            _ => self.answer_options(&request, Some(key)),
        }
    }

    pub(super) fn ok(&mut self, key: LegKey, request: &Request) -> Option<LegKey> {
        let mut response = build::response(&request.message, request.flow.peer, 200, None, None);
        if request.message.method() == Some("UPDATE")
            && let Some(mut leg) = self.legs.remove(&key)
        {
            response.headers.push("Contact", build::contact(&leg.flow, self.config.advertise));
            response.headers.push("Allow", build::ALLOW);
            if leg.stage == Stage::Up {
                self.agree(&mut leg, &request.message, &mut response);
            }
            self.keep(leg);
        }
        response.headers.push("Server", build::AGENT);
        self.answer(request, &response, Some(key))
    }

    /// A BYE also ends what still waits: the unanswered INVITE of an early dialog or a re-INVITE get 487.
    fn on_bye(&mut self, key: LegKey, request: &Request) -> Option<LegKey> {
        self.ok(key, request);
        self.refuse_waiting(key, 487, |leg| Event::Cancelled { leg });
        if let Some(mut leg) = self.legs.remove(&key) {
            (leg.farewell, leg.unacked, leg.hung_up) = (None, None, true);
            self.close(&mut leg, |leg| Event::Ended { leg, by: ClosedBy::Remote });
            self.keep(leg);
        }
        Some(key)
    }

    fn on_offer(&mut self, key: LegKey, request: Request) -> Option<LegKey> {
        let leg = self.legs.get_mut(&key)?;
        let invite = request.message.method() == Some("INVITE");
        let sdp = request.message.sdp();
        if let Err(refusal) = check::session(&request.message) {
            return self.refuse(&request, &refusal, Some(key));
        }
        let offers = invite || sdp.is_some();
        // A call we placed that rings may be changed once our offer has its answer (RFC 3311 section 5.1).
        let early = leg.stage == Stage::Early && (invite || !leg.early.iter().any(|early| early.described));
        if offers && (leg.is_asking() || (early && !key.is_inbound())) {
            return self.refuse(&request, &Refusal::new(491, "Request Pending"), Some(key));
        }
        // What has had its final answer is no longer under way, whether or not the ACK has come (RFC 3261 section 14.2).
        if offers && (early || leg.waiting.is_some() || self.servers.is_full()) {
            let mut refusal = Refusal::new(500, "Another change is under way");
            refusal.headers.push(("Retry-After", self.tokens.number(10).to_string()));
            return self.refuse(&request, &refusal, Some(key));
        }
        let moved =
            leg.dialog_of(&request.message).is_some_and(|dialog| dialog.refresh_target(&request.message));
        let kept = leg.kept().filter(|_| moved && leg.stage == Stage::Up);
        kept.into_iter().for_each(|dialog| self.tell(Event::Moved { leg: key, dialog }));
        if !invite && sdp.is_none() {
            return self.ok(key, &request);
        }
        self.wait_for_answer(key, request);
        self.tell(Event::ReOffer { leg: key, sdp });
        Some(key)
    }

    fn wait_for_answer(&mut self, key: LegKey, request: Request) {
        self.servers.open(&request.key, &request.message, request.reply, Some(key));
        if request.message.method() == Some("INVITE") {
            let trying = build::response(&request.message, request.flow.peer, 100, None, None);
            self.finish(&request.key, &trying, Some(key));
            self.invites.insert(request.key.clone(), key);
        }
        if let Some(leg) = self.legs.get_mut(&key) {
            let due = self.now + ANSWER_OFFER.min(STILL_RINGING);
            leg.waiting = Some(Waiting {
                server: request.key,
                request: request.message,
                flow: request.flow,
                first: false,
                due,
            });
        }
        self.arm(key);
    }

    fn on_info(&mut self, key: LegKey, request: &Request) -> Option<LegKey> {
        let message = &request.message;
        if message.body.len() > MAX_INFO {
            return self.refuse(request, &Refusal::new(413, "Request Entity Too Large"), Some(key));
        }
        self.ok(key, request);
        let content_type = media_type(&message.headers.text("content-type").unwrap_or_default());
        self.tell(Event::Info { leg: key, content_type, body: message.body.clone() });
        Some(key)
    }
}
