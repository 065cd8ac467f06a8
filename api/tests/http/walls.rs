//! Walls: between tenants, in front of strangers, between factors, between roles, between sites. The routes come from
//! the OpenAPI document and the dashboard's table, so that a new route is covered by itself.

use crate::world::{Caller, Carrier, World};
use api::{DASHBOARD_ROUTES, Needs};
use domain::user::{Role, User, UserCommand};
use serde_json::{Value, json};

/// (method, path, operation id) of everything in the document.
pub fn operations() -> Vec<(String, String, String)> {
    let document = api::carrier::document();
    let paths = document["paths"].as_object().unwrap().clone();
    let each = paths.into_iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().clone();
        methods.into_iter().map(move |(method, operation)| {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            (method, format!("/carrier/v1{path}"), id)
        })
    });
    each.collect()
}

/// One of everything a carrier can have: (first segment of its path, SID).
pub async fn things(world: &World, carrier: &Carrier) -> Vec<(&'static str, String)> {
    let sid = |value: Value| value["sid"].as_str().unwrap().to_owned();
    let account =
        world.post(&carrier.program, "/carrier/v1/accounts", json!({ "name": "Secret name" })).await.ok(201);
    let source = format!("203.0.113.{}", carrier.email.len());
    let trunk = json!({ "name": "Secret name", "inbound": { "sources": [source] } });
    let trunk = world.post(&carrier.program, "/carrier/v1/trunks", trunk).await.ok(201);
    let number =
        world.post(&carrier.program, "/carrier/v1/phone-numbers", json!({ "number": "1234" })).await.ok(201);
    let key =
        world.post(&carrier.owner, "/carrier/v1/api-keys", json!({ "name": "Secret name" })).await.ok(201);
    let call = world.inbound_call(carrier).await;
    vec![
        ("accounts", sid(account)),
        ("trunks", sid(trunk)),
        ("phone-numbers", sid(number)),
        ("api-keys", sid(key)),
        ("calls", call.to_string()),
        ("users", carrier.user.to_string()),
    ]
}

fn fill(path: &str, things: &[(&'static str, String)]) -> String {
    let noun = path.split('/').nth(3).unwrap();
    let (_, sid) =
        things.iter().find(|(name, _)| *name == noun).unwrap_or_else(|| panic!("a thing of {noun}"));
    path.replace("{sid}", sid)
}

#[tokio::test]
async fn nothing_of_another_carrier_can_be_reached() {
    let world = World::new().await;
    let (a, b) = (world.carrier("alpha").await, world.carrier("beta1").await);
    let theirs = things(&world, &b).await;
    let before = world.app.store.head(domain::Log::Core).await.unwrap();
    let calls_before = world.app.store.head(domain::Log::Calls).await.unwrap();
    let by_id: Vec<_> = operations().into_iter().filter(|(_, path, _)| path.contains("{sid}")).collect();
    assert!(by_id.len() >= 17, "{}", by_id.len());
    for (method, path, id) in &by_id {
        let path = fill(path, &theirs);
        for caller in [&a.owner, &a.program] {
            let body = match id.as_str() {
                "createTestCall" => Some(json!({ "to": "+85512345678" })),
                "resetTwoFactor" => Some(json!({ "code": "123456" })),
                _ => (method == "patch").then(|| json!({})),
            };
            let answer = world.send(caller, method, &path, body).await;
            let owners_only = OWNERS_ONLY.contains(&id.as_str()) && caller.is_program();
            assert_eq!(answer.status, if owners_only { 403 } else { 404 }, "{id}: {}", answer.text);
            assert!(!answer.text.contains("Secret name"), "{id}");
        }
    }
    for (method, path, id) in
        operations().iter().filter(|(method, path, _)| method == "get" && !path.contains("{sid}"))
    {
        let answer = world.send(&a.owner, method, path, None).await;
        let leaks = theirs.iter().any(|(_, sid)| answer.text.contains(sid.as_str()))
            || answer.text.contains(b.sid.as_str());
        assert!(answer.status == 200 && !leaks, "{id}: {}", answer.text);
    }
    assert_eq!(world.app.store.head(domain::Log::Core).await.unwrap(), before, "nothing was written");
    assert_eq!(world.app.store.head(domain::Log::Calls).await.unwrap(), calls_before);
    // The owner of the things reaches all of them.
    for (method, path, id) in by_id.iter().filter(|(method, _, _)| method == "get") {
        let answer = world.send(&b.owner, method, &fill(path, &theirs), None).await;
        assert_eq!(answer.status, 200, "{id}: {}", answer.text);
    }
}

#[tokio::test]
async fn strangers_reach_the_public_list_and_nothing_else() {
    let world = World::new().await;
    let stranger = Caller::nobody();
    for (method, path, id) in operations() {
        let path = path.replace("{sid}", "AC0190c5a1e3f27a4b8d1e2f3a4b5c6d7e");
        assert_eq!(world.send(&stranger, &method, &path, None).await.problem(401), "unauthenticated", "{id}");
    }
    let mut public = Vec::new();
    for (path, method, needs) in DASHBOARD_ROUTES {
        let answer = world
            .send(&stranger, method, &format!("/dashboard{}", path.replace(":id", "x")), Some(json!({})))
            .await;
        match needs {
            Needs::Nothing => {
                assert!(![401, 404, 405].contains(&answer.status), "{path}: {}", answer.status);
                public.push(path);
            }
            Needs::Password | Needs::BothFactors => {
                assert_eq!(answer.problem(401), "unauthenticated", "{path}");
            }
        }
    }
    assert_eq!(public, ["/sign-up", "/sign-in", "/countries", "/welcome", "/sign-out"]);
}

#[tokio::test]
async fn a_password_alone_opens_the_second_factor_and_nothing_else() {
    let world = World::new().await;
    let (_, browser) = world.sign_up("alpha").await;
    for (method, path, id) in operations() {
        let path = path.replace("{sid}", "AC0190c5a1e3f27a4b8d1e2f3a4b5c6d7e");
        assert_eq!(
            world.send(&browser, &method, &path, None).await.problem(403),
            "two_factor_required",
            "{id}"
        );
    }
    for (path, method, needs) in DASHBOARD_ROUTES {
        if needs == Needs::Nothing {
            continue;
        }
        let answer = world
            .send(&browser, method, &format!("/dashboard{}", path.replace(":id", "x")), Some(json!({})))
            .await;
        let closed = needs == Needs::BothFactors;
        assert_eq!(answer.status == 403, closed, "{path}: {}", answer.text);
    }
}

/// What only owners do, at the dashboard.
const OWNERS_ONLY: [&str; 5] = ["listApiKeys", "getApiKey", "createApiKey", "revokeApiKey", "resetTwoFactor"];
/// What members do beside reading: nothing is changed by it.
const FOR_MEMBERS: [&str; 2] = ["previewDialString", "previewPhoneNumber"];
/// What members must not read.
const NOT_FOR_MEMBERS: [&str; 1] = ["getAuthToken"];

#[tokio::test]
async fn every_role_may_do_what_the_table_says() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let (_, admin) = world.colleague(&a, Role::Admin).await;
    let (_, member) = world.colleague(&a, Role::Member).await;
    for (method, path, id) in operations() {
        let id = id.as_str();
        let owners_only = OWNERS_ONLY.contains(&id);
        let reads = method == "get" && !NOT_FOR_MEMBERS.contains(&id) && !owners_only;
        // SIDs that nobody has: what is allowed ends in 404 or in a complaint about the body.
        let path = path.replace("{sid}", "AC00000000000000000000000000000000");
        for (who, caller, allowed) in [
            ("owner", &a.owner, true),
            ("admin", &admin, !owners_only),
            ("program", &a.program, !owners_only),
            ("member", &member, reads || FOR_MEMBERS.contains(&id)),
        ] {
            let answer = world.send(caller, &method, &path, None).await;
            assert_eq!(![401, 403].contains(&answer.status), allowed, "{id} by {who}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn other_sites_cannot_use_the_cookie() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let evil = a.owner.with("sec-fetch-site", "cross-site").with("origin", "https://evil.example");
    for (path, body) in [
        ("/carrier/v1/accounts", json!({ "name": "Evil" })),
        ("/dashboard/sign-out", json!({})),
        ("/dashboard/sign-in", json!({ "email": "a@b.example", "password": "x" })),
        ("/dashboard/password", json!({})),
    ] {
        assert_eq!(world.post(&evil, path, body).await.problem(403), "cross_origin", "{path}");
    }
    // Old browsers send only where they come from.
    let old = Caller::browser(&a.cookie).with("origin", "https://voice.example.com");
    world.post(&old, "/carrier/v1/accounts", json!({ "name": "Good" })).await.ok(201);
    assert_eq!(world.get(&a.owner, "/carrier/v1/accounts").await["data"].as_array().map(Vec::len), Some(1));
    let plain = world.send_raw(&a.owner, "POST", "/dashboard/sign-in", Some("text/plain"), "{}").await;
    assert_eq!(plain.problem(415), "unsupported_media_type");
}

#[tokio::test]
async fn everything_that_changes_has_an_etag_and_is_held_to_an_if_match() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let own = things(&world, &a).await;
    let stale = a.owner.with("if-match", "\"999999\"");
    let head = world.app.store.head(domain::Log::Core).await.unwrap();
    let (mut changes, mut tags) = (0, 0);
    for (method, path, id) in operations() {
        let one = path.ends_with("{sid}");
        let path = if path.contains("{sid}") { fill(&path, &own) } else { path };
        if method == "get" && (one || id == "getCarrier") {
            let answer = world.send(&a.owner, "GET", &path, None).await;
            assert_eq!(answer.status, 200, "{id}: {}", answer.text);
            assert!(answer.header("etag").starts_with('"'), "{id} has no ETag");
            tags += 1;
        }
        // Made new, or looked at: nothing there is that could have changed.
        if method == "get" || id.starts_with("create") || id.starts_with("preview") {
            continue;
        }
        let body = match id.as_str() {
            "resetTwoFactor" => Some(json!({ "code": "123456" })),
            _ => (method == "patch").then(|| json!({})),
        };
        let answer = world.send(&stale, &method, &path, body).await;
        assert_eq!(answer.problem(412), "changed", "{id}");
        changes += 1;
    }
    assert!(changes >= 9 && tags >= 7, "{changes} {tags}");
    assert_eq!(world.app.store.head(domain::Log::Core).await.unwrap(), head, "nothing was written");
}

#[tokio::test]
async fn a_user_who_has_changed_since_they_were_read_is_not_acted_on() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let (user, _) = world.colleague(&a, Role::Member).await;
    let path = format!("/carrier/v1/users/{user}");
    let tag = async || world.send(&a.owner, "GET", &path, None).await.header("etag").to_owned();
    let before = tag().await;
    let role = UserCommand::ChangeRole { role: Role::Admin };
    let changed = world.app.store.execute::<User>(&user, role, &world.meta(&a)).await.unwrap();
    world.app.settled(domain::Log::Core, &changed).await.unwrap();
    let (reset, code) = (format!("{path}/reset-two-factor"), json!({ "code": world.next_code(&a.seed) }));
    let refused = world.post(&a.owner.with("if-match", &before), &reset, code.clone()).await;
    assert_eq!(refused.problem(412), "changed");
    assert!(refused.text.contains("role changed"), "{}", refused.text);
    assert_eq!(world.post(&a.owner.with("if-match", &tag().await), &reset, code).await.status, 204);
}

#[tokio::test]
async fn all_that_is_wrong_with_a_dashboards_request_is_named_at_once() {
    let world = World::new().await;
    let nobody = Caller::nobody();
    let answer = world.post(&nobody, "/dashboard/sign-up", json!({})).await;
    assert_eq!(answer.problem(422), "validation_failed");
    assert_eq!(answer.fields(), ["company", "country", "subdomain", "name", "email", "password"]);
    let answer = world.post(&nobody, "/dashboard/sign-in", json!({ "email": 7, "pasword": "x" })).await;
    assert_eq!(answer.fields(), ["password", "email", "pasword"]);
    for unsaid in ["struct", "String", "line 1", "serde"] {
        assert!(!answer.text.contains(unsaid), "{}", answer.text);
    }
    let answer = world.post(&nobody, "/dashboard/sign-in", json!([])).await;
    assert_eq!(answer.fields(), ["body"]);
    let answer =
        world.send_raw(&nobody, "POST", "/dashboard/sign-in", Some("application/json"), "{\"email\":").await;
    assert_eq!(answer.problem(400), "bad_request");
}
