//! How many requests run at once, and that no application that hangs keeps the others waiting.
//!
//! A request takes a place of its account and of all for [`QUICK`]. What has no answer by then gives them up
//! and is counted among the slow ones, of which an application has so many, and is on a leash: beyond it its requests wait
//! for each other. When requests in a row hang, it is left alone for a while (`breaker`).

use super::{
    breaker::{Breaker, Came, Pass, Resting},
    failure::{CONNECTION, Failure, RETRIEVAL},
    target::{Origin, Target},
};
use domain::Sid;
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// How long a request counts as a quick one.
pub const QUICK: Duration = Duration::from_millis(500);
/// Most quick requests under way together, and most slow ones.
pub(super) const MAX_QUICK: usize = 1_024;
pub(super) const MAX_SLOW: usize = 1_024;
/// The same of one account: twenty whose applications hang leave places of both kinds. Hosts have no share of their own:
/// whoever hangs at a host that many use would keep all of them waiting.
const MAX_QUICK_PER_ACCOUNT: usize = 48;
const MAX_SLOW_PER_ACCOUNT: usize = 48;
/// Most names of one account that are looked up at once: a name server that hangs holds a thread.
const MAX_LOOK_UPS_PER_ACCOUNT: usize = 8;
/// Most requests of one account to one application: fewer than its quick places, so that others find some.
pub(super) const LEASH: usize = 32;
/// From when on a request that failed is one that hung.
const HANGS: Duration = Duration::from_secs(4);
/// From when on one that was given up is.
const GIVEN_UP: Duration = Duration::from_secs(12);
/// Most accounts, hosts and applications remembered; beyond it, those with nothing under way are forgotten.
const MAX_KNOWN: usize = 4_096;

/// The places.
pub(super) struct Places {
    quick: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    accounts: Known<Option<Sid>, Share>,
    applications: Known<(Option<Sid>, Origin, String), Application>,
}

/// What one account may have.
pub(super) struct Share {
    quick: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    pub look_ups: Semaphore,
}

/// What one account's requests to one address have to do with each other.
struct Application {
    leash: Arc<Semaphore>,
    breaker: Breaker,
}

impl Places {
    /// Places for so many connections, of which a fifth are idle.
    pub fn new(connections: usize) -> Places {
        let half = (connections * 2 / 5).max(1);
        Places {
            quick: Arc::new(Semaphore::new(half.min(MAX_QUICK))),
            slow: Arc::new(Semaphore::new(half.min(MAX_SLOW))),
            accounts: Known::default(),
            applications: Known::default(),
        }
    }

    /// Leave to ask an application: the leash lets it. Fails when the application is left alone.
    pub async fn leave(&self, account: Option<&Sid>, target: &Target) -> Result<Leave, Failure> {
        self.leave_once(account, target).await.map_err(|(resting, _)| left_alone(target, resting))
    }

    /// The same, and waits while it is left alone, until `deadline`.
    pub async fn patient_leave(
        &self,
        account: Option<&Sid>,
        target: &Target,
        deadline: Instant,
    ) -> Result<Leave, Failure> {
        loop {
            match self.leave_once(account, target).await {
                Ok(leave) => return Ok(leave),
                Err((resting, _)) if Instant::now() >= deadline => return Err(left_alone(target, resting)),
                Err((resting, application)) => {
                    application.breaker.stirred(resting.until.min(deadline)).await;
                }
            }
        }
    }

    async fn leave_once(
        &self,
        account: Option<&Sid>,
        target: &Target,
    ) -> Result<Leave, (Resting, Arc<Application>)> {
        let application = self.application(account, target);
        let leash = Arc::clone(&application.leash).acquire_owned();
        let leash = tokio::select! {
            biased;
            leash = leash => leash.ok(),
            resting = application.breaker.opened() => {
                // Open, but the next may try: the leash is not what it waits for.
                let tries = Instant::now() >= resting.until;
                if !tries {
                    return Err((resting, application));
                }
                None
            }
        };
        match application.breaker.admit(Instant::now()) {
            Ok(pass) => Ok(Leave { application, pass: Some(pass), _leash: leash, began: Instant::now() }),
            Err(resting) => Err((resting, application)),
        }
    }

    /// Waits for a place to send a request from; the caller bounds that.
    pub async fn place(&self, account: Option<&Sid>, mut leave: Leave) -> Result<Place, Failure> {
        let share = self.share(account);
        let mut held = Vec::new();
        // Narrow limits first: whoever waits for its own share must not hold a place of the others.
        for limit in [&share.quick, &self.quick] {
            let permit = Arc::clone(limit).acquire_owned().await;
            held.push(permit.map_err(|_| Failure::connect(CONNECTION, "the client is shut down"))?);
        }
        leave.began = Instant::now();
        Ok(Place { leave, held, share, slow: Arc::clone(&self.slow) })
    }

    /// What an account may have.
    pub fn share(&self, account: Option<&Sid>) -> Arc<Share> {
        self.accounts.get(account.cloned(), || Share {
            quick: Arc::new(Semaphore::new(MAX_QUICK_PER_ACCOUNT)),
            slow: Arc::new(Semaphore::new(MAX_SLOW_PER_ACCOUNT)),
            look_ups: Semaphore::new(MAX_LOOK_UPS_PER_ACCOUNT),
        })
    }

    fn application(&self, account: Option<&Sid>, target: &Target) -> Arc<Application> {
        let key = (account.cloned(), target.origin(), target.bare_path().to_owned());
        self.applications
            .get(key, || Application { leash: Arc::new(Semaphore::new(LEASH)), breaker: Breaker::default() })
    }
}

fn left_alone(target: &Target, resting: Resting) -> Failure {
    let wait = resting.until.saturating_duration_since(Instant::now()).as_secs_f32().ceil();
    let (host, hung) = (target.host_text(), resting.hung);
    let text =
        format!("not asked: {host} left {hung} requests in a row without an answer; again in {wait} s");
    Failure::refused(RETRIEVAL, text)
}

/// Leave to ask one application; give it up by dropping it.
pub(super) struct Leave {
    application: Arc<Application>,
    pass: Option<Pass>,
    _leash: Option<OwnedSemaphorePermit>,
    began: Instant,
}

impl Leave {
    fn learn(&mut self, came: Came) {
        if let Some(pass) = self.pass.take() {
            self.application.breaker.learn(pass, came, Instant::now());
        }
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        let given_up = if self.began.elapsed() >= GIVEN_UP { Came::Hung } else { Came::Neither };
        self.learn(given_up);
    }
}

/// A place to send one request from.
pub(super) struct Place {
    leave: Leave,
    held: Vec<OwnedSemaphorePermit>,
    share: Arc<Share>,
    slow: Arc<Semaphore>,
}

impl Place {
    /// Waits for what comes of a request; one that is not quick gives up its place among those that are.
    pub async fn through<T>(
        mut self,
        request: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::pin!(request);
        let result = match tokio::time::timeout(QUICK, &mut request).await {
            Ok(result) => result,
            Err(_) => {
                self.slow_down();
                request.await
            }
        };
        let hung = result.is_err() && self.leave.began.elapsed() >= HANGS;
        self.leave.learn(match result {
            Ok(_) => Came::Answered,
            Err(_) if hung => Came::Hung,
            Err(_) => Came::Neither,
        });
        result
    }

    /// Where no slow ones have room it stays where it is.
    fn slow_down(&mut self) {
        let of_account = Arc::clone(&self.share.slow).try_acquire_owned();
        let of_all = Arc::clone(&self.slow).try_acquire_owned();
        if let (Ok(of_account), Ok(of_all)) = (of_account, of_all) {
            self.held = vec![of_account, of_all];
        }
    }
}

/// What is remembered of so many, by key.
struct Known<K, V>(Mutex<HashMap<K, Arc<V>>>);

impl<K, V> Default for Known<K, V> {
    fn default() -> Known<K, V> {
        Known(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Spare> Known<K, V> {
    fn get(&self, key: K, make: impl FnOnce() -> V) -> Arc<V> {
        let mut known = self.lock();
        if known.len() >= MAX_KNOWN && !known.contains_key(&key) {
            known.retain(|_, value| Arc::strong_count(value) > 1 || !value.is_spare());
        }
        if known.len() >= 2 * MAX_KNOWN {
            known.clear();
        }
        Arc::clone(known.entry(key).or_insert_with(|| Arc::new(make())))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Arc<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What can be forgotten.
trait Spare {
    fn is_spare(&self) -> bool;
}

impl Spare for Share {
    fn is_spare(&self) -> bool {
        let quick = self.quick.available_permits() == MAX_QUICK_PER_ACCOUNT;
        quick && self.slow.available_permits() == MAX_SLOW_PER_ACCOUNT
    }
}

impl Spare for Application {
    fn is_spare(&self) -> bool {
        self.breaker.is_fresh() && self.leash.available_permits() == LEASH
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_millis(20);

    fn account(number: u128) -> Sid {
        Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(number))
    }

    fn target(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    async fn place(places: &Places, of: &Sid, url: &str) -> Result<Place, Failure> {
        let target = target(url);
        let leave = places.leave(Some(of), &target).await?;
        places.place(Some(of), leave).await
    }

    /// As [`place`], within 20 ms.
    async fn soon(places: &Places, of: &Sid, url: &str) -> bool {
        timeout(SOON, place(places, of, url)).await.is_ok_and(|place| place.is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_that_hangs_leaves_room_for_others_of_its_account() {
        let (places, one) = (Places::new(super::super::MAX_CONNECTIONS), account(1));
        let mut held = Vec::new();
        for _ in 0..LEASH {
            held.push(place(&places, &one, "http://a.test/hangs?x=1").await.unwrap());
        }
        assert!(!soon(&places, &one, "http://a.test/hangs?x=2").await, "it is on a leash");
        assert!(soon(&places, &one, "http://a.test/well").await, "another application of the same host");
        assert!(soon(&places, &account(2), "http://a.test/hangs").await, "of another account");
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_no_answer_for_long_holds_no_quick_place() {
        let (places, one) = (Places::new(super::super::MAX_CONNECTIONS), account(1));
        let mut held = Vec::new();
        for number in 0..MAX_QUICK_PER_ACCOUNT {
            held.push(place(&places, &one, &format!("http://a{number}.test/")).await.unwrap());
        }
        assert!(!soon(&places, &one, "http://well.test/").await, "it has its share");
        let hanging =
            held.into_iter().map(|place| place.through(std::future::pending::<Result<(), Failure>>()));
        let hanging = futures_util::future::join_all(hanging);
        tokio::select! {
            _ = hanging => panic!("they hang"),
            there = async { timeout(2 * QUICK, place(&places, &one, "http://well.test/")).await } => {
                assert!(there.is_ok(), "after {QUICK:?} they are slow ones");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn twenty_hanging_accounts_delay_nobody() {
        let places = Places::new(super::super::MAX_CONNECTIONS);
        let mut held = Vec::new();
        for (number, url) in (0..20).flat_map(|number| (0..2).map(move |url| (number, url))) {
            let url = format!("http://hung{number}.test/{url}");
            while let Ok(Ok(place)) = timeout(SOON, place(&places, &account(number), &url)).await {
                held.push(place);
            }
        }
        assert_eq!(held.len(), 20 * MAX_QUICK_PER_ACCOUNT);
        assert!(soon(&places, &account(99), "http://well.test/").await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_that_hung_too_often_is_not_asked_and_then_tried() {
        let (places, one, url) = (Places::new(super::super::MAX_CONNECTIONS), account(1), "http://a.test/");
        for _ in 0..5 {
            let place = place(&places, &one, url).await.unwrap();
            let late = tokio::time::sleep(Duration::from_secs(15));
            let hung = place.through(async {
                late.await;
                Err::<(), _>(Failure::read(RETRIEVAL, "silent"))
            });
            assert!(hung.await.is_err());
        }
        let refused = place(&places, &one, url).await.err().unwrap();
        assert!(refused.code == RETRIEVAL && refused.message.contains("5 requests in a row"), "{refused}");
        let patient = target(url);
        let deadline = Instant::now() + Duration::from_secs(60);
        let leave = places.patient_leave(Some(&one), &patient, deadline).await.unwrap();
        let tried = places.place(Some(&one), leave).await.unwrap();
        assert!(!soon(&places, &one, url).await, "one at a time");
        tried.through(async { Ok(()) }).await.unwrap();
        assert!(soon(&places, &one, url).await, "it answered");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_on_a_leash_is_told_when_the_application_is_given_up() {
        let (places, one, url) = (Places::new(super::super::MAX_CONNECTIONS), account(1), "http://a.test/");
        let mut held = Vec::new();
        for _ in 0..LEASH {
            held.push(place(&places, &one, url).await.unwrap());
        }
        let hang = async {
            tokio::time::sleep(Duration::from_secs(15)).await;
            drop(held);
        };
        let (waited, ()) = tokio::join!(place(&places, &one, url), hang);
        assert!(waited.is_err_and(|failure| failure.message.contains("without an answer")));
    }
}
