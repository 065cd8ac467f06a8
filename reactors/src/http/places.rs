//! How many requests run at once, and that no application that hangs keeps the others waiting.
//!
//! A request takes a place of its account's share for [`QUICK`]. What has no answer by then gives it up and is counted among
//! the slow ones, and an application has so many requests under way: it is on a leash, beyond which they wait for each
//! other. When requests in a row hang, it is left alone for a while (`breaker`).
//!
//! An application is an address without its query, once it has answered [`PROVEN`] times. Until then all addresses of its
//! origin are one: whoever makes a new path for every call has one leash all the same when the origin hangs.

use super::{
    breaker::{Breaker, Came, Pass, Resting},
    failure::{Failure, RETRIEVAL},
    known::{Known, Spare},
    shares::{Carriers, Held, Shares},
    target::{Origin, Target},
};
use domain::Sid;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

/// How long a request counts as a quick one.
pub const QUICK: Duration = Duration::from_millis(500);
/// Most quick requests under way together, and most slow ones.
pub(super) const MAX_QUICK: usize = 1_024;
pub(super) const MAX_SLOW: usize = 1_024;
/// The same of one account. Hosts have no share of their own: whoever hangs at a host that many use would keep all of them
/// waiting.
const MAX_PER_ACCOUNT: usize = 48;
/// Most names looked up together by one client, and most of one account: a name server that hangs holds a thread.
const MAX_LOOK_UPS: usize = 128;
pub(super) const MAX_LOOK_UPS_PER_ACCOUNT: usize = 8;
/// Most requests of one account to one application: fewer than its quick places, so that others find some.
pub(super) const LEASH: usize = 32;
/// After so many answers an address is an application of its own: more than the callbacks of one call.
const PROVEN: u32 = 16;
/// From when on a request that failed is one that hung.
const HANGS: Duration = Duration::from_secs(4);
/// From when on one that was given up is.
const GIVEN_UP: Duration = Duration::from_secs(12);

/// The places.
pub(super) struct Places {
    quick: Arc<Shares>,
    slow: Arc<Shares>,
    /// For names being looked up.
    pub look_ups: Arc<Shares>,
    /// By account, origin and path; without a path, everything there that is no application of its own yet.
    applications: Known<(Option<Sid>, Origin, Option<String>), Application>,
}

/// What one account's requests to one address have to do with each other.
struct Application {
    leash: Arc<Semaphore>,
    breaker: Breaker,
    answers: AtomicU32,
}

impl Places {
    /// Places for so many connections, of which a fifth are idle.
    pub fn new(connections: usize, carriers: &Carriers) -> Places {
        let half = (connections * 2 / 5).max(1);
        Places {
            quick: Shares::new(half.min(MAX_QUICK), MAX_PER_ACCOUNT, carriers),
            slow: Shares::new(half.min(MAX_SLOW), MAX_PER_ACCOUNT, carriers),
            look_ups: Shares::new(MAX_LOOK_UPS, MAX_LOOK_UPS_PER_ACCOUNT, carriers),
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
            let leave = timeout_at(deadline, self.leave_once(account, target)).await;
            match leave.map_err(|_| leashed(target))? {
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
        let (address, application) = self.application(account, target);
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
            Ok(pass) => Ok(Leave { address, application, pass: Some(pass), _leash: leash, began: None }),
            Err(resting) => Err((resting, application)),
        }
    }

    /// Waits for a place to send a request from; the caller bounds that.
    pub async fn place(&self, account: Option<&Sid>, leave: Leave) -> Place {
        let held = self.quick.take(account).await;
        Place { leave, held, account: account.cloned(), slow: Arc::clone(&self.slow) }
    }

    /// What an address is known by itself, and what it is counted with.
    fn application(&self, account: Option<&Sid>, target: &Target) -> (Arc<Application>, Arc<Application>) {
        let known = |path| self.applications.get((account.cloned(), target.origin(), path), Application::new);
        let address = known(Some(target.bare_path().to_owned()));
        let is_proven = address.answers.load(Ordering::Relaxed) >= PROVEN;
        let application = if is_proven { Arc::clone(&address) } else { known(None) };
        (address, application)
    }
}

impl Application {
    fn new() -> Application {
        let leash = Arc::new(Semaphore::new(LEASH));
        Application { leash, breaker: Breaker::default(), answers: AtomicU32::new(0) }
    }
}

impl Spare for Application {
    fn is_spare(&self) -> bool {
        self.breaker.is_fresh(Instant::now())
    }
}

fn left_alone(target: &Target, resting: Resting) -> Failure {
    let wait = resting.until.saturating_duration_since(Instant::now()).as_secs_f32().ceil();
    let (host, hung) = (target.host_text(), resting.hung);
    let text =
        format!("not asked: {host} left {hung} requests in a row without an answer; again in {wait} s");
    Failure::refused(RETRIEVAL, text)
}

fn leashed(target: &Target) -> Failure {
    let text = format!("not asked: {LEASH} requests to {} are under way", target.host_text());
    Failure::refused(RETRIEVAL, text)
}

/// Leave to ask one application; give it up by dropping it.
pub(super) struct Leave {
    address: Arc<Application>,
    application: Arc<Application>,
    pass: Option<Pass>,
    _leash: Option<OwnedSemaphorePermit>,
    /// When it was asked; what is given up before says nothing about it.
    began: Option<Instant>,
}

impl Leave {
    fn learn(&mut self, came: Came) {
        if let Some(pass) = self.pass.take() {
            self.application.breaker.learn(pass, came, Instant::now());
            if came == Came::Answered {
                self.address.answers.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn has_taken(&self, time: Duration) -> bool {
        self.began.is_some_and(|began| began.elapsed() >= time)
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        let given_up = if self.has_taken(GIVEN_UP) { Came::Hung } else { Came::Neither };
        self.learn(given_up);
    }
}

/// A place to send one request from.
pub(super) struct Place {
    leave: Leave,
    held: Held,
    account: Option<Sid>,
    slow: Arc<Shares>,
}

impl Place {
    /// Waits for what comes of a request; one that is not quick gives up its place among those that are.
    pub async fn through<T>(
        mut self,
        request: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.leave.began = Some(Instant::now());
        tokio::pin!(request);
        let result = match tokio::time::timeout(QUICK, &mut request).await {
            Ok(result) => result,
            Err(_) => {
                self.slow_down();
                request.await
            }
        };
        let hung = result.is_err() && self.leave.has_taken(HANGS);
        self.leave.learn(match result {
            Ok(_) => Came::Answered,
            Err(_) if hung => Came::Hung,
            Err(_) => Came::Neither,
        });
        result
    }

    /// Where no slow ones have room it stays where it is.
    fn slow_down(&mut self) {
        if let Some(slow) = self.slow.try_take(self.account.as_ref()) {
            self.held = slow;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Kind;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_millis(20);

    fn everyones(connections: usize) -> Places {
        Places::new(connections, &Carriers::default())
    }

    fn account(number: u128) -> Sid {
        Sid::from_uuid(Kind::Account, uuid::Uuid::from_u128(number))
    }

    fn target(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    async fn place(places: &Places, of: &Sid, url: &str) -> Result<Place, Failure> {
        let target = target(url);
        let leave = places.leave(Some(of), &target).await?;
        Ok(places.place(Some(of), leave).await)
    }

    /// Has an address answer often enough to be an application of its own.
    async fn prove(places: &Places, of: &Sid, url: &str) {
        for _ in 0..PROVEN {
            place(places, of, url).await.unwrap().through(async { Ok(()) }).await.unwrap();
        }
    }

    /// As [`place`], within 20 ms.
    async fn soon(places: &Places, of: &Sid, url: &str) -> bool {
        timeout(SOON, place(places, of, url)).await.is_ok_and(|place| place.is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_that_hangs_leaves_room_for_others_of_its_account() {
        let (places, one) = (everyones(super::super::MAX_CONNECTIONS), account(1));
        prove(&places, &one, "http://a.test/well").await;
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
        let (places, one) = (everyones(super::super::MAX_CONNECTIONS), account(1));
        let mut held = Vec::new();
        for number in 0..MAX_PER_ACCOUNT {
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
    async fn an_origin_with_a_path_for_every_call_has_one_leash() {
        let (places, one) = (everyones(super::super::MAX_CONNECTIONS), account(1));
        let mut held = Vec::new();
        for call in 0..LEASH {
            held.push(place(&places, &one, &format!("http://hangs.test/calls/{call}/status")).await.unwrap());
        }
        assert!(!soon(&places, &one, "http://hangs.test/calls/next/status").await, "its leash is taken");
        assert!(soon(&places, &one, "http://well.test/").await);
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_accounts_hang_another_finds_a_place() {
        for (connections, accounts) in [(super::super::MAX_CONNECTIONS, 150), (100, 10)] {
            let places = everyones(connections);
            let mut held = Vec::new();
            for (number, url) in (0..accounts).flat_map(|number| (0..2).map(move |url| (number, url))) {
                let url = format!("http://hung{number}-{url}.test/");
                while let Ok(Ok(place)) = timeout(SOON, place(&places, &account(number), &url)).await {
                    held.push(place);
                }
            }
            assert!(soon(&places, &account(999), "http://well.test/").await, "{connections} connections");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_that_was_never_asked_does_not_count_as_one_that_hung() {
        let (places, one, url) = (everyones(super::super::MAX_CONNECTIONS), account(1), "http://a.test/");
        for _ in 0..10 {
            let leave = places.leave(Some(&one), &target(url)).await.unwrap();
            tokio::time::sleep(Duration::from_secs(15)).await;
            drop(leave);
        }
        assert!(soon(&places, &one, url).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_that_hung_too_often_is_not_asked_and_then_tried() {
        let (places, one, url) = (everyones(super::super::MAX_CONNECTIONS), account(1), "http://a.test/");
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
        let tried = places.place(Some(&one), leave).await;
        assert!(!soon(&places, &one, url).await, "one at a time");
        tried.through(async { Ok(()) }).await.unwrap();
        assert!(soon(&places, &one, url).await, "it answered");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_on_a_leash_is_told_when_the_application_is_given_up() {
        let (places, one, url) = (everyones(super::super::MAX_CONNECTIONS), account(1), "http://a.test/");
        let mut asked = Vec::new();
        for _ in 0..LEASH {
            let silent = std::future::pending::<Result<(), Failure>>();
            asked.push(place(&places, &one, url).await.unwrap().through(silent));
        }
        let given_up = timeout(Duration::from_secs(15), futures_util::future::join_all(asked));
        let (waited, _) = tokio::join!(place(&places, &one, url), given_up);
        assert!(waited.is_err_and(|failure| failure.message.contains("without an answer")));
    }
}
