//! What every answer has in common, and what every error looks like.

use crate::world::{Answer, Caller, World};
use serde_json::{Value, json};

#[tokio::test]
async fn unknown_addresses_are_problems_for_programs_and_pages_for_people() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    for path in ["/carrier/v1/nonsense", "/carrier/v2/accounts", "/dashboard/nonsense"] {
        assert_eq!(world.send(&a.program, "GET", path, None).await.problem(404), "not_found", "{path}");
    }
    let page = world.send(&Caller::nobody(), "GET", "/accounts/AC1", None).await;
    assert_eq!((page.status, page.text.as_str()), (200, "<!doctype html>"));
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    for (path, allow) in [
        ("/carrier/v1/accounts", "GET, POST"),
        ("/carrier/v1/trunks/TK0190c5a1e3f27a4b8d1e2f3a4b5c6d7e", "DELETE, GET, PATCH"),
        ("/carrier/v1/trunks/dial-string", "POST"),
        ("/carrier/v1/openapi.json", "GET"),
        ("/dashboard/sign-in", "POST"),
    ] {
        let answer = world.send(&a.owner, "PUT", path, Some(json!({}))).await;
        assert_eq!(
            (answer.problem(405).as_str(), answer.header("allow")),
            ("method_not_allowed", allow),
            "{path}"
        );
    }
}

#[tokio::test]
async fn bodies_are_json_and_bounded() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let path = "/carrier/v1/accounts";
    let form =
        world.send_raw(&a.program, "POST", path, Some("application/x-www-form-urlencoded"), "name=A").await;
    assert_eq!(form.problem(415), "unsupported_media_type");
    let broken = world.send_raw(&a.program, "POST", path, Some("application/json"), "{\"name\"").await;
    assert_eq!(broken.problem(400), "bad_request");
    let huge =
        world.send_raw(&a.program, "POST", path, Some("application/json"), "x".repeat(1024 * 1024 + 1)).await;
    assert_eq!(huge.problem(413), "payload_too_large");
    for odd in [json!(["A", "B"]), json!(5), json!(true), json!(null)] {
        let answer = world.post(&a.program, path, json!({ "name": odd })).await;
        assert_eq!(
            (answer.problem(422).as_str(), answer.fields()),
            ("validation_failed", vec!["name".to_owned()])
        );
    }
    let patch = "/carrier/v1/carrier";
    let merge = world.send_raw(&a.program, "PATCH", patch, Some("application/merge-patch+json"), "{}").await;
    assert_eq!(merge.status, 200, "{}", merge.text);
}

/// Everything the document says there is: path, method and what is said of it.
async fn operations(world: &World) -> Vec<(String, String, Value)> {
    let document = world.get(&Caller::nobody(), "/carrier/v1/openapi.json").await;
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        // An identifier of nothing: what is wrong with the request is told before.
        let path: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "X" } else { part }).collect();
        let path = format!("/carrier/v1{}", path.join("/"));
        let methods = item.as_object().unwrap().clone().into_iter();
        methods.map(move |(method, operation)| (path.clone(), method, operation))
    });
    operations.collect()
}

#[tokio::test]
async fn a_parameter_nobody_knows_is_refused_everywhere() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let operations = operations(&world).await;
    assert!(operations.len() > 25, "{}", operations.len());
    for (path, method, _) in operations {
        let body = (!["get", "delete"].contains(&&*method)).then(|| json!({}));
        let answer = world.send(&a.owner, &method, &format!("{path}?nonsense=1"), body).await;
        assert_eq!(answer.problem(400), "bad_request", "{method} {path}");
        assert_eq!(answer.fields(), ["nonsense"], "{method} {path}");
    }
}

#[tokio::test]
async fn null_for_what_cannot_be_empty_is_refused_everywhere() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let document = world.get(&Caller::nobody(), "/carrier/v1/openapi.json").await;
    let mut tried = Vec::new();
    for (path, _, operation) in
        operations(&world).await.into_iter().filter(|(_, method, _)| method == "patch")
    {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let schema = &document["components"]["schemas"][schema.as_str().unwrap().rsplit('/').next().unwrap()];
        for (name, member) in schema["properties"].as_object().unwrap() {
            let answer = world.patch(&a.owner, &path, json!({ name: null })).await;
            if member["nullable"] == true {
                assert!(!answer.fields().contains(name), "{path}: {name} can be cleared: {}", answer.text);
            } else {
                assert_eq!(answer.problem(422), "validation_failed", "{path}: {name}");
                assert_eq!(answer.fields(), [name.as_str()], "{path}");
                tried.push(name.clone());
            }
        }
    }
    assert!(
        ["name", "enabled", "limits"].iter().all(|name| tried.iter().any(|tried| tried == name)),
        "{tried:?}"
    );
}

/// Status, code and content type of an error in Twilio's shape.
fn fault(answer: &Answer) -> (u16, i64) {
    let body = answer.json();
    let code = body["code"].as_i64().unwrap_or_else(|| panic!("a code in {}", answer.text));
    assert_eq!((&body["status"], answer.header("content-type")), (&json!(answer.status), "application/json"));
    assert_eq!(body["more_info"], format!("https://www.twilio.com/docs/errors/{code}"));
    assert!(body["message"].is_string());
    (answer.status, code)
}

#[tokio::test]
async fn twilios_clients_are_told_in_twilios_words() {
    let world = World::new().await;
    let nobody = Caller::nobody();
    let calls = "/2010-04-01/Accounts/AC1/Calls.json";
    for path in ["/v1/Services", "/v2/Services/VA1/Verifications", "/v3/Voice", "/v1", "/2010-04-01"] {
        for method in ["GET", "POST"] {
            let (status, code) = fault(&world.send(&nobody, method, path, None).await);
            assert!(
                [(404, 20404), (401, 20003)].contains(&(status, code)),
                "{method} {path}: {status} {code}"
            );
            assert!(status == 404 || path.starts_with("/2010"), "{path}");
        }
    }
    let huge = "x".repeat(1024 * 1024 + 1);
    let form = Some("application/x-www-form-urlencoded");
    assert_eq!(fault(&world.send_raw(&nobody, "POST", calls, form, huge).await), (413, 20001));
    let broken = futures_util::stream::iter([Ok("To="), Err(std::io::Error::other("gone"))]);
    let body = poem::Body::from_bytes_stream(broken);
    assert_eq!(fault(&world.send_raw(&nobody, "POST", calls, form, body).await), (400, 20001));
}

#[tokio::test]
async fn head_is_answered_as_get_is_without_the_body() {
    let world = World::new().await;
    let nobody = Caller::nobody();
    for path in ["/healthz", "/carrier/v1/openapi.json", "/carrier/v1/docs", "/", "/carrier/v1/accounts"] {
        let get = world.send(&nobody, "GET", path, None).await;
        let head = world.send(&nobody, "HEAD", path, None).await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn every_answer_is_hardened() {
    let world = World::new().await;
    let data = world.send(&Caller::nobody(), "GET", "/carrier/v1/accounts", None).await;
    assert_eq!(data.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(data.header("cache-control"), "no-store");
    assert_eq!(data.header("www-authenticate"), "Bearer realm=\"trunkline\"");
    let page = world.send(&Caller::nobody(), "GET", "/", None).await;
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    for answer in [data, page] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-request-id").len(), 32);
    }
}

#[tokio::test]
async fn the_documentation_runs_no_script_of_its_own() {
    let world = World::new().await;
    let page = world.send(&Caller::nobody(), "GET", "/carrier/v1/docs", None).await;
    assert_eq!(page.status, 200);
    let scripts: Vec<&str> =
        page.text.match_indices("<script").map(|(at, _)| &page.text[at..at + 40]).collect();
    assert!(
        scripts[0].contains("api-reference") && scripts[1].contains("src=") && scripts.len() == 2,
        "{scripts:?}"
    );
    let script = world.send(&Caller::nobody(), "GET", "/carrier/v1/docs/scalar.js", None).await;
    assert!(script.status == 200 && script.text.len() > 1_000_000);
    let document = world.get(&Caller::nobody(), "/carrier/v1/openapi.json").await;
    assert_eq!(document["openapi"], "3.0.0");
}

#[tokio::test]
async fn a_caller_who_asks_too_often_waits() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    // Time stands still while these are asked: only the burst is there.
    let request = || {
        let builder = poem::Request::builder().uri_str("/carrier/v1/carrier");
        builder.header("authorization", format!("Bearer {}", a.key)).finish()
    };
    let mut limited = None;
    for _ in 0..300 {
        let response = poem::Endpoint::get_response(&*world.http, request()).await;
        if response.status().as_u16() == 429 {
            limited = Some(response);
            break;
        }
    }
    let limited = limited.expect("a limit");
    assert_eq!(limited.header("retry-after"), Some("1"));
    world.get(&a.owner, "/carrier/v1/carrier").await;
}

#[tokio::test]
async fn the_process_tells_how_it_is() {
    let world = World::new().await;
    let nobody = Caller::nobody();
    assert_eq!(world.get(&nobody, "/healthz").await, json!({ "status": "ok" }));
    assert_eq!(
        world.get(&nobody, "/readyz").await,
        json!({ "status": "ok", "checks": { "database": "ok", "projections": "ok" } })
    );
    let metrics = world.send(&nobody, "GET", "/metrics", None).await;
    assert!(
        metrics.text.contains("# TYPE trunkline_core_log_position gauge\ntrunkline_core_log_position 0\n"),
        "{}",
        metrics.text
    );
    assert!(metrics.text.contains("trunkline_calls_projection_parked 0\n"), "{}", metrics.text);
    assert!(metrics.text.contains("trunkline_http_requests_total{class=\"2xx\"} 2"), "{}", metrics.text);
    world.app.store.close().await;
    let within_a_second = world.send(&nobody, "GET", "/readyz", None).await;
    assert_eq!(within_a_second.status, 200, "an answer serves for a second");
    world.clock.advance(std::time::Duration::from_secs(1));
    let down = world.send(&nobody, "GET", "/readyz", None).await;
    assert_eq!(
        (down.status, &down.json()["checks"]["database"]),
        (503, &json!("the database does not answer"))
    );
}
