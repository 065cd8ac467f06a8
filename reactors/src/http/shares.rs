//! So much of something, and how much of it each account may have ([`Share`]), and where there are several carriers, each
//! carrier ([`of_a_carrier`]); whoever has its share waits for its turn.

use arc_swap::ArcSwap;
use domain::{
    Sid,
    share::{Counts, Share, of_a_carrier},
};
use parking_lot::Mutex;
use sip_engine::routing::Directory;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::Notify;

/// What part of what is free one account may have, and what part of all is kept for those that have none.
const PART: usize = 8;

/// Says whose customer an account is.
pub(crate) type Carriers = Arc<ArcSwap<Directory>>;

/// All there is of something.
pub(super) struct Shares {
    total: usize,
    share: Share,
    carriers: Carriers,
    taken: Mutex<Taken>,
    /// Told when one is given back.
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_party: Counts<Party>,
    /// The turns that those of an account take which wait.
    turns: HashMap<Option<Sid>, Turn>,
}

type Turn = Arc<tokio::sync::Mutex<()>>;

/// Who has some.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Party {
    Account(Option<Sid>),
    Carrier(Sid),
}

impl Shares {
    /// So many, and at most so many for one account however many are free.
    pub fn new(total: usize, most: usize, carriers: &Carriers) -> Arc<Shares> {
        let share = Share { per_free: (1, PART), one_kept_in: PART, least: 1, most };
        let (carriers, taken, freed) = (Arc::clone(carriers), Mutex::default(), Notify::new());
        Arc::new(Shares { total, share, carriers, taken, freed })
    }

    /// One for this account, if it may have another now.
    pub fn try_take(self: &Arc<Shares>, account: Option<&Sid>) -> Option<Held> {
        let mut taken = self.taken.lock();
        let wanted = self.parties(account, self.total - taken.all);
        taken.by_party.take(&wanted).ok()?;
        taken.all += 1;
        let parties = wanted.into_iter().map(|(party, _)| party).collect();
        Some(Held { shares: Arc::clone(self), parties })
    }

    /// The account and its carrier, and what they may have while so many are free.
    fn parties(&self, account: Option<&Sid>, free: usize) -> Vec<(Party, usize)> {
        let directory = self.carriers.load();
        let carriers = directory.carriers();
        let carrier = account.filter(|_| carriers > 1).and_then(|account| directory.carrier_of(account));
        let of_carrier = |carrier: &Sid| {
            (Party::Carrier(carrier.clone()), of_a_carrier(self.total, carriers).of(self.total, free))
        };
        let own = (Party::Account(account.cloned()), self.share.of(self.total, free));
        [own].into_iter().chain(carrier.map(of_carrier)).collect()
    }

    /// Waits for one; of one account, in order.
    pub async fn take(self: &Arc<Shares>, account: Option<&Sid>) -> Held {
        let turn = Arc::clone(self.taken.lock().turns.entry(account.cloned()).or_default());
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
}

impl Taken {
    #[cfg(test)]
    fn is_idle(&self) -> bool {
        self.all == 0 && self.by_party.is_empty() && self.turns.is_empty()
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
        let (mut taken, account) = (self.shares.taken.lock(), self.account.cloned());
        if taken.turns.get(&account).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            taken.turns.remove(&account);
        }
    }
}

/// One of them, until it is dropped.
pub(super) struct Held {
    shares: Arc<Shares>,
    parties: Vec<Party>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.shares.taken.lock();
        taken.all -= 1;
        self.parties.iter().for_each(|party| taken.by_party.give_back(party));
        drop(taken);
        self.shares.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Kind, limits::Limits};
    use sip_engine::routing::AccountEntry;
    use std::time::Duration;

    fn account(number: u128) -> Sid {
        Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(number))
    }

    fn all(shares: &Arc<Shares>, account: &Sid) -> Vec<Held> {
        std::iter::from_fn(|| shares.try_take(Some(account))).collect()
    }

    #[test]
    fn whoever_takes_all_it_can_leaves_some_for_one_more() {
        let shares = Shares::new(1_024, 48, &Carriers::default());
        let mut held: Vec<Held> = Vec::new();
        for number in 0..150 {
            held.extend(all(&shares, &account(number)));
        }
        assert!(!all(&shares, &account(1_000)).is_empty(), "{} are taken", held.len());
        held.clear();
        assert_eq!(all(&shares, &account(1)).len(), 48, "alone it has its most");
        assert!(shares.taken.lock().is_idle());
    }

    /// Accounts 1 to 1,000 are of one carrier, and 1,001 is of another.
    fn two_carriers() -> Carriers {
        let entry = |number: u128| AccountEntry {
            sid: account(number),
            carrier: Sid::from_uuid(Kind::Carrier, uuid::Uuid::from_u128(number.div_ceil(1_000))),
            enabled: true,
            country: None,
            limits: Limits::default(),
        };
        Arc::new(ArcSwap::from_pointee(Directory::new(vec![], vec![], (1..=1_001).map(entry).collect())))
    }

    #[test]
    fn a_carrier_of_a_thousand_accounts_leaves_some_for_anothers() {
        let shares = Shares::new(512, 48, &two_carriers());
        let mut held: Vec<Held> = Vec::new();
        for number in 1..=1_000 {
            held.extend(all(&shares, &account(number)));
        }
        assert!(all(&shares, &account(1_001)).len() > 8, "{} are taken", held.len());
        held.clear();
        assert!(shares.taken.lock().is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn those_of_one_account_wait_in_order_and_leave_nothing_behind() {
        let (shares, one) = (Shares::new(8, 1, &Carriers::default()), account(1));
        let held = shares.try_take(Some(&one)).unwrap();
        let (order, wanted) = (Mutex::new(Vec::new()), [1, 2, 3]);
        let wait = |number| {
            let (shares, one, order) = (&shares, &one, &order);
            async move {
                drop(shares.take(Some(one)).await);
                order.lock().push(number);
            }
        };
        let free = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(held);
        };
        let began = tokio::time::Instant::now();
        tokio::join!(wait(1), wait(2), wait(3), free);
        assert_eq!(began.elapsed(), Duration::from_secs(1), "as soon as it is free");
        assert_eq!(*order.lock(), wanted);
        let given_up = tokio::time::timeout(Duration::ZERO, shares.take(None));
        drop(given_up.await);
        assert!(shares.taken.lock().is_idle());
    }
}
