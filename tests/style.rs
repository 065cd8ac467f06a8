//! How files are laid out, so that one looks like the next.

use crate::support::sources::{self, Source};

/// Where our sources are.
const FOLDERS: [&str; 11] = [
    "api",
    "benches",
    "domain",
    "projections",
    "reactors",
    "schema",
    "sip-engine",
    "src",
    "store",
    "tests",
    "twiml",
];

/// What a line at the left margin begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Goes on with what was begun, or says something about what comes next.
    On,
    Blank,
    /// A `use`, whole or its first line.
    Use,
    /// A `use` that hands on.
    HandOn,
    /// A module's name.
    Mod,
    Item,
}

fn line(text: &str) -> Line {
    let public = text
        .strip_prefix("pub")
        .map(|rest| rest.split_once(") ").map_or(rest, |(_, rest)| rest).trim_start());
    match text {
        "" => Line::Blank,
        _ if text.starts_with("use ") => Line::Use,
        _ if public.is_some_and(|rest| rest.starts_with("use ")) => Line::HandOn,
        _ if public.unwrap_or(text).starts_with("mod ") && text.ends_with(';') => Line::Mod,
        _ if text.starts_with([' ', '}', ')', ']', '/', '#']) => Line::On,
        _ => Line::Item,
    }
}

/// Why a file's imports are not one block before everything else, if so: by the number of a line.
fn scattered(text: &str) -> Option<usize> {
    let (mut imported, mut apart, mut items) = (false, false, false);
    for (number, text) in (1..).zip(text.lines()) {
        match line(text) {
            Line::Use if items || apart => return Some(number),
            Line::Use => imported = true,
            Line::Blank | Line::Mod => apart = imported,
            Line::Item => items = true,
            Line::On | Line::HandOn => {}
        }
    }
    None
}

/// Every file of ours, by its path in the repository.
fn all() -> impl Iterator<Item = Source> {
    FOLDERS.into_iter().flat_map(|folder| {
        let whole = move |source: Source| Source {
            path: [folder.as_ref(), source.path.as_path()].iter().collect(),
            ..source
        };
        sources::below(folder).into_iter().map(whole)
    })
}

#[test]
fn a_files_imports_are_one_block_before_everything_else() {
    let scattered: Vec<String> = all()
        .filter_map(|source| Some(format!("{}:{}", source.path.display(), scattered(&source.text)?)))
        .collect();
    assert!(scattered.is_empty(), "put these in one block, which rustfmt orders:\n{}", scattered.join("\n"));
}

#[test]
fn imports_apart_and_imports_behind_items_are_seen() {
    assert_eq!(
        scattered(
            "//! A.\n\nmod b;\n\npub use b::B;\n\nuse {\n    c,\n};\nuse d;\n\nfn e() {\n    use f;\n}\n"
        ),
        None
    );
    assert_eq!(scattered("use std::a;\n\nuse b;\n"), Some(3));
    assert_eq!(scattered("use std::a;\nmod b;\nuse b::C;\n"), Some(3));
    assert_eq!(scattered("enum A {\n}\nuse A::B;\n"), Some(3));
}

/// Whether tests of a crate's own are anywhere but in a module `tests`, which is inline, `tests.rs` or `tests/mod.rs`.
fn hidden(Source { path, text }: &Source) -> bool {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let is_within = path.iter().any(|part| part == "tests" || part == "tests.rs");
    let before = |test: &str| text.split_once(test).map(|(before, _)| before);
    let first = ["\n    #[test]\n", "\n    #[tokio::test", "\n#[test]\n", "\n#[tokio::test"]
        .iter()
        .filter_map(|test| before(test));
    let inline =
        first.min_by_key(|before| before.len()).is_none_or(|before| before.contains("\nmod tests {\n"));
    let named = name != "tests" && name.ends_with("_tests");
    let placed = text.contains("#[path = ") && text.contains(".rs\"]\nmod tests;");
    let twice = name == "tests" && path.with_extension("").is_dir();
    named || placed || twice || !(is_within || inline)
}

#[test]
fn tests_of_a_crate_are_in_modules_called_tests() {
    let hidden: Vec<String> = all().filter(hidden).map(|source| source.path.display().to_string()).collect();
    assert!(
        hidden.is_empty(),
        "tests are in `mod tests`, inline, tests.rs or tests/mod.rs:\n{}",
        hidden.join("\n")
    );
}

#[test]
fn tests_under_other_names_are_seen() {
    let source = |path: &str, text: &str| Source { path: path.into(), text: text.to_owned() };
    let inline =
        "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn b() {}\n}\n";
    assert!(!hidden(&source("store/src/a.rs", inline)));
    assert!(!hidden(&source("store/src/a/tests/b.rs", "use super::*;\n\n#[test]\nfn b() {}\n")));
    assert!(hidden(&source("store/src/a.rs", &inline.replace("mod tests", "mod proofs"))));
    assert!(hidden(&source("store/src/a_tests.rs", "use super::*;\n")));
    assert!(hidden(&source("store/src/a.rs", "#[cfg(test)]\n#[path = \"b.rs\"]\nmod tests;\n")));
}
