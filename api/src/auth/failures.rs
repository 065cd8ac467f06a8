//! Failures of signing in as entries of the audit, with the address they came from: at most one a minute for each person,
//! which says how many there were since the last, so that a stranger cannot fill the log. What is not told yet when the person
//! gets in is told then: nobody may fail again for it to be told.

use super::Remembered;
use crate::App;
use domain::{
    Actor, Meta, Sid,
    user::{User, UserCommand},
};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// The least time between two entries about one person.
const APART: Duration = Duration::from_secs(60);

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Failed {
    /// The password was wrong.
    Password,
    /// The password was right, the code was not.
    SecondFactor,
}

/// Failures that are counted and not told yet; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Failures(Arc<Mutex<Remembered<Count>>>);

/// How many since the last entry, when that was, and where the last of them came from.
#[derive(Clone, Default)]
struct Count {
    told: Option<Duration>,
    tries: u32,
    last: Option<Meta>,
}

impl Failures {
    /// Notes one; the entry is written beside the answer, which takes as long as if there were nobody to write about.
    pub(crate) fn note(&self, app: &App, meta: Meta, user: &Sid, failed: Failed) {
        if let Some(tries) = self.due(user, failed, &meta, app.clock.elapsed()) {
            write(app, meta, user, failed, tries);
        }
    }

    /// Tells of those that were counted and not told, now that the person got in: it may have been somebody else who failed.
    pub(crate) fn settle(&self, app: &App, user: &Sid, failed: Failed) {
        if let Some((tries, meta)) = self.untold(user, failed) {
            write(app, meta, user, failed, tries);
        }
    }

    /// How many an entry made now tells of; none when the last entry is too young.
    fn due(&self, user: &Sid, failed: Failed, meta: &Meta, now: Duration) -> Option<u32> {
        let mut counted = self.0.lock();
        let whose = format!("{user} {failed:?}");
        let Count { told, tries, .. } = counted.find(&whose).unwrap_or_default();
        let tries = tries.saturating_add(1);
        let is_due = told.is_none_or(|told| now.saturating_sub(told) >= APART);
        let count = match is_due {
            true => Count { told: Some(now), tries: 0, last: None },
            false => Count { told, tries, last: Some(meta.clone()) },
        };
        counted.keep(&whose, count);
        is_due.then_some(tries)
    }

    /// How many no entry tells of, and where the last came from; from now on it is none.
    fn untold(&self, user: &Sid, failed: Failed) -> Option<(u32, Meta)> {
        let mut counted = self.0.lock();
        let whose = format!("{user} {failed:?}");
        let Count { told, tries, last } = counted.find(&whose)?;
        counted.keep(&whose, Count { told, ..Count::default() });
        Some((tries, last?))
    }
}

fn write(app: &App, meta: Meta, user: &Sid, failed: Failed, tries: u32) {
    let command = match failed {
        Failed::Password => UserCommand::FailSignIn { tries },
        Failed::SecondFactor => UserCommand::FailSecondFactor { tries },
    };
    let (store, user) = (app.store.clone(), user.clone());
    let meta = Meta { actor: Actor::system("sign_in"), ..meta };
    app.tasks.spawn(async move {
        if let Err(error) = store.execute::<User>(&user, command, &meta).await {
            tracing::warn!(%user, %error, "a failed sign-in is not in the audit");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Kind, Tenant, Timestamp};

    /// What is known of a request from this address.
    fn from(ip: &str) -> Meta {
        let carrier = Sid::from_uuid(Kind::Carrier, uuid::Uuid::nil());
        let meta = Meta::new(Tenant::carrier(carrier), Actor::system("test"), Timestamp::from_micros(0));
        Meta { ip: Some(ip.parse().unwrap()), ..meta }
    }

    #[test]
    fn a_storm_of_failures_is_an_entry_a_minute_that_counts_them() {
        let (failures, user) = (Failures::default(), Sid::from_uuid(Kind::User, uuid::Uuid::nil()));
        let at = Duration::from_secs;
        let told: Vec<_> = [0, 1, 2, 61, 62, 130]
            .into_iter()
            .map(|second| failures.due(&user, Failed::Password, &from("192.0.2.1"), at(second)))
            .collect();
        assert_eq!(told, [Some(1), None, None, Some(3), None, Some(2)]);
        assert_eq!(failures.due(&user, Failed::SecondFactor, &from("192.0.2.1"), at(130)), Some(1));
    }

    #[test]
    fn failures_that_nobody_was_told_of_are_told_with_their_address_when_the_person_gets_in() {
        let (failures, user) = (Failures::default(), Sid::from_uuid(Kind::User, uuid::Uuid::nil()));
        let due =
            |second, ip| failures.due(&user, Failed::SecondFactor, &from(ip), Duration::from_secs(second));
        let told = [due(0, "192.0.2.1"), due(1, "192.0.2.1"), due(2, "192.0.2.2")];
        assert_eq!(told, [Some(1), None, None]);
        let untold = |failed| failures.untold(&user, failed).map(|(tries, meta)| (tries, meta.ip));
        assert_eq!(untold(Failed::Password), None);
        assert_eq!(untold(Failed::SecondFactor), Some((2, from("192.0.2.2").ip)));
        assert_eq!(untold(Failed::SecondFactor), None);
        let told = [due(3, "192.0.2.1"), due(61, "192.0.2.1")];
        assert_eq!(told, [None, Some(2)], "the minute goes on from the last entry");
    }
}
