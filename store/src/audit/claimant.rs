//! What an aggregate claims, event by event, whichever aggregate it is.

use crate::Fact;
use cqrs_es::Aggregate;
use domain::{
    Claim, Stream, account::Account, carrier::Carrier, phone_number::PhoneNumber, trunk::Trunk, user::User,
};

/// An aggregate that is followed for its claims.
pub(super) trait Claimant: Send {
    /// What the event takes and gives up.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn follow(&mut self, fact: &Fact) -> Result<Vec<Claim>, String>;
}

struct Following<A>(A);

impl<A: Stream> Claimant for Following<A> {
    fn follow(&mut self, fact: &Fact) -> Result<Vec<Claim>, String> {
        let event = fact.decode::<A>().map_err(|error| error.to_string())?;
        let claims = self.0.claims(&event);
        self.0.apply(event);
        Ok(claims)
    }
}

type Make = fn() -> Box<dyn Claimant>;

fn new<A: Stream>() -> Box<dyn Claimant> {
    Box::new(Following(A::default()))
}

/// A new one of this type; none of a type that is not in the core log. (Calls claim nothing.)
pub(super) fn of(stream_type: &str) -> Option<Box<dyn Claimant>> {
    let kinds: [(&str, Make); 5] = [
        (Account::TYPE, new::<Account>),
        (Carrier::TYPE, new::<Carrier>),
        (PhoneNumber::TYPE, new::<PhoneNumber>),
        (Trunk::TYPE, new::<Trunk>),
        (User::TYPE, new::<User>),
    ];
    #[cfg(feature = "testing")]
    if stream_type == crate::testing::Tally::TYPE {
        return Some(new::<crate::testing::Tally>());
    }
    kinds.iter().find(|(name, _)| *name == stream_type).map(|(_, make)| make())
}
