//! Who has how many of the engine's places, so that nobody has all of them.
//!
//! A place is one main call of `max_calls`. A trunk, a source address or an account gets another place while it has no more
//! than its [`SHARE`]: alone it comes to four fifths of all, two that take what they can to four ninths each. A carrier,
//! whose trunks and accounts are as many as it likes, has a share of its own ([`of_a_carrier`]), of places and of legs with
//! sound. A call for help that gets no place so has another one of those that are kept for such calls, and are shared out in
//! the same way.

use super::shared::Shared;
use crate::{relax::relax, routing::Directory};
use domain::{
    Sid,
    share::{Counts, Share, kept_for_help, of_a_carrier},
};
use parking_lot::{Mutex, MutexGuard};
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// A second as whoever counts calls at the far end sees it: calls are not all as fast on their way there.
const SECOND: Duration = Duration::from_millis(1_050);
/// What one party may have of the places.
const SHARE: Share = Share { per_free: (4, 1), one_kept_in: 0, least: 0, most: usize::MAX };

/// Who has something that there is only so much of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Party {
    /// Places of calls that came through a trunk.
    Trunk(Sid),
    /// Places of calls that came from an address.
    Source(IpAddr),
    /// Places of an account's calls, whichever way they go.
    Account(Sid),
    /// Places of a carrier's calls, whichever way they go.
    Carrier(Sid),
    /// Places that are kept for calls for help, of one of these.
    Kept(Box<Party>),
    /// Calls an account has placed, dialled ones among them.
    Placed(Sid),
    /// Calls an account has dialled on behalf of one caller to one callee.
    Pair(Sid, String, String),
    /// Legs with sound of a carrier's calls.
    Legs(Sid),
    /// Legs with sound of everybody's.
    AllLegs,
}

impl Party {
    /// Whoever has a share in the places of a tenant's calls: nobody, where there is nobody else to keep places for.
    pub(super) fn of_tenant(
        directory: &Directory,
        carrier: Option<&Sid>,
        account: Option<&Sid>,
    ) -> Vec<Party> {
        let carrier = carrier.filter(|_| directory.carriers() > 1).cloned().map(Party::Carrier);
        let account = account.filter(|_| directory.has_other_accounts()).cloned().map(Party::Account);
        carrier.into_iter().chain(account).collect()
    }

    fn is_carrier(&self) -> bool {
        match self {
            Party::Carrier(_) => true,
            Party::Kept(party) => party.is_carrier(),
            _ => false,
        }
    }
}

/// Counts of everybody who has anything.
#[derive(Default)]
pub(super) struct Shares(Mutex<Counts<Party>>);

impl Shares {
    /// Counts one more for each of these, or for none when one of them has as many as it may: that one is told.
    fn take(self: &Arc<Shares>, wanted: &[(Party, usize)]) -> Result<Held, Party> {
        self.counts().take(wanted)?;
        Ok(self.held(wanted.iter().map(|(party, _)| party.clone()).collect()))
    }

    /// Counts one more leg of a carrier's, unless it has as many as it may where there are so many in all.
    fn take_leg(self: &Arc<Shares>, carrier: &Sid, may_have: impl FnOnce(usize) -> usize) -> Option<Held> {
        let legs = Party::Legs(carrier.clone());
        let mut counts = self.counts();
        let most = may_have(counts.of(&Party::AllLegs));
        counts.take(&[(legs.clone(), most), (Party::AllLegs, usize::MAX)]).ok()?;
        drop(counts);
        Some(self.held(vec![legs, Party::AllLegs]))
    }

    fn held(self: &Arc<Shares>, parties: Vec<Party>) -> Held {
        Held { shares: Arc::clone(self), parties }
    }

    fn counts(&self) -> MutexGuard<'_, Counts<Party>> {
        self.0.lock()
    }
}

/// What is counted, until it is dropped.
pub(super) struct Held {
    shares: Arc<Shares>,
    parties: Vec<Party>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counts = self.shares.counts();
        self.parties.iter().for_each(|party| counts.give_back(party));
    }
}

/// A main call's place, until it is dropped.
pub(super) struct Place {
    shared: Arc<Shared>,
    held: Option<Held>,
    /// It is one of those that are kept for calls for help.
    kept: bool,
    /// Nobody had it, so nobody is told that it is free.
    unused: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.held.take());
        if self.kept {
            self.shared.kept.fetch_sub(1, Ordering::AcqRel);
        }
        self.shared.less_live();
        if !self.unused {
            self.shared.freed();
        }
    }
}

impl Place {
    /// A place for a call, unless there is none, or too few for one of these parties.
    pub(super) fn take(shared: &Arc<Shared>, parties: Vec<Party>) -> Option<Place> {
        let most = shared.most_live();
        let room = |live: usize| (live < most).then_some(live + 1);
        let live = shared.live.fetch_update(Ordering::AcqRel, Ordering::Acquire, room).ok()?;
        Place::counted(shared).held_by(parties, most, most - live)
    }

    /// A place for a call for help: like any other, or else one of those that are kept for them.
    pub(super) fn for_help(shared: &Arc<Shared>, parties: Vec<Party>) -> Option<Place> {
        let kept = parties.iter().map(|party| Party::Kept(Box::new(party.clone()))).collect();
        Place::take(shared, parties).or_else(|| Place::take_kept(shared, kept))
    }

    fn take_kept(shared: &Arc<Shared>, parties: Vec<Party>) -> Option<Place> {
        // First among all and then among these, so that meanwhile nobody else has a place too many.
        shared.live.fetch_add(1, Ordering::AcqRel);
        let mut place = Place::counted(shared);
        let most = kept_for_help(shared.config.max_calls);
        let room = |kept: usize| (kept < most).then_some(kept + 1);
        let kept = shared.kept.fetch_update(Ordering::AcqRel, Ordering::Acquire, room).ok()?;
        place.kept = true;
        place.held_by(parties, most, most - kept)
    }

    /// One that is among the live ones: from here on it is given back when it is dropped.
    fn counted(shared: &Arc<Shared>) -> Place {
        Place { shared: Arc::clone(shared), held: None, kept: false, unused: true }
    }

    /// Gives it to these, unless one of them has as many as it may while `free` of `total` are free.
    fn held_by(mut self, parties: Vec<Party>, total: usize, free: usize) -> Option<Place> {
        let of_carrier = of_a_carrier(total, self.shared.directory.load().carriers());
        let share = |party: &Party| if party.is_carrier() { of_carrier } else { SHARE };
        let may_have: Vec<_> = parties.iter().map(|party| share(party).of(total, free)).collect();
        let wanted: Vec<_> = parties.into_iter().zip(may_have).collect();
        self.held = Some(self.shared.shares.take(&wanted).ok()?);
        self.unused = false;
        Some(self)
    }

    /// Gives it back as if it had never been taken.
    pub(super) fn give_back(mut self) {
        self.unused = true;
    }
}

/// When accounts placed their latest calls.
#[derive(Default)]
pub(super) struct Rates(Mutex<Lately>);

#[derive(Default)]
struct Lately {
    placed: HashMap<Sid, VecDeque<Instant>>,
    /// When those that place none any more were last forgotten.
    tidied: Option<Instant>,
}

impl Rates {
    /// Places one of `rate` calls in any second, or says how long to wait for it.
    fn take(&self, account: &Sid, rate: u32, now: Instant) -> Result<(), Duration> {
        let rate = usize::try_from(rate.max(1)).unwrap_or(usize::MAX);
        let mut lately = self.0.lock();
        lately.tidy(now);
        let placed = lately.placed.entry(account.clone()).or_default();
        while placed.front().is_some_and(|at| *at + SECOND <= now) {
            placed.pop_front();
        }
        // Where the rate was lowered, there may be more than that.
        let last = placed.len().checked_sub(rate).and_then(|surplus| placed.get(surplus));
        if let Some(last) = last {
            return Err(*last + SECOND - now);
        }
        placed.push_back(now);
        Ok(())
    }
}

impl Lately {
    fn tidy(&mut self, now: Instant) {
        if self.tidied.is_some_and(|at| at + SECOND > now) {
            return;
        }
        self.tidied = Some(now);
        self.placed.retain(|_, placed| placed.back().is_some_and(|at| *at + SECOND > now));
        relax(&mut self.placed);
    }
}

/// Why an account places no further call now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exceeded {
    /// As many calls as it may have placed at once.
    AtOnce(u32),
    /// As many of this caller to this callee.
    SamePair(u32),
    /// As many as it may in a second; the next one in this long.
    PerSecond(u32, Duration),
}

impl std::fmt::Display for Exceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Exceeded::AtOnce(most) => {
                write!(f, "the account has placed {most} calls, as many as it may at once")
            }
            Exceeded::SamePair(most) => {
                write!(
                    f,
                    "{most} calls of this caller to this number are dialled already, which looks like a loop"
                )
            }
            Exceeded::PerSecond(most, _) => {
                write!(f, "the account has placed {most} calls in a second, as many as it may")
            }
        }
    }
}

impl Shared {
    /// Counts a call that an account places, within its limits; until what is given is dropped. `pair` is for whom one is
    /// dialled, and whom. What the call shows does not matter: a number that forwards everything shows one caller for all.
    /// Calls for somebody who hides could be anybody's; they end with their hops, and with what an account may have at once.
    pub(super) fn place_for(&self, account: &Sid, pair: Option<(&str, &str)>) -> Result<Held, Exceeded> {
        let limits = self.directory.load().limits_of(account);
        let count = |most: u32| usize::try_from(most).unwrap_or(usize::MAX);
        let mut wanted = vec![(Party::Placed(account.clone()), count(limits.calls_at_once))];
        wanted.extend(pair.map(|(from, to)| {
            (Party::Pair(account.clone(), from.into(), to.into()), count(limits.same_pair_at_once))
        }));
        let held = self.shares.take(&wanted).map_err(|full| match full {
            Party::Pair(..) => Exceeded::SamePair(limits.same_pair_at_once),
            _ => Exceeded::AtOnce(limits.calls_at_once),
        })?;
        let rate = limits.calls_per_second;
        self.rates.take(account, rate, Instant::now()).map_err(|wait| Exceeded::PerSecond(rate, wait))?;
        Ok(held)
    }

    /// Counts a leg that is to have sound, until what is given is dropped: so many there may be, and where there are other
    /// carriers, this one has its share of them. What calls for help have is beyond that.
    pub(super) fn leg_of(&self, carrier: &Sid, emergency: bool) -> Option<Held> {
        let (total, carriers) = (self.media.most_legs(), self.directory.load().carriers());
        let of_all = |taken: usize| of_a_carrier(total, carriers).of(total, total.saturating_sub(taken));
        let may_have = |taken| if emergency || carriers < 2 { usize::MAX } else { of_all(taken) };
        self.shares.take_leg(carrier, may_have)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    #[test]
    fn no_second_has_more_calls_of_an_account_than_it_may_place_in_one() {
        let (rates, began) = (Rates::default(), Instant::now());
        let account = Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(1));
        let try_at = |ms: u64| rates.take(&account, 3, began + Duration::from_millis(ms)).is_ok();
        let placed: Vec<u64> = (0..5_000).step_by(10).filter(|ms| try_at(*ms)).collect();
        assert!(placed.windows(4).all(|four| four[3] - four[0] > 1_000), "{placed:?}");
        assert_eq!(placed.len(), 15, "and none is lost: {placed:?}");
        let lowered = rates.take(&account, 1, began + Duration::from_millis(4_990));
        assert!(lowered.is_err_and(|wait| wait <= SECOND), "a lower rate holds at once");
        let other = Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(2));
        assert!(rates.take(&other, 3, began + Duration::from_secs(9)).is_ok());
        assert_eq!(rates.0.lock().placed.len(), 1, "who places none is forgotten");
    }
}
