//! Digits as RFC 4733 telephone events: received once per press, and sent. Pure; times in milliseconds.

use super::rtp::Header;

/// Without a packet for this long a digit is over, though its end never came.
const LOST_END_MS: u64 = 200;
/// Presses remembered, so that a replayed end counts once.
const REMEMBERED: usize = 8;
/// A press that begins sooner after the one before it is none: ITU-T Q.24 wants 40 ms of tone alone.
const TOO_SOON_TICKS: u32 = 320;
/// Timestamps up to this far before the last press are leftovers of it (2 s).
const STALE_TICKS: u32 = 16_000;

/// Tone and pause of a digit we send; ITU-T Q.24 asks for 40 ms each at least.
const TONE_MS: u64 = 100;
const PAUSE_MS: u64 = 100;
/// The end is sent three times (RFC 4733 section 2.5.1.4).
const END_PACKETS: u8 = 3;
/// -10 dBm0, as phones send.
const VOLUME: u8 = 10;
/// Longest string of digits and waits that is sent.
pub(super) const MAX_DIGITS: usize = 256;

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
    current: Option<Current>,
    /// Timestamps of finished presses, the latest last.
    finished: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    code: u8,
    timestamp: u32,
    duration: u16,
    heard: u64,
}

impl Current {
    fn press(self) -> Option<Press> {
        let digit = char::from(*KEYS.get(usize::from(self.code))?);
        Some(Press { digit, duration_ms: u32::from(self.duration) / 8 })
    }
}

impl DigitReceiver {
    /// Takes an event packet; returns the presses it ends: the previous one whose end was lost, and its own.
    pub(super) fn hear(&mut self, now: u64, header: &Header, payload: &[u8]) -> [Option<Press>; 2] {
        let Some(&[code, flags, d0, d1]) = payload.first_chunk() else { return [None, None] };
        if header.ssrc != self.ssrc {
            (self.ssrc, _) = (header.ssrc, self.finished.clear());
        }
        if self.is_finished(header.timestamp) || self.is_too_soon(header.timestamp) {
            return [None, None];
        }
        let previous = self.current.filter(|current| current.timestamp != header.timestamp);
        let previous = previous.and_then(|_| self.finish());
        let duration = u16::from_be_bytes([d0, d1]);
        let longest = self.current.map_or(duration, |current| current.duration.max(duration));
        self.current = Some(Current { code, timestamp: header.timestamp, duration: longest, heard: now });
        let own = if flags & 0x80 == 0 { None } else { self.finish() };
        [previous, own]
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

    fn is_finished(&self, timestamp: u32) -> bool {
        let stale = |last: &u32| last.wrapping_sub(timestamp) <= STALE_TICKS;
        self.finished.contains(&timestamp) || self.finished.last().is_some_and(stale)
    }

    fn is_too_soon(&self, timestamp: u32) -> bool {
        let current = self.current.map(|current| current.timestamp).filter(|current| *current != timestamp);
        let last = current.or(self.finished.last().copied().filter(|_| self.current.is_none()));
        last.is_some_and(|last| timestamp.wrapping_sub(last) < TOO_SOON_TICKS)
    }

    fn finish(&mut self) -> Option<Press> {
        let current = self.current.take()?;
        if self.finished.len() == REMEMBERED {
            self.finished.remove(0);
        }
        self.finished.push(current.timestamp);
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
    items: std::vec::IntoIter<Item>,
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
        let items = digits.bytes().map(item).collect::<Option<Vec<_>>>()?;
        Some(Self { items: items.into_iter(), state: SendState::Idle })
    }

    /// The step for an interval of `ptime` milliseconds.
    pub(super) fn next(&mut self, ptime: u64) -> Step {
        loop {
            match self.state {
                SendState::Idle => match self.items.next() {
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

#[cfg(test)]
#[path = "dtmf_tests.rs"]
mod tests;
