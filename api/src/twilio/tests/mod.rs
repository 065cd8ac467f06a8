//! The whole surface over a real store, through poem's test client.

mod calls;
mod door;
mod numbers;

use super::*;
use crate::{ApiConfig, Parts, Well};
use domain::{
    Actor, Clock, Kind, Log, Meta, Number, Sid, Tenant,
    account::{Account, AccountCommand},
    call::{Call, CallCommand, CallEvent, CallbackEvent, EndReason, Ending, Program, Queued},
    carrier::{Carrier, CarrierCommand},
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
    /// An account with one number, of a carrier in the United States.
    async fn new() -> Bench {
        Bench::within("US").await
    }

    /// The same, of a carrier in this country.
    async fn within(country: &str) -> Bench {
        Bench::at(country, Arc::new(SystemClock)).await
    }

    /// The same, by this clock.
    async fn at(country: &str, clock: Arc<dyn Clock>) -> Bench {
        let (store, stop, tasks) = (sqlite().await, CancellationToken::new(), TaskTracker::new());
        let projections = Projections::start((*store).clone(), tasks.clone(), stop.clone()).await.unwrap();
        let app = App::new(Parts {
            store: (*store).clone(),
            projections: projections.clone(),
            clock,
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
        let sign_up = CarrierCommand::SignUp {
            name: "Demo".parse().unwrap(),
            country: country.parse().unwrap(),
            subdomain: "demo".parse().unwrap(),
        };
        let carrier = &bench.tenant.carrier;
        bench.store.execute::<Carrier>(carrier, sign_up, &meta(&bench.tenant)).await.unwrap();
        bench.account(&bench.tenant).await;
        bench.number(&bench.number, "+85512345678", &bench.tenant).await;
        bench
    }

    async fn account(&self, tenant: &Tenant) {
        let account = tenant.account.clone().unwrap();
        let create = AccountCommand::create(tenant.carrier.clone(), "Rocket".parse().unwrap());
        self.store.execute::<Account>(&account, create, &meta(tenant)).await.unwrap();
        let secrets = crate::secrets::Secrets::new((*self.store).clone());
        secrets.put_auth_token((&tenant.carrier, &account), 1, TOKEN).await.unwrap();
        self.settle().await;
    }

    async fn number(&self, sid: &Sid, number: &str, tenant: &Tenant) {
        let (carrier, number) = (tenant.carrier.clone(), Number::stored(number).unwrap());
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
