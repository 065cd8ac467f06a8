//! How long a call was that nobody was left to measure: the process that had it is gone.

use super::PlaceCalls;
use crate::outside::journal::ENGINE;
use domain::{
    Actor, Sid, Timestamp,
    call::{Call, CallEvent, Ending, Queued},
};
use std::time::Duration;
use store::{Fact, StoreError};

/// What a call that came in may last.
const TIME_LIMIT: u32 = 14_400;

/// What a call's stream says that its length follows from.
#[derive(Default)]
struct Told {
    answered: Option<Timestamp>,
    /// The engine's last word about it, by the call's own time.
    last: Option<Timestamp>,
    claim: Option<String>,
    queued: Option<Queued>,
}

impl PlaceCalls {
    /// The ending, with the length that is proved. What the process that closes a call has on its wall has nothing to do
    /// with what the one that had it had on its own.
    pub(super) async fn measured(&self, call: &Sid, ending: Ending) -> Result<Ending, StoreError> {
        let told = Told::of(&self.common.store.stream(call).await?)?;
        let Some(answered) = told.answered else { return Ok(ending) };
        let parent = told.queued.as_ref().and_then(|queued| queued.parent.as_ref());
        // A dialled leg is its parent's process's.
        let claim = match (&told.claim, parent) {
            (None, Some(parent)) => Told::of(&self.common.store.stream(parent).await?)?.claim,
            (claim, _) => claim.clone(),
        };
        let lived = match claim {
            Some(claim) => self.common.nodes.lived(&claim).await?,
            None => None,
        };
        let limit = told.queued.map_or(TIME_LIMIT, |queued| queued.time_limit);
        let last = told.last.max(lived).unwrap_or(answered);
        Ok(ending.cut_off(answered, last, Duration::from_secs(limit.into())))
    }
}

impl Told {
    fn of(stream: &[Fact]) -> Result<Told, StoreError> {
        let mut told = Told::default();
        for fact in stream {
            // Others tell of it by clocks of their own.
            if fact.actor == Actor::system(ENGINE) {
                told.last = told.last.max(Some(fact.at));
            }
            match fact.of::<Call>().transpose()? {
                Some(CallEvent::Answered { .. }) => told.answered = Some(fact.at),
                Some(CallEvent::Received(received)) => told.claim = Some(received.node),
                Some(CallEvent::Claimed { node }) => told.claim = Some(node),
                Some(CallEvent::Queued(queued)) => told.queued = Some(queued),
                _ => {}
            }
        }
        Ok(told)
    }
}
