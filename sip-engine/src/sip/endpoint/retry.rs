//! The second try of a challenged request: only to the hop the INVITE went to, only with the leg's own credentials, and only
//! for the realm that challenged the INVITE. A realm that first shows up later is not the trunk: it is whoever was reached
//! through it (RFC 3261 section 22.1 lets us decline).

use super::Endpoint;
use super::leg::{Leg, Purpose};
use crate::sip::flow::Flow;
use crate::sip::headers::{Headers, same_name};
use crate::sip::message::{Message, Start};
use crate::sip::values::CSeq;
use crate::sip::{build, digest};

impl Endpoint {
    /// Answers a challenge. False if it must not or cannot be answered: no credentials, another sender than the hop the
    /// INVITE went to, a realm that did not challenge the INVITE, refused already without a fresh nonce.
    pub(super) fn retry(
        &mut self,
        leg: &mut Leg,
        flow: Flow,
        request: &Message,
        response: &Message,
        purpose: Purpose,
    ) -> bool {
        let asked_before = leg.realm.is_some() || matches!(purpose, Purpose::Invite(_));
        let same_hop = flow.peer.ip() == leg.flow.peer.ip();
        if !asked_before || !same_hop || !may_try(leg, request, response) {
            return false;
        }
        let Some(credentials) = leg.credentials.as_ref() else { return false };
        let Some(answer) = digest::answer(response, request, credentials, leg.realm.as_deref()) else {
            return false;
        };
        let path = self.clients.flow(request).unwrap_or(leg.flow);
        if path.peer != leg.flow.peer {
            return false;
        }
        leg.realm.get_or_insert_with(|| answer.realm.clone());
        let again = self.again(leg, request, path, answer);
        let mut dialog = leg.dialog.take();
        Endpoint::note_retry(leg, purpose, &again, dialog.as_mut());
        leg.dialog = dialog;
        self.launch(leg, again, path, purpose);
        true
    }

    /// The same request with the next CSeq, a new branch and the answer to the challenge.
    fn again(&mut self, leg: &Leg, request: &Message, path: Flow, answer: digest::Answer) -> Message {
        let mut again = self.renewed(leg, request, path, &[answer.name]);
        again.headers.push(answer.name, answer.value);
        let method = request.method().unwrap_or_default().to_owned();
        Message { start: Start::Request { method, uri: answer.uri }, ..again }
    }

    /// The same request with the next CSeq and a new branch, without these headers.
    pub(super) fn renewed(&mut self, leg: &Leg, request: &Message, path: Flow, without: &[&str]) -> Message {
        let branch = self.tokens.branch();
        let method = request.method().unwrap_or_default();
        let used = CSeq::of(request).map(|cseq| cseq.number).unwrap_or_default();
        let last = leg.dialog.as_ref().map_or(used, |dialog| dialog.local_cseq.max(used));
        let mut headers = Headers::default();
        let left_out = |name: &[u8]| without.iter().any(|left_out| same_name(name, left_out));
        for header in request.headers.iter().filter(|header| !left_out(&header.name)) {
            headers.push(header.name.clone(), header.value.clone());
        }
        headers.replace("via", build::via(&path, self.config.advertise, &branch));
        headers.replace("cseq", format!("{} {method}", last + 1));
        Message { start: request.start.clone(), headers, body: request.body.clone() }
    }
}

/// A first try always; a second one only if the peer says the nonce was stale.
fn may_try(leg: &mut Leg, request: &Message, response: &Message) -> bool {
    let method = request.method().unwrap_or_default().to_owned();
    let carried =
        ["authorization", "proxy-authorization"].iter().any(|name| request.headers.get(name).is_some());
    let stale = digest::is_stale(response, leg.realm.as_deref());
    let tries = leg.tries.entry(method).or_default();
    if !carried {
        *tries = 0;
    }
    let allowed = *tries == 0 || (*tries == 1 && stale);
    *tries += 1;
    allowed
}
