//! Trunks, their example dial strings, and whose source addresses are whose.

use crate::world::World;
use api::{ApiConfig, Reachable, secrets::SIP_PASSWORD};
use domain::{Clock, Log};
use serde_json::json;
use std::{net::SocketAddr, sync::Arc, time::Duration};

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_trunk_is_made_changed_and_deleted() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let body = json!({
        "name": "Main",
        "inbound": { "sources": ["203.0.113.7", "198.51.100.0/24", "2001:db8::/48"] },
        "outbound": { "host": "sip.example.com:5080", "transport": "tcp", "dial_string_prefix": "69980",
            "trunk_prefix": true, "username": "alpha", "password": "hunter2hunter2" },
    });
    let trunk = world.post(&a.program, "/carrier/v1/trunks", body).await.ok(201);
    assert_eq!(trunk["inbound"]["sources"], json!(["203.0.113.7", "198.51.100.0/24", "2001:db8::/48"]));
    let outbound = &trunk["outbound"];
    assert_eq!(outbound["example_dial_string"], "69980023756789");
    assert_eq!(outbound["example_request_uri"], "sip:69980023756789@sip.example.com:5080;transport=tcp");
    assert_eq!((&outbound["has_password"], outbound.get("password")), (&json!(true), None));
    let sid: domain::Sid = trunk["sid"].as_str().unwrap().parse().unwrap();
    let kept = world.app.secrets.get(&sid, SIP_PASSWORD).await.unwrap().unwrap();
    assert_eq!(kept.text(), Some("hunter2hunter2"));

    let path = format!("/carrier/v1/trunks/{sid}");
    let patch = json!({ "inbound": null, "outbound": { "host": "sip.example.com:5080", "plus_prefix": true, "username": "alpha" } });
    let changed = world.patch(&a.program, &path, patch).await.ok(200);
    assert!(changed.get("inbound").is_none());
    assert_eq!(changed["outbound"]["example_dial_string"], "+85523756789");
    assert_eq!(changed["outbound"]["has_password"], true, "a password that is left out stays");

    let outbound = world.get(&a.owner, "/carrier/v1/trunks?direction=outbound").await;
    let inbound = world.get(&a.owner, "/carrier/v1/trunks?direction=inbound").await;
    assert_eq!(
        (outbound["data"].as_array().map(Vec::len), inbound["data"].as_array().map(Vec::len)),
        (Some(1), Some(0))
    );
    assert_eq!(world.send(&a.program, "DELETE", &path, None).await.status, 204);
    assert_eq!(world.send(&a.program, "GET", &path, None).await.problem(404), "not_found");
    assert!(world.app.secrets.get(&sid, SIP_PASSWORD).await.unwrap().is_none());
}

#[tokio::test]
async fn a_trunk_says_where_its_media_comes_from_and_whether_it_takes_emergencies() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let media = json!({ "media_networks": ["198.51.100.9/24"], "asymmetric_rtp": true });
    let mut body = json!({ "name": "Main", "inbound": media, "outbound": media });
    body["inbound"]["sources"] = json!(["203.0.113.7"]);
    body["outbound"]["host"] = json!("sip.example.com");
    body["outbound"]["emergency"] = json!(true);
    let trunk = world.post(&a.program, "/carrier/v1/trunks", body).await.ok(201);
    for side in ["inbound", "outbound"] {
        assert_eq!(trunk[side]["media_networks"], json!(["198.51.100.0/24"]), "{side}");
        assert_eq!((&trunk[side]["asymmetric_rtp"], &trunk[side]["trusted"]), (&json!(true), &json!(false)));
    }
    assert_eq!(trunk["outbound"]["emergency"], true);
    let wrong = json!({ "name": "Main",
        "outbound": { "host": "sip.example.com", "media_networks": ["198.51.100.0/24", "nowhere"] } });
    let answer = world.post(&a.program, "/carrier/v1/trunks", wrong).await;
    assert_eq!(
        (answer.problem(422).as_str(), answer.fields()),
        ("validation_failed", to_owned(&["outbound.media_networks.1"]))
    );
}

#[tokio::test]
async fn a_carrier_cannot_call_its_own_trunk_trusted() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let body = json!({ "name": "Main", "inbound": { "sources": ["203.0.113.7"], "trusted": true },
        "outbound": { "host": "sip.example.com", "trusted": true } });
    let answer = world.post(&a.program, "/carrier/v1/trunks", body.clone()).await;
    assert_eq!(
        (answer.problem(422).as_str(), answer.fields()),
        ("validation_failed", to_owned(&["inbound.trusted", "outbound.trusted"]))
    );
    let mut same = body;
    same["inbound"]["trusted"] = json!(false);
    same["outbound"]["trusted"] = json!(false);
    let trunk = world.post(&a.program, "/carrier/v1/trunks", same).await.ok(201);
    let path = format!("/carrier/v1/trunks/{}", trunk["sid"].as_str().unwrap());
    let patch = json!({ "outbound": { "host": "sip.example.com", "trusted": true } });
    assert_eq!(world.patch(&a.program, &path, patch).await.fields(), ["outbound.trusted"]);
}

#[tokio::test]
async fn another_host_needs_the_password_again() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let outbound = json!({ "host": "sip.example.com", "username": "alpha", "password": "hunter2hunter2" });
    let body = json!({ "name": "Main", "inbound": { "sources": ["192.0.2.1"] }, "outbound": outbound });
    let trunk = world.post(&a.program, "/carrier/v1/trunks", body).await.ok(201);
    let path = format!("/carrier/v1/trunks/{}", trunk["sid"].as_str().unwrap());
    let elsewhere = json!({ "outbound": { "host": "203.0.113.66", "username": "alpha" } });
    let steps = [
        elsewhere.clone(),
        json!({ "outbound": { "host": "203.0.113.66" } }),
        elsewhere.clone(),
        json!({ "outbound": null }),
        elsewhere,
    ];
    for (step, status) in steps.into_iter().zip([422, 200, 422, 200, 422]) {
        let answer = world.patch(&a.program, &path, step).await;
        assert_eq!(answer.status, status);
        if status == 422 {
            assert_eq!(answer.fields(), ["outbound.password"]);
        }
    }
    let again =
        json!({ "outbound": { "host": "203.0.113.66", "username": "alpha", "password": "another-one" } });
    let changed = world.patch(&a.program, &path, again).await.ok(200);
    assert_eq!(changed["outbound"]["has_password"], true);
}

#[tokio::test]
async fn everything_wrong_with_a_trunk_is_told_at_once() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let body = json!({ "name": "", "inbound": { "sources": ["10.0.0.1", "nowhere"], "country": "XX" },
        "outbound": { "host": "a b", "password": "secret" } });
    let answer = world.post(&a.program, "/carrier/v1/trunks", body).await;
    assert_eq!(answer.problem(422), "validation_failed");
    let fields = ["name", "inbound.country", "inbound.sources.1", "outbound.host", "outbound.username"];
    assert_eq!(answer.fields(), fields);
    let wide = json!({ "name": "Wide", "inbound": { "sources": ["0.0.0.0/0"] } });
    assert_eq!(world.post(&a.program, "/carrier/v1/trunks", wide).await.fields(), ["inbound.sources.0"]);
}

#[tokio::test]
async fn two_customers_of_one_provider_both_connect() {
    let world = World::new().await;
    let (a, b) = (world.carrier("alpha").await, world.carrier("beta").await);
    let body = json!({ "name": "Main", "inbound": { "sources": ["203.0.113.7"] } });
    for carrier in [&a, &b] {
        let trunk = world.post(&carrier.program, "/carrier/v1/trunks", body.clone()).await.ok(201);
        assert_eq!(trunk["warnings"], json!([]), "as long as they have no number in common");
    }
    let again = world.post(&a.program, "/carrier/v1/trunks", body).await;
    assert_eq!((again.problem(409).as_str(), again.fields()), ("taken", vec!["inbound.sources".to_owned()]));
    assert!(!again.text.contains("carrier"), "it tells of nobody else: {}", again.text);
}

#[tokio::test]
async fn whoever_claims_a_source_and_a_number_later_is_told_that_the_calls_are_anothers() {
    let world = World::new().await;
    let (a, b) = (world.carrier("alpha").await, world.carrier("beta").await);
    let (trunks, numbers) = ("/carrier/v1/trunks", "/carrier/v1/phone-numbers");
    let trunk = |source: &str| json!({ "name": "Main", "inbound": { "sources": [source] } });
    let number = json!({ "number": "+85512345678" });
    world.post(&a.program, trunks, trunk("203.0.113.0/24")).await.ok(201);
    let first = world.post(&a.program, numbers, number.clone()).await.ok(201);
    let second = world.post(&b.program, numbers, number.clone()).await.ok(201);
    assert_eq!((&first["warnings"], &second["warnings"]), (&json!([]), &json!([])));
    let told = world.post(&b.program, trunks, trunk("203.0.113.7")).await.ok(201);
    let warning = told["warnings"][0].as_str().unwrap();
    assert!(warning.contains("203.0.113.7/32") && warning.contains("+85512345678"), "{warning}");
    assert!(!warning.contains("alpha") && !warning.contains("VC"), "not who: {warning}");
    let path = |row: &serde_json::Value| format!("{numbers}/{}", row["sid"].as_str().unwrap());
    let own = world.get(&b.program, &path(&second)).await;
    assert_eq!(own["warnings"].as_array().map(Vec::len), Some(1), "at the number as well");
    assert_eq!(
        world.get(&a.program, &path(&first)).await["warnings"],
        json!([]),
        "who was first has nothing to learn"
    );
}

#[tokio::test]
async fn whoever_names_a_host_that_is_not_called_is_told_so() {
    let public = Reachable(Arc::new(|address: SocketAddr| !address.ip().is_loopback()));
    let world = World::with(ApiConfig { reachable: public, ..ApiConfig::default() }).await;
    let a = world.carrier("alpha").await;
    for (host, told) in [("127.0.0.1:5080", 1), ("[::1]", 1), ("203.0.113.9", 0), ("sip.example.com", 0)] {
        let trunk = json!({ "name": "T", "outbound": { "host": host } });
        let made = world.post(&a.program, "/carrier/v1/trunks", trunk).await.ok(201);
        let warnings = made["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), told, "{made}");
        let says_why = |warning: &serde_json::Value| warning.to_string().contains("outbound.allow_networks");
        assert!(warnings.iter().all(says_why), "{made}");
    }
}

#[tokio::test]
async fn a_carrier_names_narrow_networks_by_itself_and_wider_ones_within_what_the_operator_allows() {
    let allowed = ApiConfig { wide_networks: vec!["198.51.0.0/16".parse().unwrap()], ..ApiConfig::default() };
    let world = World::with(allowed).await;
    let a = world.carrier("alpha").await;
    let inbound = |source: &str| json!({ "name": "T", "inbound": { "sources": ["192.0.2.1", source] } });
    let path = "/carrier/v1/trunks";
    for source in ["203.0.113.0/23", "2001:db8::/47", "198.0.0.0/8", "::ffff:203.0.113.0/118"] {
        let answer = world.post(&a.program, path, inbound(source)).await;
        assert_eq!(
            (answer.problem(422).as_str(), answer.fields()),
            ("validation_failed", to_owned(&["inbound.sources.1"]))
        );
    }
    for source in ["224.0.0.1", "0.0.0.0", "255.255.255.255", "ff02::1", "::"] {
        let answer = world.post(&a.program, path, inbound(source)).await;
        assert_eq!(answer.fields(), ["inbound.sources"], "{source}");
    }
    let made = world.post(&a.program, path, inbound("198.51.0.0/16")).await.ok(201);
    assert_eq!(made["inbound"]["sources"][1], "198.51.0.0/16");
    let mapped = json!({ "name": "T", "inbound": { "sources": ["::ffff:203.0.113.7"] } });
    let made = world.post(&a.program, path, mapped).await.ok(201);
    assert_eq!(made["inbound"]["sources"], json!(["203.0.113.7"]));
}

#[tokio::test]
async fn a_carrier_names_so_many_sources_in_all_its_trunks_as_the_operator_allows() {
    let world = World::with(ApiConfig { sources_per_carrier: 3, ..ApiConfig::default() }).await;
    let a = world.carrier("alpha").await;
    let path = "/carrier/v1/trunks";
    let trunk = |sources: &[&str]| json!({ "name": "T", "inbound": { "sources": sources } });
    world.post(&a.program, path, trunk(&["192.0.2.1", "192.0.2.2"])).await.ok(201);
    let refused = world.post(&a.program, path, trunk(&["192.0.2.3", "192.0.2.4"])).await;
    assert_eq!(
        (refused.problem(422).as_str(), refused.fields()),
        ("validation_failed", to_owned(&["inbound.sources"]))
    );
    world.post(&a.program, path, trunk(&["192.0.2.3"])).await.ok(201);
    let refused = world.post(&a.program, path, trunk(&["192.0.2.4"])).await;
    assert_eq!(refused.fields(), ["inbound.sources"]);
    let b = world.carrier("beta").await;
    world.post(&b.program, path, trunk(&["192.0.2.4"])).await.ok(201);
}

fn to_owned(fields: &[&str]) -> Vec<String> {
    fields.iter().map(|field| (*field).to_owned()).collect()
}

#[tokio::test]
async fn a_dial_string_can_be_tried_before_it_is_kept() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let body = json!({ "number": "1234", "outbound": { "host": "192.0.2.1", "plus_prefix": true, "dial_string_prefix": "*9" } });
    let tried = world.post(&a.program, "/carrier/v1/trunks/dial-string", body).await.ok(200);
    assert_eq!(
        tried,
        json!({ "number": "1234", "dial_string": "*91234", "request_uri": "sip:*91234@192.0.2.1" })
    );
    let body = json!({ "outbound": { "host": "192.0.2.1", "trunk_prefix": true } });
    let tried = world.post(&a.owner, "/carrier/v1/trunks/dial-string", body).await.ok(200);
    assert_eq!((&tried["number"], &tried["dial_string"]), (&json!("+85523756789"), &json!("023756789")));
}

#[tokio::test]
async fn a_key_of_any_visible_text_makes_one_thing_and_none_once_that_is_gone() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    for key in ["order 7, second try", "Bestellung für Ümit"] {
        let program = a.program.with("idempotency-key", key);
        let body = json!({ "name": "Main", "outbound": { "host": "sip.example.com", "username": "u", "password": "p" } });
        let made = world.post(&program, "/carrier/v1/trunks", body.clone()).await.ok(201);
        assert_eq!(
            world.post(&program, "/carrier/v1/trunks", body.clone()).await.ok(201)["sid"],
            made["sid"],
            "{key}"
        );
        let path = format!("/carrier/v1/trunks/{}", made["sid"].as_str().unwrap());
        assert_eq!(world.send(&a.program, "DELETE", &path, None).await.status, 204);
        assert_eq!(world.post(&program, "/carrier/v1/trunks", body).await.problem(410), "gone");
        let number = json!({ "number": "+85512345678" });
        let made = world.post(&program, "/carrier/v1/phone-numbers", number.clone()).await.ok(201);
        let path = format!("/carrier/v1/phone-numbers/{}", made["sid"].as_str().unwrap());
        assert_eq!(
            world.send(&program, "DELETE", &path, None).await.problem(400),
            "bad_request",
            "not ignored"
        );
        assert_eq!(world.send(&a.program, "DELETE", &path, None).await.status, 204);
        assert_eq!(world.post(&program, "/carrier/v1/phone-numbers", number).await.problem(410), "gone");
    }
    for key in ["", "  ", "a\u{200b}b"] {
        let program = a.program.with("idempotency-key", key);
        let answer = world.post(&program, "/carrier/v1/accounts", json!({ "name": "A" })).await;
        assert_eq!(answer.problem(400), "bad_request", "{key:?}");
    }
}

#[tokio::test]
async fn a_dial_string_is_plus_then_prefix_then_the_number_as_its_country_dials_it() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let tried = async |number: &str, outbound: serde_json::Value| {
        let body = json!({ "number": number, "outbound": outbound });
        world.post(&a.owner, "/carrier/v1/trunks/dial-string", body).await.ok(200)["dial_string"].clone()
    };
    let side = |more: serde_json::Value| {
        let mut side = json!({ "host": "192.0.2.1", "dial_string_prefix": "99", "plus_prefix": true });
        side.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        side
    };
    assert_eq!(tried("+85512345678", side(json!({}))).await, "+9985512345678");
    let national = side(json!({ "trunk_prefix": true }));
    assert_eq!(tried("+85512345678", national.clone()).await, "+99012345678");
    assert_eq!(tried("+12125551234", national).await, "+9912125551234", "abroad it stays international");
    let german = side(json!({ "trunk_prefix": true, "country": "DE", "plus_prefix": false }));
    assert_eq!(tried("+49 (0)30 123456", german).await, "99030123456");
}

#[tokio::test]
async fn things_that_cannot_work_are_refused_and_say_why() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let path = "/carrier/v1/trunks";
    let to = |host: &str| json!({ "name": "T", "outbound": { "host": host } });
    for host in ["0", "1.2.3", "0x7f.1", "0.0.0.0", "224.0.0.1:5060", "[::]"] {
        let answer = world.post(&a.program, path, to(host)).await;
        assert_eq!(
            (answer.problem(422).as_str(), answer.fields()),
            ("validation_failed", to_owned(&["outbound.host"]))
        );
    }
    let made = world.post(&a.program, path, to("2001:db8::1")).await.ok(201);
    assert_eq!(made["outbound"]["host"], "[2001:db8::1]");
    let answer = world.post(&a.program, path, json!({ "name": "T" })).await;
    assert_eq!(
        (answer.problem(422).as_str(), answer.fields()),
        ("validation_failed", to_owned(&["inbound"]))
    );
    let own = format!("{path}/{}", made["sid"].as_str().unwrap());
    let answer = world.patch(&a.program, &own, json!({ "outbound": null })).await;
    assert_eq!(answer.problem(422), "validation_failed");
    let turned = json!({ "inbound": { "sources": ["203.0.113.7"] }, "outbound": null });
    assert!(
        world.patch(&a.program, &own, turned).await.ok(200).get("outbound").is_none(),
        "one for the other"
    );
    for name in ["\u{200b}\u{200b}", "Ac\u{202e}me"] {
        let body = json!({ "name": name, "outbound": { "host": "192.0.2.1" } });
        assert_eq!(world.post(&a.program, path, body).await.fields(), ["name"], "{name:?}");
    }
}

#[tokio::test]
async fn a_trunk_is_whole_even_when_the_client_leaves() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let head = world.app.store.head(Log::Core).await.unwrap();
    let body = json!({ "name": "Main",
        "outbound": { "host": "sip.example.com", "username": "alpha", "password": "hunter2hunter2" } });
    let mut request = Box::pin(world.post(&a.program, "/carrier/v1/trunks", body));
    assert!(futures_util::poll!(&mut request).is_pending());
    drop(request);
    let mut committed = world.app.store.watch(Log::Core);
    let made = committed.wait_for(|position| *position >= head + 2);
    tokio::time::timeout(PATIENCE, made).await.expect("it is made all the same").unwrap();
    let events = world.app.store.read(Log::Core, head, 10).await.unwrap();
    let names: Vec<_> = events.iter().map(|fact| fact.event_type.as_str()).collect();
    assert_eq!(names, ["Created", "CredentialReplaced"], "in one append");
    let kept = world.app.secrets.get(&events[0].stream, SIP_PASSWORD).await.unwrap().unwrap();
    assert_eq!(kept.text(), Some("hunter2hunter2"));
}

#[tokio::test]
async fn a_repeated_creation_is_one_trunk_with_one_password() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let program = a.program.with("idempotency-key", "t-1");
    let body = json!({ "name": "Main",
        "outbound": { "host": "sip.example.com", "username": "alpha", "password": "hunter2hunter2" } });
    let made = world.post(&program, "/carrier/v1/trunks", body.clone()).await.ok(201);
    assert_eq!(made["outbound"]["has_password"], true);
    let head = world.app.store.head(Log::Core).await.unwrap();
    assert_eq!(world.post(&program, "/carrier/v1/trunks", body).await.ok(201), made);
    assert_eq!(world.app.store.head(Log::Core).await.unwrap(), head);
}

#[tokio::test]
async fn a_password_whose_change_is_refused_changes_nothing() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let (path, vault) = ("/carrier/v1/trunks", world.app.store.vault());
    let inbound = json!({ "sources": ["198.51.100.9"] });
    world.post(&a.program, path, json!({ "name": "Other", "inbound": inbound })).await.ok(201);
    let side =
        |password: &str| json!({ "host": "sip.example.com", "username": "alpha", "password": password });
    let body = json!({ "name": "Main", "outbound": side("the-first-password") });
    let made = world.post(&a.program, path, body).await;
    let (tag, made) = (made.header("etag").to_owned(), made.ok(201));
    let sid: domain::Sid = made["sid"].as_str().unwrap().parse().unwrap();
    let own = format!("{path}/{sid}");
    let kept = async || {
        let mut kept = Vec::new();
        for name in vault.names(&sid, SIP_PASSWORD.0).await.unwrap() {
            let secret = vault.get(&sid, SIP_PASSWORD.0, &name).await.unwrap().unwrap();
            kept.push(secret.text().unwrap().to_owned());
        }
        kept
    };
    let taken = json!({ "inbound": inbound, "outbound": side("a-refused-password") });
    assert_eq!(world.patch(&a.program, &own, taken).await.status, 409);
    assert_eq!(kept().await, ["the-first-password"], "a source is another trunk's");
    let prefix = json!({ "outbound": { "host": "sip.example.com", "username": "a\"b", "password": "a-refused-password" } });
    assert_eq!(world.patch(&a.program, &own, prefix).await.status, 422);
    assert_eq!(kept().await, ["the-first-password"], "the user name is none");
    let stale = a.program.with("if-match", "\"77\"");
    let body = json!({ "outbound": side("a-refused-password") });
    assert_eq!(world.patch(&stale, &own, body).await.status, 412);
    assert_eq!(kept().await, ["the-first-password"], "it has changed meanwhile");

    let body = json!({ "outbound": side("the-second-password") });
    world.patch(&a.program.with("if-match", &tag), &own, body).await.ok(200);
    assert_eq!(kept().await, ["the-second-password"]);
    let body = json!({ "outbound": side("the-third-password") });
    assert_eq!(world.patch(&a.program, &own, body).await.ok(200)["outbound"]["has_password"], true);
    assert_eq!(kept().await, ["the-third-password"]);
    assert_eq!(world.send(&a.program, "DELETE", &own, None).await.status, 204);
    assert!(kept().await.is_empty());
}

#[tokio::test]
async fn of_two_passwords_given_at_once_the_later_one_is_kept_whole() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let (path, vault) = ("/carrier/v1/trunks", world.app.store.vault());
    let side = |password: String| json!({ "outbound": { "host": "sip.example.com", "username": "alpha", "password": password } });
    let body = json!({ "name": "Main", "outbound": { "host": "sip.example.com" } });
    let made = world.post(&a.program, path, body).await.ok(201);
    let sid: domain::Sid = made["sid"].as_str().unwrap().parse().unwrap();
    let own = format!("{path}/{sid}");
    let all = (0..6).map(|n| world.patch(&a.program, &own, side(format!("password-number-{n}"))));
    for answer in futures_util::future::join_all(all).await {
        answer.ok(200);
    }
    let names = vault.names(&sid, SIP_PASSWORD.0).await.unwrap();
    let head = world.app.store.head(Log::Core).await.unwrap();
    let events = world.app.store.read(Log::Core, head - 1, 10).await.unwrap();
    assert_eq!(events[0].event_type, "CredentialReplaced");
    assert!(names.len() == 1 && events[0].payload.to_string().contains(&names[0]), "{names:?} {events:?}");
}

#[tokio::test]
async fn what_was_turned_away_is_shown_at_its_trunk_and_at_no_other() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let mut made = Vec::new();
    for source in ["203.0.113.7", "198.51.100.7"] {
        let body = json!({ "name": "T", "inbound": { "sources": [source] } });
        let trunk = world.post(&a.program, "/carrier/v1/trunks", body).await.ok(201);
        made.push(trunk["sid"].as_str().unwrap().parse::<domain::Sid>().unwrap());
    }
    let last = world.clock.now();
    let what = |source: &str, code: Option<u16>, reason: &str| api::TurnedAway {
        source: source.parse().unwrap(),
        code,
        method: code.map(|_| "INVITE".to_owned()).unwrap_or_default(),
        reason: reason.into(),
        count: 3,
        last,
    };
    let unread = what("203.0.113.8", None, "No trunk has this address as a source");
    let demanding = what("203.0.113.7", Some(420), "Bad Extension (Unsupported: precondition)");
    *world.node.turned_away.lock().unwrap() = vec![
        (made[0].clone(), unread),
        (made[0].clone(), demanding),
        (made[1].clone(), what("198.51.100.7", Some(415), "Unsupported Media Type")),
    ];
    let path = format!("/carrier/v1/trunks/{}/turned-away", made[0]);
    let told = json!({ "data": [
        { "source": "203.0.113.8", "reason": "No trunk has this address as a source", "count": 3,
            "last_at": last.to_string() },
        { "source": "203.0.113.7", "code": 420, "method": "INVITE", "count": 3, "last_at": last.to_string(),
            "reason": "Bad Extension (Unsupported: precondition)" },
    ] });
    assert_eq!(world.get(&a.program, &path).await, told);
    let b = world.carrier("beta").await;
    assert_eq!(world.send(&b.program, "GET", &path, None).await.problem(404), "not_found", "another's trunk");
}
