//! So much of something, and how much of it each account may have ([`Share`]); whoever has its share waits for its turn.

use domain::{
    Sid,
    share::{Counts, Share},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// What part of what is free one account may have, and what part of all is kept for those that have none.
const PART: usize = 8;

/// All there is of something.
pub(super) struct Shares {
    total: usize,
    share: Share,
    taken: Mutex<Taken>,
    /// Told when one is given back.
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_account: Counts<Option<Sid>>,
    /// The turns that those of an account take which wait.
    turns: HashMap<Option<Sid>, Turn>,
}

type Turn = Arc<tokio::sync::Mutex<()>>;

impl Shares {
    /// So many, and at most so many for one account however many are free.
    pub fn new(total: usize, most: usize) -> Arc<Shares> {
        let share = Share { per_free: (1, PART), one_kept_in: PART, least: 1, most };
        Arc::new(Shares { total, share, taken: Mutex::default(), freed: Notify::new() })
    }

    /// One for this account, if it may have another now.
    pub fn try_take(self: &Arc<Shares>, account: Option<&Sid>) -> Option<Held> {
        let mut taken = self.lock();
        let may_have = self.share.of(self.total, self.total - taken.all);
        taken.by_account.take(&[(account.cloned(), may_have)]).ok()?;
        taken.all += 1;
        Some(Held { shares: Arc::clone(self), account: account.cloned() })
    }

    /// Waits for one; of one account, in order.
    pub async fn take(self: &Arc<Shares>, account: Option<&Sid>) -> Held {
        let turn = Arc::clone(self.lock().turns.entry(account.cloned()).or_default());
        let waiting = Waiting { shares: self, account, turn: Some(turn) };
        let _turn = match &waiting.turn {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // From here on nothing that is given back is missed.
            freed.as_mut().enable();
            if let Some(held) = self.try_take(account) {
                return held;
            }
            freed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    #[cfg(test)]
    fn is_idle(&self) -> bool {
        self.all == 0 && self.by_account.is_empty() && self.turns.is_empty()
    }
}

/// One that waits, or waited.
struct Waiting<'a> {
    shares: &'a Shares,
    account: Option<&'a Sid>,
    turn: Option<Turn>,
}

impl Drop for Waiting<'_> {
    /// An account's turn is forgotten with the last that waits for it.
    fn drop(&mut self) {
        self.turn = None;
        let (mut taken, account) = (self.shares.lock(), self.account.cloned());
        if taken.turns.get(&account).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            taken.turns.remove(&account);
        }
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
        taken.by_account.give_back(&self.account);
        drop(taken);
        self.shares.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;
    use std::time::Duration;

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
        assert!(shares.lock().is_idle());
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
        let began = tokio::time::Instant::now();
        tokio::join!(wait(1), wait(2), wait(3), free);
        assert_eq!(began.elapsed(), Duration::from_secs(1), "as soon as it is free");
        assert_eq!(*order.lock().unwrap(), wanted);
        let given_up = tokio::time::timeout(Duration::ZERO, shares.take(None));
        drop(given_up.await);
        assert!(shares.lock().is_idle());
    }
}
