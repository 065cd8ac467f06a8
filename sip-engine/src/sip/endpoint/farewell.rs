//! Dialogs that another process had: nobody is left who could end them but us.

use super::Endpoint;
use super::leg::{Leg, Placed, Purpose, Stage};
use crate::sip::command::Farewell;
use crate::sip::dialog::Dialog;
use crate::sip::event::Event;
use crate::sip::flow::{Flow, Transport};
use crate::sip::message::Message;
use crate::sip::trace::Wire;
use crate::sip::values::{CSeq, Via, tag};
use domain::trunk;
use std::time::Duration;

/// Why the peer is hung up on (RFC 3326).
const REASON: &str = "SIP;cause=503;text=\"The call was interrupted\"";

impl Endpoint {
    /// `Command::Farewell`: a BYE, repeated like any other, or a CANCEL to who still rings.
    pub(super) fn farewell(&mut self, farewell: Farewell) {
        let Farewell { leg: key, dialog: kept, networks, credentials, local } = farewell;
        let Some(local) = local else { return };
        let transport = match kept.transport {
            trunk::Transport::Udp => Transport::Udp,
            trunk::Transport::Tcp => Transport::Tcp,
        };
        let flow = Flow { transport, peer: kept.peer, local, connection: None };
        let mut leg = Leg::new(key, flow, String::new());
        (leg.networks, leg.credentials) = (networks, credentials);
        leg.realms = kept.realm.clone().map(|realm| vec![realm]);
        if let Some(invite) = Dialog::placed_again(&kept) {
            return self.call_off(leg, &invite);
        }
        leg.stage = Stage::Over;
        let mut dialog = Dialog::taken_over(&kept);
        self.send_bye(&mut leg, &mut dialog, &[("Reason".to_owned(), REASON.to_owned())]);
        leg.dialog = Some(dialog);
        self.keep(leg);
    }

    /// An INVITE that has no answer is taken over as if it had just begun to ring, and given up: what still comes of it is
    /// acknowledged, and hung up.
    fn call_off(&mut self, mut leg: Leg, invite: &Message) {
        let key = leg.key;
        leg.local_tag = tag(invite, "from").unwrap_or_default();
        self.tags.insert(leg.local_tag.clone(), key);
        leg.placed = Some(Placed {
            request: invite.clone(),
            provisional: true,
            rings: true,
            cancelled: false,
            rings_until: None,
            silence: Duration::ZERO,
            silent_until: None,
            challenged: false,
        });
        // It has been sent.
        self.clients.open(self.now, invite.clone(), leg.flow, Some(key), Purpose::Invite(key));
        self.clients.hush(invite);
        leg.open += 1;
        self.keep(leg);
        self.give_up(key, |leg| Event::Cancelled { leg });
    }

    /// The answer to a call of a process that is gone: it rang, and now somebody has picked up. They are hung up on, each
    /// time they say so, and nothing is kept of it.
    pub(super) fn decline(&mut self, flow: Flow, response: &Message) {
        let Some(cseq) = CSeq::of(response).filter(|cseq| cseq.method == "INVITE") else { return };
        let answered = response.code().is_some_and(|code| (200..300).contains(&code));
        let ours = tag(response, "from").is_none_or(|tag| self.tags.contains_key(&tag));
        if !answered || ours || tag(response, "to").is_none() || !self.knows(flow.peer.ip()) {
            return;
        }
        let Some(mut dialog) = Dialog::of_stray(response, cseq.number) else { return };
        let path = dialog.next_hop(&flow, &|ip| ip == flow.peer.ip());
        for (method, number) in [("ACK", Some(cseq.number)), ("BYE", None)] {
            let branch = format!("{}{}{method}", Via::COOKIE, self.tag_for(response));
            let request = dialog.request(method, number, &path, self.config.advertise, &branch);
            self.send(path, &Wire::new(&request), None);
        }
    }
}
