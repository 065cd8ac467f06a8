//! What a leg sends: frames of its own on time, and the other party's packets as they come.

use super::{LegState, Setup, Turn, activity::Activity, receive::Content};
use crate::media::{
    Codec, PlayOutcome,
    dtmf::Step,
    g711::{alaw_to_ulaw, ulaw_to_alaw},
    rtp::{HEADER, Header, Packet},
    wheel::Kind,
};

/// A frame later than this is skipped, so that a stall is followed by silence rather than by a burst.
const MAX_LATE_MS: u64 = 40;
/// A bridged leg that was sent nothing for this long is sent silence until the other party is heard again: a peer that
/// hears nothing hangs up, and a NAT forgets it (RFC 6263).
const QUIET_MS: u64 = 200;
/// 60 ms of G.711.
const MAX_FRAME: usize = 480;

impl LegState {
    /// Frames are made while something is played, or as silence while nobody else is passed on.
    fn needs_frames(&self, now: u64) -> bool {
        let idle = matches!(self.activity, Activity::Idle);
        let alone = self.partner.is_none() || now.saturating_sub(self.relayed) >= QUIET_MS;
        self.setup.is_some() && (!idle || (alone && self.direction().sends()))
    }

    pub(super) fn plan_frame(&mut self, turn: &mut Turn<'_>) {
        if self.needs_frames(turn.now) && !self.is_armed(Kind::Frame) {
            self.arm(turn, Kind::Frame, turn.now + 1);
        }
        if self.partner.is_some() && !self.is_armed(Kind::Quiet) {
            let since = Some(self.relayed).filter(|relayed| relayed + QUIET_MS > turn.now);
            self.arm(turn, Kind::Quiet, since.unwrap_or(turn.now) + QUIET_MS);
        }
    }

    /// A look at a bridged leg that may have been sent nothing for a while.
    pub(in crate::media) fn on_quiet(&mut self, turn: &mut Turn<'_>) {
        self.plan_frame(turn);
    }

    /// The frame that was due at `due`.
    pub(in crate::media) fn on_frame(&mut self, turn: &mut Turn<'_>, due: u64) {
        if !self.needs_frames(turn.now) {
            return;
        }
        let due = if turn.now.saturating_sub(due) > MAX_LATE_MS { turn.now } else { due };
        let Some(Setup { remote, .. }) = &self.setup else { return };
        let (ptime, codec) = (remote.ptime_ms(), remote.codec);
        let (audio, event) = (remote.payload_type, remote.telephone_event);
        let mut frame = [0; MAX_FRAME];
        let frame = frame.get_mut(..8 * ptime as usize).unwrap_or_default();
        match &mut self.activity {
            Activity::Playing(playing) => {
                let last = playing.fill(codec, frame);
                self.send_frame(turn, due, audio, frame);
                if last {
                    self.end_activity(PlayOutcome::Completed);
                }
            }
            Activity::Digits(sender, _) => match (sender.next(ptime), event) {
                (Step::Done, _) => self.end_activity(PlayOutcome::Completed),
                (_, None) => self.end_activity(PlayOutcome::Refused),
                (Step::Event { payload, first }, Some(event)) => {
                    let header = self.outgoing.event(due, event, first);
                    self.send_rtp(turn, header, &payload);
                }
                (Step::Pause, _) => self.send_silence(turn, due, audio, codec, frame),
            },
            Activity::Idle => self.send_silence(turn, due, audio, codec, frame),
        }
        if self.needs_frames(turn.now) {
            self.arm(turn, Kind::Frame, due + ptime);
        }
    }

    fn send_silence(&mut self, turn: &mut Turn<'_>, due: u64, audio: u8, codec: Codec, frame: &mut [u8]) {
        frame.fill(codec.silence());
        self.send_frame(turn, due, audio, frame);
    }

    fn send_frame(&mut self, turn: &mut Turn<'_>, due: u64, payload_type: u8, frame: &[u8]) {
        if self.may_send() {
            let header = self.outgoing.frame(due, payload_type, frame.len() as u32);
            self.send_rtp(turn, header, frame);
        }
    }

    /// Passes on a packet of the other party, in our codec, unless something is played here.
    pub(in crate::media) fn relay(&mut self, turn: &mut Turn<'_>, packet: &Packet<'_>, content: Content) {
        let Some(Setup { remote, .. }) = &self.setup else { return };
        let (payload_type, law) = match content {
            Content::Audio(codec) => (Some(remote.payload_type), law_change(codec, remote.codec)),
            Content::Event => (remote.telephone_event, None),
            Content::Noise => (None, None),
        };
        let Some(payload_type) = payload_type.filter(|_| matches!(self.activity, Activity::Idle)) else {
            return;
        };
        if !self.may_send() {
            return;
        }
        self.relayed = turn.now;
        let header = self.outgoing.relay(turn.now, &packet.header, payload_type, packet.payload.len());
        match law {
            None => self.send_rtp(turn, header, packet.payload),
            Some(law) => self.send_changed(turn, header, packet.payload, law),
        }
    }

    fn send_changed(&self, turn: &mut Turn<'_>, header: Header, payload: &[u8], law: fn(u8) -> u8) {
        let length = header.write(payload, turn.out).len();
        if let Some(payload) = turn.out.get_mut(HEADER..length) {
            payload.iter_mut().for_each(|byte| *byte = law(*byte));
        }
        if let Some((packet, target)) = turn.out.get(..length).zip(self.target()) {
            self.rtp.send(packet, target);
        }
    }

    fn send_rtp(&self, turn: &mut Turn<'_>, header: Header, payload: &[u8]) {
        if let Some(target) = self.target() {
            self.rtp.send(header.write(payload, turn.out), target);
        }
    }

    fn may_send(&self) -> bool {
        self.direction().sends() && self.target().is_some()
    }

    fn target(&self) -> Option<std::net::SocketAddr> {
        self.setup.as_ref().and_then(|setup| setup.latch.target())
    }
}

/// The table from one law to the other; none when they are the same and the payload passes untouched.
fn law_change(from: Codec, to: Codec) -> Option<fn(u8) -> u8> {
    match (from, to) {
        (Codec::Pcmu, Codec::Pcma) => Some(ulaw_to_alaw),
        (Codec::Pcma, Codec::Pcmu) => Some(alaw_to_ulaw),
        _ => None,
    }
}
