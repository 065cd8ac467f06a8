//! What a request outside any dialog must pass before it means anything.

use super::Endpoint;
use super::config::RETRY_AFTER;
use super::incoming::incoming_call;
use super::receive::Request;
use crate::sip::build;
use crate::sip::check::{self, Refusal};
use crate::sip::flow::LegKey;
use crate::sip::values;
use std::sync::atomic::Ordering;

impl Endpoint {
    /// Methods, schemes, extensions, bodies, hops, merged requests and overload, in that order.
    pub(super) fn admit(&mut self, request: &Request) -> Result<(), Refusal> {
        let message = &request.message;
        check::acceptable(message)?;
        match message.method().unwrap_or_default() {
            "INVITE" | "OPTIONS" => {}
            // BYE, INFO and UPDATE mean nothing without a dialog.
            _ => return Err(Refusal::new(481, "Call/Transaction Does Not Exist")),
        }
        if message.method() == Some("INVITE") && values::hops(message) == 0 {
            // A call goes on from here, or may: to us a loop looks like any call, except for this (RFC 7332 section 4). An
            // OPTIONS that came this far has reached whom it asks about.
            return Err(Refusal::new(483, "Too Many Hops"));
        }
        check::session(message)?;
        if self.servers.is_merged(&request.key, message) {
            return Err(Refusal::new(482, "Loop Detected"));
        }
        if message.method() == Some("OPTIONS") && self.config.draining.load(Ordering::Acquire) {
            return Err(self.overload());
        }
        if message.method() == Some("INVITE") && !self.has_room_for(request) {
            return Err(self.overload());
        }
        Ok(())
    }

    /// For a call for help there is more.
    fn has_room_for(&self, invite: &Request) -> bool {
        let (source, legs) = (invite.flow.peer.ip(), self.legs.going_on());
        let more = self.servers.has_room_for_help(source) && legs < self.config.most_for_help();
        let room = self.servers.has_room(source) && legs < self.config.max_legs;
        room || (more && (self.config.for_help)(&incoming_call(LegKey::inbound(0), invite)))
    }

    fn overload(&mut self) -> Refusal {
        self.counts.overloaded += 1;
        let mut refusal = Refusal::new(503, "Service Unavailable");
        refusal.headers.push(("Retry-After", RETRY_AFTER.to_string()));
        refusal
    }

    /// OPTIONS: what we can do (RFC 3261 section 11.2).
    pub(super) fn answer_options(&mut self, request: &Request, leg: Option<LegKey>) -> Option<LegKey> {
        let tag = self.tag_for(&request.message);
        let mut response = build::response(&request.message, request.flow.peer, 200, None, Some(&tag));
        response.headers.push("Allow", build::ALLOW);
        response.headers.push("Accept", build::ACCEPT);
        response.headers.push("Supported", build::SUPPORTED);
        response.headers.push("Server", build::AGENT);
        self.answer(request, &response, leg)
    }
}
