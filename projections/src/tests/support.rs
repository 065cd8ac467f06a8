//! A store with its tables following, and short ways to make things happen in it.

use crate::{
    Projections, Scope,
    machine::{
        building,
        page::{self, Member},
        record::Record,
    },
    tables,
};
use domain::{
    Actor, Kind, Log, Meta, Sid, Stream, Tenant, Timestamp,
    account::{Account, AccountCommand},
    call::{Call, CallCommand, Direction, Queued, Received},
    carrier::{Carrier, CarrierCommand},
    phone_number::{PhoneNumber, PhoneNumberCommand},
};
use std::{str::FromStr, time::Duration};
use store::{
    Appended, Store,
    testing::{self, TestStore, sid},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a table is called in the database when it was built for this time: 1 is the first one.
pub(super) fn built<R: Record>(generation: u8) -> String {
    format!("{}_v{}_g{generation}", R::NAME, R::VERSION)
}

/// Longer than any wait of a healthy test.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Tables that follow a store.
pub(super) struct Following {
    pub(super) projections: Projections,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
}

impl Following {
    pub(super) async fn start(store: &Store) -> Following {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let projections = Projections::start(store.clone(), tasks.clone(), stop.clone()).await.unwrap();
        Following { projections, tasks, stop }
    }

    pub(super) async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// A store, its tables, and one carrier.
pub(super) struct World {
    pub(super) store: TestStore,
    pub(super) following: Following,
    pub(super) carrier: Sid,
}

/// Runs a test on each kind of store.
pub(super) async fn on_each<F: AsyncFn(&World)>(test: F) {
    for store in [testing::memory().await, testing::sqlite().await, testing::on_postgres().await] {
        let world = World::of(store).await;
        test(&world).await;
        world.following.end().await;
    }
}

impl World {
    pub(super) async fn of(store: TestStore) -> World {
        let following = Following::start(&store).await;
        let world = World { store, following, carrier: sid(Kind::Carrier) };
        world.sign_up(&world.carrier).await;
        world
    }

    pub(super) fn projections(&self) -> &Projections {
        &self.following.projections
    }

    pub(super) fn own(&self) -> Scope {
        Scope::Carrier(self.carrier.clone())
    }

    /// A command of the world's carrier, at second `at`.
    pub(super) async fn tell<A: Stream>(&self, stream: &Sid, at: i64, command: A::Command) -> Appended {
        self.tell_as::<A>(Tenant::carrier(self.carrier.clone()), stream, at, command).await
    }

    pub(super) async fn tell_as<A: Stream>(
        &self,
        tenant: Tenant,
        stream: &Sid,
        at: i64,
        command: A::Command,
    ) -> Appended {
        let meta = Meta::new(tenant, Actor::system("test"), second(at));
        self.store.execute::<A>(stream, command, &meta).await.unwrap()
    }

    /// Waits until every table has passed everything there is.
    pub(super) async fn caught_up(&self) {
        for log in Log::ALL {
            let head = self.store.head(log).await.unwrap();
            self.projections().reached(log, head, PATIENCE).await.unwrap();
        }
    }

    pub(super) async fn sign_up(&self, carrier: &Sid) {
        let subdomain = format!("c{}", &carrier.as_str()[4..30]);
        let command = CarrierCommand::SignUp {
            name: parsed("Demo Telecom"),
            country: parsed("KH"),
            subdomain: parsed(&subdomain),
        };
        self.tell_as::<Carrier>(Tenant::carrier(carrier.clone()), carrier, 1, command).await;
    }

    pub(super) async fn account(&self, carrier: &Sid, name: &str) -> Sid {
        let account = sid(Kind::Account);
        let command = AccountCommand::create(carrier.clone(), parsed(name));
        self.tell_as::<Account>(Tenant::account(carrier.clone(), account.clone()), &account, 2, command)
            .await;
        account
    }

    pub(super) async fn number(&self, carrier: &Sid, number: &str, account: Option<&Sid>) -> Sid {
        let stream = sid(Kind::PhoneNumber);
        let command = PhoneNumberCommand::Create {
            carrier: carrier.clone(),
            number: parsed(number),
            enabled: true,
            account: account.cloned(),
        };
        self.tell_as::<PhoneNumber>(Tenant::carrier(carrier.clone()), &stream, 3, command).await;
        stream
    }

    pub(super) async fn queue(&self, carrier: &Sid, account: &Sid, to: &str, at: i64) -> Sid {
        let call = sid(Kind::Call);
        let tenant = Tenant::account(carrier.clone(), account.clone());
        self.tell_as::<Call>(tenant, &call, at, CallCommand::Queue(queued(account, to))).await;
        call
    }
}

pub(super) fn queued(account: &Sid, to: &str) -> Queued {
    Queued {
        account: account.clone(),
        direction: Direction::OutboundApi,
        parent: None,
        from: "1234".into(),
        to: to.into(),
        caller_id: None,
        phone_number: None,
        program: None,
        callback: None,
        timeout: 60,
        time_limit: 14_400,
        send_digits: None,
    }
}

pub(super) fn received(account: Option<&Sid>, trunk: &Sid) -> Received {
    Received {
        node: "a".into(),
        account: account.cloned(),
        trunk: trunk.clone(),
        phone_number: None,
        from: "+85598765432".into(),
        to: "1234".into(),
        dialled: "1234".into(),
        sip_call_id: "x@y".into(),
        source: "127.0.0.1:5062".into(),
        program: None,
        callback: None,
    }
}

/// `text` as what it must be.
pub(super) fn parsed<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A second of the tests' day.
pub(super) fn second(at: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000 + at * 1_000_000)
}

/// Makes the tables of a store.
pub(super) async fn set_up(store: &Store) {
    building::set_up(store, &tables::all()).await.unwrap();
}

/// The live tables of the core log, if this epoch leads it.
pub(super) async fn members_under(store: &Store, lease: (i64, i64)) -> Option<Vec<Member>> {
    page::members(store, &tables::all(), Log::Core, lease).await.unwrap()
}

/// A store with tables nobody fills, and 30 accounts to tell.
pub(super) async fn unattended(store: &TestStore) -> Vec<Sid> {
    set_up(store).await;
    unattended_facts(store).await
}

/// 30 accounts to tell.
pub(super) async fn unattended_facts(store: &TestStore) -> Vec<Sid> {
    let carrier = sid(Kind::Carrier);
    let mut accounts = Vec::new();
    for serial in 0..30 {
        let account = sid(Kind::Account);
        let create = AccountCommand::create(carrier.clone(), parsed(&format!("{serial}")));
        let meta = Meta::new(Tenant::carrier(carrier.clone()), Actor::system("test"), second(serial));
        store.execute::<Account>(&account, create, &meta).await.unwrap();
        accounts.push(account);
    }
    accounts
}
