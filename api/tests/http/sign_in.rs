//! Signing up, signing in, and sessions.

use crate::world::{Caller, Carrier, PASSWORD, World};
use domain::{
    Kind, Log, Meta, Sid, Tenant,
    user::{Role, User, UserCommand},
};
use serde_json::json;
use std::time::Duration;
use store::RandomIds;

fn new_sid(kind: Kind) -> Sid {
    Sid::new(kind, &RandomIds::default())
}

#[tokio::test]
async fn a_sign_up_makes_a_carrier_with_an_owner_at_level_password() {
    let world = World::new().await;
    let (session, browser) = world.sign_up("alpha").await;
    assert_eq!((&session["level"], &session["next"]), (&json!("password"), &json!("set_up_two_factor")));
    assert_eq!((&session["user"]["role"], &session["carrier"]["country"]), (&json!("owner"), &json!("KH")));
    assert_eq!(world.get(&browser, "/dashboard/session").await, session);
    assert_eq!(
        world.send(&browser, "GET", "/carrier/v1/overview", None).await.problem(403),
        "two_factor_required"
    );
}

#[tokio::test]
async fn everything_wrong_with_a_sign_up_is_told_at_once() {
    let world = World::new().await;
    let body = json!({ "company": "", "country": "Mars", "subdomain": "A b", "name": "", "email": "x", "password": "password1" });
    let answer = world.post(&Caller::nobody(), "/dashboard/sign-up", body).await;
    assert_eq!(answer.problem(422), "validation_failed");
    assert_eq!(answer.fields(), ["company", "country", "subdomain", "name", "email", "password"]);
    world.sign_up("alpha").await;
    let mut again = json!({ "company": "B", "country": "DE", "subdomain": "alpha", "name": "B", "email": "b@b.example", "password": PASSWORD });
    let taken = world.post(&Caller::nobody(), "/dashboard/sign-up", again.clone()).await;
    assert_eq!((taken.problem(409).as_str(), taken.fields()), ("taken", vec!["subdomain".to_owned()]));
    (again["subdomain"], again["email"]) = (json!("beta"), json!("OWNER@alpha.example"));
    let taken = world.post(&Caller::nobody(), "/dashboard/sign-up", again).await;
    assert_eq!((taken.problem(409).as_str(), taken.fields()), ("taken", vec!["email".to_owned()]));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let wrong = world.sign_in(&a.email, "not the password").await;
    let unknown = world.sign_in("nobody@alpha.example", PASSWORD).await;
    let odd = world.sign_in("nonsense", PASSWORD).await;
    for answer in [&wrong, &unknown, &odd] {
        assert_eq!(answer.problem(401), "invalid_credentials");
        assert_eq!(
            (answer.json()["detail"].clone(), answer.cookie()),
            (wrong.json()["detail"].clone(), String::new())
        );
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_and_locks_nobody_else_out() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let mut verified = 0;
    let limited = loop {
        let answer = world.sign_in(&a.email, "guess").await;
        if answer.status == 429 {
            break answer;
        }
        verified += 1;
        assert!(verified <= 30);
    };
    assert_eq!(limited.problem(429), "rate_limited");
    assert!(limited.header("retry-after").parse::<u32>().unwrap() >= 1);
    // Others from the same address, and the owner's open session, go on.
    assert_eq!(world.sign_in("someone@else.example", "guess").await.problem(401), "invalid_credentials");
    world.get(&a.owner, "/carrier/v1/overview").await;
    world.clock.advance(Duration::from_secs(60));
    world.sign_in(&a.email, PASSWORD).await.ok(200);
}

#[tokio::test]
async fn a_new_id_is_given_at_each_step_and_the_old_one_is_dead() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    world.clock.advance(Duration::from_secs(60));
    let first = world.sign_in(&a.email, PASSWORD).await.cookie();
    let answer = world
        .post(
            &Caller::browser(&first),
            "/dashboard/two-factor/verify",
            json!({ "code": world.code(&a.seed) }),
        )
        .await;
    let second = answer.cookie();
    assert_eq!(answer.ok(200)["next"], "ready");
    assert_ne!(first, second);
    assert_eq!(
        world.send(&Caller::browser(&first), "GET", "/dashboard/session", None).await.problem(401),
        "unauthenticated"
    );
    world.get(&Caller::browser(&second), "/carrier/v1/overview").await;
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let world = World::new().await;
    world.sign_up("alpha").await;
    let answer = world.sign_in("owner@alpha.example", PASSWORD).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("session=US") && cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
}

#[tokio::test]
async fn sessions_are_listed_ended_and_end_by_themselves() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    world.clock.advance(Duration::from_secs(60));
    let cookie = world.sign_in(&a.email, PASSWORD).await.cookie();
    let answer = world
        .post(
            &Caller::browser(&cookie),
            "/dashboard/two-factor/verify",
            json!({ "code": world.code(&a.seed) }),
        )
        .await;
    let other = Caller::browser(&answer.cookie());
    let sessions = world.get(&a.owner, "/dashboard/sessions").await;
    let sessions = sessions["data"].as_array().unwrap();
    let current: Vec<_> = sessions.iter().map(|session| session["current"].clone()).collect();
    assert_eq!(current, [false, true]);
    let path = format!("/dashboard/sessions/{}", sessions[0]["id"].as_str().unwrap());
    assert_eq!(world.send(&a.owner, "DELETE", &path, None).await.status, 204);
    assert_eq!(world.send(&other, "GET", "/dashboard/session", None).await.problem(401), "unauthenticated");
    assert_eq!(world.send(&a.owner, "DELETE", &path, None).await.problem(404), "not_found");

    // Used within twelve hours it lives on, for seven days at most.
    for _ in 0..16 {
        world.clock.advance(Duration::from_secs(10 * 3600));
        world.get(&a.owner, "/dashboard/session").await;
    }
    world.clock.advance(Duration::from_secs(10 * 3600));
    assert_eq!(world.send(&a.owner, "GET", "/dashboard/session", None).await.problem(401), "unauthenticated");
}

#[tokio::test]
async fn an_idle_session_ends() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    world.clock.advance(Duration::from_secs(12 * 3600 + 1));
    assert_eq!(world.send(&a.owner, "GET", "/dashboard/session", None).await.problem(401), "unauthenticated");
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let answer = world.send(&a.owner, "POST", "/dashboard/sign-out", None).await;
    assert_eq!((answer.status, answer.cookie().as_str()), (204, "session="));
    assert_eq!(
        world.send(&a.owner, "GET", "/carrier/v1/overview", None).await.problem(401),
        "unauthenticated"
    );
}

#[tokio::test]
async fn a_new_password_ends_every_other_session() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    world.clock.advance(Duration::from_secs(60));
    let cookie = world.sign_in(&a.email, PASSWORD).await.cookie();
    let wrong = json!({ "current_password": "nope", "new_password": "Zebra-lamp-quilt-88" });
    assert_eq!(world.post(&a.owner, "/dashboard/password", wrong).await.fields(), ["current_password"]);
    let weak = json!({ "current_password": PASSWORD, "new_password": "password1" });
    assert_eq!(world.post(&a.owner, "/dashboard/password", weak).await.fields(), ["new_password"]);
    let right = json!({ "current_password": PASSWORD, "new_password": "Zebra-lamp-quilt-88" });
    assert_eq!(world.post(&a.owner, "/dashboard/password", right).await.status, 204);
    assert_eq!(
        world.send(&Caller::browser(&cookie), "GET", "/dashboard/session", None).await.problem(401),
        "unauthenticated"
    );
    world.get(&a.owner, "/dashboard/session").await;
    assert_eq!(world.sign_in(&a.email, PASSWORD).await.problem(401), "invalid_credentials");
    world.sign_in(&a.email, "Zebra-lamp-quilt-88").await.ok(200);
}

#[tokio::test]
async fn an_installation_says_whether_anybody_has_signed_up_yet() {
    let world = World::new().await;
    assert_eq!(world.get(&Caller::nobody(), "/dashboard/welcome").await, json!({ "empty": true }));
    world.carrier("alpha").await;
    assert_eq!(world.get(&Caller::nobody(), "/dashboard/welcome").await, json!({ "empty": false }));
}

#[tokio::test]
async fn countries_are_there_for_the_form() {
    let world = World::new().await;
    let countries = world.get(&Caller::nobody(), "/dashboard/countries").await;
    let khmer = countries["data"].as_array().unwrap().iter().find(|country| country["code"] == "KH").unwrap();
    assert_eq!((&khmer["calling_code"], &khmer["trunk_digit"]), (&json!("855"), &json!("0")));
    assert_eq!(khmer["groupings"][0][2], "$1 $2 $3", "how its numbers are grouped");
}

#[tokio::test]
async fn a_refused_carrier_gives_its_owners_address_back() {
    let world = World::new().await;
    world.carrier("alpha").await;
    let body = |subdomain: &str| {
        json!({ "company": "Beta", "country": "KH", "subdomain": subdomain, "name": "Bea",
            "email": "bea@beta.example", "password": PASSWORD })
    };
    let taken = world.post(&Caller::nobody(), "/dashboard/sign-up", body("alpha")).await;
    assert_eq!((taken.problem(409).as_str(), taken.fields()), ("taken", vec!["subdomain".to_owned()]));
    world.post(&Caller::nobody(), "/dashboard/sign-up", body("beta")).await.ok(201);
    let again = world.post(&Caller::nobody(), "/dashboard/sign-up", body("gamma")).await;
    assert_eq!((again.problem(409).as_str(), again.fields()), ("taken", vec!["email".to_owned()]));
}

#[tokio::test]
async fn an_address_whose_carrier_never_came_to_be_is_free_after_a_minute() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    // As a crash in the middle of a sign-up leaves it.
    let (user, carrier) = (new_sid(Kind::User), new_sid(Kind::Carrier));
    let register = UserCommand::Register {
        carrier: carrier.clone(),
        name: "Bea".parse().unwrap(),
        email: "owner@beta.example".parse().unwrap(),
        role: Role::Owner,
    };
    let meta = Meta { tenant: Tenant::carrier(carrier), ..world.meta(&a) };
    let appended = world.app.store.execute::<User>(&user, register, &meta).await.unwrap();
    world.app.settled(Log::Core, &appended).await.unwrap();
    let body = json!({ "company": "Beta", "country": "KH", "subdomain": "beta", "name": "Bea",
        "email": "owner@beta.example", "password": PASSWORD });
    let early = world.post(&Caller::nobody(), "/dashboard/sign-up", body.clone()).await;
    assert_eq!(early.fields(), ["email"]);
    world.clock.advance(Duration::from_secs(61));
    world.post(&Caller::nobody(), "/dashboard/sign-up", body).await.ok(201);
    world.sign_in("owner@beta.example", PASSWORD).await.ok(200);
}

#[tokio::test]
async fn a_new_password_ends_every_session_however_many() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let vault = world.app.store.vault();
    let session = api::secrets::SESSION;
    let [own] = &vault.names(&a.user, session).await.unwrap()[..] else { panic!("one session") };
    for serial in 0..1_050 {
        vault.put(&a.sid, &a.user, session, &format!("{serial:064}"), b"{}", None).await.unwrap();
    }
    let body = json!({ "current_password": PASSWORD, "new_password": "tulip-Anchor-lamp-31" });
    assert_eq!(world.post(&a.owner, "/dashboard/password", body).await.status, 204);
    assert_eq!(vault.names(&a.user, session).await.unwrap(), std::slice::from_ref(own));
}

/// A device that its user has signed in from: the cookie that says so.
async fn known_device(world: &World, a: &Carrier) -> String {
    world.clock.advance(Duration::from_secs(60));
    let cookie = world.sign_in(&a.email, PASSWORD).await.cookie();
    let code = json!({ "code": world.code(&a.seed) });
    let answer = world.post(&Caller::browser(&cookie), "/dashboard/two-factor/verify", code).await;
    let device = answer.headers.get_all("set-cookie").iter().find_map(|value| {
        let value = value.to_str().unwrap();
        value.starts_with("device=US").then(|| value.split(';').next().unwrap().to_owned())
    });
    device.expect("the device is known from now on")
}

/// Everyone here comes from one address, as behind a proxy that is not named.
#[tokio::test]
async fn a_strangers_guesses_keep_no_known_device_out() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let device = Caller::browser(&known_device(&world, &a).await);
    while world.sign_in(&a.email, "guess").await.status != 429 {}
    let password = json!({ "email": a.email, "password": PASSWORD });
    assert_eq!(world.post(&Caller::nobody(), "/dashboard/sign-in", password.clone()).await.status, 429);
    world.post(&device, "/dashboard/sign-in", password).await.ok(200);
    let other = json!({ "email": "someone@else.example", "password": PASSWORD });
    assert_eq!(world.post(&device, "/dashboard/sign-in", other).await.status, 401, "it is one person's");
}

#[tokio::test]
async fn whoever_has_the_password_cannot_guess_codes_for_ever_nor_keep_the_owner_out() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let device = known_device(&world, &a).await;
    let thief = Caller::browser(&world.sign_in(&a.email, PASSWORD).await.cookie());
    let guess = json!({ "code": "000000" });
    let guesses = async || {
        world.clock.advance(Duration::from_secs(12));
        world.post(&thief, "/dashboard/two-factor/verify", guess.clone()).await.status == 422
    };
    let mut verified = 0;
    for _ in 0..120 {
        verified += u32::from(guesses().await);
    }
    assert!((10..=20).contains(&verified), "{verified} guesses in 24 minutes");
    // The app's code on a device that is known, where nobody else's guesses count.
    let body = json!({ "email": a.email, "password": PASSWORD });
    let cookie = world.post(&Caller::browser(&device), "/dashboard/sign-in", body).await.cookie();
    let (code, known) = (world.next_code(&a.seed), Caller::browser(&format!("{cookie}; {device}")));
    world.post(&known, "/dashboard/two-factor/verify", json!({ "code": code })).await.ok(200);
    // A recovery code on a new one, where a guess would have to wait.
    while guesses().await {}
    world.clock.advance(Duration::from_secs(12));
    let new = Caller::browser(&world.sign_in(&a.email, PASSWORD).await.cookie());
    let waits = world.post(&new, "/dashboard/two-factor/verify", guess.clone()).await;
    assert_eq!(waits.problem(429), "rate_limited", "an app's code there has to wait, right or wrong");
    world.clock.advance(Duration::from_secs(12));
    let recovery = json!({ "recovery_code": a.recovery_codes[0] });
    world.post(&new, "/dashboard/two-factor/verify", recovery).await.ok(200);
    // And the owner's open session asks for new recovery codes.
    let code = json!({ "code": world.next_code(&a.seed) });
    world.post(&a.owner, "/dashboard/two-factor/recovery-codes", code).await.ok(200);
}

#[tokio::test]
async fn failures_and_looks_at_a_token_are_in_the_audit() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    for _ in 0..3 {
        world.sign_in(&a.email, "guess").await;
    }
    let browser = Caller::browser(&world.sign_in(&a.email, PASSWORD).await.cookie());
    world.post(&browser, "/dashboard/two-factor/verify", json!({ "code": "000000" })).await.problem(422);
    let account = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let account = account["sid"].as_str().unwrap().to_owned();
    world.get(&a.program, &format!("/carrier/v1/accounts/{account}/auth-token")).await;
    let types = |audit: serde_json::Value| -> Vec<String> {
        let rows = audit["data"].as_array().unwrap().iter();
        rows.map(|row| row["event_type"].as_str().unwrap().to_owned()).collect()
    };
    let limit = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let of_user = types(world.get(&a.owner, &format!("/carrier/v1/audit?stream_sid={}", a.user)).await);
        let count = |wanted: &str| of_user.iter().filter(|event| *event == wanted).count();
        let of_account = types(world.get(&a.owner, &format!("/carrier/v1/audit?stream_sid={account}")).await);
        // The first of the three, and the other two when the person got in.
        let failed = (count("SignInFailed"), count("SecondFactorFailed")) == (2, 1);
        if failed && of_account == ["AuthTokenShown", "Created"] {
            break;
        }
        assert!(limit > tokio::time::Instant::now(), "{of_user:?} {of_account:?}");
    }
}
