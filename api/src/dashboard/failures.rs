//! Failures of signing in as entries of the audit, with the address they came from: at most one a minute for each person,
//! which says how many there were since the last, so that a stranger cannot fill the log.

use crate::{App, auth::Remembered};
use domain::{
    Actor, Meta, Sid,
    user::{User, UserCommand},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The least time between two entries about one person.
const APART: Duration = Duration::from_secs(60);

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Failed {
    /// The password was wrong.
    Password,
    /// The password was right, the code was not.
    SecondFactor,
}

/// Failures that are counted and not told yet; clones share them.
#[derive(Clone, Default)]
pub(super) struct Failures(Arc<Mutex<Remembered<Count>>>);

/// How many since the last entry, and when that was.
#[derive(Clone, Copy, Default)]
struct Count {
    told: Option<Duration>,
    tries: u32,
}

impl Failures {
    /// Notes one; the entry is written beside the answer, which takes as long as if there were nobody to write about.
    pub(super) fn note(&self, app: &App, meta: Meta, user: &Sid, failed: Failed) {
        let Some(tries) = self.due(user, failed, app.clock.elapsed()) else { return };
        let command = match failed {
            Failed::Password => UserCommand::FailSignIn { tries },
            Failed::SecondFactor => UserCommand::FailSecondFactor { tries },
        };
        let (app, user) = (app.clone(), user.clone());
        let meta = Meta { actor: Actor::system("sign_in"), ..meta };
        let written = app.clone();
        app.tasks.spawn(async move {
            if let Err(error) = written.store.execute::<User>(&user, command, &meta).await {
                tracing::warn!(%user, %error, "a failed sign-in is not in the audit");
            }
        });
    }

    /// How many an entry made now tells of; none when the last entry is too young.
    fn due(&self, user: &Sid, failed: Failed, now: Duration) -> Option<u32> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let whose = format!("{user} {failed:?}");
        let Count { told, tries } = counted.find(&whose).unwrap_or_default();
        let tries = tries.saturating_add(1);
        let is_due = told.is_none_or(|told| now.saturating_sub(told) >= APART);
        let count = if is_due { Count { told: Some(now), tries: 0 } } else { Count { told, tries } };
        counted.keep(&whose, count);
        is_due.then_some(tries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;

    #[test]
    fn a_storm_of_failures_is_an_entry_a_minute_that_counts_them() {
        let (failures, user) = (Failures::default(), Sid::from_uuid(Kind::User, uuid::Uuid::nil()));
        let at = Duration::from_secs;
        let told: Vec<_> = [0, 1, 2, 61, 62, 130]
            .into_iter()
            .map(|second| failures.due(&user, Failed::Password, at(second)))
            .collect();
        assert_eq!(told, [Some(1), None, None, Some(3), None, Some(2)]);
        assert_eq!(failures.due(&user, Failed::SecondFactor, at(130)), Some(1));
    }
}
