//! What a leg sends: frames of its own on time, and the other party's packets as they come.

use super::{LegState, Setup, Turn, activity::Activity, keys::Way, receive::Passed};
use crate::media::{
    Codec, MediaEvent, PlayOutcome,
    dtmf::{Step, Told, key_of},
    g711::{alaw_to_ulaw, linear_to_alaw, linear_to_ulaw, ulaw_to_alaw},
    rtp::{HEADER, Header, Packet},
    tones,
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
        let audio = remote.payload_type;
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
            Activity::Digits(sender, _) => match sender.next(ptime) {
                Step::Done => self.end_activity(PlayOutcome::Completed),
                Step::Event { payload, first } => self.send_key(turn, due, payload, first, frame),
                Step::Pause => self.send_silence(turn, due, audio, codec, frame),
            },
            Activity::Idle => self.send_silence(turn, due, audio, codec, frame),
        }
        if self.needs_frames(turn.now) {
            self.arm(turn, Kind::Frame, due + ptime);
        }
    }

    /// One interval of a key, in the way the peer understands.
    fn send_key(&mut self, turn: &mut Turn<'_>, due: u64, event: [u8; 4], first: bool, frame: &mut [u8]) {
        let Some(Setup { remote, .. }) = &self.setup else { return };
        let (audio, codec) = (remote.payload_type, remote.codec);
        let Some(digit) = key_of(event) else { return };
        match self.way() {
            Way::Event(payload_type) => {
                if self.may_send() {
                    let header = self.outgoing.event(due, payload_type, first);
                    self.send_rtp(turn, header, &event);
                }
            }
            Way::Tones if event[1] & 0x80 == 0 => {
                let until = u32::from(u16::from_be_bytes([event[2], event[3]]));
                let sound = tones::sound(digit, until.saturating_sub(frame.len() as u32));
                let encode = match codec {
                    Codec::Pcmu => linear_to_ulaw,
                    Codec::Pcma => linear_to_alaw,
                };
                frame.iter_mut().zip(sound).for_each(|(byte, sample)| *byte = encode(sample));
                self.send_frame(turn, due, audio, frame);
            }
            way => {
                if way == Way::Signal && first {
                    self.emit(MediaEvent::ToSignal { leg: self.id, digit });
                }
                self.send_silence(turn, due, audio, codec, frame);
            }
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

    /// Passes on a packet of the other party, in our codec, unless something is sent here.
    pub(in crate::media) fn relay(&mut self, turn: &mut Turn<'_>, packet: &Packet<'_>, passed: Passed) {
        let idle = matches!(self.activity, Activity::Idle) && self.may_send();
        let way = self.way();
        match passed {
            Passed::Event(told) => {
                self.passing_event = if told.begins { idle } else { self.passing_event && idle };
                if let (true, Way::Event(payload_type)) = (self.passing_event, way) {
                    self.relay_event(turn, packet, told, payload_type);
                }
            }
            Passed::Tone(_) if way != Way::Tones => {}
            Passed::Audio(codec) | Passed::Tone(codec) if idle => self.relay_audio(turn, packet, codec),
            Passed::Audio(_) | Passed::Tone(_) => {}
        }
    }

    /// A careless sender's timestamps are made good: the packets of one press share one of ours.
    fn relay_event(&mut self, turn: &mut Turn<'_>, packet: &Packet<'_>, told: Told, payload_type: u8) {
        self.relayed = turn.now;
        if told.segment {
            self.outgoing.next_segment();
        }
        let header = self.outgoing.event(turn.now, payload_type, told.begins);
        self.send_rtp(turn, header, packet.payload);
    }

    fn relay_audio(&mut self, turn: &mut Turn<'_>, packet: &Packet<'_>, codec: Codec) {
        let Some(Setup { remote, .. }) = &self.setup else { return };
        let (payload_type, law) = (remote.payload_type, law_change(codec, remote.codec));
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
