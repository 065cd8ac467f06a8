//! The one stream a leg sends: own SSRC, unbroken sequence numbers and timestamps, whatever its source
//! is at the moment (prompt, silence, digits or the other party). Pure; times in milliseconds.

use super::rtp::Header;

/// 8 kHz.
const TICKS_PER_MS: u64 = 8;
/// What one segment of an event can say of its duration.
const LONGEST_EVENT: u32 = 0xffff;
/// A source whose timestamps run this far (1 s) from the clock between two packets has started anew.
const MAX_DRIFT: u32 = 8_000;
/// A source whose sequence jumps further than this has started anew.
const MAX_JUMP: u16 = 1_000;

/// The sender's state.
#[derive(Debug)]
pub(super) struct Outgoing {
    ssrc: u32,
    /// The number of the next packet of our own, one more than the highest sent.
    next_sequence: u16,
    /// Timestamp of millisecond 0.
    base: u32,
    /// The latest point of the timeline we have sent, end of the packet included.
    reached: Option<u32>,
    event_timestamp: u32,
    source: Source,
    packets: u64,
    octets: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Nothing,
    Own,
    Relay { ssrc: u32, last: (u64, u16, u32), shift: (u16, u32) },
}

impl Outgoing {
    pub(super) fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self {
            ssrc,
            next_sequence: sequence,
            base: timestamp,
            reached: None,
            event_timestamp: timestamp,
            source: Source::Nothing,
            packets: 0,
            octets: 0,
        }
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Packets and payload octets sent, as a sender report wants them.
    pub(super) fn sent(&self) -> (u64, u64) {
        (self.packets, self.octets)
    }

    /// The timestamp of `now`.
    pub(super) fn timestamp(&self, now: u64) -> u32 {
        self.base.wrapping_add((now * TICKS_PER_MS) as u32)
    }

    /// Heads a frame of `samples` we made ourselves, due at `now`.
    pub(super) fn frame(&mut self, now: u64, payload_type: u8, samples: u32) -> Header {
        let marker = std::mem::replace(&mut self.source, Source::Own) != Source::Own;
        let timestamp = self.continue_at(now);
        self.reached = Some(timestamp.wrapping_add(samples));
        self.number(Header { marker, payload_type, timestamp, ..Header::default() }, samples)
    }

    /// Heads an event packet of ours; the packets of one digit share the timestamp of its `first`.
    pub(super) fn event(&mut self, now: u64, payload_type: u8, first: bool) -> Header {
        if first {
            self.event_timestamp = self.continue_at(now);
        }
        self.source = Source::Nothing;
        let header =
            Header { marker: first, payload_type, timestamp: self.event_timestamp, ..Header::default() };
        self.number(header, 4)
    }

    /// The digit that is being sent goes on in another segment (RFC 4733 section 2.5.1.3).
    pub(super) fn next_segment(&mut self) {
        self.event_timestamp = self.event_timestamp.wrapping_add(LONGEST_EVENT);
    }

    /// Heads a packet of the other party: gaps, steps and the marker are kept, the origin is ours.
    pub(super) fn relay(&mut self, now: u64, packet: &Header, payload_type: u8, octets: usize) -> Header {
        let (shift, fresh) = match self.source {
            Source::Relay { ssrc, last, shift } if ssrc == packet.ssrc && follows(now, last, packet) => {
                (shift, false)
            }
            _ => {
                let timestamp = self.continue_at(now).wrapping_sub(packet.timestamp);
                ((self.next_sequence.wrapping_sub(packet.sequence), timestamp), true)
            }
        };
        let header = Header {
            marker: packet.marker || fresh,
            payload_type,
            sequence: packet.sequence.wrapping_add(shift.0),
            timestamp: packet.timestamp.wrapping_add(shift.1),
            ssrc: self.ssrc,
        };
        self.source =
            Source::Relay { ssrc: packet.ssrc, last: (now, packet.sequence, packet.timestamp), shift };
        self.advance(header, octets);
        header
    }

    /// The other party is gone; the next packet begins a new talkspurt.
    pub(super) fn interrupt(&mut self) {
        self.source = Source::Nothing;
    }

    /// The timestamp for `now`, moved on if the stream has already reached further.
    fn continue_at(&mut self, now: u64) -> u32 {
        let wanted = self.timestamp(now);
        match self.reached {
            Some(reached) if (reached.wrapping_sub(wanted) as i32) > 0 => {
                self.base = self.base.wrapping_add(reached.wrapping_sub(wanted));
                reached
            }
            _ => wanted,
        }
    }

    fn number(&mut self, header: Header, octets: u32) -> Header {
        let header = Header { sequence: self.next_sequence, ssrc: self.ssrc, ..header };
        self.next_sequence = self.next_sequence.wrapping_add(1);
        self.packets += 1;
        self.octets += u64::from(octets);
        header
    }

    fn advance(&mut self, header: Header, octets: usize) {
        let ahead = header.sequence.wrapping_sub(self.next_sequence);
        if ahead < 0x8000 {
            self.next_sequence = header.sequence.wrapping_add(1);
        }
        let end = header.timestamp.wrapping_add(octets as u32);
        if self.reached.is_none_or(|reached| (end.wrapping_sub(reached) as i32) > 0) {
            self.reached = Some(end);
        }
        self.packets += 1;
        self.octets += octets as u64;
    }
}

/// Whether a packet continues the stream of the one before, early or late, rather than starting anew.
fn follows(now: u64, (then, sequence, timestamp): (u64, u16, u32), packet: &Header) -> bool {
    let jump = packet.sequence.wrapping_sub(sequence);
    let passed = ((now.saturating_sub(then)) * TICKS_PER_MS) as u32;
    let drift = packet.timestamp.wrapping_sub(timestamp).wrapping_sub(passed).cast_signed();
    jump.min(jump.wrapping_neg()) <= MAX_JUMP && drift.unsigned_abs() <= MAX_DRIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { ssrc, sequence, timestamp, ..Header::default() }
    }

    fn outgoing() -> Outgoing {
        Outgoing::new(77, 65_535, u32::MAX - 100)
    }

    fn step(before: &Header, after: &Header) -> (u16, u32) {
        (after.sequence.wrapping_sub(before.sequence), after.timestamp.wrapping_sub(before.timestamp))
    }

    #[test]
    fn frames_follow_each_other_through_every_wrap() {
        let mut out = outgoing();
        let frames: Vec<Header> = (0..5).map(|n| out.frame(n * 20, 0, 160)).collect();
        assert!(frames.windows(2).all(|pair| step(&pair[0], &pair[1]) == (1, 160)));
        assert_eq!(
            frames.iter().map(|frame| frame.marker).collect::<Vec<_>>(),
            [true, false, false, false, false]
        );
    }

    #[test]
    fn skipped_time_shows_in_timestamps_and_not_in_numbers() {
        let mut out = outgoing();
        let (before, after) = (out.frame(0, 0, 160), out.frame(120, 0, 160));
        assert_eq!(step(&before, &after), (1, 960));
    }

    #[test]
    fn a_relayed_stream_keeps_its_gaps_and_its_order() {
        let mut out = outgoing();
        let own = out.frame(0, 0, 160);
        let first = out.relay(20, &incoming(1, 500, 9_000), 0, 160);
        assert_eq!((step(&own, &first), first.marker, first.ssrc), ((1, 160), true, 77));
        let third = out.relay(60, &incoming(1, 502, 9_320), 0, 160);
        let second = out.relay(61, &incoming(1, 501, 9_160), 0, 160);
        assert_eq!((step(&first, &third), step(&first, &second)), ((2, 320), (1, 160)));
        let own = out.frame(80, 0, 160);
        assert_eq!((step(&third, &own), own.marker), ((1, 160), true));
    }

    #[test]
    fn another_source_continues_where_the_last_one_ended() {
        let mut out = outgoing();
        let before = out.relay(0, &incoming(1, 500, 9_000), 0, 160);
        for fresh in [incoming(2, 40_000, 123), incoming(2, 10, 3_000_000_000), incoming(2, 11, 5)] {
            let after = out.relay(20, &fresh, 0, 160);
            assert!(after.marker);
            assert!(after.timestamp.wrapping_sub(before.timestamp) < 1_000, "{after:?}");
        }
    }

    #[test]
    fn the_packets_of_a_digit_share_a_timestamp_and_speech_goes_on_after_it() {
        let mut out = outgoing();
        let speech = out.frame(0, 0, 160);
        let (first, last) = (out.event(20, 101, true), out.event(140, 101, false));
        assert_eq!((step(&speech, &first), step(&first, &last)), ((1, 160), (1, 0)));
        assert_eq!((first.marker, last.marker), (true, false));
        assert_eq!(step(&speech, &out.frame(160, 0, 160)), (3, 1_280));
    }
}
