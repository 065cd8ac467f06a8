//! The inventory: who has a number and how it is answered.

use crate::world::World;
use domain::call::{CallCommand, Status};
use serde_json::json;

#[tokio::test]
async fn a_number_is_added_assigned_configured_and_removed() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let account = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let number = world
        .post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "855 12 345 678" }))
        .await
        .ok(201);
    assert_eq!(
        (&number["number"], &number["country"], &number["enabled"]),
        (&json!("+85512345678"), &json!("KH"), &json!(true))
    );
    assert_eq!((number.get("account_sid"), number["voice"].get("voice_url")), (None, None));

    let path = format!("/carrier/v1/phone-numbers/{}", number["sid"].as_str().unwrap());
    let patch = json!({ "account_sid": account["sid"], "enabled": false, "friendly_name": "Front desk",
        "voice": { "voice_url": "https://app.example.com/voice", "voice_method": "GET" } });
    let changed = world.patch(&a.program, &path, patch).await.ok(200);
    assert_eq!((&changed["account_sid"], &changed["friendly_name"]), (&account["sid"], &json!("Front desk")));
    assert_eq!(changed["voice"]["voice_url"], "https://app.example.com/voice");

    // Fields that are left out stay; null clears one.
    let more = json!({ "voice": { "status_callback_url": "https://app.example.com/status" } });
    let changed = world.patch(&a.program, &path, more).await.ok(200);
    assert_eq!((&changed["voice"]["voice_method"], &changed["enabled"]), (&json!("GET"), &json!(false)));
    let cleared = world.patch(&a.program, &path, json!({ "voice": { "voice_url": null } })).await.ok(200);
    assert_eq!(cleared["voice"].get("voice_url"), None);
    assert_eq!(cleared["voice"]["status_callback_url"], "https://app.example.com/status");

    let unnamed = world.patch(&a.program, &path, json!({ "friendly_name": null })).await.ok(200);
    assert_eq!(unnamed.get("friendly_name"), None);

    // Taken away, the account's configuration goes with it.
    let free = world.patch(&a.program, &path, json!({ "account_sid": null })).await.ok(200);
    assert_eq!((free.get("account_sid"), free["voice"].get("status_callback_url")), (None, None));
    assert_eq!(world.send(&a.program, "DELETE", &path, None).await.status, 204);
    assert_eq!(world.send(&a.program, "GET", &path, None).await.problem(404), "not_found");
    world.post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "+85512345678" })).await.ok(201);
}

#[tokio::test]
async fn a_number_keeps_a_document_that_can_be_read_and_answers_with_it() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let account = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let new = json!({ "number": "1234", "account_sid": account["sid"] });
    let number = world.post(&a.program, "/carrier/v1/phone-numbers", new).await.ok(201);
    assert_eq!(number["account_name"], "One");
    let path = format!("/carrier/v1/phone-numbers/{}", number["sid"].as_str().unwrap());
    let keep = |twiml: serde_json::Value| json!({ "voice": { "twiml": twiml } });
    let kept =
        world.patch(&a.program, &path, keep(json!("<Response><Say>Hi</Say></Response>"))).await.ok(200);
    assert_eq!(kept["voice"]["twiml"], "<Response><Say>Hi</Say></Response>");
    for wrong in ["<Response>", "<Answer/>", &format!("<Response>{}</Response>", " ".repeat(4_000))] {
        let refused = world.patch(&a.program, &path, keep(json!(wrong))).await;
        assert_eq!(
            (refused.problem(422).as_str(), refused.fields()),
            ("validation_failed", vec!["voice.twiml".to_owned()])
        );
    }
    // A password in it is kept in the vault, and sent back as it is shown it stays.
    let secret = "<Response><Redirect>https://bob:secret@app.example/</Redirect></Response>";
    let shown = world.patch(&a.program, &path, keep(json!(secret))).await.ok(200)["voice"]["twiml"].clone();
    assert!(shown.as_str().unwrap().contains("bob:kept-"), "{shown}");
    let again = world.patch(&a.program, &path, keep(shown.clone())).await.ok(200);
    assert_eq!(again["voice"]["twiml"], shown);
    let cleared = world.patch(&a.program, &path, keep(json!(null))).await.ok(200);
    assert_eq!(cleared["voice"].get("twiml"), None);
}

#[tokio::test]
async fn a_number_rings_a_phone_with_what_it_answers_callers_with() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let account = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let number =
        world.post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "1234" })).await.ok(201);
    let path = format!("/carrier/v1/phone-numbers/{}", number["sid"].as_str().unwrap());
    let calls = format!("{path}/test-calls");
    let ring = json!({ "to": "sip:me@192.0.2.9:5080" });
    assert_eq!(world.post(&a.owner, &calls, ring.clone()).await.problem(409), "conflict");
    let answer = json!({ "account_sid": account["sid"], "voice": { "twiml": "<Response/>" } });
    world.patch(&a.program, &path, answer).await.ok(200);
    let call = world.post(&a.owner, &calls, ring).await.ok(201);
    let shown = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (shown("status"), shown("from"), shown("to"), shown("account_name")),
        ("queued".into(), "1234".into(), "sip:me@192.0.2.9:5080".into(), "One".into())
    );
    for nobody in ["sip:me@example.com", "Ada", ""] {
        let refused = world.post(&a.owner, &calls, json!({ "to": nobody })).await;
        assert_eq!(refused.fields(), ["to"], "{nobody}");
    }

    // A repeat after the call was deleted says so, and makes no other.
    let (once, ring) = (a.owner.with("idempotency-key", "ring"), json!({ "to": "+85598765432" }));
    let call = world.post(&once, &calls, ring.clone()).await.ok(201);
    assert_eq!(world.post(&once, &calls, ring.clone()).await.ok(201)["sid"], call["sid"]);
    let sid = call["sid"].as_str().unwrap().parse().unwrap();
    world.report(&a, &sid, CallCommand::RequestEnd { status: Status::Canceled }).await;
    world.report(&a, &sid, CallCommand::Delete).await;
    assert_eq!(world.post(&once, &calls, ring).await.problem(410), "gone");
}

#[tokio::test]
async fn a_number_is_what_it_is_said_to_be_and_an_unassigned_one_is_a_warning() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let path = "/carrier/v1/phone-numbers";
    let add = async |body: serde_json::Value| world.post(&a.program, path, body).await;
    let number = add(json!({ "number": "+44 (0)20 7946 0018" })).await.ok(201);
    let facts = ["number", "country", "type", "national"].map(|name| number[name].clone());
    assert_eq!(facts, ["+442079460018", "GB", "fixed_line", "02079460018"].map(|text| json!(text)));
    assert_eq!(add(json!({ "number": "+1 416 555 1234" })).await.ok(201)["country"], "CA");
    assert_eq!(add(json!({ "number": "+77012345678" })).await.ok(201)["country"], "KZ");
    let short = add(json!({ "number": "1234567", "type": "short_code" })).await.ok(201);
    assert_eq!((&short["number"], &short["type"]), (&json!("1234567"), &json!("short_code")));
    let kept = world.get(&a.program, &format!("{path}/{}", short["sid"].as_str().unwrap())).await;
    assert_eq!((&kept["number"], kept.get("national")), (&json!("1234567"), None));
    let long = add(json!({ "number": "1234568" })).await.ok(201);
    assert_eq!(long["number"], "+1234568", "more than six digits are international");
    assert!(long["warnings"][0].as_str().unwrap().contains("no range known"), "{long}");
    for range in ["+85512345670-79", "1000-1999"] {
        assert_eq!(add(json!({ "number": range })).await.fields(), ["number"], "{range}");
    }
}

#[tokio::test]
async fn a_national_number_is_read_by_the_countries_of_the_carrier_and_its_trunks() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let path = "/carrier/v1/phone-numbers";
    let add = async |number: &str| world.post(&a.program, path, json!({ "number": number })).await;
    assert_eq!(add("012 345 678").await.ok(201)["number"], "+85512345678", "the carrier is in Cambodia");
    let inbound = json!({ "sources": ["192.0.2.77"], "country": "GB" });
    world
        .post(&a.program, "/carrier/v1/trunks", json!({ "name": "London", "inbound": inbound }))
        .await
        .ok(201);
    assert_eq!(add("020 7946 0018").await.ok(201)["number"], "+442079460018");
    assert_eq!(add("0888").await.ok(201)["number"], "0888", "up to six digits are a short code");
    assert_eq!(add("0207 946 00181234567").await.fields(), ["number"]);
    for typed in ["+44 (0)20 7946", "0044 20 7946", "00 44 20 7946", "011 44 20 7946", "４４２０７９４６"]
    {
        let encoded: String = typed.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = world.get(&a.program, &format!("{path}?number={encoded}")).await;
        assert_eq!(found["data"][0]["number"], "+442079460018", "{typed}");
    }
}

#[tokio::test]
async fn a_national_number_is_read_by_the_countries_of_all_trunks_however_many_there_are() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let trunk = |country: &str, number: usize| {
        let inbound = json!({ "sources": [format!("192.0.2.{number}")], "country": country });
        json!({ "name": format!("{country} {number}"), "inbound": inbound })
    };
    let oldest = [trunk("NL", 1), trunk("DE", 2)];
    for body in oldest.into_iter().chain((3..=102).map(|number| trunk("KH", number))) {
        world.post(&a.program, "/carrier/v1/trunks", body).await.ok(201);
    }
    let read = world.post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "020 123 4567" })).await;
    assert_eq!(read.fields(), ["number"], "Dutch or German, as people of the two oldest trunks write it");
}

#[tokio::test]
async fn two_who_change_different_fields_at_once_both_have_their_way() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let number =
        world.post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "1234" })).await.ok(201);
    let account = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "A" })).await.ok(201);
    let path = format!("/carrier/v1/phone-numbers/{}", number["sid"].as_str().unwrap());
    world.patch(&a.program, &path, json!({ "account_sid": account["sid"] })).await.ok(200);
    let names = ["voice_url", "voice_fallback_url", "status_callback_url"];
    let patches = names.map(|name| {
        let mut voice = serde_json::Map::new();
        voice.insert(name.into(), json!(format!("https://app.example.com/{name}")));
        world.patch(&a.program, &path, json!({ "voice": voice }))
    });
    for answer in futures_util::future::join_all(patches).await {
        answer.ok(200);
    }
    let voice = world.get(&a.program, &path).await["voice"].clone();
    for name in names {
        assert_eq!(voice[name], format!("https://app.example.com/{name}"), "{voice}");
    }
}

#[tokio::test]
async fn a_change_of_what_has_changed_since_is_refused_and_says_what_did() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let made = world.post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "1234" })).await;
    let first = made.header("etag").to_owned();
    let path = format!("/carrier/v1/phone-numbers/{}", made.ok(201)["sid"].as_str().unwrap());
    let read = world.send(&a.program, "GET", &path, None).await;
    assert_eq!(read.header("etag"), first);
    let guarded = |tag: &str| a.program.with("if-match", tag);
    let renamed = world.patch(&guarded(&first), &path, json!({ "friendly_name": "Desk" })).await;
    let second = renamed.header("etag").to_owned();
    renamed.ok(200);
    assert_ne!(second, first);
    let late = world.patch(&guarded(&first), &path, json!({ "enabled": false })).await;
    assert_eq!(late.problem(412), "changed");
    assert!(late.text.contains("renamed at"), "{}", late.text);
    assert_eq!(world.send(&guarded(&first), "DELETE", &path, None).await.problem(412), "changed");
    assert_eq!(world.get(&a.program, &path).await["enabled"], true);
    world.patch(&guarded("*"), &path, json!({ "enabled": false })).await.ok(200);
    let now = world.send(&a.program, "GET", &path, None).await.header("etag").to_owned();
    assert_eq!(world.send(&guarded(&now), "DELETE", &path, None).await.status, 204);
    for path in ["/carrier/v1/carrier", "/carrier/v1/accounts"] {
        let body = json!({ "name": "New" });
        let path = match path.ends_with("accounts") {
            true => {
                let account = world.post(&a.program, path, body.clone()).await;
                assert!(!account.header("etag").is_empty());
                format!("{path}/{}", account.ok(201)["sid"].as_str().unwrap())
            }
            false => path.to_owned(),
        };
        let tag = world.send(&a.program, "GET", &path, None).await.header("etag").to_owned();
        world.patch(&guarded(&tag), &path, json!({ "name": "Newer" })).await.ok(200);
        assert_eq!(
            world.patch(&guarded(&tag), &path, json!({ "name": "Newest" })).await.problem(412),
            "changed"
        );
    }
}

#[tokio::test]
async fn what_somebody_has_already_is_not_sent_again() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let account = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let sid = account["sid"].as_str().unwrap();
    let body = json!({ "number": "1234", "account_sid": sid });
    let made = world.post(&a.program, "/carrier/v1/phone-numbers", body).await.ok(201);
    let path = format!("/carrier/v1/phone-numbers/{}", made["sid"].as_str().unwrap());
    let tag = world.send(&a.program, "GET", &path, None).await.header("etag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"1-0\", {tag}"), "*".to_owned()] {
        let same = world.send(&a.program.with("if-none-match", &known), "GET", &path, None).await;
        assert_eq!(
            (same.status, same.text.as_str(), same.header("etag")),
            (304, "", tag.as_str()),
            "{known}"
        );
    }
    let list = "/carrier/v1/phone-numbers";
    assert_eq!(world.send(&a.program.with("if-none-match", "*"), "GET", list, None).await.status, 200);
    let head = world.send(&a.program, "HEAD", &path, None).await;
    assert_eq!((head.status, head.header("etag")), (200, tag.as_str()));
    // The number did not change, and yet it is shown otherwise.
    world.patch(&a.program, &format!("/carrier/v1/accounts/{sid}"), json!({ "name": "Two" })).await.ok(200);
    let other = world.send(&a.program.with("if-none-match", &tag), "GET", &path, None).await;
    assert_ne!(other.header("etag"), tag);
    assert_eq!(other.ok(200)["account_name"], "Two");
    world.patch(&a.program.with("if-match", &tag), &path, json!({ "enabled": false })).await.ok(200);
    assert_eq!(world.send(&a.program.with("if-none-match", &tag), "GET", &path, None).await.status, 200);
}

#[tokio::test]
async fn a_version_that_is_not_there_is_neither_read_nor_made() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let list = "/carrier/v1/phone-numbers";
    let of_none = a.program.with("if-match", "\"1\"");
    assert_eq!(world.post(&of_none, list, json!({ "number": "1234" })).await.problem(412), "changed");
    assert_eq!(world.get(&a.program, list).await["data"], json!([]), "nothing was made");
    world.post(&of_none, list, json!({ "nmber": "1234" })).await.problem(422);
    let of_any = a.program.with("if-match", "*");
    let made = world.post(&of_any, list, json!({ "number": "1234" })).await.ok(201);
    let path = format!("{list}/{}", made["sid"].as_str().unwrap());
    let tag = world.send(&a.program, "GET", &path, None).await.header("etag").to_owned();
    for (wanted, status) in [
        (tag.as_str(), 200),
        ("\"77\", *", 200),
        (&format!("\"77\", {tag}"), 200),
        ("\"77\"", 412),
        (&format!("W/{tag}"), 412),
        ("nonsense", 412),
    ] {
        let read = world.send(&a.program.with("if-match", wanted), "GET", &path, None).await;
        assert_eq!(read.status, status, "{wanted}");
    }
    assert_eq!(
        world.send(&of_none, "GET", list, None).await.problem(412),
        "changed",
        "a list has no version"
    );
    assert_eq!(world.send(&of_any, "GET", list, None).await.status, 200);
    assert_eq!(
        world.send(&of_none, "GET", &format!("{list}/PN0190c5a1e3f27a4b8d1e2f3a4b5c6d7e"), None).await.status,
        404
    );
}

#[tokio::test]
async fn a_number_is_a_carriers_once() {
    let world = World::new().await;
    let (a, b) = (world.carrier("alpha").await, world.carrier("beta").await);
    let body = json!({ "number": "1234" });
    let tries = futures_util::future::join_all(
        (0..8).map(|_| world.post(&a.program, "/carrier/v1/phone-numbers", body.clone())),
    );
    let answers = tries.await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for lost in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((lost.problem(409).as_str(), lost.fields()), ("taken", vec!["number".to_owned()]));
    }
    world.post(&b.program, "/carrier/v1/phone-numbers", body).await.ok(201);
}

#[tokio::test]
async fn what_would_be_added_is_told_before_it_is() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let preview = "/carrier/v1/phone-numbers/preview";
    for (body, number, country, kind) in [
        (json!({ "number": "012 345 678" }), "+85512345678", json!("KH"), "mobile"),
        (json!({ "number": "44 20 7946 0018" }), "+442079460018", json!("GB"), "fixed_line"),
        (json!({ "number": "1234567", "type": "short_code" }), "1234567", json!(null), "short_code"),
    ] {
        let told = world.post(&a.program, preview, body).await.ok(200);
        assert_eq!(
            (&told["number"], &told["country"], &told["type"]),
            (&json!(number), &country, &json!(kind))
        );
    }
    let refused = world.post(&a.program, preview, json!({ "number": "(415) 555-2671" })).await;
    assert_eq!(
        (refused.problem(422).as_str(), refused.fields()),
        ("validation_failed", vec!["number".to_owned()])
    );
    assert_eq!(world.get(&a.program, "/carrier/v1/phone-numbers").await["total"], 0, "nothing was added");
}

#[tokio::test]
async fn a_number_of_another_country_or_for_help_is_not_added_without_a_word() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    for (number, why) in [
        ("(415) 555-2671", "an area code"),
        ("112", "112 is an emergency number"),
        ("911", "911 is an emergency number"),
    ] {
        let refused = world.post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": number })).await;
        assert_eq!(
            (refused.problem(422).as_str(), refused.fields()),
            ("validation_failed", vec!["number".to_owned()]),
            "{number}"
        );
        assert!(refused.text.contains(why), "{}", refused.text);
    }
    let copied = json!({ "number": "\u{202a}tel:+44 20 7946 0018\u{202c}" });
    let made = world.post(&a.program, "/carrier/v1/phone-numbers", copied).await.ok(201);
    assert_eq!(made["number"], "+442079460018");
}

#[tokio::test]
async fn numbers_are_found_by_digits_account_and_state() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    let account = world.post(&a.program, "/carrier/v1/accounts", json!({ "name": "One" })).await.ok(201);
    let account = account["sid"].as_str().unwrap();
    world
        .post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "1234", "account_sid": account }))
        .await
        .ok(201);
    world
        .post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "+85512345678", "enabled": false }))
        .await
        .ok(201);
    for (query, count) in [
        ("", 2),
        ("?number=5678", 1),
        ("?number=234", 2),
        ("?enabled=true", 1),
        ("?assigned=false", 1),
        (&format!("?account_sid={account}"), 1),
        ("?number=999", 0),
        ("?name=nobody", 0),
    ] {
        let found = world.get(&a.owner, &format!("/carrier/v1/phone-numbers{query}")).await;
        assert_eq!(found["data"].as_array().map(Vec::len), Some(count), "{query}");
    }
}

#[tokio::test]
async fn another_carriers_account_gets_no_number() {
    let world = World::new().await;
    let (a, b) = (world.carrier("alpha").await, world.carrier("beta").await);
    let theirs = world.post(&b.program, "/carrier/v1/accounts", json!({ "name": "Theirs" })).await.ok(201);
    let body = json!({ "number": "nonsense", "account_sid": theirs["sid"] });
    let answer = world.post(&a.program, "/carrier/v1/phone-numbers", body).await;
    assert_eq!(
        (answer.problem(422).as_str(), answer.fields()),
        ("validation_failed", vec!["number".to_owned(), "account_sid".to_owned()])
    );
    let number =
        world.post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": "1234" })).await.ok(201);
    let path = format!("/carrier/v1/phone-numbers/{}", number["sid"].as_str().unwrap());
    let patch = json!({ "account_sid": theirs["sid"], "voice": { "voice_url": "ftp://x" } });
    assert_eq!(world.patch(&a.program, &path, patch).await.fields(), ["account_sid", "voice.voice_url"]);
}

#[tokio::test]
async fn a_list_says_how_much_it_has_and_comes_in_the_order_that_was_asked_for() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    for number in ["+85512000003", "+85512000001", "+85512000002", "+85577000004"] {
        world.post(&a.program, "/carrier/v1/phone-numbers", json!({ "number": number })).await.ok(201);
    }
    let ask = async |query: &str| {
        let path = format!("/carrier/v1/phone-numbers?{query}");
        world.send(&a.program, "GET", &path, None).await
    };
    let page = ask("limit=2&order=number").await.ok(200);
    assert_eq!((&page["total"], &page["total_exact"]), (&json!(4), &json!(true)));
    assert_eq!(
        (&page["data"][0]["number"], &page["data"][1]["number"]),
        (&json!("+85512000001"), &json!("+85512000002"))
    );
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = ask(&format!("limit=2&order=number&cursor={}", cursor.replace('+', "%2B"))).await.ok(200);
    assert_eq!(next["data"][0]["number"], "+85512000003");
    assert_eq!((next.get("total"), next.get("next_cursor")), (None, None));
    let found = ask("number=012000&order=-number").await.ok(200);
    assert_eq!((&found["data"][0]["number"], &found["total"]), (&json!("+85512000003"), &json!(3)));
    assert_eq!(ask("order=colour").await.status, 400);
    let wrong = format!("order=name&cursor={}", cursor.replace('+', "%2B"));
    assert_eq!(ask(&wrong).await.status, 400, "a cursor is of the order it was given for");
}

#[tokio::test]
async fn names_are_found_in_any_case_of_any_alphabet() {
    let world = World::new().await;
    let a = world.carrier("alpha").await;
    for name in ["Straße", "École", "Ящик"] {
        world.post(&a.program, "/carrier/v1/accounts", json!({ "name": name })).await.ok(201);
    }
    for (typed, name) in
        [("STRASSE", "Straße"), ("%C3%89COLE", "École"), ("ecole", "École"), ("%D1%8F%D1%89%D0%B8", "Ящик")]
    {
        let found = world.get(&a.program, &format!("/carrier/v1/accounts?name={typed}")).await;
        assert_eq!((&found["total"], &found["data"][0]["name"]), (&json!(1), &json!(name)));
    }
    let sign = world.get(&a.program, "/carrier/v1/accounts?name=%25").await;
    assert_eq!(sign["total"], 0, "a per cent sign means itself");
}
