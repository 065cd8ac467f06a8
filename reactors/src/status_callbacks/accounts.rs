//! Applications with callbacks waiting, by account: how many are made at once, and what becomes of those that have too many.
//!
//! One with too many waiting is parked: its further facts are not kept, only the position of the first of them. When there
//! is room the log is read again from there. So an application that hangs costs the others nothing, of whatever account.

use domain::Sid;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Semaphore;

/// Most callbacks of one application made at once, slow ones aside.
const MAX_MADE: usize = 16;
/// Most of one application that wait.
pub(super) const MAX_WAITING: usize = 1_000;
/// Most of one application that wait while more than half of all places are taken.
const MAX_WAITING_IN_CROWD: usize = 50;
/// Most that wait or are under way.
const MAX_IN_FLIGHT: usize = 20_000;

/// Whose callback one is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Whose {
    /// The account, or the carrier where there is none.
    pub payer: Sid,
    /// The application it goes to: the URL without its query.
    pub application: Arc<str>,
}

/// The applications.
#[derive(Default)]
pub(super) struct Accounts(Mutex<HashMap<Whose, Account>>);

struct Account {
    turns: Arc<Semaphore>,
    waiting: usize,
    /// The position of the first fact that was not kept.
    parked: Option<i64>,
}

impl Default for Account {
    fn default() -> Account {
        Account { turns: Arc::new(Semaphore::new(MAX_MADE)), waiting: 0, parked: None }
    }
}

impl Accounts {
    /// Counts one more that waits, beside so many of all. `false`: it is parked, at this position if it was not before.
    pub fn admit(&self, whose: &Whose, position: i64, crowd: usize) -> bool {
        let mut accounts = self.lock();
        let account = accounts.entry(whose.clone()).or_default();
        let most = if crowd >= MAX_IN_FLIGHT / 2 { MAX_WAITING_IN_CROWD } else { MAX_WAITING };
        let is_full = crowd >= MAX_IN_FLIGHT || account.waiting >= most;
        if account.parked.is_none() && is_full {
            account.parked = Some(position);
        }
        let admitted = account.parked.is_none();
        account.waiting += usize::from(admitted);
        admitted
    }

    /// Leaves it aside from this position on, whether it is known or has been forgotten meanwhile.
    pub fn park(&self, whose: &Whose, position: i64) {
        let mut accounts = self.lock();
        let account = accounts.entry(whose.clone()).or_default();
        account.parked = Some(account.parked.map_or(position, |parked| parked.min(position)));
    }

    /// One less waits.
    pub fn done(&self, whose: &Whose) {
        let mut accounts = self.lock();
        let Some(account) = accounts.get_mut(whose) else { return };
        account.waiting = account.waiting.saturating_sub(1);
        if account.waiting == 0 && account.parked.is_none() {
            accounts.remove(whose);
        }
    }

    /// Leave to make a callback is to be had here.
    pub fn turns(&self, whose: &Whose) -> Arc<Semaphore> {
        let turns = self.lock().get(whose).map(|account| Arc::clone(&account.turns));
        turns.unwrap_or_else(|| Arc::new(Semaphore::new(MAX_MADE)))
    }

    /// Takes one out of the park that has room for half of what it may have, and says from where on the log is to be read
    /// for it.
    pub fn resume(&self, crowd: usize) -> Option<(Whose, i64)> {
        if crowd >= MAX_IN_FLIGHT {
            return None;
        }
        let mut accounts = self.lock();
        let most = if crowd >= MAX_IN_FLIGHT / 2 { MAX_WAITING_IN_CROWD } else { MAX_WAITING };
        let roomy = |account: &Account| account.parked.is_some() && account.waiting <= most / 2;
        let (whose, account) = accounts.iter_mut().find(|(_, account)| roomy(account))?;
        Some((whose.clone(), account.parked.take()?))
    }

    /// Whether its facts are not kept.
    pub fn is_parked(&self, whose: &Whose) -> bool {
        self.lock().get(whose).is_some_and(|account| account.parked.is_some())
    }

    /// The position from which on something was not kept.
    pub fn first_parked(&self) -> Option<i64> {
        self.lock().values().filter_map(|account| account.parked).min()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Whose, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    #[test]
    fn what_could_not_be_read_again_stays_parked_though_the_last_that_waited_is_done() {
        let (accounts, payer) = (Accounts::default(), Sid::from_uuid(Kind::Account, uuid::Uuid::nil()));
        let whose = Whose { payer, application: "hangs".into() };
        assert!(accounts.admit(&whose, 1, 0) && !accounts.admit(&whose, 2, MAX_IN_FLIGHT));
        assert_eq!(accounts.resume(0), Some((whose.clone(), 2)));
        accounts.done(&whose);
        accounts.park(&whose, 2);
        assert_eq!(accounts.first_parked(), Some(2), "the checkpoint does not pass it");
    }

    #[test]
    fn a_crowd_of_hanging_applications_leaves_room_for_the_others() {
        let accounts = Accounts::default();
        let whose = |name: &str| Whose {
            payer: Sid::from_uuid(Kind::Account, uuid::Uuid::nil()),
            application: name.into(),
        };
        let waiting = (0..MAX_WAITING + 1).filter(|_| accounts.admit(&whose("hangs"), 7, 0)).count();
        assert_eq!((waiting, accounts.first_parked()), (MAX_WAITING, Some(7)));
        let waiting = (0..100).filter(|_| accounts.admit(&whose("hangs too"), 8, MAX_IN_FLIGHT / 2)).count();
        assert_eq!(waiting, MAX_WAITING_IN_CROWD);
        assert!(accounts.admit(&whose("well"), 9, MAX_IN_FLIGHT - 1));
    }
}
