//! So much of something, and how much of it each account may have.
//!
//! An account gets one more while it has fewer than an eighth of what is free (Choudhury and Hahne's dynamic thresholds).
//! The last eighth of all is for accounts that have none: however few or many take what they can, there is something for
//! as many more again as that.

use domain::Sid;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What part of what is free one account may have, and what part of all is kept for those that have none.
const PART: usize = 8;
/// How often the first of an account's that wait looks again.
const LOOK: Duration = Duration::from_millis(10);

/// All there is of something.
pub(super) struct Shares {
    total: usize,
    /// Most of one account, however much is free.
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_account: HashMap<Option<Sid>, Party>,
}

/// What one account has, and the turn its waiting ones take; gone when it has none and none waits.
#[derive(Default)]
struct Party {
    has: usize,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Shares {
    pub fn new(total: usize, most: usize) -> Arc<Shares> {
        Arc::new(Shares { total, most, taken: Mutex::default() })
    }

    /// One for this account, if it may have another now.
    pub fn try_take(self: &Arc<Shares>, account: Option<&Sid>) -> Option<Held> {
        let mut taken = self.lock();
        let free = self.total - taken.all;
        let may_have = (free.saturating_sub(self.total / PART) / PART).clamp(1, self.most);
        let party = taken.by_account.entry(account.cloned()).or_default();
        if free == 0 || party.has >= may_have {
            taken.tidy(account);
            return None;
        }
        party.has += 1;
        taken.all += 1;
        Some(Held { shares: Arc::clone(self), account: account.cloned() })
    }

    /// Waits for one; of one account, in order.
    pub async fn take(self: &Arc<Shares>, account: Option<&Sid>) -> Held {
        let turn = Arc::clone(&self.lock().by_account.entry(account.cloned()).or_default().turn);
        let waiting = Waiting { shares: self, account, turn: Some(turn) };
        let _turn = match &waiting.turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        loop {
            if let Some(held) = self.try_take(account) {
                return held;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Forgets an account that has nothing and waits for nothing.
    fn tidy(&mut self, account: Option<&Sid>) {
        let account = account.cloned();
        let idle = |party: &Party| party.has == 0 && Arc::strong_count(&party.turn) == 1;
        if self.by_account.get(&account).is_some_and(idle) {
            self.by_account.remove(&account);
        }
    }
}

/// One that waits, or waited.
struct Waiting<'a> {
    shares: &'a Shares,
    account: Option<&'a Sid>,
    turn: Option<Arc<tokio::sync::Mutex<()>>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.turn = None;
        self.shares.lock().tidy(self.account);
    }
}

/// One of them, until it is dropped.
pub(super) struct Held {
    shares: Arc<Shares>,
    account: Option<Sid>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.shares.lock();
        taken.all -= 1;
        if let Some(party) = taken.by_account.get_mut(&self.account) {
            party.has -= 1;
        }
        taken.tidy(self.account.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    fn account(number: u128) -> Sid {
        Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(number))
    }

    fn all(shares: &Arc<Shares>, account: &Sid) -> Vec<Held> {
        std::iter::from_fn(|| shares.try_take(Some(account))).collect()
    }

    #[test]
    fn whoever_takes_all_it_can_leaves_some_for_one_more() {
        let shares = Shares::new(1_024, 48);
        let mut held: Vec<Held> = Vec::new();
        for number in 0..150 {
            held.extend(all(&shares, &account(number)));
        }
        assert!(!all(&shares, &account(1_000)).is_empty(), "{} are taken", held.len());
        held.clear();
        assert_eq!(all(&shares, &account(1)).len(), 48, "alone it has its most");
        assert!(shares.lock().by_account.is_empty() && shares.lock().all == 0);
    }

    #[tokio::test(start_paused = true)]
    async fn those_of_one_account_wait_in_order_and_leave_nothing_behind() {
        let (shares, one) = (Shares::new(8, 1), account(1));
        let held = shares.try_take(Some(&one)).unwrap();
        let (order, wanted) = (Mutex::new(Vec::new()), [1, 2, 3]);
        let wait = |number| {
            let (shares, one, order) = (&shares, &one, &order);
            async move {
                drop(shares.take(Some(one)).await);
                order.lock().unwrap().push(number);
            }
        };
        let free = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(held);
        };
        tokio::join!(wait(1), wait(2), wait(3), free);
        assert_eq!(*order.lock().unwrap(), wanted);
        let given_up = tokio::time::timeout(Duration::ZERO, shares.take(None));
        drop(given_up.await);
        assert!(shares.lock().by_account.is_empty());
    }
}
