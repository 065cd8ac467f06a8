//! What a page is told of how far the tables are: whether that is the same as before, and nothing else.

use domain::{Ids, Sid};
use ring::hmac;

/// Bytes of a mark that are told.
const BYTES: usize = 16;

/// Makes marks of positions, by a key that this process alone has. Positions are of all carriers together, so that a
/// difference of two of them would count what the others do.
pub(crate) struct Marks(hmac::Key);

impl Marks {
    /// With a new key.
    pub(crate) fn new(ids: &dyn Ids) -> Marks {
        let mut key = [0; 32];
        ids.fill(&mut key);
        Marks(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// A carrier's mark of these positions: 32 hex digits.
    pub(crate) fn of(&self, carrier: &Sid, positions: [i64; 2]) -> String {
        let mut mark = hmac::Context::with_key(&self.0);
        mark.update(carrier.as_str().as_bytes());
        positions.iter().for_each(|position| mark.update(&position.to_be_bytes()));
        mark.sign().as_ref().iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;
    use store::RandomIds;

    #[test]
    fn a_mark_says_whether_positions_are_the_same_and_not_which() {
        let carrier = |number| Sid::from_uuid(Kind::Carrier, uuid::Uuid::from_u128(number));
        let (marks, others) = (Marks::new(&RandomIds::default()), Marks::new(&RandomIds::default()));
        let mark = marks.of(&carrier(1), [530, 7_764]);
        assert_eq!(mark, marks.of(&carrier(1), [530, 7_764]));
        assert!(mark.len() == 32 && mark.bytes().all(|digit| digit.is_ascii_hexdigit()), "{mark}");
        for other in [
            marks.of(&carrier(1), [530, 7_765]),
            marks.of(&carrier(1), [531, 7_764]),
            marks.of(&carrier(2), [530, 7_764]),
            others.of(&carrier(1), [530, 7_764]),
        ] {
            assert_ne!(mark, other);
        }
    }
}
