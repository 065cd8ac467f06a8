//! Digits as RFC 4733 telephone events: received once per press, and sent. Pure; times in milliseconds.
//!
//! What ends one press and begins the next is told by key, duration, order of packets and time. Timestamps alone do not
//! tell: there are senders that give two keys the same one, or every packet of a key another.

use super::rtp::Header;
use std::{collections::VecDeque, ops::RangeInclusive};

/// Without a packet for this long a digit is over, though its end never came.
const LOST_END_MS: u64 = 200;
/// A pause that tells two presses of a key apart (ITU-T Q.24).
const PAUSE_BETWEEN_MS: u64 = 40;
/// Packets of one press are no further apart than this; most senders need 20 or 50 ms.
const LONGEST_GAP_MS: u64 = 100;
/// The same key again, no further off than this, with an end that says as much: the end said once more.
const REPEATED_END_MS: u64 = 60;
/// A packet up to this many numbers behind comes late (RFC 3550 section A.1) and begins nothing.
const MAX_LATE: u16 = 100;
/// From this duration on a press may go on in another segment (RFC 4733 section 2.5.1.3), 1/8000 s.
const NEARLY_FULL: u16 = 60_000;
/// Where the next segment of a press begins, from the beginning of the one before it, 1/8000 s: 65,535, or the last whole
/// packet before that.
const NEXT_SEGMENT: RangeInclusive<u32> = 65_000..=65_536;
/// From this duration on it may have, though none of the packets since was heard, 1/8000 s.
const LONG: u16 = 0x8000;
/// How far a packet may come from when its duration says that it was sent, 1/8000 s.
const JITTER: u64 = 800;
/// Presses taken a second; fingers make far fewer.
const MAX_PRESSES: u32 = 25;

/// Tone and pause of a digit we send; ITU-T Q.24 asks for 40 ms each at least.
const TONE_MS: u64 = 100;
const PAUSE_MS: u64 = 100;
/// The end is sent three times (RFC 4733 section 2.5.1.4).
const END_PACKETS: u8 = 3;
/// -10 dBm0, as phones send.
const VOLUME: u8 = 10;
/// Longest string of digits and waits that is sent.
pub(super) const MAX_DIGITS: usize = 256;

/// Keys of the other party that wait to be sent, at most.
const MAX_WAITING: usize = 32;

const KEYS: &[u8; 16] = b"0123456789*#ABCD";

/// A key the peer pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Press {
    pub(super) digit: char,
    pub(super) duration_ms: u32,
}

/// Turns event packets into presses.
#[derive(Debug, Default)]
pub(super) struct DigitReceiver {
    ssrc: u32,
    /// The key that is down.
    current: Option<Current>,
    /// The key that was down last.
    last: Option<Current>,
    /// Presses in the current second, and when that began.
    rate: (u64, u32),
}

#[derive(Clone, Copy, Debug)]
struct Current {
    code: u8,
    timestamp: u32,
    /// Of this segment, 1/8000 s.
    duration: u16,
    /// Of the segments before it.
    before: u32,
    heard: u64,
    sequence: u16,
    /// Its end was heard.
    ended: bool,
}

/// What an event packet came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The presses it ended: the previous one whose end was lost, and its own.
    pub(super) presses: [Option<Press>; 2],
    /// It begins a press.
    pub(super) begins: bool,
    /// It begins a further segment of a press (RFC 4733 section 2.5.1.3).
    pub(super) segment: bool,
    /// It is of no press, or comes too late to matter.
    pub(super) stale: bool,
}

const STALE: Told = Told { presses: [None, None], begins: false, segment: false, stale: true };

impl Current {
    fn press(self) -> Option<Press> {
        let digit = char::from(*KEYS.get(usize::from(self.code))?);
        Some(Press { digit, duration_ms: (self.before + u32::from(self.duration)) / 8 })
    }

    /// How many packets this one is behind, if it is late.
    fn is_behind(&self, header: &Header) -> bool {
        (1..=MAX_LATE).contains(&self.sequence.wrapping_sub(header.sequence))
    }

    /// Whether a packet of the same key belongs to this press, which is down.
    fn goes_on(&self, now: u64, header: &Header, duration: u16) -> bool {
        let passed = now.saturating_sub(self.heard);
        let anew = header.marker && passed >= PAUSE_BETWEEN_MS;
        let same = header.timestamp == self.timestamp && !anew;
        let drifting = duration >= self.duration && passed < LONGEST_GAP_MS && !anew;
        let next_segment = self.goes_on_in_next_segment(passed, header, duration);
        same || drifting || next_segment || self.is_behind(header)
    }

    /// Whether a packet of the same key is still about this press, which is over.
    fn is_repeated_by(&self, now: u64, header: &Header, end: bool, duration: u16) -> bool {
        let passed = now.saturating_sub(self.heard);
        let again = passed >= PAUSE_BETWEEN_MS && (header.marker || duration < self.duration);
        let same = header.timestamp == self.timestamp;
        let drifting = end && duration >= self.duration && passed < REPEATED_END_MS;
        (same && !again) || drifting || self.goes_on_in_next_segment(passed, header, duration)
    }

    /// Whether a packet is of this press in its next segment, though all between them may be lost: by where that segment
    /// begins or, of senders that do not say so, by how long the press would have gone on.
    fn goes_on_in_next_segment(&self, passed: u64, header: &Header, duration: u16) -> bool {
        if self.duration >= NEARLY_FULL && passed < LOST_END_MS {
            return true;
        }
        let over = header.marker || self.duration < LONG || (self.ended && self.duration < NEARLY_FULL);
        let follows = NEXT_SEGMENT.contains(&header.timestamp.wrapping_sub(self.timestamp));
        let gone_on = u64::from(u16::MAX - self.duration) + u64::from(duration);
        !over && (follows || gone_on.abs_diff(passed * 8) <= JITTER)
    }

    /// Counts a packet of this press; whether it begins another segment of it.
    fn take(&mut self, now: u64, header: &Header, end: bool, duration: u16) -> bool {
        if self.is_behind(header) {
            return false;
        }
        let segment = duration < self.duration;
        self.before += if segment { u32::from(self.duration) } else { 0 };
        (self.duration, self.timestamp) = (duration, header.timestamp);
        (self.heard, self.sequence, self.ended) = (now, header.sequence, end);
        segment
    }
}

impl DigitReceiver {
    /// Takes an event packet.
    pub(super) fn hear(&mut self, now: u64, header: &Header, payload: &[u8]) -> Told {
        let Some(&[code, flags, d0, d1]) = payload.first_chunk() else { return STALE };
        if header.ssrc != self.ssrc {
            (self.ssrc, self.last) = (header.ssrc, None);
        }
        let (end, duration) = (flags & 0x80 != 0, u16::from_be_bytes([d0, d1]));
        if let Some(current) = self.current.as_mut().filter(|current| current.code == code)
            && current.goes_on(now, header, duration)
        {
            let segment = current.take(now, header, end, duration);
            let own = if end { self.finish() } else { None };
            return Told { presses: [None, own], segment, ..Told::default() };
        }
        if self.current.or(self.last).is_some_and(|known| known.is_behind(header)) {
            return STALE;
        }
        if self.current.is_none()
            && let Some(last) = self.last.as_mut().filter(|last| last.code == code)
            && last.is_repeated_by(now, header, end, duration)
        {
            let segment = last.take(now, header, end, duration);
            return Told { segment, ..Told::default() };
        }
        let previous = self.finish();
        if !self.within_rate(now) {
            return Told { presses: [previous, None], ..STALE };
        }
        let (timestamp, sequence) = (header.timestamp, header.sequence);
        self.current =
            Some(Current { code, timestamp, duration, before: 0, heard: now, sequence, ended: end });
        let own = if end { self.finish() } else { None };
        Told { presses: [previous, own], begins: true, ..Told::default() }
    }

    /// The key that is down, and for how long.
    pub(super) fn down(&self) -> Option<Press> {
        self.current.and_then(Current::press)
    }

    /// The press whose end did not come in time.
    pub(super) fn expire(&mut self, now: u64) -> Option<Press> {
        let current = self.current?;
        if now.saturating_sub(current.heard) < LOST_END_MS { None } else { self.finish() }
    }

    /// When `expire` should be asked next.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.current.map(|current| current.heard + LOST_END_MS)
    }

    fn within_rate(&mut self, now: u64) -> bool {
        if now.saturating_sub(self.rate.0) >= 1_000 {
            self.rate = (now, 0);
        }
        self.rate.1 += 1;
        self.rate.1 <= MAX_PRESSES
    }

    fn finish(&mut self) -> Option<Press> {
        let current = self.current.take()?;
        self.last = Some(current);
        current.press()
    }
}

/// What to send in the next packet interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An event packet. `first` begins a digit: marker set, new timestamp.
    Event { payload: [u8; 4], first: bool },
    /// Nothing of ours; silence.
    Pause,
    /// All digits are sent.
    Done,
}

/// A string of digits on its way out, one step per packet interval.
#[derive(Debug)]
pub(super) struct DigitSender {
    items: VecDeque<Item>,
    state: SendState,
}

#[derive(Clone, Copy, Debug)]
enum Item {
    Key(u8),
    Wait(u64),
}

#[derive(Clone, Copy, Debug)]
enum SendState {
    Idle,
    Tone { code: u8, elapsed: u64 },
    End { code: u8, duration: u16, left: u8 },
    Wait { left: u64 },
}

impl DigitSender {
    /// `None` when the text is too long or holds anything but keys, `w` (half a second) and `W` (a second).
    pub(super) fn new(digits: &str) -> Option<Self> {
        if digits.len() > MAX_DIGITS {
            return None;
        }
        let items = digits.bytes().map(item).collect::<Option<_>>()?;
        Some(Self { items, state: SendState::Idle })
    }

    /// One more key behind those that wait, unless too many do.
    pub(super) fn push(&mut self, digit: char) {
        let key = u8::try_from(digit).ok().and_then(item);
        self.items.extend(key.filter(|_| self.items.len() < MAX_WAITING));
    }

    /// The step for an interval of `ptime` milliseconds.
    pub(super) fn next(&mut self, ptime: u64) -> Step {
        loop {
            match self.state {
                SendState::Idle => match self.items.pop_front() {
                    None => return Step::Done,
                    Some(Item::Wait(left)) => self.state = SendState::Wait { left },
                    Some(Item::Key(code)) => self.state = SendState::Tone { code, elapsed: 0 },
                },
                SendState::Wait { left: 0 } => self.state = SendState::Idle,
                SendState::Wait { left } => {
                    self.state = SendState::Wait { left: left.saturating_sub(ptime) };
                    return Step::Pause;
                }
                SendState::Tone { code, elapsed } => return self.tone(code, elapsed, ptime),
                SendState::End { left: 0, .. } => self.state = SendState::Wait { left: PAUSE_MS },
                SendState::End { code, duration, left } => {
                    self.state = SendState::End { code, duration, left: left - 1 };
                    return Step::Event { payload: event(code, true, duration), first: false };
                }
            }
        }
    }

    fn tone(&mut self, code: u8, before: u64, ptime: u64) -> Step {
        let elapsed = before + ptime;
        let duration = u16::try_from(elapsed * 8).unwrap_or(u16::MAX);
        self.state = if elapsed >= TONE_MS {
            SendState::End { code, duration, left: END_PACKETS }
        } else {
            SendState::Tone { code, elapsed }
        };
        Step::Event { payload: event(code, false, duration), first: before == 0 }
    }
}

fn item(byte: u8) -> Option<Item> {
    match byte {
        b'w' => Some(Item::Wait(500)),
        b'W' => Some(Item::Wait(1_000)),
        key => {
            let code = KEYS.iter().position(|known| *known == key.to_ascii_uppercase())?;
            u8::try_from(code).ok().map(Item::Key)
        }
    }
}

fn event(code: u8, end: bool, duration: u16) -> [u8; 4] {
    let [d0, d1] = duration.to_be_bytes();
    [code, u8::from(end) << 7 | VOLUME, d0, d1]
}

/// The key an event packet of ours is about.
pub(super) fn key_of([code, ..]: [u8; 4]) -> Option<char> {
    KEYS.get(usize::from(code)).copied().map(char::from)
}

#[cfg(test)]
mod tests;
