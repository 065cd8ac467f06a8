//! Accounts and their auth tokens.

use crate::world::{Caller, World};
use domain::{
    Clock, Log, Sid,
    account::{Account, AccountCommand},
};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn an_account_is_opened_changed_and_listed() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let made =
        world.post(&a.program, "/carrier/v1/accounts", json!({ "name": " Rocket Rides " })).await.ok(201);
    let (sid, token) = (made["sid"].as_str().unwrap(), made["auth_token"].as_str().unwrap());
    assert_eq!((made["name"].as_str(), made["status"].as_str()), (Some("Rocket Rides"), Some("enabled")));
    assert!(sid.starts_with("AC") && token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));

    // Read-your-writes: each answer and each read after it shows the write.
    let path = format!("/carrier/v1/accounts/{sid}");
    let changed =
        world.patch(&a.program, &path, json!({ "name": "Rides", "status": "disabled" })).await.ok(200);
    assert_eq!((changed["name"].as_str(), changed["status"].as_str()), (Some("Rides"), Some("disabled")));
    assert_eq!(world.get(&a.program, &path).await, changed);
    assert!(changed.get("auth_token").is_none());

    let other = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "Second" })).await.ok(201);
    let disabled = world.get(&a.owner, "/carrier/v1/accounts?status=disabled").await;
    assert_eq!(disabled["data"], json!([changed]));
    let first = world.get(&a.owner, "/carrier/v1/accounts?limit=1").await;
    assert_eq!(first["data"][0]["sid"], other["sid"], "newest first");
    let next = format!("/carrier/v1/accounts?limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = world.get(&a.owner, &next).await;
    assert_eq!((&second["data"][0]["sid"], second.get("next_cursor")), (&json!(sid), None));
    let named = world.get(&a.owner, "/carrier/v1/accounts?name=seCO").await;
    assert_eq!(named["data"][0]["name"], "Second");
}

#[tokio::test]
async fn an_accounts_limits_are_shown_and_changed_one_by_one() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let made = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let limits = json!({
        "calls_per_second": 10, "calls_at_once": 100, "same_pair_at_once": 10, "countries": [], "high_risk": false,
    });
    assert_eq!(made["limits"], limits, "what a new account may");
    let path = format!("/carrier/v1/accounts/{}", made["sid"].as_str().unwrap());
    let patch = json!({ "limits": { "calls_at_once": 4, "countries": ["us", "GB", "US"] } });
    let changed = world.patch(&a.program, &path, patch).await.ok(200);
    let expected = json!({
        "calls_per_second": 10, "calls_at_once": 4, "same_pair_at_once": 10, "countries": ["GB", "US"],
        "high_risk": false,
    });
    assert_eq!(changed["limits"], expected);
    assert_eq!(world.get(&a.program, &path).await, changed);
    for wrong in
        [json!({ "calls_per_second": 0 }), json!({ "countries": ["XX"] }), json!({ "same_pair_at_once": 0 })]
    {
        let refused = world.patch(&a.program, &path, json!({ "limits": wrong.clone() })).await;
        refused.problem(422);
    }
}

#[tokio::test]
async fn an_auth_token_is_shown_and_replaced() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let made = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let path = format!("/carrier/v1/accounts/{}/auth-token", made["sid"].as_str().unwrap());
    assert_eq!(world.get(&a.program, &path).await["auth_token"], made["auth_token"]);
    let rotated = world.send(&a.program, "POST", &path, None).await.ok(200);
    assert_ne!(rotated["auth_token"], made["auth_token"]);
    assert_eq!(world.get(&a.owner, &path).await, rotated);

    // By the Twilio API: the new one opens, and the old one is nowhere.
    let sid = made["sid"].as_str().unwrap();
    let me = format!("/2010-04-01/Accounts/{sid}.json");
    for (token, status) in [(&made["auth_token"], 401), (&rotated["auth_token"], 200)] {
        let program = Caller::account(sid, token.as_str().unwrap());
        assert_eq!(world.send(&program, "GET", &me, None).await.status, status);
    }
    let (kind, sid) = (api::secrets::AUTH_TOKEN, sid.parse().unwrap());
    assert_eq!(world.app.store.vault().names(&sid, kind).await.unwrap(), ["2"]);

    // A repeated rotation is one, and shows what it made.
    let program = a.program.with("idempotency-key", "rotate");
    let third = world.send(&program, "POST", &path, None).await.ok(200);
    assert_ne!(third, rotated);
    assert_eq!(world.send(&program, "POST", &path, None).await.ok(200), third);
    assert_eq!(world.get(&a.owner, &path).await, third);
}

#[tokio::test]
async fn the_event_decides_which_token_opens() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let made = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let (sid, old) = (made["sid"].as_str().unwrap(), made["auth_token"].as_str().unwrap());
    let (account, path) = (sid.parse::<Sid>().unwrap(), format!("/2010-04-01/Accounts/{sid}.json"));
    // As a crash before the event leaves it: the next token is in the vault, and opens nothing.
    world.app.secrets.put_auth_token((&a.sid, &account), 2, "next").await.unwrap();
    let opens = async |token: &str| world.send(&Caller::account(sid, token), "GET", &path, None).await.status;
    assert_eq!((opens(old).await, opens("next").await), (200, 401));
    // As a crash after the event leaves it: the old one is still in the vault, and opens nothing.
    let replace = AccountCommand::ReplaceAuthToken { version: 2 };
    let appended = world.app.store.execute::<Account>(&account, replace, &world.meta(&a)).await.unwrap();
    world.app.settled(domain::Log::Core, &appended).await.unwrap();
    assert_eq!((opens(old).await, opens("next").await), (401, 200));
}

#[tokio::test]
async fn one_idempotency_key_opens_one_account() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let program = a.program.with("idempotency-key", "order-7");
    let body = json!({ "name": "One" });
    let tries = futures_util::future::join_all(
        (0..3).map(|_| world.post(&program, "/carrier/v1/accounts", body.clone())),
    );
    let answers: Vec<_> = tries.await.into_iter().map(|answer| answer.ok(201)).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(world.get(&a.program, "/carrier/v1/accounts").await["data"].as_array().map(Vec::len), Some(1));
    let other = world.post(&program, "/carrier/v1/accounts", json!({ "name": "Two" })).await;
    assert_eq!(other.problem(422), "idempotency_key_reused");
    let odd = a.program.with("idempotency-key", &"x".repeat(300));
    assert_eq!(world.post(&odd, "/carrier/v1/accounts", body.clone()).await.problem(400), "bad_request");
    // Another carrier's key of the same name is another key.
    let b = world.carrier("beta").await;
    world
        .post(&b.program.with("idempotency-key", "order-7"), "/carrier/v1/accounts", json!({ "name": "Two" }))
        .await
        .ok(201);
}

#[tokio::test]
async fn many_changes_of_one_thing_at_once_all_take_effect() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let account = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let own = format!("/carrier/v1/accounts/{}", account["sid"].as_str().unwrap());
    let names: Vec<String> = (0..40).map(|number| format!("Name {number}")).collect();
    let patches = names.iter().map(|name| world.patch(&a.program, &own, json!({ "name": name })));
    for answer in futures_util::future::join_all(patches).await {
        answer.ok(200);
    }
}

#[tokio::test]
async fn a_look_at_a_token_or_a_new_key_is_no_change_that_a_patch_has_missed() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let account = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let own = format!("/carrier/v1/accounts/{}", account["sid"].as_str().unwrap());
    for path in [own.as_str(), "/carrier/v1/carrier"] {
        let tag = world.send(&a.program, "GET", path, None).await.header("etag").to_owned();
        world.get(&a.owner, &format!("{own}/auth-token")).await;
        world.post(&a.owner, "/carrier/v1/api-keys", json!({ "name": "another" })).await.ok(201);
        let guarded = a.program.with("if-match", &tag);
        world.patch(&guarded, path, json!({ "name": "Two" })).await.ok(200);
        let late = world.patch(&guarded, path, json!({ "name": "Three" })).await;
        assert_eq!(late.problem(412), "changed", "{path}");
        assert!(!late.text.contains("shown") && !late.text.contains("api key"), "{}", late.text);
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_by_field() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let empty = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "" })).await;
    assert_eq!((empty.problem(422).as_str(), empty.fields()), ("validation_failed", vec!["name".to_owned()]));
    let unknown = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "A", "admin": true })).await;
    assert_eq!(
        (unknown.problem(422).as_str(), unknown.fields()),
        ("validation_failed", vec!["admin".to_owned()])
    );
    let parameter = world.send(&a.program, "GET", "/carrier/v1/accounts?nam=A", None).await;
    assert_eq!(
        (parameter.problem(400).as_str(), parameter.fields()),
        ("bad_request", vec!["nam".to_owned()])
    );
    let cursor = world.send(&a.program, "GET", "/carrier/v1/accounts?cursor=%27--", None).await;
    assert_eq!((cursor.problem(400).as_str(), cursor.fields()), ("bad_request", vec!["cursor".to_owned()]));
    let limit = world.send(&a.program, "GET", "/carrier/v1/accounts?limit=1000000000", None).await;
    assert_eq!((limit.problem(400).as_str(), limit.fields()), ("bad_request", vec!["limit".to_owned()]));
    let stranger = Caller::program("tlk_AK0190c5a1e3f27a4b8d1e2f3a4b5c6d7e_0");
    assert_eq!(
        world.send(&stranger, "GET", "/carrier/v1/accounts", None).await.problem(401),
        "unauthenticated"
    );
}

#[tokio::test]
async fn the_same_holds_on_postgresql() {
    let world = World::on_postgres().await;
    let a = world.carrier("alpha").await;
    let program = a.program.with("idempotency-key", "order-7");
    let made = world.post(&program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    assert_eq!(world.post(&program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201), made);
    let number = json!({ "number": "+85512345678", "account_sid": made["sid"] });
    world.post(&a.program, "/carrier/v1/phone-numbers", number.clone()).await.ok(201);
    assert_eq!(world.post(&a.program, "/carrier/v1/phone-numbers", number).await.problem(409), "taken");
    let overview = world.get(&a.owner, "/carrier/v1/overview").await;
    assert_eq!((&overview["accounts"], &overview["phone_numbers"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn what_is_made_is_answered_with_while_the_tables_lag() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    world.stop.cancel();
    world.app.tasks.close();
    world.app.tasks.wait().await;
    let made = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    assert_eq!((&made["name"], &made["status"]), (&json!("One"), &json!("enabled")));
    assert_eq!(made["auth_token"].as_str().map(str::len), Some(32));
    let outbound = json!({ "host": "sip.example.com", "username": "a", "password": "hunter2hunter2" });
    let body = json!({ "name": "T", "inbound": { "sources": ["192.0.2.9"] }, "outbound": outbound });
    let made = world.post(&a.program, "/carrier/v1/trunks", body).await.ok(201);
    assert_eq!(
        (&made["inbound"]["sources"], &made["outbound"]["has_password"]),
        (&json!(["192.0.2.9"]), &json!(true))
    );
    let made = world.post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "1234" })).await.ok(201);
    assert_eq!((&made["number"], &made["enabled"]), (&json!("1234"), &json!(true)));
}

#[tokio::test]
async fn a_key_of_which_nothing_can_be_proved_any_more_is_refused() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let program = a.program.with("idempotency-key", "order-7");
    let creations = [
        ("/carrier/v1/accounts", json!({ "name": "One" })),
        ("/carrier/v1/phone-numbers", json!({ "number": "+85512345678" })),
        ("/carrier/v1/trunks", json!({ "name": "T", "outbound": { "host": "sip.example.com" } })),
    ];
    for (path, body) in &creations {
        world.post(&program, path, body.clone()).await.ok(201);
    }
    let mut tx = world.app.store.db().begin().await.unwrap();
    let changed =
        "UPDATE es_commands SET digest = (SELECT hash FROM es_events WHERE log = 'core' AND position = 1)";
    tx.execute_text(changed).await.unwrap();
    tx.commit().await.unwrap();
    let head = world.app.store.head(Log::Core).await.unwrap();
    for (path, body) in &creations {
        let again = world.post(&program, path, body.clone()).await;
        assert_eq!(again.problem(409), "conflict", "{path}");
        let detail = again.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("cannot be proved") && detail.contains("use a new one"), "{path}: {detail}");
    }
    assert_eq!(world.app.store.head(Log::Core).await.unwrap(), head, "nothing was done twice");
    let other = a.program.with("idempotency-key", "order-8");
    world.post(&other, "/carrier/v1/accounts", json!({ "name": "Two" })).await.ok(201);
}

#[tokio::test]
async fn changes_are_listed_from_one_moment_to_another() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let mut moments = Vec::new();
    for name in ["One", "Two", "Three"] {
        world.clock.advance(Duration::from_secs(60));
        moments.push(world.clock.now().to_string());
        world.post(&a.program, "/carrier/v1/accounts", json!({ "name": name })).await.ok(201);
    }
    let within = async |times: String| -> Vec<String> {
        let path =
            format!("/carrier/v1/audit?event_type=Created&stream_type=account&order=created_at{times}");
        let rows = world.get(&a.owner, &path).await["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["payload"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let [one, two, three] = &moments[..] else { panic!("three") };
    assert_eq!(within(format!("&since={two}")).await, ["Two", "Three"]);
    assert_eq!(within(format!("&until={two}")).await, ["One"]);
    assert_eq!(within(format!("&since={two}&until={three}")).await, ["Two"]);
    assert!(within(format!("&until={one}")).await.is_empty());
    let every = world.get(&a.owner, &format!("/carrier/v1/audit?since={three}")).await;
    let kinds: Vec<&str> =
        every["data"].as_array().unwrap().iter().map(|row| row["event_type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["Created"], "by time alone");
    let wrong = world.send(&a.owner, "GET", "/carrier/v1/audit?since=yesterday", None).await;
    assert_eq!(
        (wrong.problem(422).as_str(), wrong.fields()),
        ("validation_failed", vec!["since".to_owned()])
    );
}
