//! What arrives at a leg: judged by the latch, counted, and turned into digits or into the other party's audio.

use super::{LegState, Turn};
use crate::media::{
    Codec, MediaEvent, Remote,
    dtmf::Told,
    g711::{alaw_to_linear, ulaw_to_linear},
    keys::Key,
    latch::{Sign, Verdict},
    rtp::{MAX_PAYLOAD, Packet},
};
use std::net::SocketAddr;

/// Packets a second taken from one peer: five times what 10 ms packets need.
const MAX_RATE: u32 = 500;

/// What a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Audio(Codec),
    Event,
    /// Comfort noise (RFC 3389): a sign of life, nothing to pass on.
    Noise,
}

/// What the other party is to hear of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) enum Passed {
    Audio(Codec),
    /// Audio that is a key's tones: not for a peer that is told keys in another way.
    Tone(Codec),
    Event(Told),
}

/// What the thread has to do after a packet.
#[derive(Clone, Copy, Debug)]
pub(in crate::media) enum Inbound<'a> {
    Done,
    /// The packet, and then the keys it completes, go to the partner.
    Pass {
        partner: usize,
        packet: Packet<'a>,
        passed: Option<Passed>,
        keys: [Option<Key>; 2],
    },
}

impl Content {
    /// The other law's static type is understood too: a peer may use any codec of the answer.
    fn of(remote: &Remote, payload_type: u8) -> Option<Self> {
        let event = remote.receive_telephone_event.or(remote.telephone_event);
        match payload_type {
            kind if Some(kind) == event || Some(kind) == remote.telephone_event => Some(Content::Event),
            kind if kind == remote.payload_type => Some(Content::Audio(remote.codec)),
            0 => Some(Content::Audio(Codec::Pcmu)),
            8 => Some(Content::Audio(Codec::Pcma)),
            13 => Some(Content::Noise),
            _ => None,
        }
    }
}

impl LegState {
    /// Takes in a datagram of the RTP socket.
    pub(in crate::media) fn hear_rtp<'a>(
        &mut self,
        turn: &mut Turn<'_>,
        source: SocketAddr,
        bytes: &'a [u8],
    ) -> Inbound<'a> {
        let Some((packet, content)) = self.admit(turn, source, bytes) else {
            self.foreign_dropped += 1;
            return Inbound::Done;
        };
        self.heard = turn.now;
        let steady = matches!(content, Content::Audio(_));
        self.reception.hear(&packet.header, steady.then_some(turn.ticks));
        if !self.direction().receives() {
            return Inbound::Done;
        }
        let (passed, keys) = match content {
            Content::Event => self.hear_event(turn, &packet),
            Content::Audio(codec) => {
                let (passed, key) = self.hear_audio(turn, &packet, codec);
                (passed, [key, None])
            }
            Content::Noise => (None, [None, None]),
        };
        let passed = passed.filter(|passed| self.is_heard || matches!(passed, Passed::Event(_)));
        match self.partner {
            Some(partner) => Inbound::Pass { partner, packet, passed, keys },
            None => Inbound::Done,
        }
    }

    /// `None` for whatever is not the peer's, or too much.
    fn admit<'a>(
        &mut self,
        turn: &mut Turn<'_>,
        source: SocketAddr,
        bytes: &'a [u8],
    ) -> Option<(Packet<'a>, Content)> {
        let setup = self.setup.as_mut()?;
        let packet = Packet::parse(bytes).filter(|packet| packet.payload.len() <= MAX_PAYLOAD)?;
        let content = Content::of(&setup.remote, packet.header.payload_type);
        let voiced = || is_voiced(content, packet.payload);
        let sign = match content {
            Some(Content::Audio(_)) => Sign::Audio(&voiced),
            Some(Content::Event) => Sign::Key,
            Some(Content::Noise) => Sign::Quiet,
            None => Sign::Foreign,
        };
        let verdict = setup.latch.hear(turn.now, source, &packet.header, sign);
        if verdict == Verdict::Lock {
            let filter = setup.latch.filter(turn.now);
            self.apply(filter);
            self.forget_rtcp_source();
            self.emit(MediaEvent::Latched { leg: self.id, address: source });
        }
        if verdict == Verdict::Drop && content.is_some() {
            self.foreign_from = Some(source);
        }
        (verdict != Verdict::Drop && self.within_rate(turn.now)).then_some((packet, content?))
    }

    fn within_rate(&mut self, now: u64) -> bool {
        if now.saturating_sub(self.rate.0) >= 1_000 {
            self.rate = (now, 0);
        }
        self.rate.1 += 1;
        self.rate.1 <= MAX_RATE
    }
}

/// Loudness from which on audio is taken for a voice, or anything else one listens to: -40 dBm0.
const VOICE: f32 = 158.0;

/// Whether there is anything to be heard in a payload.
fn is_voiced(content: Option<Content>, payload: &[u8]) -> bool {
    let linear = match content {
        Some(Content::Audio(Codec::Pcmu)) => ulaw_to_linear,
        Some(Content::Audio(Codec::Pcma)) => alaw_to_linear,
        _ => return false,
    };
    let samples = || payload.iter().map(|byte| f32::from(linear(*byte)));
    let count = payload.len().max(1) as f32;
    let mean = samples().sum::<f32>() / count;
    samples().map(|sample| (sample - mean).powi(2)).sum::<f32>() >= VOICE * VOICE * count
}
