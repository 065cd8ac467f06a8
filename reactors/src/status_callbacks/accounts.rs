//! Accounts with callbacks waiting: how many are made at once, and what becomes of those that have too many.
//!
//! An account with too many waiting is parked: its further facts are not kept, only the position of the first of them.
//! When there is room the log is read again from there. So an account whose application hangs costs the others nothing.

use domain::Sid;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use store::Fact;
use tokio::sync::Semaphore;

/// Most callbacks of one account made at once: half of what the client lets it have.
const MAX_MADE: usize = 16;
/// Most of one account that wait.
pub(super) const MAX_WAITING: usize = 1_000;

/// The accounts.
#[derive(Default)]
pub(super) struct Accounts(Mutex<HashMap<Sid, Account>>);

struct Account {
    turns: Arc<Semaphore>,
    waiting: usize,
    /// The position of the first fact that was not kept.
    parked: Option<i64>,
}

/// Whose callbacks a fact's are; those of no account are its carrier's.
pub(super) fn payer(fact: &Fact) -> &Sid {
    fact.tenant.account.as_ref().unwrap_or(&fact.tenant.carrier)
}

impl Accounts {
    /// Counts one more that waits. `false`: the account is parked, at this position if it was not before.
    pub fn admit(&self, whose: &Sid, position: i64, is_full: bool) -> bool {
        let mut accounts = self.lock();
        let account = accounts.entry(whose.clone()).or_insert_with(|| Account {
            turns: Arc::new(Semaphore::new(MAX_MADE)),
            waiting: 0,
            parked: None,
        });
        if account.parked.is_none() && (is_full || account.waiting >= MAX_WAITING) {
            account.parked = Some(position);
        }
        let admitted = account.parked.is_none();
        account.waiting += usize::from(admitted);
        admitted
    }

    /// One less waits.
    pub fn done(&self, whose: &Sid) {
        let mut accounts = self.lock();
        let Some(account) = accounts.get_mut(whose) else { return };
        account.waiting = account.waiting.saturating_sub(1);
        if account.waiting == 0 && account.parked.is_none() {
            accounts.remove(whose);
        }
    }

    /// Leave to make a callback is to be had here.
    pub fn turns(&self, whose: &Sid) -> Arc<Semaphore> {
        let turns = self.lock().get(whose).map(|account| Arc::clone(&account.turns));
        turns.unwrap_or_else(|| Arc::new(Semaphore::new(MAX_MADE)))
    }

    /// Takes an account out of the park that has room for half of what it may have, and says from where on the log is to
    /// be read for it.
    pub fn resume(&self) -> Option<(Sid, i64)> {
        let mut accounts = self.lock();
        let roomy = |account: &Account| account.parked.is_some() && account.waiting <= MAX_WAITING / 2;
        let (whose, account) = accounts.iter_mut().find(|(_, account)| roomy(account))?;
        Some((whose.clone(), account.parked.take()?))
    }

    /// Whether the account's facts are not kept.
    pub fn is_parked(&self, whose: &Sid) -> bool {
        self.lock().get(whose).is_some_and(|account| account.parked.is_some())
    }

    /// The position from which on something was not kept.
    pub fn first_parked(&self) -> Option<i64> {
        self.lock().values().filter_map(|account| account.parked).min()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sid, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
