//! The arrows between the crates, as ARCHITECTURE.md draws them.

use serde_json::Value;
use std::{collections::BTreeMap, process::Command};

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
