//! Tenants: every route of both APIs, by every role, with what is one's own, another's, and nobody's. Of another tenant
//! nothing is read and nothing is changed, and it is answered like what nobody has. `tests/faults/tenants` prints the figures.

use crate::{
    walls::{operations, things},
    world::{Caller, Carrier, World},
};
use domain::{Log, user::Role};
use serde_json::{Value, json};
use std::time::Duration;

/// What is sent where something is written: nothing, no change, a change, nonsense, and somebody's account.
fn bodies(method: &str, account: &str) -> Vec<Option<Value>> {
    if !matches!(method, "post" | "patch" | "POST") {
        return vec![None];
    }
    vec![
        None,
        Some(json!({})),
        Some(json!({ "name": "Mine now" })),
        Some(json!({ "nonsense": 1 })),
        Some(json!({ "account_sid": account })),
        Some(json!({ "to": "+85512345678" })),
    ]
}

/// A SID of the same kind that nobody has.
fn nobodys(sid: &str) -> String {
    format!("{}{}", &sid[..2], "0190c5a1e3f27a4b8d1e2f3a4b5c6d7e")
}

/// An answer without what differs from request to request: the SIDs that were asked for, and the request's own id.
fn said(answer: &crate::world::Answer, sids: &[&str]) -> (u16, String) {
    let mut body = answer.json();
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
    }
    let text = sids.iter().fold(body.to_string(), |text, sid| text.replace(sid, "{sid}"));
    (answer.status, text)
}

/// Everything a carrier sees of itself.
async fn everything(world: &World, carrier: &Carrier, theirs: &[(&'static str, String)]) -> Vec<String> {
    let mut seen = Vec::new();
    for (method, path, id) in operations() {
        // What moves by itself: the time an API key was used last, the request's own effects on the audit.
        if method == "get" && id != "getAuthToken" {
            let path = fill(&path, theirs, str::to_owned);
            seen.push(format!("{path} {}", world.send(&carrier.owner, "GET", &path, None).await.text));
        }
    }
    seen
}

fn fill(path: &str, things: &[(&'static str, String)], sid: impl Fn(&str) -> String) -> String {
    let noun = path.split('/').nth(3).unwrap();
    let found = things.iter().find(|(name, _)| *name == noun);
    found.map_or(path.to_owned(), |(_, theirs)| path.replace("{sid}", &sid(theirs)))
}

async fn facts(world: &World) -> (i64, i64) {
    let store = &world.app.store;
    (store.head(Log::Core).await.unwrap(), store.head(Log::Calls).await.unwrap())
}

#[tokio::test]
async fn what_is_another_carriers_is_answered_like_what_nobody_has() {
    let world = World::new().await;
    let (a, b) = (world.carrier("alpha").await, world.carrier("beta1").await);
    let (own, theirs) = (things(&world, &a).await, things(&world, &b).await);
    let (_, admin) = world.colleague(&a, Role::Admin).await;
    let (_, member) = world.colleague(&a, Role::Member).await;
    let (_, password_only) = world.sign_up("gamma").await;
    let roles = [
        ("owner", &a.owner),
        ("admin", &admin),
        ("member", &member),
        ("program", &a.program),
        ("password only", &password_only),
        ("nobody", &Caller::nobody()),
    ];
    let account = |things: &[(&str, String)]| {
        things.iter().find(|(noun, _)| *noun == "accounts").map(|(_, sid)| sid.clone()).unwrap()
    };
    let before = everything(&world, &b, &theirs).await;
    let (mut cases, mut reached) = (0, 0);
    for (method, path, id) in operations() {
        for (role, caller) in roles {
            let (foreign, absent) = (fill(&path, &theirs, str::to_owned), fill(&path, &theirs, nobodys));
            let (foreign_account, absent_account) = (account(&theirs), nobodys(&account(&theirs)));
            let pairs = bodies(&method, &foreign_account).into_iter().zip(bodies(&method, &absent_account));
            for (body, absent_body) in pairs {
                // What takes no SID can only leak by what is in the body.
                if !path.contains("{sid}") && body.as_ref().is_none_or(|body| body["account_sid"].is_null()) {
                    continue;
                }
                let written = facts(&world).await;
                let theirs = world.send(caller, &method, &foreign, body.clone()).await;
                let nobodys = world.send(caller, &method, &absent, absent_body).await;
                let sids: Vec<String> = [&foreign, &absent].map(|path| sid_of(path)).into_iter().collect();
                let sids: Vec<&str> =
                    sids.iter().map(String::as_str).chain([&*foreign_account, &*absent_account]).collect();
                let case = format!("{id} by {role} with {body:?}");
                assert_eq!(said(&theirs, &sids), said(&nobodys, &sids), "{case}");
                assert!((400..500).contains(&theirs.status), "{case}: {}", theirs.text);
                assert!(!theirs.text.contains("Secret name"), "{case}: {}", theirs.text);
                assert_eq!(facts(&world).await, written, "{case} wrote something");
                cases += 1;
            }
        }
        if method == "get" {
            let mine = fill(&path, &own, str::to_owned);
            let seen = world.send(&a.owner, &method, &mine, None).await;
            assert_eq!(seen.status, 200, "{id} on one's own: {}", seen.text);
            let leak = theirs.iter().find(|(_, sid)| seen.text.contains(sid.as_str()));
            assert!(leak.is_none() && !seen.text.contains(b.sid.as_str()), "{id}: {leak:?}");
            reached += 1;
        }
    }
    cases += filters(&world, &a, &theirs).await;
    assert_eq!(everything(&world, &b, &theirs).await, before, "nothing of theirs changed");
    println!(
        "tenants, Carrier API: {} operations by {} roles: {cases} cases on another's, each answered as on nobody's; \
         {reached} reads of one's own",
        operations().len(),
        roles.len()
    );
}

/// A list asked for what is another's is as empty as one asked for what is nobody's.
async fn filters(world: &World, a: &Carrier, theirs: &[(&'static str, String)]) -> usize {
    let document = api::carrier::document();
    let mut cases = 0;
    for (method, path, id) in operations().into_iter().filter(|(method, ..)| method == "get") {
        let below = path.strip_prefix("/carrier/v1").unwrap();
        let parameters = document["paths"][below][&method]["parameters"].as_array().cloned();
        let names = parameters.unwrap_or_default().into_iter().filter(|parameter| parameter["in"] == "query");
        for name in names.map(|parameter| parameter["name"].as_str().unwrap().to_owned()) {
            for (_, sid) in theirs.iter().filter(|_| name.ends_with("sid") || name == "actor") {
                let path = path.replace("{sid}", sid);
                let [foreign, absent] = [sid.clone(), nobodys(sid)].map(|sid| format!("{path}?{name}={sid}"));
                let foreign = world.send(&a.owner, "GET", &foreign, None).await;
                let absent = world.send(&a.owner, "GET", &absent, None).await;
                let absent_sid = nobodys(sid);
                let sids = [sid.as_str(), absent_sid.as_str()];
                assert_eq!(said(&foreign, &sids), said(&absent, &sids), "{id} by {name}");
                cases += 1;
            }
        }
    }
    cases
}

fn sid_of(path: &str) -> String {
    path.split('/').nth(4).unwrap_or("no SID").to_owned()
}

/// An account with a number and a call: what opens it, and the SIDs.
struct Account {
    caller: Caller,
    sid: String,
    number: String,
    call: String,
}

async fn account(world: &World, carrier: &Carrier, number: &str) -> Account {
    let sid = |value: Value| value["sid"].as_str().unwrap().to_owned();
    let name = json!({ "name": "Secret name" });
    let account = sid(world.post(&carrier.program, "/carrier/v1/accounts", name).await.ok(201));
    let token = world.get(&carrier.owner, &format!("/carrier/v1/accounts/{account}/auth-token")).await;
    let caller = Caller::account(&account, token["auth_token"].as_str().unwrap());
    let body = json!({ "number": number, "account_sid": account });
    let held = sid(world.post(&carrier.program, "/carrier/v1/phone-numbers", body).await.ok(201));
    let form = format!("To=%2B85598765432&From={}&Twiml=%3CResponse/%3E", number.replace('+', "%2B"));
    let path = format!("/2010-04-01/Accounts/{account}/Calls.json");
    let placed =
        world.send_raw(&caller, "POST", &path, Some("application/x-www-form-urlencoded"), form).await;
    Account { caller, sid: account, number: held, call: sid(placed.ok(201)) }
}

/// A documented path with an account's, a call's and a number's SID.
fn twilio(path: &str, account: &str, call: &str, number: &str) -> String {
    let path = path.replace("{AccountSid}", account).replace("{CallSid}", call);
    let own = if path.contains("IncomingPhoneNumbers") { number } else { call };
    let own = if path.starts_with("/Accounts/{Sid}") { account } else { own };
    format!("/2010-04-01{}", path.replace("{Sid}", own))
}

#[tokio::test]
async fn what_is_another_accounts_is_answered_like_what_nobody_has() {
    let world = World::new().await;
    let (a, b) = (world.carrier("alpha").await, world.carrier("beta1").await);
    for carrier in [&a, &b] {
        let out = json!({ "name": "out", "outbound": { "host": "sip.example.com", "transport": "udp" } });
        world.post(&carrier.program, "/carrier/v1/trunks", out).await.ok(201);
    }
    let own = account(&world, &a, "+85512345678").await;
    let others = [account(&world, &a, "+85512345679").await, account(&world, &b, "+85512345670").await];
    let (mut cases, mut reached) = (0, 0);
    for operation in api::twilio::operations() {
        let form = (operation.method == "POST").then_some("application/x-www-form-urlencoded");
        let ask = async |caller: &Caller, path: &str, body: &'static str| {
            world.send_raw(caller, operation.method, path, form, body).await
        };
        for other in &others {
            let none = [&other.sid, &other.call, &other.number].map(|sid| nobodys(sid));
            let known = [&other.sid, &other.call, &other.number].map(String::as_str);
            let sids: Vec<&str> = known.into_iter().chain(none.iter().map(String::as_str)).collect();
            let theirs = twilio(operation.path, &other.sid, &other.call, &other.number);
            let nobodys = twilio(operation.path, &none[0], &none[1], &none[2]);
            let within = twilio(operation.path, &own.sid, &other.call, &other.number);
            let within_nobodys = twilio(operation.path, &own.sid, &none[1], &none[2]);
            for (theirs, nobodys) in [(theirs, nobodys), (within, within_nobodys)] {
                if theirs == nobodys {
                    continue;
                }
                let strange = Caller::account(&other.sid, "0123456789abcdef0123456789abcdef");
                for caller in [&own.caller, &strange, &Caller::nobody()] {
                    for body in ["", "Status=completed", "FriendlyName=Mine+now"] {
                        let body = if form.is_some() { body } else { "" };
                        let written = facts(&world).await;
                        // Whoever tries tokens that fast is put off, whatever they are for.
                        world.clock.advance(Duration::from_secs(60));
                        let foreign = ask(caller, &theirs, body).await;
                        let absent = ask(caller, &nobodys, body).await;
                        let case = format!("{} {theirs} {body}", operation.name);
                        assert_eq!(said(&foreign, &sids), said(&absent, &sids), "{case}");
                        assert!((400..500).contains(&foreign.status), "{case}: {}", foreign.text);
                        assert!(!foreign.text.contains("Secret name"), "{case}: {}", foreign.text);
                        assert_eq!(facts(&world).await, written, "{case} wrote something");
                        cases += 1;
                    }
                }
            }
        }
        if operation.method == "GET" {
            let path = twilio(operation.path, &own.sid, &own.call, &own.number);
            let seen = ask(&own.caller, &path, "").await;
            assert_eq!(seen.status, 200, "{} on one's own: {}", operation.name, seen.text);
            let leaks = others.iter().any(|other| {
                [&other.sid, &other.call, &other.number].iter().any(|sid| seen.text.contains(sid.as_str()))
            });
            assert!(!leaks, "{}: {}", operation.name, seen.text);
            reached += 1;
        }
    }
    println!(
        "tenants, Twilio's API: {} operations on a sibling's and a stranger's account: {cases} cases, each answered as on \
         nobody's; {reached} reads of one's own",
        api::twilio::operations().count()
    );
}
