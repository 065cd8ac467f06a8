//! Calls that arrive: the INVITE, our answers to it, its ACK and its CANCEL.

use super::Endpoint;
use super::leg::{Leg, Stage, Unacked, Waiting};
use super::receive::Request;
use super::reliable::{Answer, Reliable};
use crate::sip::build;
use crate::sip::check::{self, Refusal};
use crate::sip::dialog::Dialog;
use crate::sip::event::{ClosedBy, Event, IncomingCall};
use crate::sip::flow::LegKey;
use crate::sip::message::Message;
use crate::sip::timers::{GIVE_UP, T1};
use crate::sip::trace::Wire;
use crate::sip::transaction::ServerKey;
use crate::sip::uri::Uri;
use crate::sip::values::{self, CSeq, Via};
use bytes::Bytes;
use ipnet::IpNet;
use std::sync::Arc;
use std::time::Duration;

/// A ringing call repeats its provisional this often, so that no proxy's timer C ends it (RFC 3261 section 13.3.1.1).
pub(super) const STILL_RINGING: Duration = Duration::from_secs(60);

impl Endpoint {
    pub(super) fn on_invite(&mut self, request: Request) -> Option<LegKey> {
        let incoming = incoming_call(LegKey::inbound(self.inbound + 1), &request);
        match (self.config.turns_away)(&incoming) {
            Some(code) => self.turn_away(&request, incoming, code),
            None => self.take_in(request, incoming),
        }
    }

    fn take_in(&mut self, request: Request, mut incoming: IncomingCall) -> Option<LegKey> {
        self.inbound += 1;
        let key = incoming.leg;
        let mut leg = Leg::new(key, request.flow, self.tokens.token());
        leg.dialog = Some(Dialog::of_incoming(&request.message, &leg.local_tag));
        leg.hidden = incoming.private;
        incoming.dialog = leg.kept();
        leg.reliable = Reliable::of(&request.message, self.first_rseq());
        self.servers.open(&request.key, &request.message, request.reply, Some(key));
        let trying = build::response(&request.message, request.flow.peer, 100, None, None);
        self.finish(&request.key, &trying, Some(key));
        self.tell_first(Event::IncomingCall(Box::new(incoming)));
        self.tags.insert(leg.local_tag.clone(), key);
        self.invites.insert(request.key.clone(), key);
        leg.waiting = Some(Waiting {
            server: request.key,
            request: request.message,
            flow: request.flow,
            first: true,
            due: self.now + STILL_RINGING,
        });
        self.keep(leg);
        Some(key)
    }

    /// Where RSeq begins: anywhere, with room to count on (RFC 3262 section 3).
    fn first_rseq(&mut self) -> u32 {
        u32::try_from(self.tokens.number(1 << 30)).unwrap_or_default()
    }

    /// `Command::Confine`.
    pub(super) fn confine(&mut self, key: LegKey, networks: &Arc<[IpNet]>) {
        self.legs.get_mut(&key).into_iter().for_each(|leg| leg.networks = Arc::clone(networks));
    }

    /// `Command::Respond`.
    pub(super) fn respond(
        &mut self,
        key: LegKey,
        code: u16,
        reason: Option<&str>,
        extra: &[(String, String)],
        sdp: Option<Bytes>,
    ) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        let (reason, extra) = (reason.map(str::to_owned), extra.to_vec());
        if leg.waiting.as_ref().is_some_and(|waiting| waiting.accepts(code)) {
            self.say(&mut leg, Answer { code, reason, extra, sdp });
        }
        self.keep(leg);
    }

    pub(super) fn response_of(&self, leg: &mut Leg, waiting: &Waiting, answer: &Answer) -> Message {
        let (request, code, reason) = (&waiting.request, answer.code, answer.reason.as_deref());
        let mut response = build::response(request, waiting.flow.peer, code, reason, Some(&leg.local_tag));
        if code < 300 {
            build::copy_record_route(request, &mut response);
            response.headers.push("Contact", build::contact(&leg.flow, self.config.advertise));
            response.headers.push("Allow", build::ALLOW);
        }
        if (200..300).contains(&code) {
            self.agree(leg, request, &mut response);
            leg.described = answer.sdp.clone().or(leg.described.take());
        }
        response.headers.push("Server", build::AGENT);
        for (name, value) in answer.extra.iter().filter(|(name, _)| check::may_add(name)) {
            response.headers.push(name.clone(), value.clone());
        }
        response.set_body("application/sdp", answer.sdp.clone().unwrap_or_default());
        response
    }

    /// Sends an answer of ours and moves the leg.
    pub(super) fn conclude(&mut self, leg: &mut Leg, waiting: Waiting, response: &Message) {
        let code = response.code().unwrap_or(500);
        let invite = waiting.request.method() == Some("INVITE");
        self.finish(&waiting.server, response, Some(leg.key));
        if code >= 200 {
            self.invites.remove(&waiting.server);
        }
        match code {
            ..200 => leg.waiting = Some(Waiting { due: self.provisional_due(&waiting), ..waiting }),
            200..300 => {
                if waiting.first {
                    leg.stage = Stage::Up;
                }
                if invite {
                    leg.unacked = Some(self.unacked(&waiting, response));
                }
            }
            _ if waiting.first => {
                self.close(leg, |leg| Event::Ended { leg, by: ClosedBy::Us });
            }
            _ => {}
        }
    }

    fn provisional_due(&self, waiting: &Waiting) -> std::time::Instant {
        if waiting.first { self.now + STILL_RINGING } else { waiting.due }
    }

    fn unacked(&self, waiting: &Waiting, response: &Message) -> Unacked {
        Unacked {
            cseq: CSeq::of(&waiting.request).map(|cseq| cseq.number).unwrap_or_default(),
            server: waiting.server.clone(),
            flow: self.servers.flow(&waiting.server).unwrap_or(waiting.flow),
            wire: Wire::new(response),
            offers: waiting.request.sdp().is_none(),
            due: self.now + T1,
            pause: T1,
            until: self.now + GIVE_UP,
        }
    }

    /// An ACK of no refusal: it ends the repetition of a 2xx.
    pub(super) fn on_ack(&mut self, request: &Request) -> Option<LegKey> {
        let key = self.leg_of(&request.message)?;
        let leg = self.legs.get_mut(&key)?;
        let cseq = CSeq::of(&request.message)?.number;
        if leg.unacked.as_ref().is_some_and(|unacked| unacked.cseq == cseq) {
            leg.unacked = None;
            match leg.stage {
                Stage::Over => self.say_farewell(key),
                _ => self.tell(Event::Acknowledged { leg: key, sdp: request.message.sdp() }),
            }
            self.arm(key);
        }
        Some(key)
    }

    /// A CANCEL names an INVITE by its branch, and must come from where the INVITE came from.
    pub(super) fn on_cancel(&mut self, request: &Request, via: &Via) -> Option<LegKey> {
        let invite = ServerKey::of(&request.message, via, &request.flow, "INVITE");
        let known = self.servers.flow(&invite).is_some();
        let key = self.invites.get(&invite).copied();
        let source = request.flow.peer.ip();
        let leg = key.and_then(|key| self.legs.get(&key));
        let same_source = leg.map(|leg| leg.is_of_peer(source));
        if !known || same_source == Some(false) {
            return self.refuse(request, &Refusal::new(481, "Call/Transaction Does Not Exist"), None);
        }
        // The To tag of this 200 is the one of the INVITE's answers (RFC 3261 section 9.2).
        let tag = key.and_then(|key| self.legs.get(&key)).map(|leg| leg.local_tag.clone());
        let tag = tag.unwrap_or_else(|| self.tag_for(&request.message));
        let ok = build::response(&request.message, request.flow.peer, 200, None, Some(&tag));
        self.answer(request, &ok, key);
        self.refuse_waiting(key?, 487, |leg| Event::Cancelled { leg });
        key
    }

    /// Refuses the INVITE that waits, with the closing event if it was the first one.
    pub(super) fn refuse_waiting(&mut self, key: LegKey, code: u16, closing: impl FnOnce(LegKey) -> Event) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        if let Some(waiting) = leg.waiting.take() {
            let response = self.response_of(&mut leg, &waiting, &Answer::plain(code));
            self.finish(&waiting.server, &response, Some(key));
            self.invites.remove(&waiting.server);
            if waiting.first {
                self.close(&mut leg, closing);
            }
        }
        self.keep(leg);
    }
}

/// What an INVITE says of the call it makes.
pub(super) fn incoming_call(leg: LegKey, request: &Request) -> IncomingCall {
    let message = &request.message;
    let text = |name| message.headers.text(name).unwrap_or_default();
    IncomingCall {
        leg,
        source: request.flow.peer,
        transport: request.flow.transport,
        local: request.flow.local,
        dialled: Uri::parse(message.uri()).map(|uri| build::clean(&uri.dialled())).unwrap_or_default(),
        from: values::party(&text("from")).unwrap_or_default(),
        private: values::wants_privacy(message),
        asserted: values::asserted(message),
        hops: values::hops(message),
        call_id: text("call-id").into_owned(),
        sdp: message.sdp(),
        dialog: None,
        turned_away: None,
    }
}
