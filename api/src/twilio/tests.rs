//! The whole surface over a real store, through poem's test client.

use super::*;
use crate::{ApiConfig, Parts, Well};
use domain::{
    Actor, Clock, Kind, Log, Meta, Sid, Tenant,
    account::{Account, AccountCommand},
    call::{Call, CallCommand, CallEvent, CallbackEvent, EndReason, Ending, Program, Queued},
    phone_number::{PhoneNumber, PhoneNumberCommand},
};
use poem::test::{TestClient, TestRequestBuilder};
use projections::Projections;
use std::{sync::Arc, time::Duration};
use store::{
    RandomIds, SystemClock,
    testing::{TestStore, sid, sqlite},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct Bench {
    store: TestStore,
    projections: Projections,
    client: TestClient<BoxEndpoint<'static, Response>>,
    tenant: Tenant,
    number: Sid,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Bench {
    /// An account with one number.
    async fn new() -> Bench {
        let (store, stop, tasks) = (sqlite().await, CancellationToken::new(), TaskTracker::new());
        let projections = Projections::start((*store).clone(), tasks.clone(), stop.clone()).await.unwrap();
        let app = App::new(Parts {
            store: (*store).clone(),
            projections: projections.clone(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds::default()),
            config: ApiConfig::default(),
            health: Arc::new(Well),
            stop: stop.clone(),
            tasks: tasks.clone(),
        });
        let client = TestClient::new(routes(&app.unwrap()));
        let tenant = Tenant::account(sid(Kind::Carrier), sid(Kind::Account));
        let number = sid(Kind::PhoneNumber);
        let bench = Bench { store, projections, client, tenant, number, stop, tasks };
        bench.account(&bench.tenant).await;
        bench.number(&bench.number, "+85512345678", &bench.tenant).await;
        bench
    }

    async fn account(&self, tenant: &Tenant) {
        let account = tenant.account.clone().unwrap();
        let create =
            AccountCommand::Create { carrier: tenant.carrier.clone(), name: "Rocket".parse().unwrap() };
        self.store.execute::<Account>(&account, create, &meta(tenant)).await.unwrap();
        let secrets = crate::secrets::Secrets::new((*self.store).clone());
        secrets.put_auth_token((&tenant.carrier, &account), 1, TOKEN).await.unwrap();
        self.settle().await;
    }

    async fn number(&self, sid: &Sid, number: &str, tenant: &Tenant) {
        let (carrier, number) = (tenant.carrier.clone(), number.parse().unwrap());
        let create =
            PhoneNumberCommand::Create { carrier, number, enabled: true, account: tenant.account.clone() };
        self.store.execute::<PhoneNumber>(sid, create, &meta(tenant)).await.unwrap();
        self.settle().await;
    }

    async fn tell(&self, call: &str, command: CallCommand) {
        let call = call.parse().unwrap();
        self.store.execute::<Call>(&call, command, &meta(&self.tenant)).await.unwrap();
        self.settle().await;
    }

    async fn settle(&self) {
        for log in Log::ALL {
            let head = self.store.head(log).await.unwrap();
            self.projections.reached(log, head, Duration::from_secs(10)).await.unwrap();
        }
    }

    fn me(&self) -> &str {
        self.tenant.account.as_ref().unwrap().as_str()
    }

    fn get(&self, path: &str) -> TestRequestBuilder<'_, BoxEndpoint<'static, Response>> {
        self.signed(self.client.get(self.path(path)))
    }

    fn post(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> TestRequestBuilder<'_, BoxEndpoint<'static, Response>> {
        self.signed(self.client.post(self.path(path))).form(&form)
    }

    fn delete(&self, path: &str) -> TestRequestBuilder<'_, BoxEndpoint<'static, Response>> {
        self.signed(self.client.delete(self.path(path)))
    }

    fn path(&self, path: &str) -> String {
        format!("/2010-04-01/Accounts/{}{path}", self.me())
    }

    fn signed<'a>(
        &self,
        request: TestRequestBuilder<'a, BoxEndpoint<'static, Response>>,
    ) -> TestRequestBuilder<'a, BoxEndpoint<'static, Response>> {
        request.header("authorization", basic(self.me(), TOKEN))
    }

    /// A call that is queued, and its SID.
    async fn call(&self) -> String {
        let (status, body) = answered(self.post("/Calls.json", &CALL)).await;
        assert_eq!(status, 201, "{body}");
        text(&body, "sid")
    }

    async fn events(&self, call: &str) -> Vec<CallEvent> {
        let stream = self.store.stream(&call.parse().unwrap()).await.unwrap();
        stream.iter().map(|fact| fact.of::<Call>().unwrap().unwrap()).collect()
    }
}

/// The least a call needs.
const CALL: [(&str, &str); 3] =
    [("To", "+15551230000"), ("From", "+85512345678"), ("Url", "https://example.com/voice?a=b")];

fn meta(tenant: &Tenant) -> Meta {
    Meta::new(tenant.clone(), Actor::system("test"), SystemClock.now())
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

async fn answered(request: TestRequestBuilder<'_, BoxEndpoint<'static, Response>>) -> (u16, Value) {
    let response = request.send().await.0;
    let status = response.status().as_u16();
    let body = response.into_body().into_bytes().await.unwrap();
    (status, if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
}

fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("{field} in {body}")).to_owned()
}

/// The HTTP status and Twilio's code.
async fn fault(request: TestRequestBuilder<'_, BoxEndpoint<'static, Response>>) -> (u16, i64) {
    let (status, body) = answered(request).await;
    let code = body["code"].as_i64().unwrap_or_else(|| panic!("a code in {body}"));
    assert_eq!(body["status"], status);
    assert_eq!(body["more_info"], format!("https://www.twilio.com/docs/errors/{code}"));
    assert!(body["message"].is_string());
    (status, code)
}

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
        ("StatusCallbackEvent", Some("hung-up"), 21626),
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
    assert_eq!(fault(bench.post(&path, &[("Status", "completed")])).await, (400, 21220));
    assert_eq!(answered(bench.delete(&path)).await, (204, Value::Null));
    assert_eq!(fault(bench.get(&path)).await, (404, 20404));
    assert_eq!(fault(bench.delete(&path)).await, (404, 20404));
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
async fn an_account_sees_itself() {
    let bench = Bench::new().await;
    let (status, body) = answered(bench.get(".json")).await;
    assert_eq!(
        (status, text(&body, "sid"), text(&body, "auth_token")),
        (200, bench.me().into(), TOKEN.into())
    );
    assert_eq!((text(&body, "status"), text(&body, "type")), ("active".into(), "Full".into()));
    let (_, list) = answered(bench.signed(bench.client.get("/2010-04-01/Accounts.json"))).await;
    assert_eq!(list["accounts"], Value::Array(vec![body]));
    let nobody = bench.signed(bench.client.get("/2010-04-01/Accounts.json?FriendlyName=Other"));
    assert_eq!(answered(nobody).await.1["accounts"], Value::Array(vec![]));
}

#[tokio::test]
async fn a_number_is_configured_and_cleared() {
    let bench = Bench::new().await;
    let path = format!("/IncomingPhoneNumbers/{}.json", bench.number);
    let form =
        [("VoiceUrl", "https://example.com/v"), ("VoiceMethod", "GET"), ("FriendlyName", "Front desk")];
    let (status, body) = answered(bench.post(&path, &form)).await;
    assert_eq!((status, text(&body, "voice_url")), (200, "https://example.com/v".into()));
    assert_eq!(
        (text(&body, "voice_method"), text(&body, "friendly_name")),
        ("GET".into(), "Front desk".into())
    );
    assert_eq!(body["capabilities"]["voice"], true);
    let (_, body) = answered(bench.post(&path, &[("VoiceUrl", "")])).await;
    assert_eq!((text(&body, "voice_url"), text(&body, "voice_method")), (String::new(), "GET".into()));
    assert_eq!(fault(bench.post(&path, &[("VoiceUrl", "nowhere")])).await, (400, 21402));
    for (name, value) in [
        ("SmsUrl", "https://example.com/sms"),
        ("VoiceApplicationSid", "AP1"),
        ("TrunkSid", "TK1"),
        ("VoiceCallerIdLookup", "true"),
        ("AccountSid", "AC1"),
    ] {
        assert_eq!(fault(bench.post(&path, &[(name, value)])).await, (400, 20001), "{name}");
    }
    let nothing = [("SmsUrl", ""), ("VoiceCallerIdLookup", "false"), ("AccountSid", bench.me())];
    assert_eq!(answered(bench.post(&path, &nothing)).await.0, 200);
    let (_, list) = answered(bench.get("/IncomingPhoneNumbers.json?PhoneNumber=%2B85512345678")).await;
    assert_eq!(list["incoming_phone_numbers"][0]["sid"], bench.number.as_str());
}

#[tokio::test]
async fn numbers_are_found_by_exactly_their_friendly_name() {
    let bench = Bench::new().await;
    let (american, named) = (sid(Kind::PhoneNumber), sid(Kind::PhoneNumber));
    bench.number(&american, "+12125551234", &bench.tenant).await;
    bench.number(&named, "+85512345679", &bench.tenant).await;
    let path = format!("/IncomingPhoneNumbers/{named}.json");
    assert_eq!(answered(bench.post(&path, &[("FriendlyName", "Front desk")])).await.0, 200);
    for (name, found) in [
        ("Front+desk", Some(&named)),
        ("Front", None),
        ("%2B85512345678", Some(&bench.number)),
        ("%2B85512345679", None),
        ("(212)+555-1234", Some(&american)),
    ] {
        let (_, list) = answered(bench.get(&format!("/IncomingPhoneNumbers.json?FriendlyName={name}"))).await;
        let sids = list["incoming_phone_numbers"].as_array().unwrap().iter().map(|row| text(row, "sid"));
        assert_eq!(sids.collect::<Vec<_>>(), found.map(ToString::to_string).into_iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn nobody_reaches_what_is_anothers() {
    let bench = Bench::new().await;
    let sid = bench.call().await;
    let other = Tenant::account(bench.tenant.carrier.clone(), store::testing::sid(Kind::Account));
    bench.account(&other).await;
    let them = other.account.clone().unwrap();
    let ours = [
        (format!("/Calls/{sid}.json"), "GET"),
        (format!("/Calls/{sid}.json"), "POST"),
        (format!("/Calls/{sid}.json"), "DELETE"),
        (format!("/IncomingPhoneNumbers/{}.json", bench.number), "GET"),
        (format!("/IncomingPhoneNumbers/{}.json", bench.number), "POST"),
        (".json".to_owned(), "GET"),
        ("/Calls.json".to_owned(), "GET"),
        ("/Calls.json".to_owned(), "POST"),
        ("/IncomingPhoneNumbers.json".to_owned(), "GET"),
    ];
    for (path, method) in ours {
        let under_own_name = format!("/2010-04-01/Accounts/{them}{path}");
        let single = path.matches('/').count() > 1;
        for uri in [bench.path(&path)].into_iter().chain(single.then_some(under_own_name)) {
            let request = bench.client.request(method.parse().unwrap(), uri.clone());
            let request = request.header("authorization", basic(them.as_str(), TOKEN)).form(&CALL);
            assert_eq!(fault(request).await, (404, 20404), "{method} {uri}");
        }
    }
    let theirs = bench.client.get(format!("/2010-04-01/Accounts/{them}/Calls.json"));
    let (_, list) = answered(theirs.header("authorization", basic(them.as_str(), TOKEN))).await;
    assert_eq!(list["calls"], Value::Array(vec![]));
    assert_eq!(bench.events(&sid).await.len(), 1);
}

#[tokio::test]
async fn wrong_credentials_are_all_the_same() {
    let bench = Bench::new().await;
    let unknown = store::testing::sid(Kind::Account);
    let wrong = "ffffffffffffffffffffffffffffffff";
    let headers = [
        basic(bench.me(), wrong),
        basic(bench.me(), ""),
        basic(unknown.as_str(), TOKEN),
        basic("nobody", TOKEN),
        "Basic ???".to_owned(),
        format!("Bearer {TOKEN}"),
    ];
    for header in headers {
        let request = bench.client.get(bench.path("/Calls.json")).header("authorization", &header);
        assert_eq!(fault(request).await, (401, 20003), "{header}");
    }
    assert_eq!(fault(bench.client.get(bench.path("/Calls.json"))).await, (401, 20003));
}

#[tokio::test]
async fn a_disabled_account_is_turned_away() {
    let bench = Bench::new().await;
    let account = bench.tenant.account.clone().unwrap();
    let meta = meta(&bench.tenant);
    bench.store.execute::<Account>(&account, AccountCommand::Disable, &meta).await.unwrap();
    bench.settle().await;
    assert_eq!(fault(bench.post("/Calls.json", &CALL)).await, (401, 20005));
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let bench = Bench::new().await;
    let mut tries = 0;
    loop {
        let request =
            bench.client.get(bench.path(".json")).header("authorization", basic(bench.me(), "guess"));
        match fault(request).await {
            (429, 20429) => break,
            refused => assert_eq!(refused, (401, 20003)),
        }
        tries += 1;
        assert!(tries < 100, "guesses are counted");
    }
    assert!(tries >= 20);
    // Far more guesses than an account has requests: none of them is the account's.
    let guesses = (0..400).map(|_| {
        let request = bench.client.get(bench.path(".json"));
        request.header("authorization", basic(bench.me(), "guess")).send()
    });
    futures_util::future::join_all(guesses).await;
    assert_eq!(answered(bench.get(".json")).await.0, 200, "the account itself is not locked out");
}

#[tokio::test]
async fn unknown_paths_and_methods_have_twilios_bodies() {
    let bench = Bench::new().await;
    assert_eq!(fault(bench.get("/Faxes.json")).await, (404, 20404));
    assert_eq!(fault(bench.get("/Calls/CA1.json")).await, (404, 20404));
    assert_eq!(fault(bench.signed(bench.client.get("/2010-04-01/"))).await, (404, 20404));
    assert_eq!(fault(bench.delete("/Calls.json")).await, (405, 20004));
    assert_eq!(fault(bench.signed(bench.client.put(bench.path(".json")))).await, (405, 20004));
}
