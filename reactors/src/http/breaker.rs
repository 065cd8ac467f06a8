//! A breaker for one application: it opens when requests in a row hung, and then lets one at a time try again.
//!
//! ```text
//! closed ──HUNG in a row──► open ──rest is over──► trying ──answered──► closed
//!                            ▲                       │
//!                            └──hung: twice the rest─┘
//! ```

use parking_lot::Mutex;
use std::time::Duration;
use tokio::{sync::Notify, time::Instant};

/// So many requests in a row that hung open it.
const HUNG: u32 = 5;
/// How long an application is left alone at first, and at most.
const REST: Duration = Duration::from_secs(2);
const LONGEST_REST: Duration = Duration::from_secs(30);
/// After how long without another what hung may be forgotten.
const FORGET: Duration = Duration::from_secs(300);

/// Whether an application is asked.
#[derive(Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Clone, Copy, Default)]
struct State {
    hung: u32,
    /// When the last of them did.
    last: Option<Instant>,
    /// Until when it is left alone, and how long that was; `None` when closed.
    rest: Option<(Instant, Duration)>,
    /// One is trying now.
    trying: bool,
}

/// What came of a request, as far as the breaker wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// An answer, whatever it said.
    Answered,
    /// Nothing, for so long that it took up a place.
    Hung,
    /// Neither: it was refused at once, or given up by us.
    Neither,
}

/// Why a request is not to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resting {
    /// Requests in a row that hung.
    pub hung: u32,
    /// When the next one may try.
    pub until: Instant,
}

impl Breaker {
    /// Leave to send a request; whoever has it must [`Breaker::learn`] what came of it, with what is returned.
    pub fn admit(&self, now: Instant) -> Result<Pass, Resting> {
        let mut state = self.state.lock();
        match state.rest {
            None => Ok(Pass { is_try: false }),
            Some((until, _)) if now >= until && !state.trying => {
                state.trying = true;
                Ok(Pass { is_try: true })
            }
            Some((until, _)) => Err(Resting { hung: state.hung, until: until.max(now) }),
        }
    }

    /// What came of a request that was admitted.
    pub fn learn(&self, pass: Pass, came: Came, now: Instant) {
        let mut state = self.state.lock();
        state.trying &= !pass.is_try;
        match came {
            Came::Answered => *state = State { trying: state.trying, ..State::default() },
            Came::Hung => {
                state.hung = state.hung.saturating_add(1);
                state.last = Some(now);
                let rest = match state.rest {
                    Some((_, last)) if pass.is_try => Some((last * 2).min(LONGEST_REST)),
                    None if state.hung >= HUNG => Some(REST),
                    _ => None,
                };
                state.rest = rest.map(|rest| (now + rest, rest)).or(state.rest);
            }
            Came::Neither => {}
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until it is open.
    pub async fn opened(&self) -> Resting {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let State { hung, rest, .. } = *self.state.lock();
            if let Some((until, _)) = rest {
                return Resting { hung, until };
            }
            changed.await;
        }
    }

    /// Waits until it may admit one: it closed, or its rest is over. A try under way ends by itself; then there is news.
    pub async fn stirred(&self, until: Instant) {
        let changed = self.changed.notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let State { rest, trying, .. } = *self.state.lock();
        if rest.is_some() {
            let until = if trying { until.max(Instant::now() + REST) } else { until };
            let _ = tokio::time::timeout_at(until, changed).await;
        }
    }

    /// Whether nothing about it is worth remembering: nothing hung, or that is long ago.
    pub fn is_fresh(&self, now: Instant) -> bool {
        self.state.lock().last.is_none_or(|last| now.duration_since(last) > FORGET)
    }
}

/// Leave to send one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    is_try: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDINARY: Pass = Pass { is_try: false };

    fn hung(breaker: &Breaker, times: u32, now: Instant) {
        (0..times).for_each(|_| breaker.learn(ORDINARY, Came::Hung, now));
    }

    #[tokio::test]
    async fn an_application_that_hangs_is_left_alone_and_tried_one_at_a_time() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        hung(&breaker, HUNG - 1, now);
        assert_eq!(breaker.admit(now), Ok(ORDINARY), "not yet");
        hung(&breaker, 1, now);
        assert_eq!(breaker.admit(now), Err(Resting { hung: HUNG, until: now + REST }));
        let later = now + REST;
        let Ok(tried) = breaker.admit(later) else { panic!("its rest is over") };
        assert!(tried.is_try && breaker.admit(later).is_err(), "one at a time");
        breaker.learn(tried, Came::Hung, later);
        assert_eq!(breaker.admit(later + REST).unwrap_err().until, later + 2 * REST, "longer each time");
        let Ok(tried) = breaker.admit(later + 2 * REST) else { panic!("its rest is over") };
        breaker.learn(tried, Came::Answered, later);
        assert_eq!(breaker.admit(later), Ok(ORDINARY));
        assert!(breaker.is_fresh(later));
        hung(&breaker, 1, later);
        assert!(!breaker.is_fresh(later) && breaker.is_fresh(later + 2 * FORGET));
    }

    #[tokio::test]
    async fn an_answer_between_keeps_it_closed() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..10 {
            hung(&breaker, HUNG - 1, now);
            breaker.learn(ORDINARY, Came::Answered, now);
        }
        assert_eq!(breaker.admit(now), Ok(ORDINARY));
    }

    #[tokio::test]
    async fn a_try_that_was_given_up_is_followed_by_another() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        hung(&breaker, HUNG, now);
        let tried = breaker.admit(now + REST).unwrap();
        breaker.learn(tried, Came::Neither, now + REST);
        assert!(breaker.admit(now + REST).is_ok_and(|again| again.is_try));
    }
}
