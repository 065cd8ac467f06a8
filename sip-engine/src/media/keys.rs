//! The keys of one leg, whichever way they came: each press counts once. Pure; times in milliseconds.
//!
//! Many a phone says a key twice, as telephone-event and by INFO, or by INFO and as tones. What is told of the same key at the
//! same time in two ways is one press; what one way tells twice is two.

/// How far apart the same press may be told in two ways: from the first packet of a key to an INFO sent when it is let go.
const APART_MS: u64 = 700;
/// Presses remembered.
const REMEMBERED: usize = 8;

/// How a key was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// As telephone-event (RFC 4733).
    Event,
    /// As tones in the audio.
    Tone,
    /// By signalling (INFO).
    Signal,
}

/// A key of the peer, to be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) digit: char,
    pub(super) by: By,
}

#[derive(Clone, Copy, Debug)]
struct Press {
    digit: char,
    from: u64,
    until: u64,
    /// The ways it was told so far.
    told: [Option<By>; 3],
}

impl Press {
    /// Whether a key that was down from `from` until `until` may be this press told in another way.
    fn is_echoed_by(&self, key: Key, from: u64, until: u64) -> bool {
        let near = from <= self.until + APART_MS && until + APART_MS >= self.from;
        self.digit == key.digit && near && !self.told.contains(&Some(key.by))
    }
}

/// Presses taken lately, the latest last.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Press>);

impl Keys {
    /// Takes a key that was down for `held` until now; whether it is a press of its own.
    pub(super) fn hear(&mut self, now: u64, key: Key, held: u64) -> bool {
        let from = now.saturating_sub(held);
        if let Some(press) = self.0.iter_mut().find(|press| press.is_echoed_by(key, from, now)) {
            let free = press.told.iter_mut().find(|told| told.is_none());
            free.into_iter().for_each(|told| *told = Some(key.by));
            return false;
        }
        if self.0.len() == REMEMBERED {
            self.0.remove(0);
        }
        self.0.push(Press { digit: key.digit, from, until: now, told: [Some(key.by), None, None] });
        true
    }

    /// Whether a key that goes down now has been told in another way already.
    pub(super) fn is_echo(&self, now: u64, key: Key) -> bool {
        self.0.iter().any(|press| press.is_echoed_by(key, now, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears `(ms, digit, how, held)` and returns the digits that count.
    fn counted(told: &[(u64, char, By, u64)]) -> String {
        let mut keys = Keys::default();
        let hear = |&(now, digit, by, held): &(u64, char, By, u64)| {
            keys.hear(now, Key { digit, by }, held).then_some(digit)
        };
        told.iter().filter_map(hear).collect()
    }

    #[test]
    fn a_key_told_as_event_and_by_info_is_one_key() {
        assert_eq!(counted(&[(100, '5', By::Event, 100), (140, '5', By::Signal, 0)]), "5");
        assert_eq!(counted(&[(100, '5', By::Signal, 0), (200, '5', By::Event, 100)]), "5");
        assert_eq!(counted(&[(100, '5', By::Signal, 0), (3_200, '5', By::Event, 3_000)]), "5", "held long");
        let thrice = [(90, '5', By::Tone, 30), (100, '5', By::Event, 100), (140, '5', By::Signal, 0)];
        assert_eq!(counted(&thrice), "5");
    }

    #[test]
    fn the_same_key_pressed_twice_is_two_keys_however_it_is_told() {
        for by in [By::Event, By::Signal, By::Tone] {
            assert_eq!(counted(&[(100, '1', by, 50), (250, '1', by, 50)]), "11", "{by:?}");
        }
        let both = [
            (100, '1', By::Signal, 0),
            (150, '1', By::Event, 80),
            (300, '1', By::Signal, 0),
            (350, '1', By::Event, 80),
        ];
        assert_eq!(counted(&both), "11");
    }

    #[test]
    fn a_key_told_in_another_way_later_or_another_key_is_a_press() {
        assert_eq!(counted(&[(100, '1', By::Event, 50), (2_000, '1', By::Signal, 0)]), "11");
        assert_eq!(counted(&[(100, '1', By::Event, 50), (150, '2', By::Signal, 0)]), "12");
    }

    #[test]
    fn ten_keys_at_once_take_no_more_memory_than_eight() {
        let mut keys = Keys::default();
        for n in 0..100 {
            assert!(keys.hear(n * 1_000, Key { digit: '1', by: By::Event }, 50));
        }
        assert_eq!(keys.0.len(), REMEMBERED);
    }
}
