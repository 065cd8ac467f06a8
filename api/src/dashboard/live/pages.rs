//! How many pages a user has open.

use crate::problem::Refusal;
use domain::Sid;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Most open pages of one user on this node.
const MOST: usize = 32;

/// Open pages by user; clones share them.
#[derive(Clone, Default)]
pub(in crate::dashboard) struct Pages(Arc<Mutex<HashMap<Sid, usize>>>);

/// One open page; counted until it is dropped.
pub(super) struct Place {
    pages: Pages,
    user: Sid,
}

impl Pages {
    /// Counts one more page of `user`.
    ///
    /// # Errors
    /// 429 when they have too many.
    pub(super) fn open(&self, user: &Sid) -> Result<Place, Refusal> {
        let mut pages = self.lock();
        let count = pages.entry(user.clone()).or_default();
        if *count >= MOST {
            return Err(Refusal::rate_limited(Duration::from_secs(30)));
        }
        *count += 1;
        Ok(Place { pages: self.clone(), user: user.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sid, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut pages = self.pages.lock();
        if let Some(count) = pages.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                pages.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    #[test]
    fn a_closed_page_makes_room_for_another() {
        let pages = Pages::default();
        let user = Sid::from_uuid(Kind::User, uuid::Uuid::from_u128(1));
        let mut open: Vec<_> = (0..MOST).map(|_| pages.open(&user).unwrap()).collect();
        assert!(pages.open(&user).is_err());
        assert!(pages.open(&Sid::from_uuid(Kind::User, uuid::Uuid::from_u128(2))).is_ok());
        open.pop();
        assert!(pages.open(&user).is_ok());
        open.clear();
        assert!(pages.lock().is_empty());
    }
}
