//! The second factor: set up, codes that work once, recovery codes.

use crate::world::{Caller, Carrier, PASSWORD, World};
use domain::user::Role;
use serde_json::json;
use std::time::Duration;

impl World {
    /// A browser of the owner at level password.
    async fn half_signed_in(&self, carrier: &Carrier) -> Caller {
        self.clock.advance(Duration::from_secs(60));
        Caller::browser(&self.sign_in(&carrier.email, PASSWORD).await.cookie())
    }
}

#[tokio::test]
async fn the_first_right_code_switches_it_on_and_gives_recovery_codes() {
    let world = World::new().await;
    let (_, browser) = world.sign_up("alpha").await;
    let setup = world.post(&browser, "/dashboard/two-factor/setup", json!({})).await.ok(200);
    assert!(setup["qr"].as_str().unwrap().starts_with("data:image/svg+xml;base64,"));
    assert_eq!(
        world.post(&browser, "/dashboard/two-factor/setup", json!({})).await.ok(200)["key"],
        setup["key"]
    );
    let wrong = world.post(&browser, "/dashboard/two-factor/enable", json!({ "code": "000000" })).await;
    assert_eq!((wrong.problem(422).as_str(), wrong.fields()), ("validation_failed", vec!["code".to_owned()]));
    let (_, codes, cookie) = world.set_up_two_factor(&browser).await;
    assert_eq!(codes.len(), 10);
    let full = Caller::browser(&cookie);
    world.get(&full, "/carrier/v1/overview").await;
    for path in ["setup", "enable"] {
        let again =
            world.post(&full, &format!("/dashboard/two-factor/{path}"), json!({ "code": "000000" })).await;
        assert_eq!(again.problem(409), "conflict");
    }
}

#[tokio::test]
async fn a_code_works_once() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let (one, two) = (world.half_signed_in(&a).await, world.half_signed_in(&a).await);
    let body = json!({ "code": world.code(&a.seed) });
    world.post(&one, "/dashboard/two-factor/verify", body.clone()).await.ok(200);
    assert_eq!(world.post(&two, "/dashboard/two-factor/verify", body.clone()).await.fields(), ["code"]);
    // Not in the next window either, where it would still be within tolerance.
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(world.post(&two, "/dashboard/two-factor/verify", body).await.fields(), ["code"]);
    let next = json!({ "code": world.next_code(&a.seed) });
    world.post(&two, "/dashboard/two-factor/verify", next).await.ok(200);
}

#[tokio::test]
async fn of_two_uses_at_once_one_gets_in() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let mut browsers = Vec::new();
    for _ in 0..4 {
        browsers.push(world.half_signed_in(&a).await);
    }
    world.clock.advance(Duration::from_secs(60));
    let body = json!({ "code": world.code(&a.seed) });
    let uses =
        browsers.iter().map(|browser| world.post(browser, "/dashboard/two-factor/verify", body.clone()));
    let answers = futures_util::future::join_all(uses).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test]
async fn a_hundred_guesses_are_not_tried() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let browser = world.half_signed_in(&a).await;
    let mut tried = 0;
    for guess in 0..100 {
        let body = json!({ "code": format!("{guess:06}") });
        tried += u32::from(world.post(&browser, "/dashboard/two-factor/verify", body).await.status == 422);
    }
    assert!(tried <= 10, "{tried}");
    world.clock.advance(Duration::from_secs(60));
    world
        .post(&browser, "/dashboard/two-factor/verify", json!({ "code": world.code(&a.seed) }))
        .await
        .ok(200);
}

#[tokio::test]
async fn a_recovery_code_stands_in_once() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let body = json!({ "recovery_code": a.recovery_codes[3].to_uppercase() });
    let browser = world.half_signed_in(&a).await;
    world.post(&browser, "/dashboard/two-factor/verify", body.clone()).await.ok(200);
    let browser = world.half_signed_in(&a).await;
    assert_eq!(world.post(&browser, "/dashboard/two-factor/verify", body).await.fields(), ["recovery_code"]);
    let both = json!({ "code": "123456", "recovery_code": "x" });
    assert_eq!(
        world.post(&browser, "/dashboard/two-factor/verify", both).await.problem(422),
        "validation_failed"
    );
}

#[tokio::test]
async fn new_recovery_codes_replace_the_old_ones() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let path = "/dashboard/two-factor/recovery-codes";
    assert_eq!(world.post(&a.owner, path, json!({ "code": "000000" })).await.fields(), ["code"]);
    let code = json!({ "code": world.next_code(&a.seed) });
    let fresh = world.post(&a.owner, "/dashboard/two-factor/recovery-codes", code).await.ok(200);
    let browser = world.half_signed_in(&a).await;
    let old = json!({ "recovery_code": a.recovery_codes[0] });
    assert_eq!(world.post(&browser, "/dashboard/two-factor/verify", old).await.fields(), ["recovery_code"]);
    let new = json!({ "recovery_code": fresh["recovery_codes"][9] });
    world.post(&browser, "/dashboard/two-factor/verify", new).await.ok(200);
}

#[tokio::test]
async fn new_recovery_codes_are_an_entry_of_the_audit() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let code = json!({ "code": world.next_code(&a.seed) });
    world.post(&a.owner, "/dashboard/two-factor/recovery-codes", code).await.ok(200);
    let audit = world.get(&a.owner, &format!("/carrier/v1/audit?stream_sid={}&limit=1", a.user)).await;
    assert_eq!(audit["data"][0]["event_type"], "RecoveryCodesReplaced");
}

#[tokio::test]
async fn ones_own_authenticator_is_replaced_for_a_fresh_code_and_for_nothing_less() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let (user, member) = world.colleague(&a, Role::Member).await;
    let path = "/dashboard/two-factor/replace";
    for wrong in
        [json!({}), json!({ "code": "" }), json!({ "code": "000000" }), json!({ "code": "abcd-efgh" })]
    {
        assert!(world.post(&member, path, wrong.clone()).await.status >= 400, "{wrong}");
        assert!(world.post(&a.owner, path, wrong.clone()).await.status >= 400, "{wrong}");
        world.clock.advance(Duration::from_secs(60));
    }
    world.get(&a.owner, "/carrier/v1/overview").await;
    let elsewhere = world.half_signed_in(&a).await;
    let code = json!({ "code": world.next_code(&a.seed) });
    let second = world.post(&elsewhere, "/dashboard/two-factor/verify", code).await.cookie();
    let code = json!({ "code": world.next_code(&a.seed) });
    assert_eq!(world.post(&a.owner, path, code).await.status, 204);
    let session = world.get(&a.owner, "/dashboard/session").await;
    assert_eq!((&session["next"], &session["level"]), (&json!("set_up_two_factor"), &json!("password")));
    let other = world.send(&Caller::browser(&second), "GET", "/dashboard/session", None).await;
    assert_eq!(other.problem(401), "unauthenticated", "the session elsewhere has ended");
    let old = json!({ "recovery_code": a.recovery_codes[0] });
    assert_eq!(world.post(&a.owner, "/dashboard/two-factor/verify", old).await.problem(409), "conflict");
    let (seed, _, _) = world.set_up_two_factor(&a.owner).await;
    assert_ne!(seed, a.seed);
    let entries = world
        .get(
            &world.colleague(&a, Role::Owner).await.1,
            &format!("/carrier/v1/audit?stream_sid={}&limit=3", a.user),
        )
        .await;
    let events: Vec<_> =
        entries["data"].as_array().unwrap().iter().map(|row| row["event_type"].clone()).collect();
    assert_eq!(events, ["SignedIn", "TwoFactorEnabled", "TwoFactorReset"]);
    assert_ne!(user, a.user);
}

#[tokio::test]
async fn who_has_lost_the_phone_replaces_it_by_a_recovery_code() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let code = json!({ "code": a.recovery_codes[4] });
    assert_eq!(world.post(&a.owner, "/dashboard/two-factor/replace", code).await.status, 204);
    assert_eq!(world.get(&a.owner, "/dashboard/session").await["next"], "set_up_two_factor");
}
