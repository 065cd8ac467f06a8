//! A whole API over a fresh store, carriers that signed up through it, and their browsers and programs.

use api::{ApiConfig, App, Health, Parts, TurnedAway, auth::Cost, auth::totp, secrets};
use domain::{
    Actor, Clock, Kind, Meta, Sid, Tenant,
    user::{Role, User, UserCommand},
};
use futures_util::future::BoxFuture;
use poem::{
    Endpoint, EndpointExt, Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderMap, Method},
};
use projections::Projections;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use store::{
    RandomIds, Store, StoreOptions,
    testing::{self, ManualClock},
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub const PASSWORD: &str = "plum-orbit-Kettle-92";
const HOST: &str = "voice.example.com";
/// 2026-11-23T20:00:00Z.
const START: i64 = 1_795_464_000_000_000;

pub struct World {
    pub app: App,
    pub http: Arc<BoxEndpoint<'static, Response>>,
    pub clock: ManualClock,
    pub node: Arc<Node>,
    pub stop: CancellationToken,
    _folder: Option<tempfile::TempDir>,
}

/// The rest of the process, as a test has it be.
pub struct Node {
    /// What was turned away at which trunk.
    pub turned_away: Mutex<Vec<(Sid, TurnedAway)>>,
    /// The position of the core log up to which its calls are routed; at first whatever there will be.
    pub directory: watch::Sender<i64>,
    /// The position that was waited for last.
    pub awaited: watch::Sender<i64>,
}

impl Node {
    fn new() -> Arc<Node> {
        let (directory, awaited) = (watch::Sender::new(i64::MAX), watch::Sender::new(0));
        Arc::new(Node { turned_away: Mutex::default(), directory, awaited })
    }
}

impl Health for Node {
    fn routed_by(&self, position: i64, _: Duration) -> BoxFuture<'_, bool> {
        let mut directory = self.directory.subscribe();
        self.awaited.send_replace(position);
        Box::pin(async move { directory.wait_for(|at| *at >= position).await.is_ok() })
    }

    fn turned_away(&self, trunk: &Sid) -> Vec<TurnedAway> {
        let all = self.turned_away.lock().unwrap();
        all.iter().filter(|(at, _)| at == trunk).map(|(_, what)| what.clone()).collect()
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The problem's code, after checking that it is a whole one.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"].as_str().map(str::len), Some(32), "{problem}");
        problem["code"].as_str().unwrap().to_owned()
    }

    /// The fields a 422 or 409 names.
    pub fn fields(&self) -> Vec<String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The session cookie it sets, as the browser sends it back.
    pub fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
    }
}

/// Someone who asks.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    headers: Vec<(String, String)>,
}

impl Caller {
    pub fn nobody() -> Caller {
        Caller::default().with("host", HOST).with("sec-fetch-site", "same-origin")
    }

    pub fn browser(cookie: &str) -> Caller {
        Caller::nobody().with("cookie", cookie)
    }

    pub fn program(key: &str) -> Caller {
        Caller::default().with("host", HOST).with("authorization", &format!("Bearer {key}"))
    }

    /// An account's program.
    pub fn account(sid: &str, token: &str) -> Caller {
        use base64::Engine;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{sid}:{token}"));
        Caller::default().with("authorization", &format!("Basic {pair}"))
    }

    pub fn with(&self, name: &str, value: &str) -> Caller {
        let mut headers = self.headers.clone();
        headers.retain(|(known, _)| known != name);
        headers.push((name.to_owned(), value.to_owned()));
        Caller { headers }
    }
}

/// A carrier that signed up, with everything to act for it.
#[derive(Clone)]
pub struct Carrier {
    pub sid: Sid,
    pub user: Sid,
    pub email: String,
    pub seed: Vec<u8>,
    pub recovery_codes: Vec<String>,
    pub owner: Caller,
    pub cookie: String,
    pub program: Caller,
    pub key: String,
}

impl World {
    pub async fn new() -> World {
        World::with(ApiConfig::default()).await
    }

    /// With settings of the operator's.
    pub async fn with(config: ApiConfig) -> World {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("store.sqlite").display());
        World::on(url, Some(folder), config).await
    }

    pub async fn on_postgres() -> World {
        World::on(testing::postgres().await, None, ApiConfig::default()).await
    }

    async fn on(url: String, folder: Option<tempfile::TempDir>, config: ApiConfig) -> World {
        let clock = ManualClock::at(START);
        let options = StoreOptions { clock: Arc::new(clock.clone()), ..testing::options(url) };
        let store = Store::open(options).await.unwrap();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let projections = Projections::start(store.clone(), tasks.clone(), stop.clone()).await.unwrap();
        let config = ApiConfig {
            password_cost: Cost { memory_kib: 64, passes: 1 },
            sip_address: Some("203.0.113.7:5060".into()),
            ..config
        };
        let (ids, node) = (Arc::new(RandomIds::default()), Node::new());
        let parts = Parts {
            store,
            projections,
            clock: Arc::new(clock.clone()),
            ids,
            config,
            health: node.clone(),
            stop: stop.clone(),
            tasks,
        };
        let app = App::new(parts).unwrap();
        let pages =
            poem::endpoint::make_sync(|_| poem::web::Html("<!doctype html>")).map_to_response().boxed();
        let http = Arc::new(api::router(&app, pages));
        World { app, http, clock, node, stop, _folder: folder }
    }

    /// One request; time moves on by 20 ms, so that nobody runs into the limit of requests by accident.
    pub async fn send(&self, caller: &Caller, method: &str, path: &str, body: Option<Value>) -> Answer {
        let content = body.as_ref().map(|_| "application/json");
        self.send_raw(caller, method, path, content, body.map(|body| body.to_string()).unwrap_or_default())
            .await
    }

    pub async fn send_raw(
        &self,
        caller: &Caller,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<poem::Body>,
    ) -> Answer {
        self.clock.advance(Duration::from_millis(20));
        let method: Method = method.to_uppercase().parse().unwrap();
        let request = Request::builder().method(method).uri_str(path);
        let request =
            content_type.into_iter().fold(request, |request, kind| request.header("content-type", kind));
        let request = caller.headers.iter().fold(request, |request, (name, value)| {
            let value = poem::http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            request.header(name.as_str(), value)
        });
        let response = self.http.get_response(request.body(body)).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.into_body().into_string().await.unwrap();
        Answer { status, headers, text }
    }

    pub async fn get(&self, caller: &Caller, path: &str) -> Value {
        self.send(caller, "GET", path, None).await.ok(200)
    }

    pub async fn post(&self, caller: &Caller, path: &str, body: Value) -> Answer {
        self.send(caller, "POST", path, Some(body)).await
    }

    pub async fn patch(&self, caller: &Caller, path: &str, body: Value) -> Answer {
        self.send(caller, "PATCH", path, Some(body)).await
    }

    /// Signs up; the answer and the browser at level password.
    pub async fn sign_up(&self, name: &str) -> (Value, Caller) {
        let body = json!({ "company": format!("{name} Telecom"), "country": "KH", "subdomain": name,
            "name": "Ann Owner", "email": format!("owner@{name}.example"), "password": PASSWORD });
        let answer = self.post(&Caller::nobody(), "/dashboard/sign-up", body).await;
        let browser = Caller::browser(&answer.cookie());
        (answer.ok(201), browser)
    }

    /// Sets the second factor up; the seed, recovery codes and cookie at level full.
    pub async fn set_up_two_factor(&self, browser: &Caller) -> (Vec<u8>, Vec<String>, String) {
        let setup = self.post(browser, "/dashboard/two-factor/setup", json!({})).await.ok(200);
        let seed =
            totp_rs::Secret::try_from_base32(setup["key"].as_str().unwrap()).unwrap().as_bytes().to_vec();
        let code = self.code(&seed);
        let answer = self.post(browser, "/dashboard/two-factor/enable", json!({ "code": code })).await;
        let cookie = answer.cookie();
        let enabled = answer.ok(200);
        assert_eq!(enabled["session"]["next"], "ready");
        let codes = enabled["recovery_codes"].as_array().unwrap().iter();
        (seed, codes.map(|code| code.as_str().unwrap().to_owned()).collect(), cookie)
    }

    /// A carrier with an owner after both factors and an API key.
    pub async fn carrier(&self, name: &str) -> Carrier {
        let (session, browser) = self.sign_up(name).await;
        let (seed, recovery_codes, cookie) = self.set_up_two_factor(&browser).await;
        let owner = Caller::browser(&cookie);
        let key = self.post(&owner, "/carrier/v1/api-keys", json!({ "name": "tests" })).await.ok(201);
        let key = key["secret"].as_str().unwrap().to_owned();
        let sid = |value: &Value| value.as_str().unwrap().parse::<Sid>().unwrap();
        Carrier {
            sid: sid(&session["carrier"]["sid"]),
            user: sid(&session["user"]["sid"]),
            email: format!("owner@{name}.example"),
            seed,
            recovery_codes,
            owner,
            cookie,
            program: Caller::program(&key),
            key,
        }
    }

    /// A colleague of this role, signed in with both factors.
    pub async fn colleague(&self, carrier: &Carrier, role: Role) -> (Sid, Caller) {
        let user = Sid::new(Kind::User, &RandomIds::default());
        let email = format!("{}@{}.example", user.as_str().to_lowercase(), carrier.sid);
        let hash = self.app.passwords.hash(PASSWORD, Arc::new(RandomIds::default())).await.unwrap();
        self.app.secrets.put(&carrier.sid, &user, secrets::PASSWORD, hash.as_bytes()).await.unwrap();
        let command = UserCommand::Register {
            carrier: carrier.sid.clone(),
            name: "Bob Colleague".parse().unwrap(),
            email: email.parse().unwrap(),
            role,
        };
        let appended = self.app.store.execute::<User>(&user, command, &self.meta(carrier)).await.unwrap();
        self.app.settled(domain::Log::Core, &appended).await.unwrap();
        let answer = self.sign_in(&email, PASSWORD).await;
        let browser = Caller::browser(&answer.cookie());
        let (_, _, cookie) = self.set_up_two_factor(&browser).await;
        (user, Caller::browser(&cookie))
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.post(&Caller::nobody(), "/dashboard/sign-in", body).await
    }

    /// The code an authenticator app shows now.
    pub fn code(&self, seed: &[u8]) -> String {
        totp::code_at(seed, self.clock.now()).unwrap()
    }

    /// Until every code used so far is spent for good.
    pub fn next_code(&self, seed: &[u8]) -> String {
        self.clock.advance(Duration::from_secs(60));
        self.code(seed)
    }

    pub fn meta(&self, carrier: &Carrier) -> Meta {
        Meta::new(Tenant::carrier(carrier.sid.clone()), Actor::system("tests"), self.clock.now())
    }
}

impl Caller {
    /// Whether it shows a key.
    pub fn is_program(&self) -> bool {
        self.headers.iter().any(|(name, _)| name == "authorization")
    }
}
