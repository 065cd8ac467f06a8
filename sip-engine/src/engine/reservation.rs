//! Room for a call that is queued, kept until it is placed.

use super::{
    shared::Shared,
    shares::{Exceeded, Held, Party, Place},
};
use domain::call::Queued;
use std::{sync::Arc, time::Duration};

/// Room that is kept for one call. Dropped, it is another's.
pub struct Reservation {
    pub(super) place: Place,
    /// One of the calls its account may place; emergency calls take none.
    pub(super) placed: Option<Held>,
}

impl std::fmt::Debug for Reservation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reservation").finish_non_exhaustive()
    }
}

/// Why there is no room for a call now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// Not before somebody's call ends: the engine is full, or the account has as many calls as it may.
    UntilFreed,
    /// The account has placed as many calls as it may in a second; after this long it may place another.
    For(Duration),
}

impl Reservation {
    pub(super) fn take(shared: &Arc<Shared>, queued: &Queued) -> Result<Reservation, NoRoom> {
        let directory = shared.directory.load();
        let emergency = directory.is_emergency(&queued.account, &queued.to);
        if shared.is_closing(emergency) {
            return Err(NoRoom::UntilFreed);
        }
        let account = &queued.account;
        let parties = Party::of_tenant(&directory, directory.carrier_of(account), Some(account));
        if emergency {
            let place = Place::for_help(shared, parties).ok_or(NoRoom::UntilFreed)?;
            return Ok(Reservation { place, placed: None });
        }
        let place = Place::take(shared, parties).ok_or(NoRoom::UntilFreed)?;
        let exceeded = match shared.place_for(&queued.account, None) {
            Ok(placed) => return Ok(Reservation { place, placed: Some(placed) }),
            Err(exceeded) => exceeded,
        };
        place.give_back();
        Err(match exceeded {
            Exceeded::PerSecond(_, wait) => NoRoom::For(wait),
            Exceeded::AtOnce(_) | Exceeded::SamePair(_) => NoRoom::UntilFreed,
        })
    }
}
