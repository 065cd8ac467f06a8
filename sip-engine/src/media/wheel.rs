//! A timer wheel of 1 ms slots with absolute deadlines. Pure: it knows no clock.

/// Slots of the wheel; later deadlines go round more than once.
const SLOTS: u64 = 128;

/// What a timer is for; each leg has at most one of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The next generated packet.
    Frame,
    /// The next RTCP report.
    Report,
    /// A look at silence and probation.
    Watch,
    /// A digit whose end may have been lost.
    Digit,
    /// A look at whether a bridged leg is still sent anything.
    Quiet,
}

/// A deadline, in milliseconds since the thread began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timer {
    pub(super) due: u64,
    pub(super) slot: usize,
    pub(super) kind: Kind,
}

/// The timers of one thread.
pub(super) struct Wheel {
    slots: Vec<Vec<Timer>>,
    /// One bit per slot that holds a timer.
    occupied: u128,
    /// Everything before this millisecond has been expired.
    cursor: u64,
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), occupied: 0, cursor: 0 }
    }

    /// Adds a timer. One already due expires at the next turn.
    pub(super) fn insert(&mut self, timer: Timer) {
        let place = timer.due.max(self.cursor) % SLOTS;
        self.occupied |= 1 << place;
        if let Some(slot) = self.slots.get_mut(place as usize) {
            slot.push(timer);
        }
    }

    /// The first millisecond at which something may be due.
    pub(super) fn next_due(&self) -> Option<u64> {
        let turned = self.occupied.rotate_right((self.cursor % SLOTS) as u32);
        (turned != 0).then(|| self.cursor + u64::from(turned.trailing_zeros()))
    }

    /// Moves every timer due at `now` or before into `expired`.
    pub(super) fn expire(&mut self, now: u64, expired: &mut Vec<Timer>) {
        let first = self.cursor;
        for place in (first..=now).take(SLOTS as usize) {
            let bit = 1 << (place % SLOTS);
            if self.occupied & bit == 0 {
                continue;
            }
            if let Some(slot) = self.slots.get_mut((place % SLOTS) as usize) {
                expired.extend(slot.extract_if(.., |timer| timer.due <= now));
                if slot.is_empty() {
                    self.occupied &= !bit;
                }
            }
        }
        self.cursor = self.cursor.max(now + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timer(due: u64) -> Timer {
        Timer { due, slot: due as usize, kind: Kind::Frame }
    }

    fn expired(wheel: &mut Wheel, now: u64) -> Vec<u64> {
        let mut out = Vec::new();
        wheel.expire(now, &mut out);
        let mut due: Vec<u64> = out.iter().map(|timer| timer.due).collect();
        due.sort_unstable();
        due
    }

    #[test]
    fn each_timer_expires_once_in_its_millisecond() {
        let mut wheel = Wheel::new();
        [3, 5, 5, 130, 5_000].into_iter().for_each(|due| wheel.insert(timer(due)));
        assert!(expired(&mut wheel, 2).is_empty());
        assert_eq!(expired(&mut wheel, 3), [3]);
        assert_eq!(expired(&mut wheel, 5), [5, 5]);
        assert!(expired(&mut wheel, 129).is_empty());
        assert_eq!(expired(&mut wheel, 131), [130]);
        assert_eq!(expired(&mut wheel, 10_000), [5_000]);
        assert_eq!(wheel.next_due(), None);
    }

    #[test]
    fn a_timer_set_late_is_not_lost() {
        let mut wheel = Wheel::new();
        wheel.expire(500, &mut Vec::new());
        wheel.insert(timer(20));
        assert_eq!(wheel.next_due(), Some(501));
        assert_eq!(expired(&mut wheel, 501), [20]);
    }

    #[test]
    fn the_next_wake_up_is_never_after_the_next_timer() {
        let mut wheel = Wheel::new();
        for due in [127, 128, 129, 400, 4_000] {
            wheel.insert(timer(due));
        }
        let mut seen = Vec::new();
        while let Some(next) = wheel.next_due() {
            seen.extend(expired(&mut wheel, next));
        }
        assert_eq!(seen, [127, 128, 129, 400, 4_000]);
    }
}
