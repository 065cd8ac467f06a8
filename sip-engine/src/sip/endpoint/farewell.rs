//! Dialogs that another process had: nobody is left who could end them but us.

use super::Endpoint;
use super::leg::{Leg, Stage};
use crate::sip::command::Farewell;
use crate::sip::dialog::Dialog;
use crate::sip::flow::{Flow, Transport};
use domain::trunk;

/// Why the peer is hung up on (RFC 3326).
const REASON: &str = "SIP;cause=503;text=\"The call was interrupted\"";

impl Endpoint {
    /// `Command::Farewell`: a BYE, repeated like any other. Where there is no room for another leg, the peer's own timers
    /// must do.
    pub(super) fn farewell(&mut self, farewell: Farewell) {
        let Farewell { leg: key, dialog: kept, networks, credentials, local } = farewell;
        let Some(local) = local.filter(|_| self.legs.len() < self.config.max_legs) else { return };
        let transport = match kept.transport {
            trunk::Transport::Udp => Transport::Udp,
            trunk::Transport::Tcp => Transport::Tcp,
        };
        let flow = Flow { transport, peer: kept.peer, local, connection: None };
        let mut leg = Leg::new(key, flow, String::new());
        (leg.networks, leg.credentials) = (networks, credentials);
        leg.realm.clone_from(&kept.realm);
        leg.stage = Stage::Over;
        let mut dialog = Dialog::taken_over(&kept);
        self.send_bye(&mut leg, &mut dialog, &[("Reason".to_owned(), REASON.to_owned())]);
        leg.dialog = Some(dialog);
        self.keep(leg);
    }
}
