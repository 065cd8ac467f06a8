//! Calls we place: the INVITE, what comes back, CANCEL, and the answers that come too late.

use super::Endpoint;
use super::leg::{Leg, MAX_ACKS, Placed, Purpose, Stage};
use crate::sip::command::Invite;
use crate::sip::dialog::Dialog;
use crate::sip::event::{ClosedBy, Event};
use crate::sip::flow::{Flow, LegKey};
use crate::sip::message::{Message, Start, reason_phrase};
use crate::sip::trace::Wire;
use crate::sip::uri::Uri;
use crate::sip::values::{CSeq, address_uri, tag};
use crate::sip::{build, check, digest};

impl Endpoint {
    /// `Command::Invite`.
    pub(super) fn invite(&mut self, invite: Invite) {
        let key = invite.leg;
        if self.legs.contains_key(&key) {
            return;
        }
        let (Some(local), true) = (invite.target.local, is_sound(&invite)) else {
            return self.fail(key, 400, "Malformed destination");
        };
        let most = if invite.emergency { self.config.most_for_help() } else { self.config.max_legs };
        if self.legs.going_on() >= most {
            return self.fail(key, 503, "Too many calls");
        }
        let (peer, transport) = (invite.target.next_hop, invite.target.transport);
        let flow = Flow { transport, peer, local, connection: None };
        let mut leg = Leg::new(key, flow, self.tokens.token());
        leg.networks = invite.target.networks.clone();
        let request = self.invite_request(&invite, &leg);
        leg.credentials = invite.credentials;
        let rings_until = Some(self.now + invite.ring_timeout);
        leg.placed = Some(Placed {
            request: request.clone(),
            provisional: false,
            rings: false,
            cancelled: false,
            rings_until,
            silence: invite.silence,
            silent_until: Some(self.now + invite.silence),
            challenged: false,
        });
        self.tags.insert(leg.local_tag.clone(), key);
        self.launch(&mut leg, request, flow, Purpose::Invite(key));
        self.keep(leg);
    }

    fn invite_request(&mut self, invite: &Invite, leg: &Leg) -> Message {
        let advertise = self.config.advertise;
        let mut request = Message::request("INVITE", &invite.target.uri);
        let branch = self.tokens.branch();
        let call_id = invite.call_id.clone().unwrap_or_else(|| self.tokens.token());
        request.headers.push("Via", build::via(&leg.flow, advertise, &branch));
        request.headers.push("Max-Forwards", invite.max_forwards.to_string());
        request.headers.push("From", format!("{};tag={}", invite.from, leg.local_tag));
        request.headers.push("To", invite.to.clone());
        request.headers.push("Call-ID", call_id);
        request.headers.push("CSeq", "1 INVITE");
        request.headers.push("Contact", build::contact(&leg.flow, advertise));
        request.headers.push("Allow", build::ALLOW);
        Endpoint::offer_timer(leg, &mut request);
        request.headers.push("User-Agent", build::AGENT);
        if invite.emergency {
            request.headers.push("Priority", "emergency");
        }
        for (name, value) in invite.headers.iter().filter(|(name, _)| check::may_add(name)) {
            request.headers.push(name.clone(), value.clone());
        }
        request.set_body("application/sdp", invite.sdp.clone());
        request
    }

    /// Opens a client transaction of a leg and sends its request.
    pub(super) fn launch(&mut self, leg: &mut Leg, request: Message, flow: Flow, purpose: Purpose) {
        leg.open += 1;
        let opened = self.clients.open(self.now, request, flow, Some(leg.key), purpose);
        self.ask(flow, opened, leg.key);
    }

    pub(super) fn fail(&mut self, leg: LegKey, code: u16, reason: &str) {
        self.tell(Event::Failed { leg, code, reason: reason.to_owned(), from_peer: false, heard: false });
    }

    pub(super) fn on_invite_answer(
        &mut self,
        flow: Flow,
        key: LegKey,
        request: &Message,
        response: &Message,
    ) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        leg.placed.iter_mut().for_each(|placed| placed.silent_until = None);
        match response.code().unwrap_or_default() {
            ..200 => self.on_progress(&mut leg, flow, request, response),
            200..300 => self.on_accepted(&mut leg, flow, request, response),
            401 | 407
                if leg.stage == Stage::Early
                    && self.retry(&mut leg, request, response, Purpose::Invite(key)) =>
            {
                leg.asked_again(self.now);
            }
            422 if leg.stage == Stage::Early && self.retry_longer(&mut leg, flow, request, response) => {
                leg.asked_again(self.now);
            }
            420 if leg.stage == Stage::Early && self.retry_without(&mut leg, flow, request, response) => {
                leg.asked_again(self.now);
            }
            code => self.on_refused(&mut leg, code, response),
        }
        self.keep(leg);
    }

    fn on_progress(&mut self, leg: &mut Leg, flow: Flow, request: &Message, response: &Message) {
        adopt_connection(leg, flow);
        let Some(placed) = leg.placed.as_mut() else { return };
        let first = !std::mem::replace(&mut placed.provisional, true);
        if placed.cancelled {
            if first {
                self.send_cancel(leg, flow, request);
            }
            return;
        }
        let code = response.code().unwrap_or_default();
        if code > 100 && leg.stage == Stage::Early && self.take_progress(leg, request, response) {
            let invite = leg.begins_to_ring();
            self.tell(Event::Ringing { leg: leg.key, code, sdp: response.sdp(), invite });
        }
    }

    /// A 2xx: the first one makes the dialog, its repetitions are acknowledged again, all others are hung up.
    fn on_accepted(&mut self, leg: &mut Leg, flow: Flow, request: &Message, response: &Message) {
        adopt_connection(leg, flow);
        let number = CSeq::of(request).map(|cseq| cseq.number).unwrap_or_default();
        let id = (tag(response, "to").unwrap_or_default(), number);
        if let Some(again) = leg.acks.get(&id).cloned() {
            return self.send_to(&again, Some(leg.key));
        }
        if leg.acks.len() >= MAX_ACKS {
            return;
        }
        let mut dialog = leg.confirmed(request, response);
        let wanted = leg.stage == Stage::Early;
        self.acknowledge(leg, &mut dialog, number, request);
        if wanted {
            leg.stage = Stage::Up;
            leg.dialog = Some(dialog);
            leg.placed.as_mut().into_iter().for_each(|placed| placed.rings_until = None);
            leg.described = Some(request.body.clone());
            self.note_timer(leg, response);
            let (key, sdp) = (leg.key, response.sdp());
            let kept = leg.kept();
            kept.into_iter()
                .for_each(|dialog| self.tell(Event::Answered { leg: key, sdp: sdp.clone(), dialog }));
        } else {
            self.send_bye(leg, &mut dialog, &[]);
        }
    }

    /// The ACK of a 2xx is a request of its own, kept for repetitions. It carries the INVITE's credentials (RFC 3261
    /// section 22.1).
    pub(super) fn acknowledge(&mut self, leg: &mut Leg, dialog: &mut Dialog, number: u32, invite: &Message) {
        let flow = self.next_hop(leg, dialog);
        let branch = self.tokens.branch();
        let mut ack = dialog.request("ACK", Some(number), &flow, self.config.advertise, &branch);
        for name in digest::CREDENTIALS.iter().filter(|_| flow.peer == leg.flow.peer) {
            for header in invite.headers.all(name) {
                ack.headers.push(header.name.clone(), header.value.clone());
            }
        }
        let wire = Wire::new(&ack);
        let remote = dialog.remote_tag.clone().unwrap_or_default();
        if leg.acks.len() < MAX_ACKS {
            leg.acks.insert((remote, number), (flow, wire.clone()));
        }
        self.send(flow, &wire, Some(leg.key));
    }

    fn on_refused(&mut self, leg: &mut Leg, code: u16, response: &Message) {
        if leg.stage != Stage::Early {
            return;
        }
        let reason = match &response.start {
            Start::Response { reason, .. } if !reason.is_empty() => reason.clone(),
            _ => reason_phrase(code),
        };
        self.close(leg, |leg| Event::Failed { leg, code, reason, from_peer: true, heard: true });
    }

    /// Gives up a call that is not answered: CANCEL at once if a provisional has come, otherwise when one comes.
    pub(super) fn give_up(&mut self, key: LegKey, closing: impl FnOnce(LegKey) -> Event) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        if leg.stage == Stage::Early
            && let Some(placed) = leg.placed.as_mut()
        {
            placed.cancelled = true;
            let (ready, request) = (placed.provisional, placed.request.clone());
            if ready {
                let flow = self.clients.flow(&request).unwrap_or(leg.flow);
                self.send_cancel(&mut leg, flow, &request);
            }
            self.close(&mut leg, closing);
        }
        self.keep(leg);
    }

    /// Nobody responded, or nobody can any more: the caller goes on elsewhere, so this INVITE is not repeated any more. One
    /// of its copies may have arrived all the same: what still comes of it is called off.
    pub(super) fn on_unreached(&mut self, key: LegKey, code: u16, reason: &str) {
        let Some(placed) = self.legs.get(&key).and_then(|leg| leg.placed.as_ref()) else { return };
        self.clients.hush(&placed.request);
        let (reason, heard) = (reason.to_owned(), placed.challenged);
        self.give_up(key, |leg| Event::Failed { leg, code, reason, from_peer: false, heard });
    }

    fn send_cancel(&mut self, leg: &mut Leg, flow: Flow, invite: &Message) {
        let flow = Flow { peer: leg.flow.peer, connection: flow.connection, ..leg.flow };
        self.clients.give_up_soon(self.now, invite);
        self.launch(leg, build::cancel(invite), flow, Purpose::Cancel(leg.key));
    }

    /// `Command::Bye`.
    pub(super) fn hang_up(&mut self, key: LegKey, extra: &[(String, String)]) {
        let Some(stage) = self.legs.get(&key).map(|leg| leg.stage) else { return };
        match stage {
            Stage::Early if key.is_inbound() => self.respond(key, 480, None, extra, None),
            Stage::Early => self.give_up(key, |leg| Event::Cancelled { leg }),
            Stage::Up => self.end(key, ClosedBy::Us, extra),
            Stage::Over => {}
        }
    }

    /// Sends BYE and closes the leg.
    pub(super) fn end(&mut self, key: LegKey, by: ClosedBy, extra: &[(String, String)]) {
        self.refuse_waiting(key, 487, |leg| Event::Ended { leg, by });
        let Some(mut leg) = self.legs.remove(&key) else { return };
        if leg.stage == Stage::Up {
            leg.farewell = Some(extra.to_vec());
            self.close(&mut leg, |leg| Event::Ended { leg, by });
        }
        let ready = leg.unacked.is_none();
        self.keep(leg);
        if ready {
            self.say_farewell(key);
        }
    }

    /// Sends the BYE of a leg that is over, if it has not left yet.
    pub(super) fn say_farewell(&mut self, key: LegKey) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        if let (Some(extra), Some(mut dialog)) = (leg.farewell.take(), leg.dialog.take()) {
            self.send_bye(&mut leg, &mut dialog, &extra);
            leg.dialog = Some(dialog);
        }
        self.keep(leg);
    }

    pub(super) fn send_bye(&mut self, leg: &mut Leg, dialog: &mut Dialog, extra: &[(String, String)]) {
        let (flow, mut bye) = self.in_dialog(leg, dialog, "BYE");
        for (name, value) in extra.iter().filter(|(name, _)| check::may_add(name)) {
            bye.headers.push(name.clone(), value.clone());
        }
        self.launch(leg, bye, flow, Purpose::Bye(leg.key));
    }

    /// The next request of a dialog, and the path it takes.
    pub(super) fn in_dialog(&mut self, leg: &Leg, dialog: &mut Dialog, method: &str) -> (Flow, Message) {
        let (flow, branch) = (self.next_hop(leg, dialog), self.tokens.branch());
        let request = dialog.request(method, None, &flow, self.config.advertise, &branch);
        (flow, request)
    }

    /// The same for one that says where the session is, and how long it lasts.
    pub(super) fn refreshing(&mut self, leg: &Leg, dialog: &mut Dialog, method: &str) -> (Flow, Message) {
        let (flow, mut request) = self.in_dialog(leg, dialog, method);
        request.headers.push("Contact", build::contact(&leg.flow, self.config.advertise));
        request.headers.push("Allow", build::ALLOW);
        Endpoint::offer_timer(leg, &mut request);
        (flow, request)
    }

    pub(super) fn next_hop(&self, leg: &Leg, dialog: &Dialog) -> Flow {
        dialog.next_hop(&leg.flow, &|ip| leg.is_of_peer(ip))
    }
}

/// A TCP answer tells which connection the peer is on.
fn adopt_connection(leg: &mut Leg, flow: Flow) {
    if flow.connection.is_some() && flow.peer.ip() == leg.flow.peer.ip() {
        leg.flow.connection = flow.connection;
    }
}

/// An INVITE that would come out as written: one line each, URIs we can read back.
fn is_sound(invite: &Invite) -> bool {
    let one_line = |text: &str| !text.is_empty() && text.len() < 2048 && !text.chars().any(char::is_control);
    let address = |text: &str| one_line(text) && address_uri(text).and_then(|uri| Uri::parse(&uri)).is_some();
    let uri = &invite.target.uri;
    one_line(uri)
        && !uri.contains(char::is_whitespace)
        && Uri::parse(uri).is_some_and(|uri| uri.is_sip())
        && address(&invite.from)
        && tag_free(&invite.from)
        && invite.call_id.as_deref().is_none_or(is_call_id)
        && address(&invite.to)
}

fn is_call_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.@".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(plain)
}

fn tag_free(from: &str) -> bool {
    crate::sip::text::parameter_value(from, "tag").is_none()
}
