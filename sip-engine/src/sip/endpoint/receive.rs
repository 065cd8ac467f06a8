//! From bytes to the one place that deals with a message: repeated, in a dialog, a new call, or refused.

use super::config::{NO_SOURCE, TurnedAway};
use super::leg::Stage;
use super::{Endpoint, Purpose};
use crate::sip::build;
use crate::sip::check::{self, Refusal};
use crate::sip::flow::{Flow, LegKey, Transport};
use crate::sip::framing::Frame;
use crate::sip::message::Message;
use crate::sip::parse::{Malformed, parse_datagram};
use crate::sip::trace::Wire;
use crate::sip::transaction::{ServerKey, Taken, Verdict};
use crate::sip::values::{Via, tag};
use bytes::Bytes;
use std::net::IpAddr;
use std::sync::Arc;

/// Longest branch of a request that is read, bytes.
const MAX_BRANCH: usize = 256;

/// A request on its way through the endpoint.
pub(super) struct Request {
    pub message: Arc<Message>,
    /// The path it came by.
    pub flow: Flow,
    /// The path its responses take.
    pub reply: Flow,
    pub key: ServerKey,
}

impl Endpoint {
    pub(super) fn on_datagram(&mut self, flow: Flow, bytes: &Bytes) {
        match parse_datagram(bytes) {
            Ok(message) => self.on_message(flow, message, bytes),
            Err(Malformed::KeepAlive) => {}
            Err(malformed) => self.on_malformed(flow, malformed),
        }
    }

    pub(super) fn on_frame(&mut self, flow: Flow, frame: Frame) {
        match frame {
            Frame::Message(message, bytes) => self.on_message(flow, message, &bytes),
            Frame::Refuse(malformed) => self.on_malformed(flow, malformed),
            Frame::Ping => {}
        }
    }

    fn on_malformed(&mut self, flow: Flow, malformed: Malformed) {
        self.counts.malformed += 1;
        if let Malformed::Refuse { code, reason, message } = malformed {
            self.refuse_stateless(flow, &message, &Refusal::new(code, reason));
        }
    }

    fn on_message(&mut self, flow: Flow, message: Message, bytes: &Bytes) {
        // The trace needs the leg, which is known when the message was dealt with; it is told first all the same.
        let message = Arc::new(message);
        let leg = if message.method().is_some() {
            self.on_request(flow, Arc::clone(&message))
        } else {
            self.on_response(flow, &message)
        };
        if let Some(leg) = leg {
            self.legs.get_mut(&leg).into_iter().for_each(|leg| leg.unreached = 0);
            self.trace_in(flow, &message, bytes, leg);
        }
    }

    fn on_request(&mut self, flow: Flow, message: Arc<Message>) -> Option<LegKey> {
        let short = |via: &Via| via.branch.as_ref().is_none_or(|branch| branch.len() <= MAX_BRANCH);
        let Some(via) = Via::of(&message).filter(short) else {
            self.counts.malformed += 1;
            return None;
        };
        if let Err(refusal) = check::request(&message) {
            self.counts.malformed += 1;
            self.refuse_stateless(flow, &message, &refusal);
            return None;
        }
        let method = message.method().unwrap_or_default().to_owned();
        let as_method = if method == "ACK" { "INVITE" } else { method.as_str() };
        let key = ServerKey::of(&message, &via, &flow, as_method);
        match self.servers.take(self.now, &key, &method) {
            Taken::Repeated(again, leg) => {
                again.into_iter().for_each(|again| self.send_to(&again, leg));
                return leg;
            }
            Taken::Acknowledged(leg) => return leg,
            Taken::New => {}
        }
        let reply = reply_flow(&flow, &via);
        let request = Request { message, flow, reply, key };
        match method.as_str() {
            "ACK" => self.on_ack(&request),
            "CANCEL" => self.on_cancel(&request, &via),
            _ => self.on_new_request(request),
        }
    }

    fn on_new_request(&mut self, request: Request) -> Option<LegKey> {
        if tag(&request.message, "to").is_some() {
            return self.on_request_within(request);
        }
        if !self.knows(request.flow.peer.ip()) {
            // Somebody we called, but nobody who may call us.
            self.counts.unknown_callers += 1;
            let (source, reason) = (request.flow.peer.ip(), NO_SOURCE.to_owned());
            (self.config.turned_away)(TurnedAway { source, code: None, method: String::new(), reason });
            return None;
        }
        match self.admit(&request) {
            Ok(()) if request.message.method() == Some("INVITE") => self.on_invite(request),
            Ok(()) => self.answer_options(&request, None),
            Err(refusal) => {
                self.note(request.flow.peer.ip(), &request.message, &refusal);
                self.refuse(&request, &refusal, None)
            }
        }
    }

    fn on_response(&mut self, flow: Flow, response: &Message) -> Option<LegKey> {
        if !check::response(response) {
            self.counts.malformed += 1;
            return None;
        }
        if !self.may_answer(&flow, response) {
            self.counts.stray_responses += 1;
            return None;
        }
        match self.clients.take(self.now, response) {
            Verdict::Unknown => {
                self.counts.stray_responses += 1;
                self.decline(flow, response);
                None
            }
            Verdict::Swallow(ack, leg) => {
                ack.into_iter().for_each(|ack| self.send_to(&ack, leg));
                leg
            }
            Verdict::Deliver { purpose, request, ack } => {
                let leg = Some(purpose.leg());
                ack.into_iter().for_each(|ack| self.send_to(&ack, leg));
                self.on_answer(flow, purpose, &request, response);
                leg
            }
        }
    }

    /// Whoever has seen a branch of ours may still not answer for whom it was meant: a response says of the request what
    /// that said of itself (RFC 3261 sections 8.1.3.3, 12.2.1.2, 17.1.3), and comes from where it went, or from another
    /// address of that peer. One that names no request of ours is not for here to judge.
    fn may_answer(&self, flow: &Flow, response: &Message) -> bool {
        let Some((request, asked, purpose)) = self.clients.asked(response) else { return true };
        let source = flow.peer.ip();
        let is_asked = asked.peer.ip().to_canonical() == source.to_canonical();
        let is_there = is_asked || self.legs.get(&purpose.leg()).is_some_and(|leg| leg.is_of_peer(source));
        is_there && flow.transport == asked.transport && check::answers(request, response)
    }

    fn on_answer(&mut self, flow: Flow, purpose: Purpose, request: &Message, response: &Message) {
        match purpose {
            Purpose::Invite(leg) => self.on_invite_answer(flow, leg, request, response),
            Purpose::Reinvite(leg) => self.on_reinvite_answer(leg, request, response),
            Purpose::Bye(leg) => self.on_bye_answer(leg, request, response),
            Purpose::Info(leg) => self.on_info_answer(leg, request, response),
            Purpose::Prack(leg) => self.on_prack_answer(leg, request, response),
            Purpose::Update(leg) => self.on_update_answer(leg, request, response),
            Purpose::Cancel(_) => {}
        }
    }

    /// Answers a request: in a transaction of its own, or without one where it belongs to no leg or there are too many. A
    /// repetition is then answered again, with the same tag (RFC 3261 section 8.2.7).
    pub(super) fn answer(
        &mut self,
        request: &Request,
        response: &Message,
        leg: Option<LegKey>,
    ) -> Option<LegKey> {
        if leg.is_some_and(|leg| !self.servers.is_full() || self.is_goodbye(request, leg)) {
            self.servers.open(&request.key, &request.message, request.reply, leg);
            self.finish(&request.key, response, leg);
        } else {
            self.send(request.reply, &Wire::new(response), leg);
        }
        leg
    }

    /// The BYE that ends a leg, which will not be there to answer its repetition. There is but one a leg.
    fn is_goodbye(&self, request: &Request, leg: LegKey) -> bool {
        let lives = self.legs.get(&leg).is_some_and(|leg| leg.stage != Stage::Over);
        lives && request.message.method() == Some("BYE")
    }

    /// Answers a request whose transaction is open.
    pub(super) fn finish(&mut self, key: &ServerKey, response: &Message, leg: Option<LegKey>) {
        let wire = Wire::new(response);
        let code = response.code().unwrap_or(500);
        let sent = self.servers.respond(self.now, key, code, &wire);
        sent.into_iter().for_each(|sent| self.send_to(&sent, leg));
    }

    pub(super) fn refuse(
        &mut self,
        request: &Request,
        refusal: &Refusal,
        leg: Option<LegKey>,
    ) -> Option<LegKey> {
        let response = self.refusal(request.flow, &request.message, refusal);
        self.answer(request, &response, leg)
    }

    pub(super) fn refusal(&self, flow: Flow, message: &Message, refusal: &Refusal) -> Message {
        let to_tag = self.tag_for(message);
        let mut response =
            build::response(message, flow.peer, refusal.code, Some(refusal.reason), Some(&to_tag));
        for (name, value) in &refusal.headers {
            response.headers.push(*name, value.clone());
        }
        response.headers.push("Server", build::AGENT);
        response
    }

    /// The tag of answers that are given without a leg: always the same for the same request.
    pub(super) fn tag_for(&self, message: &Message) -> String {
        let values = ["via", "from", "call-id", "cseq"].map(|name| message.headers.get(name));
        let values: Vec<&[u8]> = values.iter().flatten().map(|header| header.value.as_ref()).collect();
        self.tokens.derived(&values.join(&b'\n'))
    }

    /// Answers without remembering anything. An ACK is never answered, nor is what does not say where it came from.
    fn refuse_stateless(&mut self, flow: Flow, message: &Message, refusal: &Refusal) {
        let (Some(via), false) = (Via::of(message), message.method() == Some("ACK")) else { return };
        self.note(flow.peer.ip(), message, refusal);
        let response = self.refusal(flow, message, refusal);
        self.send(reply_flow(&flow, &via), &Wire::new(&response), None);
    }

    pub(super) fn knows(&self, ip: IpAddr) -> bool {
        (self.config.known)(ip)
    }
}

/// Responses go back where the request came from; TCP uses the same connection.
fn reply_flow(flow: &Flow, via: &Via) -> Flow {
    match flow.transport {
        Transport::Udp => Flow { peer: via.reply_to(flow.peer), ..*flow },
        Transport::Tcp => *flow,
    }
}
