//! The peer's keys, whichever way they come, and keys for the peer, in the way it understands.

use super::{LegState, Turn, activity::Activity, receive::Passed};
use crate::media::{
    Codec, MediaEvent,
    dtmf::{DigitSender, Press},
    g711::{alaw_to_linear, ulaw_to_linear},
    keys::{By, Key},
    rtp::{Header, Packet},
    tones::ToneReceiver,
    wheel::Kind,
};

/// Silence that a sender left out is made up for as far as it tells keys apart, samples.
const MAX_PAUSE: u32 = 800;

/// How a peer is told keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As telephone-event of this payload type.
    Event(u8),
    /// By signalling.
    Signal,
    /// As tones.
    Tones,
}

/// The tones of one stream, and where it is.
#[derive(Debug, Default)]
pub(super) struct Tones {
    receiver: ToneReceiver,
    ssrc: u32,
    next: Option<(u16, u32)>,
}

impl Tones {
    /// Hears a packet unless it comes late. Lost ones are stepped over: a key that goes on is one key.
    fn hear(&mut self, packet: &Packet<'_>, codec: Codec) -> Option<char> {
        let Header { sequence, timestamp, ssrc, .. } = packet.header;
        let known = self.next.filter(|_| self.ssrc == ssrc);
        if known.is_some_and(|(next, _)| next.wrapping_sub(sequence).wrapping_sub(1) < 0x100) {
            return None;
        }
        let pause = known.filter(|(next, _)| *next == sequence).map(|(_, end)| timestamp.wrapping_sub(end));
        let pause = pause.filter(|pause| *pause < u32::MAX / 2).unwrap_or(0).min(MAX_PAUSE);
        self.ssrc = ssrc;
        self.next = Some((sequence.wrapping_add(1), timestamp.wrapping_add(packet.payload.len() as u32)));
        let linear = match codec {
            Codec::Pcmu => ulaw_to_linear,
            Codec::Pcma => alaw_to_linear,
        };
        let silence = std::iter::repeat_n(0, pause as usize);
        self.receiver.hear(silence.chain(packet.payload.iter().map(|byte| linear(*byte))))
    }
}

impl LegState {
    pub(super) fn way(&self) -> Way {
        match self.setup.as_ref().and_then(|setup| setup.remote.telephone_event) {
            Some(payload_type) => Way::Event(payload_type),
            None if self.signals_keys => Way::Signal,
            None => Way::Tones,
        }
    }

    /// Hears an event packet; returns what to pass on of it, and the keys it completes.
    pub(super) fn hear_event(
        &mut self,
        turn: &mut Turn<'_>,
        packet: &Packet<'_>,
    ) -> (Option<Passed>, [Option<Key>; 2]) {
        let told = self.digits.hear(turn.now, &packet.header, packet.payload);
        if told.begins {
            let down = self.digits.down().or(told.presses[1]);
            let echo = |press: Press| self.keys.is_echo(turn.now, Key { digit: press.digit, by: By::Event });
            self.echo = down.is_some_and(echo);
        }
        let keys = told.presses.map(|press| press.and_then(|press| self.count(turn, press, By::Event)));
        if told.begins && self.digits.down().is_some() && !self.echo {
            self.emit(MediaEvent::KeyDown { leg: self.id });
        }
        self.plan_digit(turn);
        ((!told.stale && !self.echo).then_some(Passed::Event(told)), keys)
    }

    /// Hears audio, in which there may be keys where no telephone-event was agreed on.
    pub(super) fn hear_audio(
        &mut self,
        turn: &mut Turn<'_>,
        packet: &Packet<'_>,
        codec: Codec,
    ) -> (Option<Passed>, Option<Key>) {
        // What a sender says beside its events is the same key as tones.
        let beside_event = self.digits.down().is_some();
        if self.setup.as_ref().is_none_or(|setup| setup.remote.telephone_event.is_some()) {
            return ((!beside_event).then_some(Passed::Audio(codec)), None);
        }
        let tones = self.tones.get_or_insert_default();
        let heard = tones.hear(packet, codec);
        let sounding = tones.receiver.is_sounding();
        let press = heard.map(|digit| Press { digit, duration_ms: 30 });
        let key = press.and_then(|press| self.count(turn, press, By::Tone));
        (Some(if sounding { Passed::Tone(codec) } else { Passed::Audio(codec) }), key)
    }

    /// Signalling says that the peer pressed a key.
    pub(in crate::media) fn hear_signal(&mut self, turn: &mut Turn<'_>, digit: char) -> Option<Key> {
        self.signals_keys = true;
        // Its end is counted, and its packets are passed on already.
        if self.digits.down().is_some_and(|down| down.digit == digit) {
            return None;
        }
        self.count(turn, Press { digit, duration_ms: 0 }, By::Signal)
    }

    /// Reports a press, unless it was told in another way before.
    fn count(&mut self, turn: &Turn<'_>, press: Press, by: By) -> Option<Key> {
        let Press { digit, duration_ms } = press;
        let key = Key { digit, by };
        if !self.keys.hear(turn.now, key, u64::from(duration_ms)) {
            return None;
        }
        self.emit(MediaEvent::Digit { leg: self.id, digit, duration_ms });
        Some(key)
    }

    fn plan_digit(&mut self, turn: &mut Turn<'_>) {
        if let Some(due) = self.digits.deadline()
            && !self.is_armed(Kind::Digit)
        {
            self.arm(turn, Kind::Digit, due);
        }
    }

    /// A digit may have ended without saying so.
    pub(in crate::media) fn on_digit(&mut self, turn: &mut Turn<'_>) -> Option<Key> {
        let press = self.digits.expire(turn.now);
        let key = press.and_then(|press| self.count(turn, press, By::Event));
        self.plan_digit(turn);
        key
    }

    /// Tells our peer a key of the other party, unless it has heard it.
    pub(in crate::media) fn pass_key(&mut self, turn: &mut Turn<'_>, key: Key) {
        match (key.by, self.way()) {
            (By::Event, Way::Event(_)) if self.passing_event => return,
            (By::Tone, Way::Tones) => return,
            (_, Way::Signal) => {
                return self.emit(MediaEvent::ToSignal { leg: self.id, digit: key.digit });
            }
            _ => {}
        }
        if matches!(self.activity, Activity::Idle)
            && let Some(sender) = DigitSender::new("")
        {
            self.activity = Activity::Digits(sender, None);
        }
        // Whoever is played something to hears that instead of the other party.
        if let Activity::Digits(sender, None) = &mut self.activity {
            sender.push(key.digit);
        }
        self.plan_frame(turn);
    }
}
