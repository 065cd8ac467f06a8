//! How many pages a user has open, and a carrier's users together. (Of one address the door lets in so many connections.)

use crate::problem::Refusal;
use domain::Sid;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Most open pages of one user on this node.
const MOST: usize = 32;
/// Most open pages of one carrier's users.
const MOST_OF_CARRIER: usize = 256;

/// Open pages by user and by carrier; clones share them.
#[derive(Clone, Default)]
pub(in crate::dashboard) struct Pages(Arc<Mutex<HashMap<Sid, usize>>>);

/// One open page; counted until it is dropped.
pub(super) struct Place {
    pages: Pages,
    whose: [Sid; 2],
}

impl Pages {
    /// Counts one more page of this carrier's user.
    ///
    /// # Errors
    /// 429 when they have too many.
    pub(super) fn open(&self, user: &Sid, carrier: &Sid) -> Result<Place, Refusal> {
        let mut pages = self.0.lock();
        let is_full = |sid: &Sid, most| pages.get(sid).is_some_and(|count| *count >= most);
        if is_full(user, MOST) || is_full(carrier, MOST_OF_CARRIER) {
            return Err(Refusal::rate_limited(Duration::from_secs(30)));
        }
        let whose = [user.clone(), carrier.clone()];
        whose.iter().for_each(|sid| *pages.entry(sid.clone()).or_default() += 1);
        Ok(Place { pages: self.clone(), whose })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut pages = self.pages.0.lock();
        for sid in &self.whose {
            if let Some(count) = pages.get_mut(sid) {
                *count -= 1;
                if *count == 0 {
                    pages.remove(sid);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    fn sid(kind: Kind, number: usize) -> Sid {
        Sid::from_uuid(kind, uuid::Uuid::from_u128(number as u128))
    }

    #[test]
    fn a_closed_page_makes_room_for_another() {
        let pages = Pages::default();
        let (carrier, user) = (sid(Kind::Carrier, 1), sid(Kind::User, 1));
        let mut open: Vec<_> = (0..MOST).map(|_| pages.open(&user, &carrier).unwrap()).collect();
        assert!(pages.open(&user, &carrier).is_err());
        assert!(pages.open(&sid(Kind::User, 2), &carrier).is_ok());
        open.pop();
        assert!(pages.open(&user, &carrier).is_ok());
        open.clear();
        assert!(pages.0.lock().is_empty());
    }

    #[test]
    fn one_carriers_pages_leave_room_for_anothers() {
        let pages = Pages::default();
        let (carrier, other) = (sid(Kind::Carrier, 1), sid(Kind::Carrier, 2));
        let open = |number: usize, carrier| pages.open(&sid(Kind::User, number), carrier);
        let theirs: Vec<_> = (0..MOST_OF_CARRIER).map(|page| open(page / MOST, &carrier).unwrap()).collect();
        assert!(open(MOST_OF_CARRIER, &carrier).is_err());
        assert!(open(MOST_OF_CARRIER, &other).is_ok());
        drop(theirs);
        assert!(open(MOST_OF_CARRIER, &carrier).is_ok());
    }
}
