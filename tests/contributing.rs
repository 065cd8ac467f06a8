//! The recipes of CONTRIBUTING.md: the files they name are there, and as many as they say.

use std::{collections::BTreeSet, path::Path};

const TEXT: &str = include_str!("../CONTRIBUTING.md");

/// The paths a text has in back-ticks, each with whether it is only looked at.
fn paths(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let parts: Vec<&str> = text.split('`').collect();
    let pairs = (0..parts.len() / 2).map(move |at| (parts[2 * at], parts[2 * at + 1]));
    pairs
        .filter(|(_, path)| Path::new(path).extension().is_some())
        .map(|(before, path)| (path, before.split_whitespace().rev().take(2).eq(["in", "as"])))
}

fn is_there(path: &str) -> bool {
    let path = path.replace("<noun>", "account").replace("<Noun>", "Account");
    // A reactor is a file or a folder of its own; there is none for accounts yet.
    path.starts_with("reactors/src/accounts") || Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

#[test]
fn every_file_a_recipe_names_is_there() {
    let missing: Vec<&str> = paths(TEXT).map(|(path, _)| path).filter(|path| !is_there(path)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(!is_there("domain/src/nobody.rs"));
}

#[test]
fn every_recipe_says_how_many_files_it_touches() {
    let (_, recipes) = TEXT.split_once("## Recipes").unwrap();
    let (recipes, _) = recipes.split_once("\n## ").unwrap();
    let recipes: Vec<&str> = recipes.split("\n### ").skip(1).collect();
    assert_eq!(recipes.len(), 10);
    for recipe in recipes {
        let (title, files) = recipe.split_once('\n').unwrap();
        let (_, counts) = title.rsplit_once(": ").unwrap();
        let said: usize =
            counts.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<usize>().ok()).sum();
        let touched: BTreeSet<&str> =
            paths(files).filter(|(_, looked_at)| !looked_at).map(|(path, _)| path).collect();
        assert_eq!(touched.len(), said, "{title}: {touched:?}");
    }
}
