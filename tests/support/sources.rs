//! The product's own sources, for tests of how they are written.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The crates, each by its name and where its sources are.
pub const CRATES: [(&str, &str); 9] = [
    ("api", "api/src"),
    ("domain", "domain/src"),
    ("projections", "projections/src"),
    ("reactors", "reactors/src"),
    ("schema", "schema/src"),
    ("sip-engine", "sip-engine/src"),
    ("store", "store/src"),
    ("trunkline", "src"),
    ("twiml", "twiml/src"),
];

/// A file of Rust.
pub struct Source {
    /// Its path below the folder that was asked for.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// Every file of Rust below a folder of the repository.
pub fn below(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut folders, mut sources) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.push(Source { path: path.strip_prefix(&root).unwrap().to_owned(), text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}
