//! What comes to nothing before there is a call, and calls refused at routing: one answer for one request, and nothing kept (RFC 3261 section 8.2.7). A refusal that was
//! repeated until its ACK would send eleven times what a forged source has sent.

use super::receive::Request;
use super::{Endpoint, TurnedAway};
use crate::sip::build;
use crate::sip::check::Refusal;
use crate::sip::event::{ClosedBy, Event, IncomingCall};
use crate::sip::flow::LegKey;
use crate::sip::message::Message;
use crate::sip::trace::Wire;
use crate::sip::transaction::ServerKey;
use std::collections::{HashSet, VecDeque};
use std::net::IpAddr;

/// Refused requests that are told apart from their repetitions.
const REMEMBERED: usize = 4_096;

/// The last requests that were refused: their repetitions are answered again and told of no more.
#[derive(Debug, Default)]
pub(super) struct Repetitions {
    known: HashSet<ServerKey>,
    order: VecDeque<ServerKey>,
}

impl Repetitions {
    /// Whether this one is new.
    fn remember(&mut self, key: &ServerKey) -> bool {
        if !self.known.insert(key.clone()) {
            return false;
        }
        self.order.push_back(key.clone());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

impl Endpoint {
    /// Tells of a request that was refused before there was a call.
    pub(super) fn note(&self, source: IpAddr, message: &Message, refusal: &Refusal) {
        let more: Vec<String> =
            refusal.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
        let method = message.method().unwrap_or_default().chars().take(32).collect();
        let reason = format!("{}{more}", refusal.reason).chars().take(160).collect();
        (self.config.turned_away)(TurnedAway { source, code: Some(refusal.code), method, reason });
    }

    /// Refuses a call that will have no leg. The caller is told of it, and at once that it is over.
    pub(super) fn turn_away(
        &mut self,
        request: &Request,
        mut incoming: IncomingCall,
        code: u16,
    ) -> Option<LegKey> {
        let tag = self.tag_for(&request.message);
        let mut response = build::response(&request.message, request.flow.peer, code, None, Some(&tag));
        response.headers.push("Server", build::AGENT);
        let refusal = Refusal::new(code, if code == 404 { "No such number" } else { "Not for this caller" });
        let leg = self.turned_away.remember(&request.key).then_some(incoming.leg);
        if let Some(leg) = leg {
            self.note(request.flow.peer.ip(), &request.message, &refusal);
            self.inbound += 1;
            incoming.turned_away = Some(code);
            self.tell_first(Event::IncomingCall(Box::new(incoming)));
            self.send(request.reply, &Wire::new(&response), Some(leg));
            self.tell(Event::Ended { leg, by: ClosedBy::Us });
        } else {
            self.send(request.reply, &Wire::new(&response), None);
        }
        leg
    }
}
