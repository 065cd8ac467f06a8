//! Applications with callbacks waiting, by account: how many are made at once, and what becomes of those that have too many.
//!
//! One with too many waiting is parked: its further facts are not kept, only the position of the first of them. When there
//! is room the log is read again from there. So an application that hangs costs the others nothing, of whatever account;
//! nor does a carrier, however many accounts and addresses it has: of all that wait it has a [`SHARE`].

use domain::{
    Sid,
    share::{Counts, Share},
};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Semaphore;

/// Most callbacks of one application made at once, slow ones aside.
const MAX_MADE: usize = 16;
/// Most of one application that wait.
pub(super) const MAX_WAITING: usize = 1_000;
/// Most of one application that wait while more than half of all places are taken.
const MAX_WAITING_IN_CROWD: usize = 50;
/// Most that wait or are under way.
const MAX_IN_FLIGHT: usize = 20_000;
/// How many of them may be one carrier's.
const SHARE: Share =
    Share { per_free: (4, 1), one_kept_in: 8, least: MAX_WAITING_IN_CROWD, most: usize::MAX };

/// Whose callback one is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Whose {
    /// The carrier.
    pub carrier: Sid,
    /// The account, or the carrier where there is none.
    pub payer: Sid,
    /// The application it goes to: the URL without its query.
    pub application: Arc<str>,
}

/// The applications.
#[derive(Default)]
pub(super) struct Accounts(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    accounts: HashMap<Whose, Account>,
    /// How many wait of each carrier.
    carriers: Counts<Sid>,
}

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
        let Inner { accounts, carriers } = &mut *self.0.lock();
        let account = accounts.entry(whose.clone()).or_default();
        let [most, of_carrier] = may_wait(crowd);
        let admitted = account.parked.is_none()
            && account.waiting < most
            && carriers.take(&[(whose.carrier.clone(), of_carrier)]).is_ok();
        account.waiting += usize::from(admitted);
        if !admitted {
            account.parked = account.parked.or(Some(position));
        }
        admitted
    }

    /// Leaves it aside from this position on, whether it is known or has been forgotten meanwhile.
    pub fn park(&self, whose: &Whose, position: i64) {
        let mut inner = self.0.lock();
        let account = inner.accounts.entry(whose.clone()).or_default();
        account.parked = Some(account.parked.map_or(position, |parked| parked.min(position)));
    }

    /// One less waits.
    pub fn done(&self, whose: &Whose) {
        let Inner { accounts, carriers } = &mut *self.0.lock();
        let Some(account) = accounts.get_mut(whose) else { return };
        if account.waiting > 0 {
            account.waiting -= 1;
            carriers.give_back(&whose.carrier);
        }
        if account.waiting == 0 && account.parked.is_none() {
            accounts.remove(whose);
        }
    }

    /// Leave to make a callback is to be had here.
    pub fn turns(&self, whose: &Whose) -> Arc<Semaphore> {
        let turns = self.0.lock().accounts.get(whose).map(|account| Arc::clone(&account.turns));
        turns.unwrap_or_else(|| Arc::new(Semaphore::new(MAX_MADE)))
    }

    /// Takes one out of the park that has room for half of what it and its carrier may have, or of which nothing waits, and
    /// says from where on the log is to be read for it.
    pub fn resume(&self, crowd: usize) -> Option<(Whose, i64)> {
        if crowd >= MAX_IN_FLIGHT {
            return None;
        }
        let Inner { accounts, carriers } = &mut *self.0.lock();
        let [most, of_carrier] = may_wait(crowd);
        let roomy = |whose: &Whose, account: &Account| {
            let theirs = carriers.of(&whose.carrier);
            // Its carrier has many that wait; one of which nothing does goes on all the same.
            let spare = if account.waiting == 0 { of_carrier.saturating_sub(1) } else { of_carrier / 2 };
            account.parked.is_some() && account.waiting <= most / 2 && theirs <= spare
        };
        let (whose, account) = accounts.iter_mut().find(|(whose, account)| roomy(whose, account))?;
        Some((whose.clone(), account.parked.take()?))
    }

    /// Whether its facts are not kept.
    pub fn is_parked(&self, whose: &Whose) -> bool {
        self.0.lock().accounts.get(whose).is_some_and(|account| account.parked.is_some())
    }

    /// The position from which on something was not kept.
    pub fn first_parked(&self) -> Option<i64> {
        self.0.lock().accounts.values().filter_map(|account| account.parked).min()
    }
}

/// How many of one application may wait beside so many of all, and of one carrier.
fn may_wait(crowd: usize) -> [usize; 2] {
    let most = if crowd >= MAX_IN_FLIGHT / 2 { MAX_WAITING_IN_CROWD } else { MAX_WAITING };
    [most, SHARE.of(MAX_IN_FLIGHT, MAX_IN_FLIGHT.saturating_sub(crowd))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    fn whose(carrier: u128, application: &str) -> Whose {
        let sid = |kind| Sid::from_uuid(kind, uuid::Uuid::from_u128(carrier));
        Whose { carrier: sid(Kind::Carrier), payer: sid(Kind::Account), application: application.into() }
    }

    #[test]
    fn what_could_not_be_read_again_stays_parked_though_the_last_that_waited_is_done() {
        let (accounts, whose) = (Accounts::default(), whose(1, "hangs"));
        assert!(accounts.admit(&whose, 1, 0) && !accounts.admit(&whose, 2, MAX_IN_FLIGHT));
        assert_eq!(accounts.resume(0), Some((whose.clone(), 2)));
        accounts.done(&whose);
        accounts.park(&whose, 2);
        assert_eq!(accounts.first_parked(), Some(2), "the checkpoint does not pass it");
    }

    #[test]
    fn a_crowd_of_hanging_applications_leaves_room_for_the_others() {
        let accounts = Accounts::default();
        let waiting = (0..MAX_WAITING + 1).filter(|_| accounts.admit(&whose(1, "hangs"), 7, 0)).count();
        assert_eq!((waiting, accounts.first_parked()), (MAX_WAITING, Some(7)));
        let waiting =
            (0..100).filter(|_| accounts.admit(&whose(1, "hangs too"), 8, MAX_IN_FLIGHT / 2)).count();
        assert_eq!(waiting, MAX_WAITING_IN_CROWD);
        assert!(accounts.admit(&whose(2, "well"), 9, MAX_IN_FLIGHT - 1));
    }

    #[test]
    fn a_carrier_of_a_thousand_applications_leaves_room_for_anothers() {
        let (accounts, mut crowd) = (Accounts::default(), 0);
        let mut fills = |carrier: u128| {
            let before = crowd;
            for application in 0..1_000 {
                let whose = whose(carrier, &application.to_string());
                while accounts.admit(&whose, 7, crowd) {
                    crowd += 1;
                }
            }
            crowd - before
        };
        assert_eq!(fills(1), 14_000, "not all 20,000");
        (0..60).for_each(|_| accounts.done(&whose(1, "0")));
        let (resumed, from) = accounts.resume(13_940).unwrap();
        assert_eq!(
            (accounts.0.lock().accounts[&resumed].waiting, from),
            (0, 7),
            "one of which nothing waits"
        );
        assert!(fills(2) > MAX_WAITING_IN_CROWD);
        assert_eq!(accounts.resume(crowd), None, "there is no room for more of theirs");
        (0..7_000).for_each(|number| accounts.done(&whose(1, &(number % 10).to_string())));
        assert_eq!(accounts.resume(crowd - 7_000).map(|(_, from)| from), Some(7), "now there is");
    }
}
