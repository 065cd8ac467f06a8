//! A store that an earlier release left (schema/kept) is taken over as it is.

use domain::{
    Actor, Kind, Log, Meta, Sid, Tenant,
    account::{Account, AccountCommand, AccountKind},
    call::{Call, CallCommand, Queued},
};
use std::{fs, str::FromStr};
use store::{
    Appended, ExecuteError, audit,
    testing::{self, sid},
};

#[tokio::test]
async fn the_log_of_release_1_verifies() {
    let store = testing::kept("release-1").await;
    let report = audit::verify(&store, |_| ()).await.unwrap();
    for (log, audited) in Log::ALL.into_iter().zip(report.logs) {
        assert!(audited.events > 20 && audited.sealed == audited.events, "{log:?}: {audited:?}");
    }
}

#[tokio::test]
async fn what_release_1_wrote_is_read_as_what_it_became() {
    let store = testing::kept("release-1").await;
    let account: Sid = parsed("AC0190c5a1e3f27a4b8d1e2f3a4b5c6d02");
    let created = store.stream(&account).await.unwrap().remove(0);
    assert_eq!((created.event_type.as_str(), created.schema_version), ("Created", 1));
    let loaded = store.load::<Account>(&account).await.unwrap();
    assert_eq!((loaded.aggregate.kind(), loaded.version), (AccountKind::CarrierManaged, 7));
}

#[tokio::test]
async fn what_release_1_did_is_not_done_again() {
    let store = testing::kept("release-1").await;
    let account: Sid = parsed("AC0190c5a1e3f27a4b8d1e2f3a4b5c6d02");
    let carrier: Sid = parsed("VC0190c5a1e3f27a4b8d1e2f3a4b5c6d01");
    let tenant = Tenant::account(carrier.clone(), account.clone());
    let meta = Meta::new(tenant, Actor::system("keep"), store.options.clock.now());
    let create = async |name: &str| {
        let command = AccountCommand::create(carrier.clone(), parsed(name));
        store.execute::<Account>(&account, command, &meta.clone().once("createAccount")).await
    };
    first(&create("Rocket Rides").await.unwrap(), &account);
    assert!(matches!(create("Another").await, Err(ExecuteError::Reused)));
    // A call has a new identifier each time it is asked for.
    let queue = CallCommand::Queue(queued());
    let placed = store.execute::<Call>(&sid(Kind::Call), queue, &meta.once("createCall")).await.unwrap();
    first(&placed, &parsed("CA0190c5a1e3f27a4b8d1e2f3a4b5c6d07"));
}

/// It was the first thing that happened to this stream, long ago.
fn first(appended: &Appended, stream: &Sid) {
    assert_eq!((&appended.stream, appended.version, appended.replayed), (stream, 1, true));
}

fn queued() -> Queued {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema/events/call.Queued.v1.caller_id.json");
    let event: serde_json::Value = serde_json::from_str(&fs::read_to_string(sample).unwrap()).unwrap();
    serde_json::from_value(event["Queued"].clone()).unwrap()
}

fn parsed<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}
