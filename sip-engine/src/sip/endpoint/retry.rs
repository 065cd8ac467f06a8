//! The second try of a request that the peer wants otherwise. A challenged one goes to the hop the INVITE went to and nowhere
//! else, with the leg's own credentials: one answer for each realm that was the first to challenge the INVITE (RFC 3261
//! sections 22.2, 22.3). Who asks later, a callee behind the trunk, would have an answer to guess the password by.

use super::Endpoint;
use super::leg::{Leg, Purpose};
use crate::sip::flow::Flow;
use crate::sip::headers::{Headers, same_name};
use crate::sip::message::{Message, Start};
use crate::sip::values::CSeq;
use crate::sip::{build, digest};

/// How often in a row a nonce may be too old.
const STALE: u8 = 1;

impl Endpoint {
    /// Answers a challenge. False if it must not or cannot be answered: no credentials, another hop than the INVITE went to,
    /// a realm that was not among the first to ask, refused already without a fresh nonce.
    pub(super) fn retry(
        &mut self,
        leg: &mut Leg,
        request: &Message,
        response: &Message,
        purpose: Purpose,
    ) -> bool {
        let path = self.clients.flow(request).unwrap_or(leg.flow);
        let Some(credentials) = leg.credentials.as_ref().filter(|_| path.peer == leg.flow.peer) else {
            return false;
        };
        let first = leg.realms.is_none() && matches!(purpose, Purpose::Invite(_));
        let may_ask = |realm: &str| first || leg.realms.iter().flatten().any(|known| known == realm);
        let answers = digest::answers(response, request, credentials, &mut leg.nonces, may_ask);
        let Some(answers) = answers else { return false };
        if first {
            leg.realms = Some(answers.realms.clone());
        }
        if !may_try(leg, request, answers.stale) {
            return false;
        }
        let again = self.again(leg, request, path, answers);
        Endpoint::note_retry(leg, purpose, &again);
        self.launch(leg, again, path, purpose);
        true
    }

    /// The same request with the next CSeq, a new branch and the answers to all challenges.
    fn again(&mut self, leg: &mut Leg, request: &Message, path: Flow, answers: digest::Answers) -> Message {
        let mut again = self.renewed(leg, request, path, &digest::CREDENTIALS);
        for (name, value) in answers.headers {
            again.headers.push(name, value);
        }
        let method = request.method().unwrap_or_default().to_owned();
        Message { start: Start::Request { method, uri: answers.uri }, ..again }
    }

    /// The same request with the next CSeq of its dialog and a new branch, without these headers.
    pub(super) fn renewed(
        &mut self,
        leg: &mut Leg,
        request: &Message,
        path: Flow,
        without: &[&str],
    ) -> Message {
        let branch = self.tokens.branch();
        let method = request.method().unwrap_or_default();
        let used = CSeq::of(request).map(|cseq| cseq.number).unwrap_or_default();
        let number = leg.dialog_with(request).map_or(used + 1, |dialog| {
            dialog.local_cseq = dialog.local_cseq.max(used) + 1;
            dialog.local_cseq
        });
        let mut headers = Headers::default();
        let left_out = |name: &[u8]| without.iter().any(|left_out| same_name(name, left_out));
        for header in request.headers.iter().filter(|header| !left_out(&header.name)) {
            headers.push(header.name.clone(), header.value.clone());
        }
        headers.replace("via", build::via(&path, self.config.advertise, &branch));
        headers.replace("cseq", format!("{number} {method}"));
        Message { start: request.start.clone(), headers, body: request.body.clone() }
    }
}

/// Whether another nonce that was too old is taken; a request without an answer begins anew.
fn may_try(leg: &mut Leg, request: &Message, stale: bool) -> bool {
    let method = request.method().unwrap_or_default().to_owned();
    let tries = leg.tries.entry(method).or_default();
    if !digest::CREDENTIALS.iter().any(|name| request.headers.get(name).is_some()) {
        *tries = 0;
    }
    *tries += u8::from(stale);
    *tries <= STALE
}
