//! What a request outside any dialog must pass before it means anything.

use super::Endpoint;
use super::receive::Request;
use crate::sip::build;
use crate::sip::check::{self, Refusal};
use crate::sip::flow::LegKey;

impl Endpoint {
    /// Max-Forwards, methods, schemes, extensions, bodies, merged requests and overload, in that order.
    pub(super) fn admit(&mut self, request: &Request) -> Result<(), Refusal> {
        let message = &request.message;
        if message.headers.text("max-forwards").is_some_and(|left| left.parse() == Ok(0u8)) {
            return Err(Refusal::new(483, "Too Many Hops"));
        }
        check::acceptable(message)?;
        match message.method().unwrap_or_default() {
            "INVITE" | "OPTIONS" => {}
            // BYE, INFO and UPDATE mean nothing without a dialog.
            _ => return Err(Refusal::new(481, "Call/Transaction Does Not Exist")),
        }
        if self.servers.is_merged(&request.key, message) {
            return Err(Refusal::new(482, "Loop Detected"));
        }
        if message.method() == Some("INVITE") && self.legs.len() >= self.config.max_legs {
            self.counts.overloaded += 1;
            let mut refusal = Refusal::new(503, "Service Unavailable");
            refusal.headers.push(("Retry-After", self.config.retry_after.to_string()));
            return Err(refusal);
        }
        Ok(())
    }

    /// OPTIONS: what we can do (RFC 3261 section 11.2).
    pub(super) fn answer_options(&mut self, request: &Request, leg: Option<LegKey>) -> Option<LegKey> {
        let tag = self.tokens.token();
        let mut response = build::response(&request.message, request.flow.peer, 200, None, Some(&tag));
        response.headers.push("Allow", build::ALLOW);
        response.headers.push("Accept", build::ACCEPT);
        response.headers.push("Server", build::AGENT);
        self.answer(request, &response, leg)
    }
}
