//! The arrows between the crates, as ARCHITECTURE.md draws them.

use domain::{
    EventKind, Stream, account::Account, call::Call, carrier::Carrier, phone_number::PhoneNumber,
    trunk::Trunk, user::User,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = names();
    for file in ["api/src", "projections/src", "reactors/src", "sip-engine/src", "src", "store/src"]
        .iter()
        .flat_map(|folder| sources(&root.join(folder)))
    {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let file = file.strip_prefix(root).unwrap().to_str().unwrap();
        for name in names.iter().filter(|name| !SAID.contains(&(file, **name))) {
            assert!(!code.contains(&format!("\"{name}\"")), "{file} names {name}: use the kind's value");
        }
    }
}

fn names() -> Vec<&'static str> {
    fn of<A: Stream>() -> impl Iterator<Item = &'static str> {
        A::Kind::ALL.iter().map(|kind| kind.name())
    }
    let core = of::<Account>().chain(of::<Carrier>()).chain(of::<PhoneNumber>());
    core.chain(of::<Trunk>()).chain(of::<User>()).chain(of::<Call>()).collect()
}

/// The files of a folder that are no tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let kept =
        entries.filter(|path| !path.file_stem().is_some_and(|stem| stem == "tests" || stem == "testing"));
    kept.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
