//! How much of something one party may have, so that nobody has all of it: less, the less of it is free (Choudhury and
//! Hahne's dynamic thresholds). However few or many take what they can, there is something for one more.

use std::{collections::HashMap, hash::Hash};

/// Room that is kept, however few have something.
const LEAST_ROOM: usize = 512;

/// How many are kept beyond all others for calls for help, where there are so many in all: one for eight, and at least 16.
#[must_use]
pub fn kept_for_help(total: usize) -> usize {
    (total / 8).max(16)
}

/// What part of what is free one party may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// What one may have for one that is free, as a fraction; its denominator is not 0.
    pub per_free: (usize, usize),
    /// One in so many of all, and at least one, is not counted as free: it is for those that have nothing. 0: none is.
    pub one_kept_in: usize,
    /// At least this many, while any are free and `most` lets it.
    pub least: usize,
    /// At most this many.
    pub most: usize,
}

impl Share {
    /// How many one party may have before it gets another, when `free` of `total` are free.
    #[must_use]
    pub fn of(&self, total: usize, free: usize) -> usize {
        let kept = if self.one_kept_in == 0 { 0 } else { total.div_ceil(self.one_kept_in) };
        let may_have = free.saturating_sub(kept).saturating_mul(self.per_free.0) / self.per_free.1;
        if free == 0 { 0 } else { may_have.max(self.least).min(self.most) }
    }
}

/// One of so many of all is for carriers that have few of them.
const KEPT_FOR_FEW: usize = 8;

/// What part of `total` one of so many carriers may have. Alone it comes to seven tenths, and the last eighth is shared out
/// evenly among all carriers there are: whoever has less than that part of it finds another, whatever the others have.
/// With more carriers than there are of that eighth, a part is one.
#[must_use]
pub fn of_a_carrier(total: usize, carriers: usize) -> Share {
    let least = (total.div_ceil(KEPT_FOR_FEW) / carriers.max(1)).max(1);
    Share { per_free: (4, 1), one_kept_in: KEPT_FOR_FEW, least, most: usize::MAX }
}

/// How many each party has.
#[derive(Clone, Debug)]
pub struct Counts<P>(HashMap<P, usize>);

impl<P> Default for Counts<P> {
    fn default() -> Counts<P> {
        Counts(HashMap::new())
    }
}

impl<P: Clone + Eq + Hash> Counts<P> {
    /// One more for each of these, which are different ones.
    ///
    /// # Errors
    /// The first party that has as many as it may, or more; then nobody gets one.
    pub fn take(&mut self, wanted: &[(P, usize)]) -> Result<(), P> {
        let full = wanted.iter().find(|(party, most)| self.of(party) >= *most);
        if let Some((party, _)) = full {
            return Err(party.clone());
        }
        for (party, _) in wanted {
            *self.0.entry(party.clone()).or_default() += 1;
        }
        Ok(())
    }

    /// One less for this one.
    pub fn give_back(&mut self, party: &P) {
        let Some(count) = self.0.get_mut(party) else { return };
        *count -= 1;
        if *count == 0 {
            self.0.remove(party);
        }
        if self.0.capacity() > LEAST_ROOM && self.0.len() < self.0.capacity() / 8 {
            self.0.shrink_to((self.0.len() * 2).max(LEAST_ROOM / 2));
        }
    }

    /// How many a party has.
    #[must_use]
    pub fn of(&self, party: &P) -> usize {
        self.0.get(party).copied().unwrap_or(0)
    }

    /// Whether nobody has any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many each of so many parties comes to have, when all take what they can in turn.
    fn taken(share: Share, total: usize, parties: usize) -> Vec<usize> {
        let (mut counts, mut free, mut refused) = (Counts::default(), total, 0);
        for party in (0..parties).cycle() {
            match counts.take(&[(party, share.of(total, free))]) {
                Ok(()) => (free, refused) = (free - 1, 0),
                Err(_) => refused += 1,
            }
            if refused == parties {
                break;
            }
        }
        (0..parties).map(|party| counts.of(&party)).collect()
    }

    #[test]
    fn one_alone_comes_to_four_fifths_and_two_to_four_ninths_each() {
        let share = Share { per_free: (4, 1), one_kept_in: 0, least: 0, most: usize::MAX };
        assert_eq!(taken(share, 900, 1), [720]);
        assert_eq!(taken(share, 900, 2), [400, 400]);
    }

    #[test]
    fn the_last_part_is_for_those_that_have_nothing() {
        let share = Share { per_free: (1, 8), one_kept_in: 8, least: 1, most: 48 };
        assert_eq!(taken(share, 1_024, 1), [48]);
        let many = taken(share, 1_024, 150);
        assert!(many.iter().all(|has| *has > 0) && many.iter().sum::<usize>() < 1_024, "{many:?}");
        assert_eq!(share.of(1_024, 1), 1);
        assert_eq!(share.of(1_024, 0), 0);
    }

    #[test]
    fn a_carrier_that_has_none_finds_one_however_many_take_what_they_can() {
        for total in [2_usize, 5, 16, 60, 2_000] {
            let kept = total.div_ceil(KEPT_FOR_FEW);
            for carriers in [2, kept / 2 + 1, kept + 1] {
                let share = of_a_carrier(total, carriers);
                let has = taken(share, total, carriers - 1);
                let free = total - has.iter().sum::<usize>();
                assert!(share.of(total, free) > 0, "{total} among {carriers}: {has:?}");
            }
        }
        assert_eq!(taken(of_a_carrier(2_000, 2), 2_000, 1), [1_400]);
        assert_eq!(taken(of_a_carrier(60, 3), 60, 2), [24, 23]);
    }

    #[test]
    fn a_carrier_that_comes_last_finds_its_part_of_the_last_eighth() {
        let (share, mut counts, mut free) = (of_a_carrier(60, 3), Counts::default(), 60);
        let mut takes_all = |party: &str| {
            while counts.take(&[(party.to_owned(), share.of(60, free))]).is_ok() {
                free -= 1;
            }
            counts.of(&party.to_owned())
        };
        assert_eq!(["first", "second", "last"].map(&mut takes_all), [42, 8, 2]);
    }

    #[test]
    fn nobody_has_more_than_the_most_even_where_the_least_is_more() {
        let share = Share { per_free: (1, 8), one_kept_in: 8, least: 2, most: 1 };
        assert_eq!([share.of(64, 64), share.of(64, 1)], [1, 1]);
    }

    #[test]
    fn all_get_one_or_nobody_does() {
        let mut counts = Counts::default();
        assert_eq!(counts.take(&[("a", 1), ("b", 1)]), Ok(()));
        assert_eq!(counts.take(&[("c", 1), ("b", 1)]), Err("b"));
        assert_eq!(counts.of(&"c"), 0);
        ["a", "b"].iter().for_each(|party| counts.give_back(party));
        assert!(counts.is_empty());
    }
}
