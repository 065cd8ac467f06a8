//! The arrows between the crates, as ARCHITECTURE.md draws them.

use crate::support::sources::{Source, below};
use domain::{
    EventKind, Stream, account::Account, call::Call, carrier::Carrier, phone_number::PhoneNumber,
    trunk::Trunk, user::User,
};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path, process::Command};

/// Who depends on whom. A new arrow is a visible change of this table.
const ARROWS: &[(&str, &[&str])] = &[
    ("api", &["domain", "projections", "store", "twiml"]),
    ("domain", &[]),
    ("projections", &["domain", "store"]),
    ("reactors", &["domain", "projections", "sip-engine", "store"]),
    ("schema", &[]),
    ("sip-engine", &["domain", "twiml"]),
    ("store", &["domain", "schema"]),
    ("trunkline", &["api", "domain", "projections", "reactors", "sip-engine", "store"]),
    ("twiml", &[]),
];

/// Names of events that are also what a person is told.
const SAID: &[(&str, &str)] = &[
    ("projections/src/tables/call_timeline.rs", "Answered"),
    ("projections/src/tables/call_timeline.rs", "Deleted"),
];

fn dependencies() -> BTreeMap<String, Vec<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let normal = |package: &Value| {
        let all = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| dependency["kind"].is_null());
        let mut names: Vec<String> =
            all.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    packages.map(|package| (package["name"].as_str().unwrap().to_owned(), normal(package))).collect()
}

#[test]
fn the_arrows_are_the_ones_we_drew() {
    let dependencies = dependencies();
    let members: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(dependencies.keys().collect::<Vec<_>>(), members);
    for (name, drawn) in ARROWS {
        let found: Vec<&str> =
            dependencies[*name].iter().map(String::as_str).filter(|other| members.contains(other)).collect();
        assert_eq!(found, *drawn, "{name}");
    }
}

/// Who asks for an event by its kind does not compile when that is renamed; who asks by its name hears of it no more.
#[test]
fn no_event_is_named_in_text() {
    let (names, mut read) = (names(), 0);
    for folder in ["api/src", "projections/src", "reactors/src", "sip-engine/src", "src", "store/src"] {
        let sources = below(folder).into_iter();
        for Source { path, text } in sources.filter(|source| !is_of_tests(&source.path)) {
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let file = format!("{folder}/{}", path.display());
            for name in names.iter().filter(|name| !SAID.contains(&(&file, **name))) {
                assert!(!code.contains(&format!("\"{name}\"")), "{file} names {name}: use the kind's value");
            }
            read += 1;
        }
    }
    assert!(read > 100, "{read} files");
}

/// Whether it stands in a file or a folder that is for tests.
fn is_of_tests(path: &Path) -> bool {
    path.iter()
        .any(|part| Path::new(part).file_stem().is_some_and(|stem| stem == "tests" || stem == "testing"))
}

fn names() -> Vec<&'static str> {
    fn of<A: Stream>() -> impl Iterator<Item = &'static str> {
        A::Kind::ALL.iter().map(|kind| kind.name())
    }
    let core = of::<Account>().chain(of::<Carrier>()).chain(of::<PhoneNumber>());
    core.chain(of::<Trunk>()).chain(of::<User>()).chain(of::<Call>()).collect()
}
