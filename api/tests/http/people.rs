//! API keys, users, the audit list, the carrier itself, and the overview.

use crate::world::{Caller, World};
use domain::{
    call::{CallCommand, EndReason, Ending},
    user::Role,
};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn an_api_key_opens_until_it_is_revoked() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let key = world.post(&a.owner, "/carrier/v1/api-keys", json!({ "name": "Billing" })).await.ok(201);
    let secret = key["secret"].as_str().unwrap();
    assert!(secret.starts_with(&format!("tlk_{}_", key["sid"].as_str().unwrap())), "{secret}");
    assert!(secret.ends_with(key["last_four"].as_str().unwrap()));
    let program = Caller::program(secret);
    world.get(&program, "/carrier/v1/carrier").await;
    let listed = world.get(&a.owner, "/carrier/v1/api-keys").await;
    assert_eq!((&listed["data"][0]["name"], listed["data"][0].get("secret")), (&json!("Billing"), None));

    let path = format!("/carrier/v1/api-keys/{}", key["sid"].as_str().unwrap());
    assert_eq!(world.send(&a.owner, "DELETE", &path, None).await.status, 204);
    assert_eq!(
        world.send(&program, "GET", "/carrier/v1/carrier", None).await.problem(401),
        "unauthenticated"
    );
    assert_eq!(world.send(&a.owner, "DELETE", &path, None).await.problem(404), "not_found");
    assert_eq!(world.get(&a.owner, "/carrier/v1/api-keys").await["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn one_idempotency_key_makes_one_api_key() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let owner = a.owner.with("idempotency-key", "k-1");
    world.post(&owner, "/carrier/v1/api-keys", json!({ "name": "Billing" })).await.ok(201);
    assert_eq!(
        world.post(&owner, "/carrier/v1/api-keys", json!({ "name": "Billing" })).await.problem(409),
        "conflict"
    );
}

#[tokio::test]
async fn a_revoked_keys_request_repeated_stops_nothing() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let owner = a.owner.with("idempotency-key", "k-1");
    let body = json!({ "name": "Billing" });
    let key = world.post(&owner, "/carrier/v1/api-keys", body.clone()).await.ok(201);
    let path = format!("/carrier/v1/api-keys/{}", key["sid"].as_str().unwrap());
    assert_eq!(world.send(&a.owner, "DELETE", &path, None).await.status, 204);
    assert_eq!(world.post(&owner, "/carrier/v1/api-keys", body).await.problem(410), "gone");
    assert_eq!(world.get(&Caller::nobody(), "/readyz").await["status"], "ok");
    world.post(&a.owner, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
}

#[tokio::test]
async fn no_secret_is_in_the_log() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let made = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let secret = a.key.rsplit('_').next().unwrap();
    let facts = world.app.store.read(domain::Log::Core, 0, 1000).await.unwrap();
    assert!(facts.len() >= 6);
    for fact in facts {
        for canary in
            [made["auth_token"].as_str().unwrap(), secret, crate::world::PASSWORD, &a.recovery_codes[0]]
        {
            assert!(!format!("{fact:?}").contains(canary), "{}", fact.event_type);
        }
    }
}

#[tokio::test]
async fn an_owner_takes_a_colleagues_second_factor_away() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let (user, colleague) = world.colleague(&a, Role::Admin).await;
    let listed = world.get(&a.owner, "/carrier/v1/users").await;
    assert_eq!(
        (&listed["data"][0]["role"], &listed["data"][0]["two_factor"]),
        (&json!("admin"), &json!(true))
    );
    let path = format!("/carrier/v1/users/{user}/reset-two-factor");
    let code = json!({ "code": world.next_code(&a.seed) });
    assert_eq!(world.post(&colleague, &path, code.clone()).await.problem(403), "forbidden");
    assert_eq!(world.post(&a.owner, &path, code).await.status, 204);
    assert_eq!(
        world.send(&colleague, "GET", "/dashboard/session", None).await.problem(401),
        "unauthenticated"
    );
    let seen = world.get(&a.owner, &format!("/carrier/v1/users/{user}")).await;
    assert_eq!(seen["two_factor"], false);
    let again = world.sign_in(seen["email"].as_str().unwrap(), crate::world::PASSWORD).await.ok(200);
    assert_eq!(again["next"], "set_up_two_factor");
}

#[tokio::test]
async fn an_owners_session_without_a_fresh_code_takes_nobodys_second_factor_away() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let (user, colleague) = world.colleague(&a, Role::Member).await;
    let code = world.next_code(&a.seed);
    for whose in [&user, &a.user] {
        let path = format!("/carrier/v1/users/{whose}/reset-two-factor");
        assert_eq!(world.post(&a.owner, &path, json!({})).await.fields(), ["code"]);
        assert_eq!(world.post(&a.owner, &path, json!({ "code": "000000" })).await.fields(), ["code"]);
        assert_eq!(world.post(&a.owner, &path, json!({ "code": "abcd-efgh" })).await.fields(), ["code"]);
        assert!(world.send(&a.owner, "POST", &path, None).await.status >= 400);
    }
    world.get(&colleague, "/carrier/v1/overview").await;
    world.get(&a.owner, "/carrier/v1/overview").await;
    let path = format!("/carrier/v1/users/{user}/reset-two-factor");
    assert_eq!(world.post(&a.owner, &path, json!({ "code": code })).await.status, 204);
    world.clock.advance(Duration::from_secs(15));
    assert_eq!(world.post(&a.owner, &path, json!({ "code": code })).await.fields(), ["code"], "it was used");
    let audit = world.get(&a.owner, &format!("/carrier/v1/audit?stream_sid={user}&limit=1")).await;
    assert_eq!(
        (&audit["data"][0]["event_type"], &audit["data"][0]["actor"]),
        (&json!("TwoFactorReset"), &json!(a.user))
    );
}

#[tokio::test]
async fn every_change_is_audited_with_its_author() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let program = a.program.with("user-agent", "billing/1.0");
    let made = world.post(&program, "/carrier/v1/accounts", json!({ "name": "One" })).await;
    let request = made.header("x-request-id").to_owned();
    let sid = made.ok(201)["sid"].as_str().unwrap().to_owned();
    let audit = world.get(&a.owner, &format!("/carrier/v1/audit?stream_sid={sid}")).await;
    let entry = &audit["data"][0];
    assert_eq!((&entry["event_type"], &entry["stream_type"]), (&json!("Created"), &json!("account")));
    assert_eq!((&entry["actor_type"], &entry["user_agent"]), (&json!("api_key"), &json!("billing/1.0")));
    assert_eq!((&entry["request_id"], &entry["payload"]["name"]), (&json!(request), &json!("One")));
    let by_owner = world.get(&a.owner, &format!("/carrier/v1/audit?actor={}&limit=100", a.user)).await;
    let events: Vec<_> =
        by_owner["data"].as_array().unwrap().iter().map(|row| row["event_type"].clone()).collect();
    assert_eq!(events, ["ApiKeyCreated", "SignedIn", "TwoFactorEnabled", "SignedUp", "Registered"]);
    let none = world.get(&a.owner, "/carrier/v1/audit?until=2020-01-01T00:00:00Z").await;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn the_carrier_and_its_overview_follow_what_happens() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let carrier = world.get(&a.owner, "/carrier/v1/carrier").await;
    assert_eq!(
        (&carrier["name"], &carrier["sip_address"]),
        (&json!("alpha Telecom"), &json!("203.0.113.7:5060"))
    );
    let changed = world.patch(&a.owner, "/carrier/v1/carrier", json!({ "country": "DE" })).await.ok(200);
    assert_eq!((&changed["name"], &changed["country"]), (&json!("alpha Telecom"), &json!("DE")));
    let wrong =
        world.patch(&a.owner, "/carrier/v1/carrier", json!({ "name": "\n", "country": "Mars" })).await;
    assert_eq!(wrong.fields(), ["name", "country"]);

    let none = json!({ "two_factor": true, "trunk": false, "phone_number": false, "test_call": false });
    assert_eq!(world.get(&a.owner, "/carrier/v1/overview").await["checklist"], none);
    world
        .post(&a.owner, "/carrier/v1/trunks", json!({ "name": "T", "inbound": { "sources": ["192.0.2.9"] } }))
        .await
        .ok(201);
    world.post(&a.owner, "/carrier/v1/phone-numbers", json!({ "number": "1234" })).await.ok(201);
    let refused = world.inbound_call(&a).await;
    world.report(&a, &refused, CallCommand::End(Ending::because(EndReason::NotConfigured))).await;
    let overview = world.get(&a.owner, "/carrier/v1/overview").await;
    assert_eq!(
        (&overview["checklist"]["test_call"], &overview["problems_today"]),
        (&json!(false), &json!(1)),
        "a refused call is no test call"
    );
    let call = world.inbound_call(&a).await;
    world.report(&a, &call, CallCommand::Answer).await;
    let overview = world.get(&a.owner, "/carrier/v1/overview").await;
    assert_eq!(
        overview["checklist"],
        json!({ "two_factor": true, "trunk": true, "phone_number": true, "test_call": true })
    );
    assert_eq!(
        (&overview["trunks"], &overview["live_calls"], &overview["calls_today"]),
        (&json!(1), &json!(1), &json!(2))
    );
}
