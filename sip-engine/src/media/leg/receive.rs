//! What arrives at a leg: judged by the latch, counted, and turned into digits or into the other party's audio.

use std::net::SocketAddr;

use super::{LegState, Turn};
use crate::media::{
    Codec, MediaEvent, Remote,
    dtmf::Press,
    latch::Verdict,
    rtp::{MAX_PAYLOAD, Packet},
    wheel::Kind,
};

/// Packets a second taken from one peer: five times what 10 ms packets need.
const MAX_RATE: u32 = 500;

/// What a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) enum Content {
    Audio(Codec),
    Event,
    /// Comfort noise (RFC 3389): a sign of life, nothing to pass on.
    Noise,
}

/// What the thread has to do with a packet.
#[derive(Clone, Copy, Debug)]
pub(in crate::media) enum Inbound<'a> {
    Done,
    Relay { partner: usize, packet: Packet<'a>, content: Content },
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
        if content == Content::Event {
            let presses = self.digits.hear(turn.now, &packet.header, packet.payload);
            presses.into_iter().flatten().for_each(|press| self.pressed(press));
            self.plan_digit(turn);
        }
        match self.partner {
            Some(partner) if content != Content::Noise => Inbound::Relay { partner, packet, content },
            _ => Inbound::Done,
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
        let verdict = setup.latch.hear(turn.now, source, &packet.header, content.is_some());
        if verdict == Verdict::Lock {
            let filter = setup.latch.filter(turn.now);
            self.apply(filter);
            self.forget_rtcp_source();
            self.emit(MediaEvent::Latched { leg: self.id, address: source });
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

    fn pressed(&self, Press { digit, duration_ms }: Press) {
        self.emit(MediaEvent::Digit { leg: self.id, digit, duration_ms });
    }

    fn plan_digit(&mut self, turn: &mut Turn<'_>) {
        if let Some(due) = self.digits.deadline()
            && !self.is_armed(Kind::Digit)
        {
            self.arm(turn, Kind::Digit, due);
        }
    }

    /// A digit may have ended without saying so.
    pub(in crate::media) fn on_digit(&mut self, turn: &mut Turn<'_>) {
        if let Some(press) = self.digits.expire(turn.now) {
            self.pressed(press);
        }
        self.plan_digit(turn);
    }
}
