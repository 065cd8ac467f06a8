//! What is linked in: under which licences, from where, for what use, and how far the pure crates' reach.

use figment::{
    Figment,
    providers::{Format, Toml},
};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeSet, path::Path, process::Command};

/// What reads a clock of its own, speaks to a network or to a database. A pure crate reaches none of it, however far its
/// dependencies go.
const IMPURE: &[&str] = &[
    "hickory-resolver",
    "hyper",
    "mio",
    "poem",
    "reqwest",
    "rustix",
    "signal-hook-registry",
    "socket2",
    "sqlx",
];
/// What cqrs-es, which no feature of its own lets go without tokio, may have of it: neither sockets nor timers.
const TOKIO: &[&str] = &["default", "macros", "rt", "sync", "tokio-macros"];

/// `deny.toml`, in the form `cargo deny` reads.
#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rules() -> Rules {
    Figment::from(Toml::file_exact(root().join("deny.toml"))).extract().unwrap()
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo).current_dir(root()).args(arguments).arg("--offline").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// All packages the lock file names for what is built, or only the workspace's own.
fn packages(own: bool) -> Vec<Value> {
    let mut arguments = vec!["metadata", "--format-version=1"];
    arguments.extend(own.then_some("--no-deps"));
    let mut metadata: Value = serde_json::from_str(&cargo(&arguments)).unwrap();
    std::mem::take(metadata["packages"].as_array_mut().unwrap())
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

/// Whether one of the licences that may be chosen is allowed.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let lenient = spdx::ParseMode { allow_slash_as_or_operator: true, ..spdx::ParseMode::STRICT };
    let allowed: Vec<spdx::Licensee> =
        allowed.iter().map(|licence| spdx::Licensee::parse(licence).unwrap()).collect();
    spdx::Expression::parse_mode(expression, lenient).is_ok_and(|expression| {
        expression.evaluate(|wanted| allowed.iter().any(|licence| licence.satisfies(wanted)))
    })
}

#[test]
fn only_licences_that_may_be_linked_in_are() {
    let allowed = rules().licenses.allow;
    assert!(!is_allowed("GPL-3.0-only", &allowed) && !is_allowed("MIT AND GPL-2.0-only", &allowed));
    assert!(is_allowed("GPL-3.0-only OR MIT", &allowed) && is_allowed("MIT/Apache-2.0", &allowed));
    let wrong: Vec<String> = packages(false)
        .iter()
        .filter(|package| !is_allowed(text(package, "license"), &allowed))
        .map(|package| format!("{}: {:?}", text(package, "name"), package["license"]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn everything_comes_from_the_registry_and_nothing_of_it_is_banned() {
    let banned: Vec<String> = rules().bans.deny.into_iter().map(|banned| banned.name).collect();
    assert!(!banned.is_empty());
    for package in packages(false) {
        let (name, source) = (text(&package, "name"), text(&package, "source"));
        assert!(source.is_empty() || source.starts_with("registry+"), "{name} comes from {source}");
        assert!(!banned.iter().any(|banned| banned == name), "{name} is banned");
    }
}

/// Whether a file below this folder names the crate, but for its own manifest.
fn names(folder: &Path, krate: &str) -> bool {
    let is_word = |text: &str, at: usize| {
        let (before, behind) = (&text[..at], &text[at + krate.len()..]);
        let part = |found: Option<char>| found.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !part(before.chars().next_back()) && !part(behind.chars().next())
    };
    let says = |path: &Path| {
        std::fs::read_to_string(path)
            .is_ok_and(|text| text.match_indices(krate).any(|(at, _)| is_word(&text, at)))
    };
    std::fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            names(&path, krate)
        } else {
            path.extension().is_some_and(|e| e == "rs") && says(&path)
        }
    })
}

#[test]
fn every_dependency_is_named_by_who_has_it() {
    const FOLDERS: [&str; 4] = ["src", "tests", "benches", "examples"];
    let mut idle = Vec::new();
    for package in packages(true) {
        let home = Path::new(text(&package, "manifest_path")).parent().unwrap().to_owned();
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["rename"].as_str().unwrap_or(text(dependency, "name")).replace('-', "_");
            let is_named = FOLDERS.iter().any(|folder| names(&home.join(folder), &name))
                || std::fs::read_to_string(home.join("build.rs")).is_ok_and(|text| text.contains(&name));
            if !is_named {
                idle.push(format!("{} has {name}", text(&package, "name")));
            }
        }
    }
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn every_version_that_is_fixed_is_one_somebody_takes() {
    #[derive(Deserialize)]
    struct Manifest {
        workspace: Workspace,
    }
    #[derive(Deserialize)]
    struct Workspace {
        dependencies: std::collections::BTreeMap<String, Value>,
    }
    let manifest: Manifest = Figment::from(Toml::file_exact(root().join("Cargo.toml"))).extract().unwrap();
    let fixed: BTreeSet<String> = manifest.workspace.dependencies.into_keys().collect();
    let mut taken = BTreeSet::new();
    for package in packages(true) {
        let dependencies = package["dependencies"].as_array().unwrap();
        taken.extend(dependencies.iter().map(|dependency| text(dependency, "name").to_owned()));
    }
    assert_eq!(fixed.difference(&taken).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn the_pure_crates_reach_neither_network_nor_clock_nor_database() {
    for pure in ["domain", "twiml", "schema"] {
        let tree = cargo(&["tree", "--package", pure, "--edges=normal", "--prefix=none", "--format={p} {f}"]);
        let reached: Vec<&str> = tree.lines().collect();
        assert!(reached.len() > 10, "{tree}");
        for line in reached {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or_default();
            assert!(!IMPURE.contains(&name), "{pure} reaches {name}");
            if name == "tokio" {
                let features = line.rsplit(' ').find(|word| *word != "(*)").unwrap_or_default();
                let much: Vec<&str> =
                    features.split(',').filter(|feature| !TOKIO.contains(feature)).collect();
                assert!(pure == "domain" && much.is_empty(), "{pure} reaches {much:?} of tokio");
            }
        }
    }
}
