//! Calls: created, listed, changed, ended.

use super::*;
use domain::{
    Timestamp,
    limits::Limits,
    trunk::{Trunk, TrunkCommand},
};

#[tokio::test]
async fn a_call_is_queued_with_everything_that_was_asked_for() {
    let bench = Bench::new().await;
    let form = [
        CALL.as_slice(),
        &[
            ("StatusCallback", "https://example.com/status"),
            ("StatusCallbackEvent", "initiated"),
            ("StatusCallbackEvent", "ringing, answered completed"),
            ("FallbackUrl", "https://example.com/fallback"),
            ("Timeout", "20"),
            ("SendDigits", "wW12#"),
            ("Method", "GET"),
        ],
    ]
    .concat();
    let (status, body) = answered(bench.post("/Calls.json", &form)).await;
    assert_eq!(status, 201, "{body}");
    let uri = format!("/2010-04-01/Accounts/{}/Calls/{}.json", bench.me(), text(&body, "sid"));
    assert_eq!(body["uri"], uri);
    for (field, value) in [
        ("status", "queued"),
        ("direction", "outbound-api"),
        ("to", "+15551230000"),
        ("to_formatted", "(555) 123-0000"),
        ("from", "+85512345678"),
        ("account_sid", bench.me()),
        ("phone_number_sid", bench.number.as_str()),
        ("queue_time", "0"),
        ("api_version", "2010-04-01"),
    ] {
        assert_eq!(body[field], value, "{field}");
    }
    for field in ["duration", "start_time", "end_time", "price", "parent_call_sid", "answered_by"] {
        assert_eq!(body.get(field), Some(&Value::Null), "{field} is there and null");
    }
    let [CallEvent::Queued(Queued { callback, program, timeout, send_digits, .. })] =
        &bench.events(&text(&body, "sid")).await[..]
    else {
        panic!("one event")
    };
    assert_eq!((*timeout, send_digits.as_deref()), (20, Some("wW12#")));
    assert_eq!(callback.as_ref().unwrap().events.len(), 4);
    let Some(Program::Fetched(document)) = program else { panic!("a document") };
    assert_eq!((document.url.as_str(), document.method.as_str()), ("https://example.com/voice?a=b", "GET"));
    assert!(document.fallback_url.is_some());
}

#[tokio::test]
async fn words_that_are_no_events_are_left_out_and_told() {
    let bench = Bench::new().await;
    let more = [
        ("StatusCallback", "https://example.com/status"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "no-answer"),
        ("StatusCallbackEvent", "completed"),
        ("Trim", "trim-silence"),
    ];
    let response = bench.post("/Calls.json", &[CALL.as_slice(), &more].concat()).send().await.0;
    assert_eq!(response.status(), StatusCode::CREATED);
    let header = response.header("x-trunkline-warning").unwrap().to_owned();
    let body = response.into_body().into_bytes().await.unwrap();
    let body = serde_json::from_slice(&body).unwrap();
    let [
        CallEvent::Queued(Queued { callback: Some(callback), .. }),
        CallEvent::Warned { code: 21626, message },
        CallEvent::Warned { code: 20001, message: other },
    ] = &bench.events(&text(&body, "sid")).await[..]
    else {
        panic!("the call and two warnings")
    };
    assert_eq!(header, format!("{message}; {other}"), "both are in both places");
    assert_eq!(callback.events, [CallbackEvent::Ringing, CallbackEvent::Completed]);
    assert!(message.ends_with("no-answer"), "{message}");
}

#[tokio::test]
async fn a_number_without_plus_is_the_carriers_countrys_own_first() {
    let bench = Bench::within("KH").await;
    for (from, to) in [("012345678", "098 765 432"), ("85512345678", "85598765432")] {
        let form = [("From", from), ("To", to), ("Url", "https://example.com/voice")];
        let (status, body) = answered(bench.post("/Calls.json", &form)).await;
        assert_eq!(
            (status, text(&body, "from"), text(&body, "to")),
            (201, "+85512345678".into(), "+85598765432".into())
        );
    }
}

#[tokio::test]
async fn a_number_abroad_is_called_once_its_country_is_ticked() {
    let bench = Bench::new().await;
    let to = |to: &'static str| [("To", to), CALL[1], CALL[2]];
    for forbidden in ["+442079460000", "+870773111111", "+19005551234", "+99912345678"] {
        assert_eq!(fault(bench.post("/Calls.json", &to(forbidden))).await, (400, 21215), "{forbidden}");
    }
    assert_eq!(bench.store.head(Log::Calls).await.unwrap(), 0, "nothing was queued");
    let limits = Limits { countries: vec!["GB".parse().unwrap()], high_risk: true, ..Limits::default() };
    let account = bench.tenant.account.clone().unwrap();
    let limit = AccountCommand::Limit(limits);
    bench.store.execute::<Account>(&account, limit, &meta(&bench.tenant)).await.unwrap();
    bench.settle().await;
    for allowed in ["+442079460000", "+870773111111", "+19005551234"] {
        assert_eq!(answered(bench.post("/Calls.json", &to(allowed))).await.0, 201, "{allowed}");
    }
}

#[tokio::test]
async fn a_longer_short_code_of_the_account_is_called_as_one() {
    let bench = Bench::new().await;
    bench.number(&sid(Kind::PhoneNumber), "7654321", &bench.tenant).await;
    let form = [("From", "+85512345678"), ("To", "7654321"), ("Url", "https://example.com/voice")];
    let (status, body) = answered(bench.post("/Calls.json", &form)).await;
    assert_eq!((status, body["to"].as_str()), (201, Some("7654321")), "{body}");
}

/// A clock that stands still.
struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[tokio::test]
async fn a_longer_short_code_of_the_account_calls_and_is_shown() {
    let bench = Bench::within("KH").await;
    for code in ["7654321", "0123456789"] {
        bench.number(&sid(Kind::PhoneNumber), code, &bench.tenant).await;
        let form = [("From", code), ("To", "+85598765432"), ("Url", "https://example.com/voice")];
        let (status, body) = answered(bench.post("/Calls.json", &form)).await;
        assert_eq!((status, body["from"].as_str()), (201, Some(code)), "{body}");
        let shown = [("From", "+85512345678"), form[1], form[2], ("CallerId", code)];
        assert_eq!(answered(bench.post("/Calls.json", &shown)).await.0, 201, "{code} is shown");
        let found = answered(bench.get(&format!("/Calls.json?From={code}"))).await.1;
        assert_eq!(found["calls"].as_array().map(Vec::len), Some(1), "{found}");
    }
    let form = [("From", "7654322"), ("To", "+85598765432"), ("Url", "https://example.com/voice")];
    assert_eq!(answered(bench.post("/Calls.json", &form)).await.0, 400, "nobody has that one");
}

#[tokio::test]
async fn an_emergency_number_is_called_once_a_trunk_takes_such_calls() {
    let bench = Bench::at("US", Arc::new(Stopped(SystemClock.now()))).await;
    let to = |to: &'static str| [("To", to), CALL[1], CALL[2]];
    for number in ["911", "112", "9911", "1911", "999", "000"] {
        assert_eq!(fault(bench.post("/Calls.json", &to(number))).await, (400, 21216), "{number}");
    }
    let outbound = serde_json::json!({
        "host": "sip.example.com", "transport": "udp", "dial_string_prefix": "", "plus_prefix": false,
        "trunk_prefix": false, "username": null, "emergency": true,
    });
    let create = TrunkCommand::Create {
        carrier: bench.tenant.carrier.clone(),
        name: "Emergency".parse().unwrap(),
        inbound: None,
        outbound: Some(serde_json::from_value(outbound).unwrap()),
    };
    bench.store.execute::<Trunk>(&sid(Kind::Trunk), create, &meta(&bench.tenant)).await.unwrap();
    bench.settle().await;
    assert_eq!(answered(bench.post("/Calls.json", &to("911"))).await.0, 201);
    // No second passes for it.
    while answered(bench.get(".json")).await.0 == 200 {}
    assert_eq!(fault(bench.post("/Calls.json", &to("+85598765432"))).await, (429, 20429));
    assert_eq!(answered(bench.post("/Calls.json", &to("911"))).await.0, 201, "however often it asked before");
    assert_eq!(fault(bench.get("/Faxes.json")).await, (429, 20429), "whatever else it asks for");

    // Until its address, which others may have as well, may ask for nothing either.
    for _ in 0..1_000 {
        assert_eq!(answered(bench.get(".json")).await.0, 429);
    }
    let other = Tenant::account(bench.tenant.carrier.clone(), sid(Kind::Account));
    bench.account(&other).await;
    let them = other.account.unwrap();
    let theirs = bench.client.get(format!("/2010-04-01/Accounts/{them}.json"));
    assert_eq!(fault(theirs.header("authorization", basic(them.as_str(), TOKEN))).await, (429, 20429));
    for _ in 0..200 {
        assert_eq!(fault(bench.post("/Calls.json", &to("+85598765432"))).await, (429, 20429));
    }
    let stranger = bench.client.post(bench.path("/Calls.json")).form(&to("911"));
    let stranger = stranger.header("authorization", basic(bench.me(), "guess"));
    assert_eq!(fault(stranger).await, (401, 20003), "a call for help needs its token");
    assert_eq!(answered(bench.post("/Calls.json", &to("911"))).await.0, 201, "whoever asked there");
}

#[tokio::test]
async fn a_number_that_is_disabled_is_not_shown() {
    let bench = Bench::new().await;
    let disable = PhoneNumberCommand::Disable;
    bench.store.execute::<PhoneNumber>(&bench.number, disable, &meta(&bench.tenant)).await.unwrap();
    bench.settle().await;
    assert_eq!(fault(bench.post("/Calls.json", &CALL)).await, (400, 21210));
}

#[tokio::test]
async fn what_a_live_call_cannot_be_told_yet_is_refused() {
    let bench = Bench::new().await;
    let (_, body) = answered(bench.post("/Calls.json", &CALL)).await;
    let path = format!("/Calls/{}.json", text(&body, "sid"));
    for name in ["FallbackUrl", "FallbackMethod", "Method"] {
        let value = if name == "FallbackUrl" { "https://example.com/fallback" } else { "GET" };
        assert_eq!(fault(bench.post(&path, &[(name, value)])).await, (400, 20001), "{name} alone");
    }
    assert_eq!(bench.events(&text(&body, "sid")).await.len(), 1, "nothing was done");
}

#[tokio::test]
async fn a_hang_up_is_done_whatever_else_is_asked_for_with_it() {
    for (name, value) in [("StatusCallback", "https://example.com/status"), ("TimeLimit", "60")] {
        let bench = Bench::new().await;
        let (_, body) = answered(bench.post("/Calls.json", &CALL)).await;
        let call = text(&body, "sid");
        let form = [("Status", "completed"), (name, value)];
        let (status, body) = answered(bench.post(&format!("/Calls/{call}.json"), &form)).await;
        assert_eq!((status, text(&body, "status").as_str()), (200, "canceled"), "{name}: {body}");
        let warnings = warned(&bench, &call).await;
        assert!(
            warnings.iter().any(|(code, message)| *code == 20001 && message.contains(name)),
            "{warnings:?}"
        );
    }
}

/// The code and message of every warning on the timeline.
async fn warned(bench: &Bench, call: &str) -> Vec<(u32, String)> {
    let events = bench.events(call).await;
    let warning = |event| match event {
        CallEvent::Warned { code, message } => Some((code, message)),
        _ => None,
    };
    events.into_iter().filter_map(warning).collect()
}

#[tokio::test]
async fn a_parameter_that_does_nothing_is_told_on_the_timeline() {
    let bench = Bench::new().await;
    let idle = [
        ("CallReason", "Your parcel"),
        ("Trim", "trim-silence"),
        ("RecordingChannels", "dual"),
        ("MachineDetectionTimeout", "10"),
        ("Colour", "red"),
        ("Record", "false"),
        ("AsyncAmd", "false"),
    ];
    let response = bench.post("/Calls.json", &[CALL.as_slice(), &idle].concat()).send().await.0;
    assert_eq!(response.status(), StatusCode::CREATED);
    let header = response.header("x-trunkline-warning").unwrap().to_owned();
    let body = response.into_body().into_bytes().await.unwrap();
    let sid = text(&serde_json::from_slice(&body).unwrap(), "sid");
    let told = warned(&bench, &sid).await;
    assert_eq!(told.len(), 5, "{told:?}");
    for ((name, _), (code, message)) in idle.iter().zip(&told) {
        assert!(*code == 20001 && message.starts_with(name), "{message}");
        assert!(header.contains(message), "{header}");
    }
    let inline = [&CALL[..2], &[("Twiml", "<Response/>"), ("FallbackUrl", "https://example.com/f")]].concat();
    let (_, body) = answered(bench.post("/Calls.json", &inline)).await;
    let told = warned(&bench, &text(&body, "sid")).await;
    assert!(told.len() == 1 && told[0].1.starts_with("FallbackUrl"), "{told:?}");
    let path = format!("/Calls/{sid}.json");
    let both = [("Status", "completed"), ("Url", "https://example.com/next")];
    assert_eq!(answered(bench.post(&path, &both)).await.0, 200);
    let told = warned(&bench, &sid).await;
    assert!(told.last().is_some_and(|(_, message)| message.starts_with("Url")), "{told:?}");
}

#[tokio::test]
async fn what_a_new_call_cannot_have_is_refused_whatever_it_is() {
    let bench = Bench::new().await;
    let create = operations().find(|operation| operation.name == "Calls: create").unwrap();
    let refused = create.rows.iter().filter(|row| matches!(row.fate, Fate::Refused(_)));
    for name in refused.flat_map(|row| row.names) {
        let form = [CALL.as_slice(), &[(name, "something")]].concat();
        assert_eq!(fault(bench.post("/Calls.json", &form)).await, (400, 20001), "{name}");
    }
    assert_eq!(bench.store.head(Log::Calls).await.unwrap(), 0, "nothing was queued");
}

#[tokio::test]
async fn only_completed_is_told_when_no_event_is_named() {
    let bench = Bench::new().await;
    let form = [CALL.as_slice(), &[("StatusCallback", "https://example.com/status")]].concat();
    let (_, body) = answered(bench.post("/Calls.json", &form)).await;
    let [CallEvent::Queued(Queued { callback: Some(callback), .. })] =
        &bench.events(&text(&body, "sid")).await[..]
    else {
        panic!("a callback")
    };
    assert_eq!(callback.events, [CallbackEvent::Completed]);
}

#[tokio::test]
async fn what_is_wrong_with_a_new_call_has_its_own_code() {
    let bench = Bench::new().await;
    let long = format!("<Response><Say>{}</Say></Response>", "a".repeat(4_000));
    let cases: &[(&str, Option<&str>, i64)] = &[
        ("To", None, 21201),
        ("To", Some("nobody"), 21211),
        ("From", None, 21213),
        ("From", Some("me"), 21212),
        ("From", Some("+85512345679"), 21210),
        ("Url", None, 21205),
        ("Url", Some("/voice"), 21205),
        ("Url", Some("ftp://example.com/"), 21205),
        ("Method", Some("PUT"), 20001),
        ("Timeout", Some("0"), 20001),
        ("Timeout", Some("601"), 20001),
        ("Timeout", Some("soon"), 20001),
        ("SendDigits", Some("12x"), 21208),
        ("SendDigits", Some("123456789012345678901234567890123"), 21208),
        ("StatusCallback", Some("status"), 21609),
        ("FallbackUrl", Some("x"), 21205),
        ("Record", Some("true"), 20001),
        ("MachineDetection", Some("Enable"), 20001),
    ];
    for (name, value, code) in cases {
        let mut form: Vec<(&str, &str)> = CALL.into_iter().filter(|(known, _)| known != name).collect();
        form.extend(value.map(|value| (*name, value)));
        assert_eq!(fault(bench.post("/Calls.json", &form)).await, (400, *code), "{name}={value:?}");
    }
    for (twiml, code) in [("<Response", 12100), ("<Play/>", 12101), (long.as_str(), 20001)] {
        let form = [&CALL[..2], &[("Twiml", twiml)]].concat();
        assert_eq!(fault(bench.post("/Calls.json", &form)).await, (400, code));
    }
    let twice = [CALL.as_slice(), &[("To", "+15551230001")]].concat();
    assert_eq!(fault(bench.post("/Calls.json", &twice)).await, (400, 20001));
    assert_eq!(bench.store.head(Log::Calls).await.unwrap(), 0, "nothing was queued");
}

#[tokio::test]
async fn a_repeated_creation_is_one_call() {
    let bench = Bench::new().await;
    let mut sids = Vec::new();
    for _ in 0..3 {
        let request = bench.post("/Calls.json", &CALL).header("I-Twilio-Idempotency-Token", "once");
        let (status, body) = answered(request).await;
        assert_eq!(status, 201);
        sids.push(text(&body, "sid"));
    }
    assert!(sids.iter().all(|sid| *sid == sids[0]), "{sids:?}");
    let other = [&CALL[..2], &[("Twiml", "<Response/>")]].concat();
    let request = bench.post("/Calls.json", &other).header("Idempotency-Key", "once");
    assert_eq!(fault(request).await, (422, 20422));
}

#[tokio::test]
async fn a_token_is_any_text_that_can_be_seen_and_never_overlooked() {
    let bench = Bench::new().await;
    let mut sids = Vec::new();
    for header in ["Idempotency-Key", "I-Twilio-Idempotency-Token", "Idempotency-Key"] {
        let token = poem::http::HeaderValue::from_bytes("Bestellung-ü 7".as_bytes()).unwrap();
        let request = bench.post("/Calls.json", &CALL).header(header, token);
        sids.push(text(&answered(request).await.1, "sid"));
    }
    assert!(sids.iter().all(|sid| *sid == sids[0]), "{sids:?}");
    assert_eq!(bench.store.head(Log::Calls).await.unwrap(), 1);
    for token in [&b"\xff"[..], b" ", "a\u{200b}".as_bytes(), &[b'x'; 256]] {
        let token = poem::http::HeaderValue::from_bytes(token).unwrap();
        let request = bench.post("/Calls.json", &CALL).header("Idempotency-Key", token);
        assert_eq!(fault(request).await, (400, 20001));
    }
    let two = bench.post("/Calls.json", &CALL).header("Idempotency-Key", "a");
    assert_eq!(fault(two.header("I-Twilio-Idempotency-Token", "b")).await, (400, 20001));
    assert_eq!(bench.store.head(Log::Calls).await.unwrap(), 1, "nothing was queued");
}

#[tokio::test]
async fn a_repeat_after_the_call_was_deleted_is_gone() {
    let bench = Bench::new().await;
    let create = || bench.post("/Calls.json", &CALL).header("Idempotency-Key", "once");
    let sid = text(&answered(create()).await.1, "sid");
    let path = format!("/Calls/{sid}.json");
    assert_eq!(answered(bench.post(&path, &[("Status", "canceled")])).await.0, 200);
    assert_eq!(answered(bench.delete(&path)).await.0, 204);
    assert_eq!(fault(create()).await, (410, 20410));
}

#[tokio::test]
async fn a_token_of_which_nothing_can_be_proved_any_more_is_refused() {
    let bench = Bench::new().await;
    let create = || bench.post("/Calls.json", &CALL).header("I-Twilio-Idempotency-Token", "once");
    assert_eq!(answered(create()).await.0, 201);
    let mut tx = bench.store.db().begin().await.unwrap();
    tx.execute_text("UPDATE es_commands SET version = 7").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(fault(create()).await, (409, 20409));
    assert_eq!(bench.store.head(Log::Calls).await.unwrap(), 1, "nothing was queued twice");
}

#[tokio::test]
async fn a_redirect_repeated_under_its_token_is_one() {
    let bench = Bench::new().await;
    let sid = bench.call().await;
    bench.tell(&sid, CallCommand::Claim { node: "a".into() }).await;
    bench.tell(&sid, CallCommand::Answer).await;
    let path = format!("/Calls/{sid}.json");
    let redirect = |twiml: &'static str| {
        let form = [("Twiml", twiml)];
        bench.post(&path, &form).header("Idempotency-Key", "once")
    };
    for _ in 0..2 {
        assert_eq!(answered(redirect("<Response><Hangup/></Response>")).await.0, 200);
    }
    assert_eq!(bench.events(&sid).await.len(), 4);
    assert_eq!(fault(redirect("<Response/>")).await, (422, 20422));
}

#[tokio::test]
async fn a_queued_call_is_answered_with_while_the_tables_lag() {
    let bench = Bench::new().await;
    bench.stop.cancel();
    bench.tasks.close();
    bench.tasks.wait().await;
    let (status, body) = answered(bench.post("/Calls.json", &CALL)).await;
    assert_eq!((status, text(&body, "status")), (201, "queued".into()));
    assert_eq!((text(&body, "to"), text(&body, "account_sid")), ("+15551230000".into(), bench.me().into()));
    assert_eq!(bench.events(&text(&body, "sid")).await.len(), 1);
}

#[tokio::test]
async fn creations_that_race_under_one_token_are_one_call() {
    let bench = Bench::new().await;
    let racing = (0..8).map(|_| {
        let request = bench.post("/Calls.json", &CALL).header("I-Twilio-Idempotency-Token", "race");
        async { text(&answered(request).await.1, "sid") }
    });
    let sids = futures_util::future::join_all(racing).await;
    assert!(sids.iter().all(|sid| *sid == sids[0]), "{sids:?}");
    assert_eq!(bench.store.head(Log::Calls).await.unwrap(), 1);
}

#[tokio::test]
async fn a_live_call_is_redirected_and_ended_and_one_that_is_over_is_not() {
    let bench = Bench::new().await;
    let sid = bench.call().await;
    let path = format!("/Calls/{sid}.json");
    bench.tell(&sid, CallCommand::Claim { node: "a".into() }).await;
    bench.tell(&sid, CallCommand::Answer).await;
    let (status, body) = answered(bench.get(&path)).await;
    assert_eq!((status, text(&body, "status")), (200, "in-progress".into()));
    let redirect = [("Twiml", "<Response><Hangup/></Response>")];
    assert_eq!(answered(bench.post(&path, &redirect)).await.0, 200);
    assert_eq!(fault(bench.post(&path, &[("Status", "canceled")])).await, (400, 21220));
    assert_eq!(fault(bench.post(&path, &[("Status", "busy")])).await, (400, 20001));
    assert_eq!(fault(bench.delete(&path)).await, (409, 20009));
    assert_eq!(answered(bench.post(&path, &[("Status", "completed")])).await.0, 200);
    let events = bench.events(&sid).await;
    assert!(matches!(events[3..], [CallEvent::Redirected(_), CallEvent::EndRequested { .. }]), "{events:?}");
    bench.tell(&sid, CallCommand::End(Ending::because(EndReason::CompletedByApi))).await;
    let (_, body) = answered(bench.get(&path)).await;
    assert_eq!((text(&body, "status"), text(&body, "duration")), ("completed".into(), "1".into()));
    assert!(text(&body, "end_time").ends_with(" +0000"));
    assert_eq!(fault(bench.post(&path, &redirect)).await, (400, 21220));
    for status in ["completed", "canceled"] {
        assert_eq!(fault(bench.post(&path, &[("Status", status)])).await, (404, 20404), "{status}");
    }
    assert_eq!(answered(bench.delete(&path)).await, (204, Value::Null));
    assert_eq!(fault(bench.get(&path)).await, (404, 20404));
    assert_eq!(fault(bench.delete(&path)).await, (404, 20404));
}

#[tokio::test]
async fn a_call_is_looked_at_as_the_log_has_it() {
    let bench = Bench::new().await;
    let sid: Sid = bench.call().await.parse().unwrap();
    let told = [CallCommand::Claim { node: "a".into() }, CallCommand::Answer];
    for (command, status) in told.into_iter().zip(["queued", "in-progress"]) {
        bench.store.execute::<Call>(&sid, command, &meta(&bench.tenant)).await.unwrap();
        let (_, body) = answered(bench.get(&format!("/Calls/{sid}.json"))).await;
        assert_eq!(text(&body, "status"), status);
    }
    bench
        .store
        .execute::<Call>(&sid, CallCommand::End(Ending::because(EndReason::HungUp)), &meta(&bench.tenant))
        .await
        .unwrap();
    assert_eq!(
        fault(bench.post(&format!("/Calls/{sid}.json"), &[("Status", "completed")])).await,
        (404, 20404)
    );
}

#[tokio::test]
async fn a_queued_call_is_canceled_at_once() {
    let bench = Bench::new().await;
    let path = format!("/Calls/{}.json", bench.call().await);
    let (status, body) = answered(bench.post(&path, &[("Status", "canceled")])).await;
    assert_eq!((status, text(&body, "status")), (200, "canceled".into()));
}

#[tokio::test]
async fn calls_are_listed_newest_first_in_pages_that_lead_on() {
    let bench = Bench::new().await;
    let mut sids = Vec::new();
    for _ in 0..5 {
        sids.insert(0, bench.call().await);
    }
    let mut seen = Vec::new();
    let mut uri = bench.path("/Calls.json?PageSize=2&Status=queued");
    for page in 0.. {
        let (status, body) = answered(bench.signed(bench.client.get(&uri))).await;
        assert_eq!((status, &body["page"], &body["page_size"]), (200, &page.into(), &2.into()), "{body}");
        assert_eq!(body["start"], page * 2);
        assert!(text(&body, "first_page_uri").contains("Status=queued"));
        seen.extend(body["calls"].as_array().unwrap().iter().map(|call| text(call, "sid")));
        match body["next_page_uri"].as_str() {
            Some(next) => uri = next.to_owned(),
            None => {
                // The way back leads to the same rows.
                let before = text(&body, "previous_page_uri");
                let (_, before) = answered(bench.signed(bench.client.get(before))).await;
                assert_eq!(before["calls"][0]["sid"].as_str(), Some(sids[2].as_str()));
                break;
            }
        }
    }
    assert_eq!(seen, sids);
    for (page, rows) in [(0, &sids[..2]), (1, &sids[2..4]), (2, &sids[4..]), (3, &[])] {
        let (_, body) = answered(bench.get(&format!("/Calls.json?PageSize=2&Page={page}"))).await;
        let numbered: Vec<String> =
            body["calls"].as_array().unwrap().iter().map(|call| text(call, "sid")).collect();
        assert_eq!(numbered, rows, "page {page}");
    }
}

#[tokio::test]
async fn lists_are_filtered_as_the_sdks_ask() {
    let bench = Bench::new().await;
    let sid = bench.call().await;
    bench.tell(&sid, CallCommand::Claim { node: "a".into() }).await;
    let initiate = CallCommand::Initiate {
        trunk: store::testing::sid(Kind::Trunk),
        request_uri: "sip:1@127.0.0.1".into(),
        sip_call_id: "x".into(),
    };
    bench.tell(&sid, initiate).await;
    let today = SystemClock.now().date();
    for (query, count) in [
        ("To=%2B15551230000".to_owned(), 1),
        ("To=1".to_owned(), 0),
        ("From=%2B85512345678&Status=queued".to_owned(), 1),
        ("Status=completed".to_owned(), 0),
        (format!("StartTime={today}"), 1),
        (format!("StartTime={today}T00%3A00%3A00Z"), 1),
        (format!("StartTime%3C={today}"), 0),
        (format!("StartTime%3E={today}T00%3A00%3A00Z"), 1),
        ("EndTime%3E=2026-01-01".to_owned(), 0),
        (format!("ParentCallSid={sid}"), 0),
    ] {
        let (status, body) = answered(bench.get(&format!("/Calls.json?{query}"))).await;
        assert_eq!((status, body["calls"].as_array().map(Vec::len)), (200, Some(count)), "{query}");
    }
    for query in
        ["Status=ended", "StartTime=x", "ParentCallSid=x", "PageToken=PAx", "Page=99999&PageSize=1000"]
    {
        assert_eq!(fault(bench.get(&format!("/Calls.json?{query}"))).await, (400, 20001), "{query}");
    }
}

#[tokio::test]
async fn the_callee_is_shown_another_number_of_the_accounts_and_nobody_elses() {
    let bench = Bench::new().await;
    let other =
        Tenant { account: Some(Sid::new(Kind::Account, &RandomIds::default())), ..bench.tenant.clone() };
    bench.account(&other).await;
    bench.number(&Sid::new(Kind::PhoneNumber, &RandomIds::default()), "+85512345679", &bench.tenant).await;
    bench.number(&Sid::new(Kind::PhoneNumber, &RandomIds::default()), "+85512345680", &other).await;
    let showing = |shown: &'static str| [CALL.as_slice(), &[("CallerId", shown)]].concat();
    for (theirs, code) in
        [("+85512345680", 21210), ("+15551230099", 21210), ("911", 21210), ("my shop", 21212)]
    {
        assert_eq!(fault(bench.post("/Calls.json", &showing(theirs))).await, (400, code), "{theirs}");
    }
    assert_eq!(bench.store.head(Log::Calls).await.unwrap(), 0, "nothing was queued");
    for (shown, kept) in [("+85512345679", Some("+85512345679")), ("+85512345678", None)] {
        let (status, body) = answered(bench.post("/Calls.json", &showing(shown))).await;
        assert_eq!((status, text(&body, "from")), (201, "+85512345678".into()), "{body}");
        let [CallEvent::Queued(Queued { caller_id, .. })] = &bench.events(&text(&body, "sid")).await[..]
        else {
            panic!("one event")
        };
        assert_eq!(caller_id.as_deref(), kept);
    }
}
