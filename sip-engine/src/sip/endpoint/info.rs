//! Our INFO: a key for a peer that tells its own keys so.

use super::Endpoint;
use super::leg::{Purpose, Stage};
use crate::sip::flow::LegKey;
use crate::sip::message::Message;
use bytes::Bytes;

impl Endpoint {
    /// `Command::Info`.
    pub(super) fn inform(&mut self, key: LegKey, content_type: &'static str, body: Bytes) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        if leg.stage == Stage::Up
            && let Some(mut dialog) = leg.dialog.take()
        {
            let (flow, mut info) = self.in_dialog(&leg, &mut dialog, "INFO");
            info.set_body(content_type, body);
            leg.dialog = Some(dialog);
            self.launch(&mut leg, info, flow, Purpose::Info(key));
        }
        self.keep(leg);
    }

    pub(super) fn on_info_answer(&mut self, key: LegKey, request: &Message, response: &Message) {
        let Some(mut leg) = self.legs.remove(&key) else { return };
        if leg.stage == Stage::Up && matches!(response.code(), Some(401 | 407)) {
            self.retry(&mut leg, request, response, Purpose::Info(key));
        }
        self.keep(leg);
    }
}
