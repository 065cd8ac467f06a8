//! What a command is known by does not change with a release: a client that asks again after an upgrade is answered.

use super::{digest, is_same};
use crate::Hash;
use domain::{
    Sid, Stream,
    account::{Account, AccountCommand},
    call::{Call, CallCommand},
    carrier::{Carrier, CarrierCommand},
    phone_number::{PhoneNumber, PhoneNumberCommand},
    trunk::{Trunk, TrunkCommand},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fs, path::Path, str::FromStr};

/// A row of a `ledger.json` in schema/kept.
#[derive(Deserialize)]
struct Kept {
    /// The command's id.
    name: String,
    /// The aggregate's type.
    r#type: String,
    /// In hex.
    digest: String,
}

/// A command as today's code says it.
struct Asked {
    stream_type: &'static str,
    digest: Hash,
    is_same: Box<dyn Fn(&Hash) -> bool>,
}

#[test]
fn what_a_release_was_asked_is_known_again() {
    for release in ["release-1", "release-2"] {
        each(release, |name, kept, asked| {
            assert!((asked.is_same)(kept), "{release}: {name}");
        });
    }
}

#[test]
fn the_form_in_use_does_not_change() {
    each("release-2", |name, kept, asked| assert_eq!(&asked.digest, kept, "{name}"));
}

fn each(release: &str, check: impl Fn(&str, &Hash, &Asked)) {
    let mut kept = kept(release);
    for (name, asked) in asked() {
        let row = kept.remove(name).unwrap_or_else(|| panic!("{name} is not in the file"));
        assert_eq!(row.r#type, asked.stream_type, "{name}");
        let byte = |at| u8::from_str_radix(&row.digest[at * 2..at * 2 + 2], 16).unwrap();
        check(name, &std::array::from_fn(byte), &asked);
    }
    assert!(kept.is_empty(), "{:?}", kept.keys());
}

fn kept(release: &str) -> BTreeMap<String, Kept> {
    let rows: Vec<Kept> = serde_json::from_str(&schema(&format!("kept/{release}/ledger.json"))).unwrap();
    rows.into_iter().map(|row| (row.name.clone(), row)).collect()
}

/// The commands behind the rows.
fn asked() -> Vec<(&'static str, Asked)> {
    let carrier: Sid = parsed("VC0190c5a1e3f27a4b8d1e2f3a4b5c6d01");
    let account: Sid = parsed("AC0190c5a1e3f27a4b8d1e2f3a4b5c6d02");
    let key: Sid = parsed("AK0190c5a1e3f27a4b8d1e2f3a4b5c6d08");
    let trunk = |name, inbound: &str, outbound| TrunkCommand::Create {
        carrier: carrier.clone(),
        name: parsed(name),
        inbound: Some(serde_json::from_str(inbound).unwrap()),
        outbound,
    };
    let number = |number, account| PhoneNumberCommand::Create {
        carrier: carrier.clone(),
        number: parsed(number),
        enabled: true,
        account,
    };
    let (main, spare) = (
        r#"{"sources":["192.0.2.0/24","2001:db8::1/128"],"country":"KH"}"#,
        r#"{"sources":["198.51.100.7/32"],"country":null}"#,
    );
    let outbound = Some(sample("trunk.OutboundConfigured.v1"));
    let warning = CallCommand::Warn { code: 12200, message: "<Sya> is not a verb".into() };
    vec![
        (
            "createApiKey",
            known::<Carrier>(CarrierCommand::CreateApiKey {
                key,
                name: parsed("Deploy"),
                last_four: "9f3a".into(),
            }),
        ),
        ("createAccount", known::<Account>(AccountCommand::create(carrier.clone(), parsed("Rocket Rides")))),
        ("replaceAuthToken", known::<Account>(AccountCommand::ReplaceAuthToken { version: 7 })),
        ("createTrunk", known::<Trunk>(trunk("Main", main, outbound))),
        ("createTrunk:password", known::<Trunk>(TrunkCommand::ReplaceCredential)),
        ("createTrunk:inbound", known::<Trunk>(trunk("Spare", spare, None))),
        ("createPhoneNumber", known::<PhoneNumber>(number("+85512345678", Some(account)))),
        ("createPhoneNumber:short", known::<PhoneNumber>(number("1234", None))),
        ("createCall", known::<Call>(CallCommand::Queue(sample("call.Queued.v1.caller_id")))),
        ("createCall:warning", known::<Call>(warning)),
        ("status-callbacks:exchange", known::<Call>(CallCommand::Exchange(sample("call.Exchanged.v1")))),
    ]
}

fn known<A: Stream>(command: A::Command) -> Asked {
    let digest = digest::<A>(&command).unwrap();
    Asked { stream_type: A::TYPE, digest, is_same: Box::new(move |kept| is_same::<A>(&command, kept)) }
}

/// What the event of a frozen sample holds.
fn sample<T: DeserializeOwned>(name: &str) -> T {
    let event: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&schema(&format!("events/{name}.json"))).unwrap();
    serde_json::from_value(event.into_values().next().unwrap()).unwrap()
}

fn schema(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema").join(file)).unwrap()
}

fn parsed<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}
