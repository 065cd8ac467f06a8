//! What calls are routed by is answered when this node's calls are routed by it.

use crate::world::{Answer, World};
use domain::Log;
use serde_json::json;
use std::pin::pin;

/// What a write is answered with, after it was seen to wait for the directory that has it.
async fn once_routed(world: &World, what: &str, request: impl Future<Output = Answer>) -> Answer {
    let before = world.app.store.head(Log::Core).await.unwrap();
    world.node.directory.send_replace(before);
    let mut awaited = world.node.awaited.subscribe();
    let mut request = pin!(request);
    let position = tokio::select! {
        answer = &mut request => panic!("{what} is answered while calls are routed without it: {answer:?}"),
        position = awaited.wait_for(|position| *position > before) => *position.unwrap(),
    };
    assert_eq!(position, world.app.store.head(Log::Core).await.unwrap(), "{what}: all of it is waited for");
    assert!(futures_util::poll!(&mut request).is_pending(), "{what} waits");
    world.node.directory.send_replace(position);
    request.await
}

#[tokio::test]
async fn a_write_that_calls_are_routed_by_is_answered_when_the_directory_has_it() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let path_of = |made: &serde_json::Value, kind: &str| {
        format!("/carrier/v1/{kind}/{}", made["sid"].as_str().unwrap())
    };
    let (accounts, trunks) = ("/carrier/v1/accounts", "/carrier/v1/trunks");
    let made = world.post(&a.program, accounts, json!({ "name": "One" }));
    let account = once_routed(&world, "a new account", made).await.ok(201);
    let from = |source: &str| json!({ "name": "Main", "inbound": { "sources": [source] } });
    let made = world.post(&a.program, trunks, from("203.0.113.7"));
    let trunk = path_of(&once_routed(&world, "a new trunk", made).await.ok(201), "trunks");
    let changed = world.patch(&a.program, &trunk, from("203.0.113.8"));
    once_routed(&world, "another source", changed).await.ok(200);
    let number = world.post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "+85512345678" }));
    let number = path_of(&once_routed(&world, "a new number", number).await.ok(201), "phone-numbers");
    let changed = world.patch(&a.program, &number, json!({ "account_sid": account["sid"] }));
    once_routed(&world, "whose number it is", changed).await.ok(200);
    let limits = json!({ "limits": { "calls_at_once": 3, "countries": ["DE"] } });
    let account = path_of(&account, "accounts");
    let changed = world.patch(&a.program, &account, limits);
    once_routed(&world, "limits", changed).await.ok(200);
    let changed = world.patch(&a.program, "/carrier/v1/carrier", json!({ "country": "TH" }));
    once_routed(&world, "the carrier's country", changed).await.ok(200);
    for path in [number, trunk] {
        let gone = world.send(&a.program, "DELETE", &path, None);
        assert_eq!(once_routed(&world, "what is gone", gone).await.status, 204);
    }
}
